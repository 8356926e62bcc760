//! Which monitors to try next, and when: no sockets, no clock.
//!
//! ```text
//!   round: every monitor once, several at a time, the preferred one first
//!          │ all failed                          │ one serves
//!          ▼                                     ▼
//!        pause, then a round with more patience  over; a session that ends soon, without an answer,
//!                                                 leads to a pause, too
//! ```
//!
//! Ceph: `MonClient::_add_conns`, and the options `mon_client_hunt_*` in `src/common/options/mon-client.yaml.in`.

mod candidate;
mod random;

pub(super) use candidate::Candidate;

use super::Target;
use super::error::{Attempt, Failure};
use random::Random;
use std::time::{Duration, Instant};

/// How much longer monitors get in each round.
const GROWTH: f64 = 1.5;
/// At most this many times the first round's.
const LONGEST: f64 = 10.0;
/// The first pause, as a part of the interval; the next ones double.
const FIRST_PAUSE: f64 = 0.1;
/// The longest pause, in intervals.
const LONGEST_PAUSE: f64 = 1.0;

/// The search for a monitor that serves.
///
/// Monitors are tried in rounds: each once per round, those of lower priority numbers first, otherwise in an order that
/// differs between clients and follows their weights. The one that served last is tried first. The patience with each
/// monitor, and the pauses between rounds, grow.
#[derive(Debug)]
pub(super) struct Hunt {
    candidates: Vec<Candidate>,
    /// Not tried yet in this round; the last one comes next.
    rest: Vec<Target>,
    /// The last attempt with each monitor, oldest first.
    attempts: Vec<Attempt>,
    round: u32,
    interval: Duration,
    pause_until: Option<Instant>,
    /// The monitor that served last, and since when.
    preferred: Option<(Target, Instant)>,
    random: Random,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Dial this monitor; it has so long.
    Try(Target, Duration),
    /// Enough are being tried.
    Wait,
    /// The round is over; go on then.
    Pause(Instant),
}

impl Hunt {
    /// A search among `candidates`, of which there is at least one. `interval` is the patience in the first round.
    pub(super) fn new(candidates: Vec<Candidate>, interval: Duration, seed: u64) -> Self {
        let mut hunt = Self {
            candidates,
            rest: Vec::new(),
            attempts: Vec::new(),
            round: 0,
            interval,
            pause_until: None,
            preferred: None,
            random: Random(seed),
        };
        hunt.begin_round();
        hunt
    }

    /// The next step while `trying` monitors are being tried and at most `limit` may be.
    pub(super) fn next(&mut self, now: Instant, trying: usize, limit: usize) -> Next {
        if let Some(until) = self.pause_until {
            if now < until {
                return Next::Pause(until);
            }
            self.begin_round();
        }
        if trying >= limit {
            return Next::Wait;
        }
        match self.rest.pop() {
            Some(target) => Next::Try(target, self.patience()),
            None if trying > 0 => Next::Wait,
            None => Next::Pause(self.pause(now)),
        }
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, target: Target, why: Failure) {
        self.attempts.retain(|attempt| attempt.target.addrs != target.addrs);
        self.attempts.push(Attempt { target, why });
    }

    /// `target` serves: should the session end, this one is tried first.
    pub(super) fn succeeded(&mut self, target: &Target, now: Instant) {
        self.attempts.clear();
        self.preferred = Some((target.clone(), now));
        self.begin_round();
    }

    /// The session ended. The search begins at once, unless the session was short and `served` nothing: then the next one
    /// may be no better.
    pub(super) fn lost(&mut self, served: bool, now: Instant) {
        let since = self.preferred.as_ref().map(|(_, since)| *since);
        let is_short = since.is_some_and(|since| now.saturating_duration_since(since) < self.interval);
        match is_short && !served {
            true => drop(self.pause(now)),
            false => self.round = 0,
        }
    }

    /// Other monitors from now on.
    pub(super) fn set_candidates(&mut self, candidates: Vec<Candidate>) {
        if !candidates.is_empty() && candidates != self.candidates {
            self.candidates = candidates;
            self.begin_round();
        }
    }

    /// The last attempt with each monitor.
    pub(super) fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Whether, with nothing being tried, every monitor refused for a reason that trying again does not change.
    pub(super) fn is_hopeless(&self) -> bool {
        let all_tried = self.rest.is_empty() && !self.attempts.is_empty();
        all_tried && self.attempts.iter().all(|attempt| attempt.why.is_permanent())
    }

    fn begin_round(&mut self) {
        self.pause_until = None;
        self.rest = candidate::shuffled(&self.candidates, &mut self.random);
        let is_preferred = |target: &Target| self.preferred.as_ref().is_some_and(|(p, _)| p.is_same(target));
        if let Some(at) = self.rest.iter().position(is_preferred) {
            let preferred = self.rest.remove(at);
            self.rest.push(preferred);
        }
    }

    fn patience(&self) -> Duration {
        let growth = GROWTH.powi(self.round.min(100) as i32).min(LONGEST);
        self.interval.mul_f64(growth)
    }

    /// Begins a pause, after which there is more patience; clients that lost the same monitor come back at different
    /// times.
    fn pause(&mut self, now: Instant) -> Instant {
        let growth = FIRST_PAUSE * 2f64.powi(self.round.min(100) as i32);
        let jitter = 0.75 + self.random.fraction() / 2.0;
        let until = now + self.interval.mul_f64(growth.min(LONGEST_PAUSE) * jitter);
        self.round = self.round.saturating_add(1);
        self.pause_until = Some(until);
        until
    }
}

#[cfg(test)]
mod tests;
