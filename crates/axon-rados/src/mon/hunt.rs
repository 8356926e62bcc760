//! Which monitor to try next, and when: no sockets, no clock.

use super::Target;
use super::error::{Attempt, Failure};
use std::time::{Duration, Instant};

/// How much longer monitors get, and the pause is, in each round.
const GROWTH: f64 = 1.5;
/// At most this many times the first round's.
const LONGEST: f64 = 10.0;

/// The search for a monitor that answers.
///
/// Monitors are tried in rounds: each once per round, in an order that differs between clients. The one that answered
/// last is tried first. A round that fails is followed by a pause; the patience with each monitor and the pause grow.
#[derive(Debug)]
pub(super) struct Hunt {
    targets: Vec<Target>,
    /// Not tried yet in this round; the last one comes next.
    rest: Vec<Target>,
    /// The last attempt with each monitor, oldest first.
    attempts: Vec<Attempt>,
    round: u32,
    interval: Duration,
    next_round_at: Option<Instant>,
    /// The monitor that answered last.
    preferred: Option<Target>,
    random: Random,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Dial this monitor; it has so long.
    Try(Target, Duration),
    /// The round is over; go on then.
    Pause(Instant),
}

impl Hunt {
    /// A search among `targets`, of which there is at least one. `interval` is the patience in the first round.
    pub(super) fn new(targets: Vec<Target>, interval: Duration, seed: u64) -> Self {
        let mut hunt = Self {
            targets,
            rest: Vec::new(),
            attempts: Vec::new(),
            round: 0,
            interval,
            next_round_at: None,
            preferred: None,
            random: Random(seed),
        };
        hunt.begin_round();
        hunt
    }

    /// The next step, if no attempt is under way.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(at) = self.next_round_at {
            if now < at {
                return Next::Pause(at);
            }
            self.round += 1;
            self.begin_round();
        }
        let target = self.rest.pop().expect("a round has a target until it is over");
        Next::Try(target, self.patience())
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, target: Target, why: Failure, now: Instant) {
        self.attempts.retain(|attempt| attempt.target.addrs != target.addrs);
        self.attempts.push(Attempt { target, why });
        if self.rest.is_empty() {
            self.next_round_at = Some(now + self.patience());
        }
    }

    /// A session with `target` is open: should it end, this one is tried first, at once.
    pub(super) fn succeeded(&mut self, target: &Target) {
        self.attempts.clear();
        self.round = 0;
        self.preferred = Some(target.clone());
        self.begin_round();
    }

    /// Other monitors from now on.
    pub(super) fn set_targets(&mut self, targets: Vec<Target>) {
        if !targets.is_empty() && targets != self.targets {
            self.targets = targets;
            self.begin_round();
        }
    }

    /// The last attempt with each monitor.
    pub(super) fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Whether every monitor refused for a reason that trying again does not change.
    pub(super) fn is_hopeless(&self) -> bool {
        self.next_round_at.is_some() && self.attempts.iter().all(|attempt| attempt.why.is_permanent())
    }

    fn begin_round(&mut self) {
        self.next_round_at = None;
        self.rest = self.targets.clone();
        for i in (1..self.rest.len()).rev() {
            self.rest.swap(i, self.random.below(i + 1));
        }
        let is_preferred = |target: &Target| self.preferred.as_ref().is_some_and(|p| p.is_same(target));
        if let Some(at) = self.rest.iter().position(is_preferred) {
            let last = self.rest.len() - 1;
            self.rest.swap(at, last);
        }
    }

    fn patience(&self) -> Duration {
        let growth = GROWTH.powi(self.round.min(100) as i32).min(LONGEST);
        self.interval.mul_f64(growth)
    }
}

/// A generator that is good enough to spread clients over monitors (splitmix64).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests;
