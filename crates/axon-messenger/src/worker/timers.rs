//! When which endpoint wants to be looked at.

use axon_proto::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Entries of the heap that are always worth keeping rather than looking at.
const FEW: usize = 1024;

/// Entries per endpoint, of which one counts, until the others are thrown out.
const PER_ENDPOINT: usize = 4;

/// Pending wake-ups. An endpoint whose deadline moved further away is woken at the old one and asks again: deadlines
/// move with every message, and moving nothing is cheapest.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Timers {
    pub(super) fn push(&mut self, at: Instant, slot: usize) {
        self.heap.push(Reverse((at, slot)));
    }

    /// The slot of the next timer that is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, slot))| slot)
    }

    /// Entries, also those that do not count any more.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether most entries are of deadlines that came nearer, or of endpoints that are gone: with `endpoints` there cannot
    /// be so many others.
    pub(super) fn is_crowded(&self, endpoints: usize) -> bool {
        self.heap.len() > FEW + PER_ENDPOINT * endpoints
    }

    /// Throws out the entries that are not `pending`.
    pub(super) fn sweep(&mut self, pending: impl Fn(Instant, usize) -> bool) {
        self.heap.retain(|Reverse((at, slot))| pending(*at, *slot));
        self.heap.shrink_to(2 * self.heap.len());
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }
}

/// The timer an endpoint has pending.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    pending: Option<Instant>,
}

impl Alarm {
    /// Makes sure that a timer fires at `deadline` or before.
    pub(super) fn set(&mut self, deadline: Option<Instant>, slot: usize, timers: &mut Timers) {
        let Some(at) = deadline else { return };
        if self.pending.is_none_or(|pending| at < pending) {
            timers.push(at, slot);
            self.pending = Some(at);
        }
    }

    /// Whether this is the timer that it has pending.
    pub(super) fn is_pending(&self, at: Instant) -> bool {
        self.pending == Some(at)
    }

    /// The timer fired.
    pub(super) fn fired(&mut self, now: Instant) {
        if self.pending.is_some_and(|pending| pending <= now) {
            self.pending = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_deadline_wins_and_later_ones_wait() {
        let mut timers = Timers::default();
        let mut alarm = Alarm::default();
        alarm.set(Some(Instant(50)), 3, &mut timers);
        alarm.set(Some(Instant(90)), 3, &mut timers);
        assert_eq!(timers.next(), Some(Instant(50)));
        alarm.set(Some(Instant(20)), 3, &mut timers);
        assert_eq!(timers.pop_due(Instant(10)), None);
        assert_eq!(timers.pop_due(Instant(20)), Some(3));
        alarm.fired(Instant(20));
        alarm.set(Some(Instant(90)), 3, &mut timers);
        assert_eq!(timers.pop_due(Instant(60)), Some(3));
        assert_eq!(timers.next(), Some(Instant(90)));
    }

    #[test]
    fn of_many_deadlines_only_those_that_count_are_kept() {
        let mut timers = Timers::default();
        let mut alarm = Alarm::default();
        for at in (1..=10_000).rev() {
            alarm.set(Some(Instant(at)), 3, &mut timers);
            if timers.is_crowded(1) {
                timers.sweep(|at, slot| slot == 3 && alarm.is_pending(at));
                assert!(!timers.is_crowded(1));
            }
            assert!(timers.heap.len() <= FEW + PER_ENDPOINT && timers.next() == Some(Instant(at)));
        }
    }
}
