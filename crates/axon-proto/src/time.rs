//! The protocol's own clock reading, and why a machine wants to be woken.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time: nanoseconds since an origin the driver chooses. Never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// Time passed since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, wait: Duration) -> Instant {
        let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        Instant(self.0.saturating_add(nanos))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.since(earlier)
    }
}

impl From<Duration> for Instant {
    fn from(since_origin: Duration) -> Self {
        Instant(0) + since_origin
    }
}

/// Why a machine asked to be woken; for logs and for simulators that want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WakeReason {
    /// The handshake has taken too long.
    Ready,
    /// Nothing was heard for the idle time-out.
    Idle,
    /// A sign of life is due.
    Keepalive,
    /// A keepalive was not answered.
    KeepaliveAck,
    /// The body of a message that holds budgets came too slowly.
    Body,
    /// The back-off before the next dial is over.
    Redial,
    /// The peer, who alone may dial, has not come back for its session.
    Abandoned,
}

/// When to wake up first, if there are two reasons, or one, or none.
pub(crate) fn sooner(
    one: Option<(Instant, WakeReason)>,
    other: Option<(Instant, WakeReason)>,
) -> Option<(Instant, WakeReason)> {
    match (one, other) {
        (Some(one), Some(other)) if other.0 < one.0 => Some(other),
        (Some(one), _) => Some(one),
        (None, other) => other,
    }
}

impl fmt::Display for WakeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready time-out",
            Self::Idle => "idle time-out",
            Self::Keepalive => "keepalive due",
            Self::KeepaliveAck => "keepalive unanswered",
            Self::Body => "a message's body came too slowly",
            Self::Redial => "redial",
            Self::Abandoned => "the peer did not come back for its session",
        })
    }
}
