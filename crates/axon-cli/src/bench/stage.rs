//! How far a load has come, for the threads that make it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What the threads do with an answer that comes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Answer it with the next request, count nothing.
    WarmUp = 0,
    /// Answer it with the next request, count it.
    Measured = 1,
    /// Send nothing more.
    Drain = 2,
}

/// The phase, shared by all threads of a load.
#[derive(Debug)]
pub(crate) struct Stage(AtomicU8);

impl Stage {
    pub(crate) fn new(phase: Phase) -> Self {
        Self(AtomicU8::new(phase as u8))
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Release);
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::WarmUp,
            1 => Phase::Measured,
            _ => Phase::Drain,
        }
    }
}

/// How long a load runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// For a time, after a warm-up of a tenth of it.
    Time(Duration),
    /// For a number of messages, all of which are counted.
    Count(u64),
}

/// How long a load runs, and how patient it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How long it runs.
    pub(crate) span: Span,
    /// A reply that takes longer is lost.
    pub(crate) patience: Duration,
}

impl Span {
    /// The phase a load starts in.
    pub(crate) fn first_phase(self) -> Phase {
        match self {
            Self::Time(_) => Phase::WarmUp,
            Self::Count(_) => Phase::Measured,
        }
    }

    /// How many messages the connection `index` of `connections` sends; `None` is as many as fit in the time.
    pub(crate) fn quota(self, index: usize, connections: usize) -> Option<u64> {
        let Self::Count(count) = self else { return None };
        let (index, connections) = (index as u64, connections as u64);
        Some(count / connections + u64::from(index < count % connections))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_add_up() {
        let quotas: Vec<_> = (0..3).filter_map(|i| Span::Count(11).quota(i, 3)).collect();
        assert_eq!(quotas, [4, 4, 3]);
        assert_eq!(Span::Time(Duration::from_secs(1)).quota(0, 3), None);
    }
}
