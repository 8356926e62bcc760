//! Waiting for the OSD map.

use super::RadosError;
use super::core::Core;
use axon_messenger::park;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Ready when the OSD map has an epoch, or the time is over.
pub(super) struct MapWait {
    core: Arc<Core>,
    epoch: u32,
    within: Duration,
    until: Instant,
}

impl MapWait {
    pub(super) fn new(core: Arc<Core>, epoch: u32, within: Duration) -> Self {
        Self { core, epoch, within, until: park::deadline(within) }
    }
}

impl Future for MapWait {
    type Output = Result<u32, RadosError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { epoch, within, until, .. } = *self;
        let (have, fault) = self.core.map_or_wake(epoch, until, context.waker());
        if have > 0 && have >= epoch {
            return Poll::Ready(Ok(have));
        }
        match Instant::now() >= until {
            true => Poll::Ready(Err(RadosError::NoMap { epoch, have, within, fault })),
            false => Poll::Pending,
        }
    }
}

/// Tasks that wait for a newer map, and until when.
#[derive(Debug, Default)]
pub(super) struct MapWaiters(Vec<(Instant, Waker)>);

impl MapWaiters {
    /// Adds one, once.
    pub(super) fn add(&mut self, until: Instant, waker: &Waker) {
        if !self.0.iter().any(|(at, known)| *at == until && known.will_wake(waker)) {
            self.0.push((until, waker.clone()));
        }
    }

    /// When the first one gives up.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.iter().map(|(until, _)| *until).min()
    }

    /// Those whose time is over.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        self.0.extract_if(.., |(until, _)| *until <= now).map(|(_, waker)| waker).collect()
    }

    /// All of them: the map has changed.
    pub(super) fn take_all(&mut self) -> Vec<Waker> {
        self.0.drain(..).map(|(_, waker)| waker).collect()
    }
}
