//! For tests, here and in other crates: a toy monitor, a dialogue without sockets, repeatable randomness.

use crate::{Entropy, Surroundings};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

mod dialogue;
mod toy_monitor;

pub use dialogue::{Failure, Outcome, converse};
pub use toy_monitor::ToyMonitor;

/// Bytes from hexadecimal digits.
///
/// # Panics
/// If `text` is something else.
pub fn hex(text: &str) -> Vec<u8> {
    let digit = |c: u8| (c as char).to_digit(16).expect("a hexadecimal digit") as u8;
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "an even number of digits");
    pairs.iter().map(|[a, b]| digit(*a) << 4 | digit(*b)).collect()
}

/// Randomness that repeats (SplitMix64). Worthless as a secret.
#[derive(Debug, Clone)]
pub struct SeededEntropy(pub u64);

impl Entropy for SeededEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

impl SeededEntropy {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A clock that moves when told to; clones are the same clock.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// Stands at `seconds` since the Unix epoch.
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::Relaxed);
    }

    /// What it shows.
    pub fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    /// This clock, and for every exchange randomness of its own that repeats with `seed`.
    pub fn surroundings(&self, seed: u64) -> Surroundings {
        let clock = self.clone();
        let seeds = AtomicU64::new(seed);
        let entropy = move || {
            let seed = seeds.fetch_add(1 << 32, Ordering::Relaxed);
            Box::new(SeededEntropy(seed)) as Box<dyn Entropy>
        };
        Surroundings::new(move || clock.now(), entropy)
    }
}
