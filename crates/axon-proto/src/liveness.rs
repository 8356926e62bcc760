//! Whether the other end is still there.

use crate::{Instant, Timeouts, WakeReason};
use axon_denc::UTime;
use core::time::Duration;

/// Watches one established link: when something was last heard, and which keepalive is unanswered.
#[derive(Debug)]
pub(crate) struct Liveness {
    timeouts: Timeouts,
    /// Whether keepalives are sent without being asked for.
    polices: bool,
    heard: Instant,
    /// The oldest keepalive since which nothing was heard.
    asked: Option<Instant>,
    /// This side does not listen, so that silence says nothing about the peer.
    suspended: bool,
    /// The stamp of the peer's last keepalive, if it was not answered yet.
    owed: Option<UTime>,
}

/// What silence calls for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nothing yet.
    Bearable,
    /// Send a keepalive.
    Ask,
    /// Give the link up.
    GiveUp(WakeReason),
}

impl Liveness {
    pub(crate) fn new(timeouts: Timeouts, polices: bool, now: Instant) -> Self {
        Self { timeouts, polices, heard: now, asked: None, suspended: false, owed: None }
    }

    /// This side stops reading.
    pub(crate) fn suspend(&mut self) {
        self.suspended = true;
    }

    /// This side reads, perhaps again: from now on the peer has its full time.
    pub(crate) fn resume(&mut self, now: Instant) {
        if core::mem::take(&mut self.suspended) {
            self.heard(now);
        }
    }

    /// The peer wants a sign of life. Of several requests the last is answered, so that a peer that asks and does not
    /// read the answers makes nothing grow.
    pub(crate) fn owe(&mut self, stamp: UTime) {
        self.owed = Some(stamp);
    }

    /// Whether the peer waits for an answer.
    pub(crate) fn owes(&self) -> bool {
        self.owed.is_some()
    }

    /// The stamp to answer with now.
    pub(crate) fn take_owed(&mut self) -> Option<UTime> {
        self.owed.take()
    }

    /// Bytes arrived; whatever they are, the peer lives.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// A keepalive goes out.
    pub(crate) fn asked(&mut self, now: Instant) {
        self.asked.get_or_insert(now);
    }

    /// What to do now.
    pub(crate) fn check(&self, now: Instant) -> Silence {
        match self.deadline() {
            Some((at, _)) if now < at => Silence::Bearable,
            Some((_, WakeReason::Keepalive)) => Silence::Ask,
            Some((_, reason)) => Silence::GiveUp(reason),
            None => Silence::Bearable,
        }
    }

    /// When `check` will want something next.
    pub(crate) fn deadline(&self) -> Option<(Instant, WakeReason)> {
        if self.suspended {
            return None;
        }
        let idle = self.timeouts.idle.map(|t| (self.heard + t, WakeReason::Idle));
        let keepalive = match (self.asked, self.timeouts.keepalive) {
            (Some(asked), _) => Some((asked + self.timeouts.keepalive_ack, WakeReason::KeepaliveAck)),
            (None, Some(every)) if self.polices => Some((self.heard + every, WakeReason::Keepalive)),
            _ => None,
        };
        [idle, keepalive].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

/// The stamp a keepalive carries. The peer only repeats it, so the driver's own clock serves.
pub(crate) fn stamp(now: Instant) -> UTime {
    let since = Duration::from_nanos(now.0);
    UTime { sec: since.as_secs() as u32, nsec: since.subsec_nanos() }
}

/// The round trip that the acknowledgement of `stamp` completes; `None` if it was never ours.
pub(crate) fn round_trip(stamp: UTime, now: Instant) -> Option<Duration> {
    let sent = Duration::new(stamp.sec.into(), 0) + Duration::from_nanos(stamp.nsec.into());
    Duration::from_nanos(now.0).checked_sub(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn timeouts() -> Timeouts {
        Timeouts {
            ready: SECOND,
            idle: Some(SECOND * 60),
            keepalive: Some(SECOND * 10),
            keepalive_ack: SECOND * 5,
        }
    }

    #[test]
    fn silence_is_asked_about_then_given_up() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), true, start);
        assert_eq!(link.check(start + SECOND * 9), Silence::Bearable);
        assert_eq!(link.check(start + SECOND * 10), Silence::Ask);
        link.asked(start + SECOND * 10);
        assert_eq!(link.check(start + SECOND * 14), Silence::Bearable);
        assert_eq!(link.check(start + SECOND * 15), Silence::GiveUp(WakeReason::KeepaliveAck));
        link.heard(start + SECOND * 15);
        assert_eq!(link.check(start + SECOND * 15), Silence::Bearable);
    }

    #[test]
    fn asking_again_does_not_buy_time() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), true, start);
        link.asked(start);
        link.asked(start + SECOND * 4);
        assert_eq!(link.check(start + SECOND * 5), Silence::GiveUp(WakeReason::KeepaliveAck));
    }

    /// Whoever holds the peer back must not blame it for being quiet.
    #[test]
    fn silence_says_nothing_while_nobody_listens() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), true, start);
        link.asked(start);
        link.suspend();
        assert_eq!(link.deadline(), None);
        assert_eq!(link.check(start + SECOND * 600), Silence::Bearable);
        link.resume(start + SECOND * 600);
        assert_eq!(link.deadline(), Some((start + SECOND * 610, WakeReason::Keepalive)));
        link.resume(start + SECOND * 605);
        assert_eq!(link.deadline(), Some((start + SECOND * 610, WakeReason::Keepalive)));
    }

    #[test]
    fn only_the_last_question_is_answered() {
        let mut link = Liveness::new(timeouts(), false, Instant(0));
        link.owe(UTime { sec: 1, nsec: 0 });
        link.owe(UTime { sec: 2, nsec: 0 });
        assert!(link.owes());
        assert_eq!(link.take_owed(), Some(UTime { sec: 2, nsec: 0 }));
        assert!(!link.owes());
    }

    #[test]
    fn an_accepting_side_only_knows_idleness() {
        let start = Instant(0);
        let link = Liveness::new(timeouts(), false, start);
        assert_eq!(link.check(start + SECOND * 59), Silence::Bearable);
        assert_eq!(link.check(start + SECOND * 60), Silence::GiveUp(WakeReason::Idle));
    }

    #[test]
    fn stamps_measure_round_trips() {
        let sent = Instant(5_000_000_123);
        assert_eq!(round_trip(stamp(sent), sent + SECOND), Some(SECOND));
        assert_eq!(round_trip(UTime { sec: 99, nsec: 0 }, sent), None);
    }
}
