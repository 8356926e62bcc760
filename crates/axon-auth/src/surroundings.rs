//! What the exchanges need from the world: the time of day and randomness.

use crate::Entropy;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

/// The time of day, on which the validity of tickets and keys depends.
pub trait Clock: Send + Sync {
    /// Time since the Unix epoch, UTC.
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration + Send + Sync> Clock for F {
    fn now(&self) -> Duration {
        self()
    }
}

/// Hands every exchange a generator of its own.
pub trait EntropySource: Send + Sync {
    /// A generator for one exchange.
    fn entropy(&self) -> Box<dyn Entropy>;
}

impl<F: Fn() -> Box<dyn Entropy> + Send + Sync> EntropySource for F {
    fn entropy(&self) -> Box<dyn Entropy> {
        self()
    }
}

/// A clock and a source of randomness: the operating system's, or a simulation's.
#[derive(Clone)]
pub struct Surroundings {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn EntropySource>,
}

impl Surroundings {
    /// Both from closures or other implementations.
    pub fn new(clock: impl Clock + 'static, entropy: impl EntropySource + 'static) -> Self {
        Self { clock: Arc::new(clock), entropy: Arc::new(entropy) }
    }
}

/// Eight random bytes as a number.
pub(crate) fn random_u64(entropy: &mut dyn Entropy) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
