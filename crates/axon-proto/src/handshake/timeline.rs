//! How long a handshake took.

use crate::Instant;
use alloc::vec::Vec;
use core::fmt;

/// A part of the handshake, for reports of how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Both banners crossed.
    Banner,
    /// Both HELLOs crossed.
    Hello,
    /// The keys are agreed.
    Auth,
    /// The peer's signature holds.
    Signature,
    /// The session is agreed.
    Ident,
}

impl Phase {
    const COUNT: usize = 5;
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banner => "banner",
            Self::Hello => "hello",
            Self::Auth => "auth",
            Self::Signature => "signature",
            Self::Ident => "ident",
        })
    }
}

/// When a handshake started and when each phase was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The socket was there.
    pub start: Instant,
    /// The end of each phase, in order.
    pub phases: Vec<(Phase, Instant)>,
}

impl Timeline {
    pub(crate) fn new(start: Instant) -> Self {
        Self { start, phases: Vec::with_capacity(Phase::COUNT) }
    }

    pub(crate) fn reached(&mut self, phase: Phase, now: Instant) {
        self.phases.push((phase, now));
    }

    /// Hands the phases over; an open link has no use for them.
    pub(crate) fn finish(&mut self) -> Self {
        Self { start: self.start, phases: core::mem::take(&mut self.phases) }
    }
}
