//! The secrets of a service, with which monitors make its tickets; they rotate.

use super::request_type::RequestType;
use crate::cipher::{KeyUsage, take_sealed_value};
use crate::{AuthError, CryptoKey};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, UTime};
use core::time::Duration;

/// Secrets a service has at a time: previous, current, next (Ceph: `KEY_ROTATE_NUM`).
const KEPT: usize = 3;
/// Longest time before the current secret's expiry at which the next set is fetched.
const LONGEST_LEAD: Duration = Duration::from_secs(30);
/// The least one secret takes: id, version, key, expiry.
const MIN_ENTRY: usize = 8 + 1 + 12 + 8;

/// A secret and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringKey {
    /// The secret.
    pub key: CryptoKey,
    /// Until when monitors make tickets with it, since the Unix epoch. Tickets made with it live on.
    pub expires: Duration,
}

/// A service's secrets by id (Ceph: `RotatingSecrets`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RotatingSecrets {
    secrets: BTreeMap<u64, ExpiringKey>,
    max_version: u64,
}

/// The payload of an MAuth that asks for the rotating secrets of the daemon's own service: le16 0x0400.
pub fn rotating_request() -> Vec<u8> {
    RequestType::RotatingSecrets.to_vec()
}

impl RotatingSecrets {
    /// From the MAuthReply's result; `own_key` is the daemon's key from its keyring.
    ///
    /// # Errors
    /// If the monitor refused, or the bytes do not decrypt or make no sense.
    pub fn open(result: &[u8], own_key: &CryptoKey) -> Result<Self, AuthError> {
        let mut input = Decoder::new(result);
        RequestType::RotatingSecrets.expect_response(&mut input)?;
        take_sealed_value(&mut input, own_key, KeyUsage::RotatingSecrets)
    }

    /// The secret with this id.
    pub fn get(&self, id: u64) -> Option<&CryptoKey> {
        self.secrets.get(&id).map(|secret| &secret.key)
    }

    /// The newest id ever given out.
    pub fn max_version(&self) -> u64 {
        self.max_version
    }

    /// Whether there is none: nobody can be verified.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Adds the next secret and drops the oldest beyond three.
    pub fn add(&mut self, secret: ExpiringKey) {
        self.max_version += 1;
        self.secrets.insert(self.max_version, secret);
        while self.secrets.len() > KEPT {
            self.secrets.pop_first();
        }
    }

    /// The secret with which monitors make tickets now: the last but one, or the only one.
    pub fn current(&self) -> Option<(u64, &ExpiringKey)> {
        let mut newest_first = self.secrets.iter().rev().map(|(id, secret)| (*id, secret));
        let newest = newest_first.next();
        newest_first.next().or(newest)
    }

    /// Whether to fetch secrets: some are missing, or the current one expires within 30 s or a quarter of its term.
    pub fn need_new_secrets(&self, now: Duration) -> bool {
        let (Some((_, current)), Some((_, next))) = (self.current(), self.secrets.last_key_value()) else {
            return true;
        };
        let term = next.expires.saturating_sub(current.expires);
        let lead = LONGEST_LEAD.min(term / 4);
        self.secrets.len() < KEPT || current.expires <= now.saturating_add(lead)
    }
}

/// u8 1, le32 n, n x { le64 id, u8 1, key, expiry }, le64 newest id.
impl Encode for RotatingSecrets {
    fn encode(&self, out: &mut Vec<u8>) {
        1u8.encode(out);
        (self.secrets.len() as u32).encode(out);
        for (id, secret) in &self.secrets {
            id.encode(out);
            1u8.encode(out);
            secret.key.encode(out);
            UTime::from_duration(secret.expires).encode(out);
        }
        self.max_version.encode(out);
    }
}

impl Decode for RotatingSecrets {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        let count = input.count(MIN_ENTRY)?;
        let secrets = (0..count).map(|_| take_entry(input)).collect::<Result<_, _>>()?;
        Ok(Self { secrets, max_version: input.u64()? })
    }
}

fn take_entry(input: &mut Decoder<'_>) -> Result<(u64, ExpiringKey), DecodeError> {
    let id = input.u64()?;
    input.u8()?;
    let key = CryptoKey::decode(input)?;
    let expires = UTime::decode(input)?.to_duration();
    Ok((id, ExpiringKey { key, expires }))
}
