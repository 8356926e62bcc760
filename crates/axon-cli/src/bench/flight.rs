//! The requests of one connection that are on their way, and the account of their replies.

use super::stall::Stall;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

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
    stall: Stall,
    /// Requests whose replies cannot come any more.
    lost: u64,
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
        Self {
            next,
            left,
            newest: 0,
            sent: VecDeque::with_capacity(depth),
            stall: Stall::default(),
            lost: 0,
            duplicated: 0,
            reordered: 0,
        }
    }

    /// The id of a request sent now, if one is left to be sent.
    pub(crate) fn depart(&mut self, now: Instant) -> Option<u64> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        let tid = self.next;
        self.next += 1;
        self.sent.push_back((tid, now));
        self.stall.asked(now);
        Some(tid)
    }

    /// Takes account of a reply that came now.
    pub(crate) fn arrive(&mut self, tid: u64, now: Instant) -> Reply {
        let found = self.sent.iter().position(|(sent, _)| *sent == tid);
        let Some((_, sent)) = found.and_then(|at| self.sent.remove(at)) else {
            return self.unasked(tid);
        };
        self.reordered += u64::from(tid < self.newest);
        self.newest = self.newest.max(tid);
        self.stall.heard(now, !self.sent.is_empty());
        Reply::To(sent)
    }

    fn unasked(&mut self, tid: u64) -> Reply {
        if tid >= self.next {
            return Reply::Strange;
        }
        self.duplicated += 1;
        Reply::Duplicate
    }

    /// The session is over, and with it the hope for replies. The stall goes on until the next reply.
    pub(crate) fn give_up(&mut self) {
        self.lost += self.sent.len() as u64;
        self.sent.clear();
    }

    /// Requests whose replies may still come.
    pub(crate) fn unanswered(&self) -> u64 {
        self.sent.len() as u64
    }

    /// Requests without a reply.
    pub(crate) fn lost(&self) -> u64 {
        self.lost + self.unanswered()
    }

    /// No reply is waited for any more.
    pub(crate) fn land(&mut self, now: Instant) {
        self.stall.heard(now, false);
    }

    /// The longest time without any reply while requests were on their way.
    pub(crate) fn longest_stall(&self) -> Duration {
        self.stall.longest()
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
        assert_eq!(flight.arrive(a, now), Reply::To(now));
        assert_eq!(flight.unanswered(), 1);
        assert_eq!(flight.arrive(b, now), Reply::To(now));
        assert_eq!((flight.unanswered(), flight.duplicated, flight.reordered), (0, 0, 0));
    }

    #[test]
    fn what_is_wrong_is_counted() {
        let now = Instant::now();
        let mut flight = Flight::new(0, None, 4);
        let (a, b) = (flight.depart(now).unwrap(), flight.depart(now).unwrap());
        assert_eq!(flight.arrive(b, now), Reply::To(now));
        assert_eq!(flight.reordered, 0, "the first may be lost");
        assert_eq!(flight.arrive(b, now), Reply::Duplicate);
        assert_eq!(flight.duplicated, 1);
        assert_eq!(flight.arrive(b + 1, now), Reply::Strange);
        assert_eq!(flight.arrive(a, now), Reply::To(now));
        assert_eq!((flight.unanswered(), flight.duplicated, flight.reordered), (0, 1, 1));
    }

    #[test]
    fn what_is_given_up_is_lost_and_the_stall_goes_on() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut flight = Flight::new(0, Some(4), 2);
        flight.depart(at(0)).unwrap();
        let b = flight.depart(at(0)).unwrap();
        assert_eq!(flight.arrive(b, at(10)), Reply::To(at(0)));
        flight.give_up();
        assert_eq!((flight.unanswered(), flight.lost()), (0, 1));
        let c = flight.depart(at(50)).unwrap();
        assert_eq!(flight.arrive(c, at(60)), Reply::To(at(50)));
        assert_eq!(flight.longest_stall(), Duration::from_millis(50));
        flight.depart(at(100)).unwrap();
        flight.land(at(900));
        assert_eq!((flight.lost(), flight.longest_stall()), (2, Duration::from_millis(800)));
    }
}
