//! Waiting for the OSD map.

use super::RadosError;
use super::core::Core;
use axon_messenger::park;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Ready when the OSD map has an epoch, or the time is over. Dropped, it leaves nothing behind.
pub(super) struct MapWait {
    core: Arc<Core>,
    epoch: u32,
    within: Duration,
    until: Instant,
    /// Its place among those who wait, once it has been polled in vain.
    place: Option<WaiterId>,
}

impl MapWait {
    pub(super) fn new(core: Arc<Core>, epoch: u32, within: Duration) -> Self {
        Self { core, epoch, within, until: park::deadline(within), place: None }
    }
}

impl Future for MapWait {
    type Output = Result<u32, RadosError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { core, epoch, within, until, place } = &mut *self;
        let (have, fault) = core.map_or_wake(*epoch, place, *until, context.waker());
        if have > 0 && have >= *epoch {
            return Poll::Ready(Ok(have));
        }
        match Instant::now() >= *until {
            true => Poll::Ready(Err(RadosError::NoMap { epoch: *epoch, have, within: *within, fault })),
            false => Poll::Pending,
        }
    }
}

impl Drop for MapWait {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.core.forget_map_waiter(place);
        }
    }
}

/// Names a task that waits for a newer map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WaiterId(u64);

/// Tasks that wait for a newer map, and until when.
#[derive(Debug, Default)]
pub(super) struct MapWaiters {
    waiting: BTreeMap<WaiterId, (Instant, Waker)>,
    last: u64,
}

impl MapWaiters {
    /// Adds one, or has it woken by another waker; returns the one it had, to be dropped without a lock held.
    pub(super) fn add(
        &mut self,
        place: &mut Option<WaiterId>,
        until: Instant,
        waker: &Waker,
    ) -> Option<Waker> {
        let id = *place.get_or_insert_with(|| {
            self.last += 1;
            WaiterId(self.last)
        });
        self.waiting.insert(id, (until, waker.clone())).map(|(_, before)| before)
    }

    /// Forgets one; returns its waker, to be dropped without a lock held.
    pub(super) fn forget(&mut self, id: WaiterId) -> Option<Waker> {
        self.waiting.remove(&id).map(|(_, waker)| waker)
    }

    /// When the first one gives up.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.values().map(|(until, _)| *until).min()
    }

    /// Those whose time is over.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        self.waiting.extract_if(.., |_, (until, _)| *until <= now).map(|(_, (_, waker))| waker).collect()
    }

    /// All of them: the map has changed.
    pub(super) fn take_all(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().map(|(_, waker)| waker).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objecter::Budget;
    use std::task::Wake;

    struct Idle;

    impl Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn who_waits_no_longer_leaves_no_waker() {
        let core = Arc::new(Core::new(Budget::new(1, 1), None));
        let idle = Arc::new(Idle);
        let waker = Waker::from(idle.clone());
        let mut waits = [1, 2].map(|epoch| MapWait::new(core.clone(), epoch, Duration::MAX));
        for _ in 0..3 {
            for wait in &mut waits {
                assert!(Pin::new(wait).poll(&mut Context::from_waker(&waker)).is_pending());
            }
        }
        assert_eq!(Arc::strong_count(&idle), 2 + 2, "one waker each, however often it is polled");
        drop(waits);
        assert_eq!(Arc::strong_count(&idle), 2, "this test's own");
    }

    #[test]
    fn those_whose_time_is_over_are_taken_once() {
        let now = Instant::now();
        let mut waiters = MapWaiters::default();
        let mut places = [None, None];
        for (place, seconds) in places.iter_mut().zip([5, 1]) {
            assert!(waiters.add(place, now + Duration::from_secs(seconds), Waker::noop()).is_none());
        }
        assert_eq!(waiters.next_due(), Some(now + Duration::from_secs(1)));
        assert_eq!(waiters.take_due(now + Duration::from_secs(1)).len(), 1);
        assert_eq!(waiters.take_all().len(), 1);
        assert_eq!(waiters.next_due(), None);
    }
}
