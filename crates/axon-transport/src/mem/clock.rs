//! The time of a network: the machine's, or one that only tests move.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time since the network was made.
#[derive(Debug)]
pub(crate) enum Clock {
    Real(Instant),
    /// Nanoseconds.
    Virtual(AtomicU64),
}

impl Clock {
    pub(crate) fn real() -> Self {
        Self::Real(Instant::now())
    }

    pub(crate) const fn stopped() -> Self {
        Self::Virtual(AtomicU64::new(0))
    }

    pub(crate) fn now(&self) -> Duration {
        match self {
            Self::Real(origin) => origin.elapsed(),
            Self::Virtual(nanos) => Duration::from_nanos(nanos.load(Ordering::SeqCst)),
        }
    }

    /// Moves virtual time forward. `false` if time goes by itself.
    pub(crate) fn advance(&self, by: Duration) -> bool {
        let Self::Virtual(nanos) = self else {
            return false;
        };
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        nanos.fetch_add(by, Ordering::SeqCst);
        true
    }

    /// How long, on the machine's clock, one may sleep until `until`; `None` if only a nudge ends the sleep.
    pub(crate) fn sleep_until(&self, until: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Real(origin) => Some(until?.saturating_sub(origin.elapsed())),
            Self::Virtual(_) => None,
        }
    }
}
