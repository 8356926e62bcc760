//! Encryption under a [`CryptoKey`]: the two ciphers, and the envelope that every encrypted structure wears.

use crate::{AuthError, CryptoKey, Entropy, KeyType};
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

mod aes128;
mod aes256k;
mod envelope;

pub(crate) use envelope::{open_value, put_sealed, seal, take_sealed, take_sealed_value};

/// What a ciphertext holds. aes256k derives a key for each, so that one cannot be passed off as another; aes does
/// not (Ceph: `src/auth/Crypto.h`, key usages).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum KeyUsage {
    /// The connection secret that the monitor sends.
    ConnectionSecret = 0x03,
    /// A service ticket: session key and validity, for the client.
    ServiceTicket = 0x04,
    /// A ticket blob under the old session key, when a global id is reclaimed.
    TicketBlob = 0x05,
    /// The client's part of an authorizer.
    Authorize = 0x10,
    /// The server's challenge.
    AuthorizeChallenge = 0x11,
    /// The server's answer to an authorizer.
    AuthorizeReply = 0x12,
    /// A daemon's rotating service secrets.
    RotatingSecrets = 0x20,
    /// What a ticket blob holds for the service.
    TicketInfo = 0x30,
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionSecret => "connection secret",
            Self::ServiceTicket => "service ticket",
            Self::TicketBlob => "renewed ticket",
            Self::Authorize => "authorizer",
            Self::AuthorizeChallenge => "authorizer challenge",
            Self::AuthorizeReply => "authorizer reply",
            Self::RotatingSecrets => "rotating service keys",
            Self::TicketInfo => "ticket",
        })
    }
}

/// Encrypts `plain`; aes256k draws its confounder from `entropy`.
fn encrypt(
    key: &CryptoKey,
    usage: KeyUsage,
    entropy: &mut dyn Entropy,
    plain: &[u8],
) -> Result<Vec<u8>, AuthError> {
    match key.kind() {
        KeyType::None => Err(AuthError::KeyWithoutSecret { what: usage }),
        KeyType::Aes => Ok(aes128::encrypt(key.secret(), plain)),
        KeyType::Aes256k => {
            let mut confounder = [0; aes256k::CONFOUNDER_LEN];
            entropy.fill(&mut confounder);
            let keys = aes256k::UsageKeys::derive(key.secret(), usage as u32);
            Ok(keys.encrypt(&confounder, plain))
        }
    }
}

/// Decrypts `sealed`. One error for whatever is wrong, so that it tells nothing to somebody who probes.
fn decrypt(key: &CryptoKey, usage: KeyUsage, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    let plain = match key.kind() {
        KeyType::None => return Err(AuthError::KeyWithoutSecret { what: usage }),
        KeyType::Aes => aes128::decrypt(key.secret(), sealed),
        KeyType::Aes256k => aes256k::UsageKeys::derive(key.secret(), usage as u32).decrypt(sealed),
    };
    plain.ok_or(AuthError::Undecryptable { what: usage })
}
