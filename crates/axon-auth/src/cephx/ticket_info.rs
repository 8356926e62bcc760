//! What a service finds in a ticket blob: who the client is, what it may do, and the key they share.

use crate::{AuthName, CryptoKey};
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, UTime, put_sized};
use core::time::Duration;

/// Ceph's `CephXServiceTicketInfo`: u8 1, ticket, key.
#[derive(Debug)]
pub(crate) struct TicketInfo {
    pub(crate) ticket: AuthTicket,
    pub(crate) session_key: CryptoKey,
}

/// Ceph's `AuthTicket`: u8 2, name, le64 global id, le64 all ones (once a user id), created, expires, caps, le32 flags.
#[derive(Debug)]
pub(crate) struct AuthTicket {
    pub(crate) name: AuthName,
    pub(crate) global_id: u64,
    pub(crate) created: Duration,
    pub(crate) expires: Duration,
    pub(crate) caps: Caps,
    pub(crate) flags: u32,
}

/// Ceph's `AuthCapsInfo`: u8 1, u8 allow all, blob that holds a string of its own.
#[derive(Debug, Default)]
pub(crate) struct Caps {
    pub(crate) allow_all: bool,
    /// The text inside the blob; empty if the blob is.
    pub(crate) text: Vec<u8>,
}

impl Encode for TicketInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        1u8.encode(out);
        self.ticket.encode(out);
        self.session_key.encode(out);
    }
}

impl Decode for TicketInfo {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        Ok(Self { ticket: AuthTicket::decode(input)?, session_key: CryptoKey::decode(input)? })
    }
}

impl Encode for AuthTicket {
    fn encode(&self, out: &mut Vec<u8>) {
        2u8.encode(out);
        self.name.encode(out);
        self.global_id.encode(out);
        u64::MAX.encode(out);
        UTime::from_duration(self.created).encode(out);
        UTime::from_duration(self.expires).encode(out);
        self.caps.encode(out);
        self.flags.encode(out);
    }
}

impl Decode for AuthTicket {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let version = input.u8()?;
        let name = AuthName::decode(input)?;
        let global_id = input.u64()?;
        if version >= 2 {
            input.u64()?;
        }
        Ok(Self {
            name,
            global_id,
            created: UTime::decode(input)?.to_duration(),
            expires: UTime::decode(input)?.to_duration(),
            caps: Caps::decode(input)?,
            flags: input.u32()?,
        })
    }
}

impl AuthTicket {
    /// When even a service whose keys do not rotate stops believing it: one lifetime after it expired, which is as
    /// long as regular key rotation accepts any ticket.
    pub(crate) fn deadline(&self) -> Duration {
        let lifetime = self.expires.saturating_sub(self.created);
        self.expires.saturating_add(lifetime)
    }
}

impl Encode for Caps {
    fn encode(&self, out: &mut Vec<u8>) {
        1u8.encode(out);
        self.allow_all.encode(out);
        put_sized(out, |blob| {
            if !self.text.is_empty() {
                self.text.as_slice().encode(blob);
            }
        });
    }
}

impl Decode for Caps {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        let allow_all = input.bool()?;
        let blob = input.blob()?;
        let text = match blob {
            [] => Vec::new(),
            _ => Decoder::new(blob).blob()?.to_vec(),
        };
        Ok(Self { allow_all, text })
    }
}
