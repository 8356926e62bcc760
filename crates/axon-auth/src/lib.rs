//! Authentication for msgr2: methods `none` and `cephx`, client and service side.
//!
//! Each attempt to authenticate is one object that consumes and produces byte strings; the handshake in
//! `axon-proto` drives it and knows nothing of tickets. Time and randomness come in as arguments.
//!
//! - A process that dials is a [`Principal`]: a name, perhaps a key, and the tickets it got from the monitors.
//! - A daemon that accepts is a [`Verifier`]: its service's rotating secrets and the methods it allows.
//! - [`NoneClient`] and [`NoneServer`] believe everybody; they need neither keys nor monitors.
//!
//! ```
//! use axon_auth::{AuthName, Keyring};
//!
//! let keyring: Keyring = "[client.admin]\n\tkey = AQBTmYFpAAAAABAAgX3ZTZQ0vIWbl6a7qeG4hQ==\n".parse()?;
//! let name: AuthName = "client.admin".parse()?;
//! let key = keyring.key(&name)?;
//! assert!(!format!("{key:?}").contains("gX3Z"), "printing a key shows no secret");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod cephx;
mod cipher;
mod error;
mod exchange;
mod key;
mod keyring;
mod name;
mod none;
mod principal;
mod shared;
mod surroundings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod verifier;

pub use cephx::{RotatingStore, Services, TicketStore};
pub use cipher::KeyUsage;
pub use error::AuthError;
pub use exchange::*;
pub use key::{BadKey, CryptoKey, KeyType};
pub use keyring::{BadKeyring, Keyring, KeyringEntry, KeyringProblem};
pub use name::BadAuthName;
pub use none::{NoneClient, NoneServer};
pub use principal::Principal;
pub use shared::Shared;
pub use surroundings::{Clock, EntropySource, Surroundings};
pub use verifier::Verifier;

/// Longest authentication payload accepted from a peer: tickets with long capability strings fit many times over.
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// Payloads one attempt may consist of before the acceptor ends it: a refused method or two and a challenge fit.
pub const MAX_ROUNDS: u32 = 8;

/// Refuses payloads longer than [`MAX_PAYLOAD`].
fn check_payload(payload: &[u8]) -> Result<(), AuthError> {
    match payload.len() {
        0..=MAX_PAYLOAD => Ok(()),
        length => Err(AuthError::PayloadTooLong { length, limit: MAX_PAYLOAD }),
    }
}

/// Counts a round and refuses more than [`MAX_ROUNDS`].
fn check_round(rounds: &mut u32) -> Result<(), AuthError> {
    *rounds += 1;
    match *rounds {
        0..=MAX_ROUNDS => Ok(()),
        _ => Err(AuthError::TooManyRounds { limit: MAX_ROUNDS }),
    }
}

#[cfg(test)]
mod tests;
