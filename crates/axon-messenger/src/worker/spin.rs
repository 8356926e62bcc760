//! Whether a worker looks for work for a little while before it sleeps.
//!
//! Where waking a sleeping core takes longer than a round trip, a lone conversation is several times faster when nobody
//! sleeps in it. But looking in vain costs a core that others may need, so a worker that found nothing sleeps a few times
//! without looking before it tries again, twice as many each time. A worker without work looks in vain at once and
//! sleeps: it costs nothing whatever is set here.
//!
//! A look that ends sooner than a sleeping core wakes is worth its time. Longer ones, as for the answer of a server that
//! takes its time, trade the processor's time for the waiting one's: they may take a share of all time, and are left out
//! when they have had it, until there is enough for many again. By turns, because one sleep among looks costs more than
//! the wake-up it brings: the scheduler moves the other threads to the core that fell asleep.

use axon_proto::Instant;
use std::time::Duration;

/// Sleeps without looking, at most, between two looks in vain.
const LONGEST_REST: u32 = 31;
/// One part of all time in so many may go into long looks.
const SHARE: u32 = 10;
/// Long looks in one turn, if each takes as long as it may.
const TURN: u32 = 100;

/// How long a worker looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    /// Whatever that takes of its time; zero is not at all.
    short: Duration,
    /// If there is time left for long looks.
    long: Duration,
}

impl Looks {
    /// No long ones.
    pub(crate) fn of(limit: Duration) -> Self {
        Self { short: limit, long: limit }
    }

    fn is_long(&self, look: Duration) -> bool {
        look > self.short
    }
}

impl Default for Looks {
    /// Waking a core takes some 50 us in virtual machines; OSDs answer small reads in 100 to 200.
    fn default() -> Self {
        Self { short: Duration::from_micros(50), long: Duration::from_micros(200) }
    }
}

/// Decides before each sleep.
#[derive(Debug)]
pub(super) struct Spin {
    looks: Looks,
    /// Sleeps without looking after the last look in vain.
    rest: u32,
    /// How many of them are left.
    left: u32,
    credit: Credit,
}

impl Spin {
    pub(super) fn new(looks: Looks) -> Self {
        Self { looks, rest: 0, left: 0, credit: Credit::new(looks.long.saturating_mul(TURN)) }
    }

    /// How long to look before the sleep that comes now.
    pub(super) fn patience(&mut self, now: Instant) -> Option<Duration> {
        if self.looks.long.is_zero() {
            return None;
        }
        if self.left > 0 {
            self.left -= 1;
            return None;
        }
        Some(if self.credit.allows(now) { self.looks.long } else { self.looks.short })
    }

    /// There was work after so long, before the patience ended.
    pub(super) fn found(&mut self, after: Duration) {
        self.rest = 0;
        self.pay(after);
    }

    /// There was none.
    pub(super) fn missed(&mut self, after: Duration) {
        self.rest = (2 * self.rest + 1).min(LONGEST_REST);
        self.left = self.rest;
        self.pay(after);
    }

    fn pay(&mut self, look: Duration) {
        if self.looks.is_long(look) {
            self.credit.spend(look);
        }
    }
}

/// Time for long looks: grows by a share of all time up to what a turn takes, and is spent by turns.
#[derive(Debug)]
struct Credit {
    full: Duration,
    left: Duration,
    /// When it grew last.
    grown: Instant,
    /// It was spent, and is not full again.
    spent: bool,
}

impl Credit {
    fn new(full: Duration) -> Self {
        Self { full, left: full, grown: Instant::default(), spent: false }
    }

    fn allows(&mut self, now: Instant) -> bool {
        let more = now.since(self.grown) / SHARE;
        self.left = self.left.saturating_add(more).min(self.full);
        self.grown = now;
        self.spent &= self.left < self.full;
        !self.spent
    }

    fn spend(&mut self, look: Duration) {
        self.spent |= look >= self.left;
        self.left = self.left.saturating_sub(look);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(50);
    const LOOKS: Looks = Looks { short: SHORT, long: Duration::from_micros(200) };

    /// Of `sleeps` sleeps, before how many it looks if it never finds anything.
    fn looks_in_vain(spin: &mut Spin, sleeps: usize) -> usize {
        let looks =
            |spin: &mut Spin| spin.patience(Instant(0)).inspect(|after| spin.missed(*after)).is_some();
        (0..sleeps).filter(|_| looks(spin)).count()
    }

    /// In which of `rounds` it finds something, if that comes `wait` after each sleep would begin, and they follow each
    /// other after `round`.
    fn finds(looks: Looks, wait: Duration, round: Duration, rounds: u32) -> Vec<bool> {
        let mut spin = Spin::new(looks);
        let mut now = Instant(0);
        let mut find = || {
            now = now + round;
            match spin.patience(now) {
                None => false,
                Some(patience) if patience < wait => {
                    spin.missed(patience);
                    false
                }
                Some(_) => {
                    spin.found(wait);
                    true
                }
            }
        };
        (0..rounds).map(|_| find()).collect()
    }

    fn share(finds: &[bool]) -> f64 {
        finds.iter().filter(|found| **found).count() as f64 / finds.len() as f64
    }

    #[test]
    fn one_that_finds_work_soon_looks_every_time() {
        assert_eq!(share(&finds(LOOKS, SHORT, SHORT, 10_000)), 1.0);
        assert_eq!(share(&finds(Looks::of(SHORT), SHORT, SHORT, 10_000)), 1.0);
    }

    #[test]
    fn long_looks_take_their_share_of_all_time_and_no_more() {
        let (wait, round) = (2 * SHORT, 3 * SHORT);
        let share_of_time =
            share(&finds(LOOKS, wait, round, 100_000)) * wait.as_secs_f64() / round.as_secs_f64();
        assert!((0.08..0.12).contains(&share_of_time), "{share_of_time}");
        let seldom = finds(LOOKS, wait, wait * SHARE, 10_000);
        assert_eq!(share(&seldom), 1.0, "it is no more than that by itself");
    }

    #[test]
    fn long_looks_in_vain_count_as_well() {
        let mut spin = Spin::new(LOOKS);
        let patience: Vec<_> = (0..32 * 2 * TURN)
            .filter_map(|_| spin.patience(Instant(0)).inspect(|after| spin.missed(*after)))
            .collect();
        assert_eq!(patience.iter().filter(|look| **look == LOOKS.long).count(), TURN as usize);
        assert_eq!(patience.last(), Some(&SHORT));
    }

    #[test]
    fn long_looks_are_made_in_a_row_and_left_out_in_a_row() {
        let finds = finds(LOOKS, 2 * SHORT, 3 * SHORT, 10_000);
        let turns: Vec<_> = finds.chunk_by(|a, b| a == b).map(<[bool]>::len).collect();
        assert!(turns.len() > 3, "{turns:?}");
        assert!(turns[..turns.len() - 1].iter().all(|turn| *turn >= TURN as usize), "{turns:?}");
    }

    #[test]
    fn one_that_was_told_how_long_looks_no_longer() {
        assert_eq!(share(&finds(Looks::of(SHORT), 2 * SHORT, 3 * SHORT, 1000)), 0.0);
        assert_eq!(
            share(&finds(Looks::of(2 * SHORT), 2 * SHORT, 3 * SHORT, 100_000)),
            1.0,
            "and as often as it pays"
        );
    }

    #[test]
    fn one_that_finds_nothing_looks_ever_more_seldom() {
        let mut spin = Spin::new(LOOKS);
        // After 1, 3, 7, 15 and 31 sleeps, and then before each 32nd.
        assert_eq!(looks_in_vain(&mut spin, 1), 1);
        assert_eq!(looks_in_vain(&mut spin, 1 + 3 + 7 + 15 + 31 + 4), 4);
        assert_eq!(looks_in_vain(&mut spin, 3200), 100);
    }

    #[test]
    fn one_find_makes_up_for_all_the_looks_in_vain() {
        let mut spin = Spin::new(Looks::of(SHORT));
        looks_in_vain(&mut spin, 1000);
        while spin.patience(Instant(0)).is_none() {}
        spin.found(SHORT);
        assert_eq!(spin.patience(Instant(0)), Some(SHORT));
    }

    #[test]
    fn zero_is_never() {
        let mut spin = Spin::new(Looks::of(Duration::ZERO));
        assert_eq!(looks_in_vain(&mut spin, 1000), 0);
    }
}
