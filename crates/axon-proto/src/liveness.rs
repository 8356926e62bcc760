//! Whether the other end is still there.
//!
//! Each link that this side dialled goes round and round here; any byte that arrives leads back to the start:
//!
//! ```text
//!   heard ── keepalive ──► asked ── keepalive_ack ──► given up
//!                          │   ▲
//!                          └───┘ what stands before the question leaves, or a body goes on arriving:
//!                                its time begins anew
//! ```
//!
//! After twice that time in which only the peer had something to say, it also sends a keepalive, but waits for nothing: the
//! peer gives up whom it does not hear for its own `idle`, and does not ask before.
//!
//! A question leaves after what was handed over before it, which over a slow link takes longer than an answer may. So an
//! unanswered question counts from when it left, and while it has not, the peer is alive if what stands before it gets
//! less: the device takes more only when the peer's has taken what it had. Whether it does is looked at only when the time
//! is up. What is sent after the question proves nothing: a device with room takes it for a dead peer, too.
//!
//! The answer stands behind what the peer was sending. Of a large body nothing is told before a whole portion of it is
//! there; that bytes arrive is looked at in the same way, and proves that the peer lives.

use crate::time::sooner;
use crate::{Instant, Timeouts, WakeReason};
use axon_denc::UTime;
use core::time::Duration;

/// Watches one established link: when something was last heard, and which keepalive is unanswered.
#[derive(Debug)]
pub(crate) struct Liveness {
    timeouts: Timeouts,
    /// When keepalives are sent without being asked for.
    rhythm: Option<Rhythm>,
    heard: Instant,
    /// When this side was last found to have said something.
    spoken: Instant,
    /// The oldest keepalive since which nothing was heard.
    asked: Option<Question>,
    /// The message that waits for its admission: this side does not listen, so that silence says nothing about the peer.
    held: Option<Held>,
    /// When the body of the message that was let in has to be complete.
    body_due: Option<Instant>,
    /// The stamp of the peer's last keepalive, if it was not answered yet.
    owed: Option<UTime>,
}

/// How long a link may be silent before it is asked about.
#[derive(Debug, Clone, Copy)]
struct Rhythm {
    /// After a sign of life; different for each link, as those that were opened together shall not ask together.
    after: Duration,
    /// Times are the ends of steps of a power of two: links that are due at nearly the same time are asked in one turn
    /// of a worker, which costs less than a turn for each.
    step: u64,
}

/// A keepalive without an answer.
#[derive(Debug)]
struct Question {
    /// When it was asked, or was last found to have come nearer to the peer, or its answer nearer to this side.
    since: Instant,
    /// Bytes that stood before it then, as far as anybody said; none if it had left.
    behind: usize,
    /// Bytes of a body that had arrived then, counted from anywhere; [`NOBODY_SAID`] until somebody did.
    arrived: u64,
}

/// More than ever arrives.
const NOBODY_SAID: u64 = u64::MAX;

/// A message that waits for its admission.
#[derive(Debug)]
struct Held {
    /// Bytes of its body.
    length: usize,
    /// When the peer was last told that this side lives.
    since: Instant,
}

/// Nanoseconds that the body of an admitted message may take, whatever its length.
const GRACE: u64 = 60 * 1_000_000_000;

/// And what each of its bytes adds to that: a peer slower than 64 KiB a second holds budgets that others wait for.
const PER_BYTE: u64 = 1_000_000_000 / (64 << 10);

/// Steps in an interval, at least.
const STEPS: u64 = 64;

/// What silence calls for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nothing yet.
    Bearable,
    /// Send a keepalive.
    Ask,
    /// Send one only to be heard.
    Speak,
    /// Say something: the peer's own questions are not heard.
    Reassure,
    /// Give the link up.
    GiveUp(WakeReason),
}

impl Liveness {
    /// Of a link that opens now. One that `polices` asks by itself, in a rhythm that follows from `seed`, which is any
    /// random number.
    pub(crate) fn new(timeouts: Timeouts, polices: bool, seed: u64, now: Instant) -> Self {
        let rhythm = timeouts.keepalive.filter(|_| polices).map(|every| Rhythm::new(every, seed));
        Self {
            timeouts,
            rhythm,
            heard: now,
            spoken: now,
            asked: None,
            held: None,
            body_due: None,
            owed: None,
        }
    }

    /// This side stops reading: a message with a body of `length` bytes waits.
    pub(crate) fn suspend(&mut self, now: Instant, length: usize) {
        self.held = Some(Held { length, since: now });
    }

    /// This side reads, perhaps again: from now on the peer has its full time.
    #[inline]
    pub(crate) fn resume(&mut self, now: Instant) {
        if let Some(Held { length, .. }) = self.held.take() {
            self.heard(now);
            self.admitted(now, length);
        }
    }

    /// A message was let in, whose body of `length` bytes may have come already.
    #[inline]
    pub(crate) fn admitted(&mut self, now: Instant, length: usize) {
        let patience = (length as u64).saturating_mul(PER_BYTE).saturating_add(GRACE);
        self.body_due = Some(Instant(now.0.saturating_add(patience)));
    }

    /// A message is complete.
    #[inline]
    pub(crate) fn completed(&mut self) {
        self.body_due = None;
    }

    /// The peer is told that this side lives, though it does not listen.
    pub(crate) fn reassured(&mut self, now: Instant) {
        self.spoken = now;
        if let Some(held) = &mut self.held {
            held.since = now;
        }
    }

    /// The peer wants a sign of life. Of several requests the last is answered, so that a peer that asks and does not
    /// read the answers makes nothing grow.
    pub(crate) fn owe(&mut self, stamp: UTime) {
        self.owed = Some(stamp);
    }

    /// Whether the peer waits for an answer.
    #[inline]
    pub(crate) fn owes(&self) -> bool {
        self.owed.is_some()
    }

    /// The stamp to answer with now.
    pub(crate) fn take_owed(&mut self) -> Option<UTime> {
        self.owed.take()
    }

    /// Bytes arrived; whatever they are, the peer lives.
    #[inline]
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// This side has said something since this was last called.
    pub(crate) fn spoke(&mut self, now: Instant) {
        self.spoken = now;
    }

    /// A keepalive goes out.
    pub(crate) fn asked(&mut self, now: Instant) {
        self.spoken = now;
        self.asked.get_or_insert(Question { since: now, behind: 0, arrived: NOBODY_SAID });
    }

    /// So many bytes stand before the question, if there is one, none if it has left; and so many of a body have arrived.
    pub(crate) fn progress(&mut self, now: Instant, behind: usize, arrived: u64) {
        if let Some(question) = &mut self.asked {
            if behind < question.behind || arrived > question.arrived {
                question.since = now;
            }
            (question.behind, question.arrived) = (behind, arrived);
        }
    }

    /// What to do now.
    pub(crate) fn check(&self, now: Instant) -> Silence {
        match self.deadline() {
            Some((at, _)) if now < at => Silence::Bearable,
            Some((_, WakeReason::Keepalive)) if self.held.is_some() => Silence::Reassure,
            Some((_, WakeReason::Keepalive)) if self.hears(now) => Silence::Speak,
            Some((_, WakeReason::Keepalive)) => Silence::Ask,
            Some((_, reason)) => Silence::GiveUp(reason),
            None => Silence::Bearable,
        }
    }

    /// When `check` will want something next.
    pub(crate) fn deadline(&self) -> Option<(Instant, WakeReason)> {
        if let Some(held) = &self.held {
            return self.timeouts.keepalive.map(|every| (held.since + every, WakeReason::Keepalive));
        }
        // What was found to move since the question is as good as a word.
        let alive = self.asked.as_ref().map_or(self.heard, |question| self.heard.max(question.since));
        let idle = self.timeouts.idle.map(|t| (alive + t, WakeReason::Idle));
        let keepalive = match (&self.asked, &self.rhythm) {
            (Some(question), _) => {
                Some((question.since + self.timeouts.keepalive_ack, WakeReason::KeepaliveAck))
            }
            (None, Some(rhythm)) => {
                let at = rhythm.next(self.heard).min(rhythm.next_but_one(self.spoken));
                Some((at, WakeReason::Keepalive))
            }
            (None, None) => None,
        };
        let body = self.body_due.map(|due| (due, WakeReason::Body));
        sooner(sooner(idle, keepalive), body)
    }

    /// Whether it is too early to ask, as something was heard not long ago.
    fn hears(&self, now: Instant) -> bool {
        self.rhythm.is_some_and(|rhythm| now < rhythm.next(self.heard))
    }
}

impl Rhythm {
    /// Asks between seven eighths of `every` and all of it after the last sign of life.
    fn new(every: Duration, seed: u64) -> Self {
        let every = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX);
        let step = (every / STEPS).checked_ilog2().map_or(1, |bits| 1 << bits);
        let eighth = every / 8;
        // The step may add as much as itself.
        let room = eighth.saturating_sub(step) + 1;
        Self { after: Duration::from_nanos(every - eighth + seed % room), step }
    }

    /// When to ask, if nothing is heard after `heard`.
    fn next(&self, heard: Instant) -> Instant {
        Instant((heard + self.after).0 | (self.step - 1))
    }

    /// When to speak, if nothing is said after `spoken`. So late that a link on which questions are asked needs no more.
    fn next_but_one(&self, spoken: Instant) -> Instant {
        self.next(spoken + self.after)
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
    use alloc::vec::Vec;

    const SECOND: Duration = Duration::from_secs(1);
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

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
        let mut link = Liveness::new(timeouts(), true, SEED, start);
        assert_eq!(link.check(start + SECOND * 8), Silence::Bearable);
        assert_eq!(link.check(start + SECOND * 10), Silence::Ask);
        link.asked(start + SECOND * 10);
        assert_eq!(link.check(start + SECOND * 14), Silence::Bearable);
        assert_eq!(link.check(start + SECOND * 15), Silence::GiveUp(WakeReason::KeepaliveAck));
        link.heard(start + SECOND * 15);
        assert_eq!(link.check(start + SECOND * 15), Silence::Bearable);
    }

    /// A worker is not held up by thousands of keepalives, nor woken for each.
    #[test]
    fn links_opened_together_ask_at_different_times_in_groups() {
        let start = Instant(123_456_789);
        let due =
            |seed: u64| Liveness::new(timeouts(), true, seed.wrapping_mul(SEED), start).deadline().unwrap().0;
        let mut times: Vec<Instant> = (1..=10_000).map(due).collect();
        times.sort();
        assert!(times[0] >= start + SECOND * 35 / 4 && times[9_999] <= start + SECOND * 10, "{times:?}");
        let largest = times.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
        let groups = times.chunk_by(|a, b| a == b).count();
        assert!((5..=20).contains(&groups) && largest <= 2_000, "{groups} groups, {largest} in the largest");
    }

    /// However short or long, nobody is asked later than was said.
    #[test]
    fn any_interval_has_a_rhythm() {
        for nanos in [0, 1, 63, 64, 1_000, 1_000_000_007, u64::MAX / 2] {
            for seed in [0, 1, SEED, u64::MAX] {
                let every = Duration::from_nanos(nanos);
                let next = Rhythm::new(every, seed).next(Instant(77));
                assert!(
                    (Instant(77) + every / 8 * 7..=Instant(77) + every).contains(&next),
                    "{nanos} {seed}"
                );
            }
        }
    }

    #[test]
    fn asking_again_does_not_buy_time() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), true, SEED, start);
        link.asked(start);
        link.asked(start + SECOND * 4);
        assert_eq!(link.check(start + SECOND * 5), Silence::GiveUp(WakeReason::KeepaliveAck));
    }

    /// What is so at each of these seconds after the question, which `behind` bytes stand before then, when `arrived` bytes
    /// have arrived; and when the link is given up for want of an answer.
    #[test]
    fn a_question_counts_from_when_it_left_and_its_answer_from_what_stands_before_it() {
        type Looks = &'static [(u32, usize, u64)];
        let start = Instant(0);
        let table: [(&str, Looks, u32); 14] = [
            ("it left at once", &[(0, 0, 0)], 5),
            ("nobody says how far it is", &[], 5),
            ("nothing leaves", &[(0, 100, 0), (5, 100, 0)], 5),
            ("some of it leaves, once", &[(0, 100, 0), (5, 99, 0), (10, 99, 0)], 10),
            (
                "it comes nearer each time",
                &[(0, 100, 0), (5, 60, 0), (10, 20, 0), (15, 0, 0), (20, 0, 0)],
                20,
            ),
            ("it left late", &[(0, 100, 0), (5, 0, 0), (10, 0, 0)], 10),
            ("others follow when it is gone", &[(0, 0, 0), (4, 900, 0), (5, 900, 0)], 5),
            ("told late, nothing is known of before", &[(5, 100, 900)], 5),
            ("nothing arrives", &[(0, 0, 900), (5, 0, 900)], 5),
            ("some of a body arrives, once", &[(0, 0, 900), (5, 0, 901), (10, 0, 901)], 10),
            ("a body arrives", &[(0, 0, 1), (5, 0, 2), (10, 0, 3), (15, 0, 4), (20, 0, 4)], 20),
            ("nothing is being received any more", &[(0, 0, 900), (5, 0, 0)], 5),
            ("both ways, in turns", &[(0, 9, 1), (5, 8, 1), (10, 8, 2), (15, 8, 2)], 15),
            ("what arrived before the question is none of it", &[(4, 0, 900), (5, 0, 900)], 5),
        ];
        for (name, looks, given_up) in table {
            let mut link = Liveness::new(timeouts(), true, SEED, start);
            link.asked(start);
            for &(second, behind, arrived) in looks {
                let now = start + SECOND * second;
                assert!(link.deadline().unwrap().0 >= now, "{name}");
                link.progress(now, behind, arrived);
            }
            let due = (start + SECOND * given_up, WakeReason::KeepaliveAck);
            assert_eq!(link.deadline(), Some(due), "{name}");
            assert_eq!(link.check(due.0), Silence::GiveUp(WakeReason::KeepaliveAck), "{name}");
        }
    }

    /// A link that moves is not idle, however long nothing is heard.
    #[test]
    fn what_is_found_to_move_counts_against_idleness() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), true, SEED, start);
        link.asked(start + SECOND * 10);
        for second in (10..600).step_by(5) {
            let now = start + SECOND * second;
            link.progress(now, 1000 - second as usize, 0);
            assert_eq!(link.check(now), Silence::Bearable, "{second}");
        }
        assert_eq!(link.check(start + SECOND * 600), Silence::GiveUp(WakeReason::KeepaliveAck));
    }

    /// The peer gives up whom it does not hear, and hears only what is said.
    #[test]
    fn who_only_listens_makes_itself_heard_and_expects_nothing() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), true, SEED, start);
        let mut spoke = Vec::new();
        for second in 1..=100 {
            let now = start + SECOND * second;
            if second % 7 == 0 {
                link.heard(now);
            }
            match link.check(now) {
                Silence::Bearable => {}
                Silence::Speak => {
                    link.spoke(now);
                    spoke.push(second);
                }
                other => panic!("{other:?} after {second} s"),
            }
        }
        assert_eq!(spoke, [19, 38, 57, 76, 95]);
        let mut server = Liveness::new(timeouts(), false, SEED, start);
        server.heard(start + SECOND * 50);
        assert_eq!(server.check(start + SECOND * 100), Silence::Bearable, "who accepted never asks");
    }

    /// Whoever holds the peer back must not blame it for being quiet.
    #[test]
    fn silence_says_nothing_while_nobody_listens() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), true, SEED, start);
        link.asked(start);
        link.suspend(start, 100);
        assert_eq!(link.check(start + SECOND * 9), Silence::Bearable);
        assert_eq!(link.check(start + SECOND * 600), Silence::Reassure);
        link.reassured(start + SECOND * 600);
        assert_eq!(link.check(start + SECOND * 609), Silence::Bearable);
        link.resume(start + SECOND * 600);
        let due = link.deadline();
        let (at, reason) = due.unwrap();
        assert_eq!(reason, WakeReason::Keepalive);
        assert!((start + SECOND * 608..=start + SECOND * 610).contains(&at), "{at:?}");
        link.resume(start + SECOND * 605);
        assert_eq!(link.deadline(), due);
    }

    /// It may be as slow as it likes while nobody waits for what it holds.
    #[test]
    fn the_body_of_an_admitted_message_has_its_time() {
        let start = Instant(0);
        let mut link = Liveness::new(timeouts(), false, SEED, start);
        link.suspend(start, 64 << 20);
        link.resume(start);
        let due = Instant(start.0 + GRACE + PER_BYTE * (64 << 20));
        assert!((1080..=1085).contains(&due.since(start).as_secs()));
        let nearly = Instant(due.0 - 1);
        link.heard(nearly);
        assert_eq!(link.check(nearly), Silence::Bearable);
        assert_eq!(link.check(due), Silence::GiveUp(WakeReason::Body));
        link.completed();
        assert_eq!(link.check(due), Silence::Bearable);
    }

    #[test]
    fn only_the_last_question_is_answered() {
        let mut link = Liveness::new(timeouts(), false, SEED, Instant(0));
        link.owe(UTime { sec: 1, nsec: 0 });
        link.owe(UTime { sec: 2, nsec: 0 });
        assert!(link.owes());
        assert_eq!(link.take_owed(), Some(UTime { sec: 2, nsec: 0 }));
        assert!(!link.owes());
    }

    #[test]
    fn an_accepting_side_only_knows_idleness() {
        let start = Instant(0);
        let link = Liveness::new(timeouts(), false, SEED, start);
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
