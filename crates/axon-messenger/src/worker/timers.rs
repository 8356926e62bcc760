//! When which endpoint wants to be looked at.

use axon_proto::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
}
