//! The operating system's random source and clock, as authentication takes them.

use axon_auth::{Entropy, Surroundings};
use std::time::{SystemTime, UNIX_EPOCH};

/// Random bytes from the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// # Panics
    /// If the operating system has no random source: going on without would weaken every key.
    fn fill(&mut self, out: &mut [u8]) {
        getrandom::fill(out).expect("the operating system provides random bytes");
    }
}

/// The operating system's clock and random source, for a [`Principal`](crate::auth::Principal) or a
/// [`Verifier`](crate::auth::Verifier).
pub fn system_surroundings() -> Surroundings {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Surroundings::new(clock, || Box::new(OsEntropy) as Box<dyn Entropy>)
}
