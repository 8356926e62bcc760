//! The requests of one connection that are on their way, and the account of their replies.

use std::collections::VecDeque;
use std::time::Instant;

/// Bits of a transaction id that count requests; those above are the connection's index.
const COUNT_BITS: u32 = 40;

/// The connection, by its index, to which a transaction id belongs.
pub(crate) fn lane_of(tid: u64) -> usize {
    (tid >> COUNT_BITS) as usize
}

/// The requests of one connection that are on their way.
#[derive(Debug)]
pub(crate) struct Flight {
    /// The id of the next request.
    next: u64,
    /// How many requests are still to be sent; `None` is as many as fit in the time.
    left: Option<u64>,
    /// The latest request that was answered.
    newest: u64,
    /// Unanswered requests, oldest first.
    sent: VecDeque<(u64, Instant)>,
    /// Replies to requests that were answered before.
    pub(crate) duplicated: u64,
    /// Replies that came after the reply to a later request.
    pub(crate) reordered: u64,
}

/// What a reply was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// To a request sent then.
    To(Instant),
    /// To a request that was answered before.
    Duplicate,
    /// To no request of this connection.
    Strange,
}

impl Flight {
    /// Of the connection with this index.
    pub(crate) fn new(lane: usize, left: Option<u64>, depth: usize) -> Self {
        let next = ((lane as u64) << COUNT_BITS) | 1;
        Self { next, left, newest: 0, sent: VecDeque::with_capacity(depth), duplicated: 0, reordered: 0 }
    }

    /// The id of a request sent now, if one is left to be sent.
    pub(crate) fn depart(&mut self, now: Instant) -> Option<u64> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        let tid = self.next;
        self.next += 1;
        self.sent.push_back((tid, now));
        Some(tid)
    }

    /// Takes account of a reply.
    pub(crate) fn arrive(&mut self, tid: u64) -> Reply {
        let found = self.sent.iter().position(|(sent, _)| *sent == tid);
        let Some((_, sent)) = found.and_then(|at| self.sent.remove(at)) else {
            return self.unasked(tid);
        };
        self.reordered += u64::from(tid < self.newest);
        self.newest = self.newest.max(tid);
        Reply::To(sent)
    }

    fn unasked(&mut self, tid: u64) -> Reply {
        if tid >= self.next {
            return Reply::Strange;
        }
        self.duplicated += 1;
        Reply::Duplicate
    }

    /// Requests without a reply.
    pub(crate) fn unanswered(&self) -> u64 {
        self.sent.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_in_order() {
        let now = Instant::now();
        let mut flight = Flight::new(3, Some(2), 4);
        let (a, b) = (flight.depart(now).unwrap(), flight.depart(now).unwrap());
        assert_eq!(flight.depart(now), None);
        assert_eq!((lane_of(a), lane_of(b)), (3, 3));
        assert_eq!(flight.arrive(a), Reply::To(now));
        assert_eq!(flight.unanswered(), 1);
        assert_eq!(flight.arrive(b), Reply::To(now));
        assert_eq!((flight.unanswered(), flight.duplicated, flight.reordered), (0, 0, 0));
    }

    #[test]
    fn what_is_wrong_is_counted() {
        let now = Instant::now();
        let mut flight = Flight::new(0, None, 4);
        let (a, b) = (flight.depart(now).unwrap(), flight.depart(now).unwrap());
        assert_eq!(flight.arrive(b), Reply::To(now));
        assert_eq!(flight.reordered, 0, "the first may be lost");
        assert_eq!(flight.arrive(b), Reply::Duplicate);
        assert_eq!(flight.duplicated, 1);
        assert_eq!(flight.arrive(b + 1), Reply::Strange);
        assert_eq!(flight.arrive(a), Reply::To(now));
        assert_eq!((flight.unanswered(), flight.duplicated, flight.reordered), (0, 1, 1));
    }
}
