//! A transport that misbehaves as real ones do, from a seed.
//!
//! Middleware over any back end: bytes come and go in pieces, late, and connections break in the middle of a message. What
//! it does is within the contract: nothing is reordered, duplicated or damaged.

mod reactor;
mod victim;

#[cfg(test)]
mod tests;

use crate::dice::Dice;
use crate::{Capabilities, Reactor, Transport};
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What goes wrong, and how often. The default: nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// What chance is drawn from.
    pub seed: u64,
    /// Sizes of the pieces in which bytes are handed to the device and reported, at most one each way per `poll`.
    pub piece: RangeInclusive<usize>,
    /// How late arrived bytes are reported.
    pub delay: RangeInclusive<Duration>,
    /// How many sockets in a thousand are cut some time.
    pub cuts_per_mille: u16,
    /// After how many bytes, sent and received, such a socket is cut.
    pub cut_after: RangeInclusive<u64>,
    /// How many attempts to connect in a thousand are refused.
    pub refusals_per_mille: u16,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            seed: 0,
            piece: usize::MAX..=usize::MAX,
            delay: Duration::ZERO..=Duration::ZERO,
            cuts_per_mille: 0,
            cut_after: 0..=0,
            refusals_per_mille: 0,
        }
    }
}

/// A transport with faults added to those of `T`. Clones share the plan and the counts.
#[derive(Debug, Clone)]
pub struct Faulty<T> {
    inner: T,
    plan: Arc<Plan>,
}

impl<T: Transport> Faulty<T> {
    /// Adds `faults` to `inner`.
    pub fn new(inner: T, faults: Faults) -> Self {
        let plan = Plan {
            faults,
            calm: AtomicBool::new(false),
            sockets: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
        };
        Self { inner, plan: Arc::new(plan) }
    }

    /// Ends cuts and refusals; pieces and delays stay. A test calls it before it waits for the system to heal.
    pub fn calm(&self) {
        self.plan.calm.store(true, Ordering::Relaxed);
    }

    /// Sockets cut so far.
    pub fn cuts(&self) -> u64 {
        self.plan.cuts.load(Ordering::Relaxed)
    }

    /// Attempts to connect refused so far.
    pub fn refusals(&self) -> u64 {
        self.plan.refusals.load(Ordering::Relaxed)
    }

    /// The transport underneath.
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: Transport> Transport for Faulty<T> {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { foreign_send: false, ..self.inner.capabilities() }
    }

    fn reactor(&self) -> io::Result<Box<dyn Reactor>> {
        let inner = self.inner.reactor()?;
        let reactor = reactor::FaultyReactor::new(inner, Arc::clone(&self.plan));
        Ok(Box::new(reactor))
    }
}

/// The faults, and what became of them.
#[derive(Debug)]
struct Plan {
    faults: Faults,
    calm: AtomicBool,
    sockets: AtomicU64,
    cuts: AtomicU64,
    refusals: AtomicU64,
}

impl Plan {
    fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Chance for the next socket.
    fn next_socket(&self) -> Dice {
        let number = self.sockets.fetch_add(1, Ordering::Relaxed);
        Dice::new(self.faults.seed).branch(number)
    }
}
