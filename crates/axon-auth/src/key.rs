//! Shared secrets as Ceph stores and sends them.

use crate::{Clock, Entropy};
use alloc::string::String;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, UTime};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How a key encrypts (Ceph: `src/auth/Crypto.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum KeyType {
    /// Not at all.
    None = 0,
    /// AES-128-CBC with a fixed initialisation vector and no integrity: Ceph's classic.
    Aes = 1,
    /// RFC 8009 aes256-cts-hmac-sha384-192: Ceph 20 and later.
    Aes256k = 2,
}

impl KeyType {
    /// Every type.
    pub const ALL: [KeyType; 3] = [Self::None, Self::Aes, Self::Aes256k];

    /// Length of the secret in bytes.
    pub fn secret_len(self) -> usize {
        match self {
            Self::None => 0,
            Self::Aes => 16,
            Self::Aes256k => 32,
        }
    }

    fn from_wire(value: u16) -> Result<Self, DecodeError> {
        let known = Self::ALL.into_iter().find(|t| *t as u16 == value);
        known.ok_or(DecodeError::Undefined { what: "key type", value: value.into() })
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Aes => "aes",
            Self::Aes256k => "aes256k",
        })
    }
}

/// A shared secret (Ceph: `CryptoKey`). Never printed, wiped when dropped, compared in constant time.
///
/// Wire form: le16 type, le32 + le32 creation time, le16 length, secret. Its base64 is the text in keyrings.
#[derive(Clone)]
pub struct CryptoKey {
    kind: KeyType,
    created: Duration,
    /// On the heap so that moving the key leaves no copies behind.
    secret: Zeroizing<Vec<u8>>,
}

impl CryptoKey {
    /// A key with this secret.
    ///
    /// # Errors
    /// If the secret's length is not the type's.
    pub fn new(kind: KeyType, created: Duration, secret: &[u8]) -> Result<Self, BadKey> {
        if secret.len() != kind.secret_len() {
            return Err(BadKey::Encoding(wrong_length(kind, secret.len())));
        }
        Ok(Self { kind, created, secret: Zeroizing::new(secret.to_vec()) })
    }

    /// A new random key, created now.
    pub fn generate(kind: KeyType, clock: &dyn Clock, entropy: &mut dyn Entropy) -> Self {
        let mut secret = Zeroizing::new(alloc::vec![0; kind.secret_len()]);
        entropy.fill(&mut secret);
        Self { kind, created: clock.now(), secret }
    }

    /// How it encrypts.
    pub fn kind(&self) -> KeyType {
        self.kind
    }

    /// When it was made, since the Unix epoch.
    pub fn created(&self) -> Duration {
        self.created
    }

    /// The secret itself: the key of AUTH_SIGNATURE frames and of proofs.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The text in keyrings.
    pub fn to_keyring_text(&self) -> Zeroizing<String> {
        let mut wire = Zeroizing::new(Vec::with_capacity(12 + self.secret.len()));
        self.encode(&mut wire);
        Zeroizing::new(STANDARD.encode(&*wire))
    }
}

fn wrong_length(kind: KeyType, length: usize) -> DecodeError {
    DecodeError::Undefined {
        what: match kind {
            KeyType::None => "length of a none key's secret (0 bytes)",
            KeyType::Aes => "length of an aes key's secret (16 bytes)",
            KeyType::Aes256k => "length of an aes256k key's secret (32 bytes)",
        },
        value: length as u64,
    }
}

/// A text or bytes that are not a key. Does not repeat them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadKey {
    /// Not base64.
    #[error("the key is not valid base64")]
    NotBase64,
    /// Not a key's wire form.
    #[error("the key is damaged: {0}")]
    Encoding(DecodeError),
    /// Bytes follow the key.
    #[error("the key is damaged: {0} bytes too many")]
    TrailingBytes(usize),
}

/// From the text in keyrings.
impl FromStr for CryptoKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wire = STANDARD.decode(text.trim());
        let wire = Zeroizing::new(wire.map_err(|_| BadKey::NotBase64)?);
        let mut input = Decoder::new(&wire);
        let key = Self::decode(&mut input).map_err(BadKey::Encoding)?;
        match input.remaining() {
            0 => Ok(key),
            extra => Err(BadKey::TrailingBytes(extra)),
        }
    }
}

impl Encode for CryptoKey {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.kind as u16).encode(out);
        UTime::from_duration(self.created).encode(out);
        (self.kind.secret_len() as u16).encode(out);
        out.extend_from_slice(&self.secret);
    }
}

impl Decode for CryptoKey {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let kind = KeyType::from_wire(input.u16()?)?;
        let created = UTime::decode(input)?.to_duration();
        let length = usize::from(input.u16()?);
        if length != kind.secret_len() {
            return Err(wrong_length(kind, length));
        }
        Ok(Self { kind, created, secret: Zeroizing::new(input.take(length)?.to_vec()) })
    }
}

impl fmt::Debug for CryptoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CryptoKey")
            .field("kind", &self.kind)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// Same type and secret, compared in constant time; the creation time does not count.
impl PartialEq for CryptoKey {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.secret.ct_eq(&other.secret).into()
    }
}

impl Eq for CryptoKey {}

#[cfg(test)]
mod tests;
