//! The operating system's random source.

use axon_auth::Entropy;

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
