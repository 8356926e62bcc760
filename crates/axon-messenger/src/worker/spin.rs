//! Whether a worker looks for work for a little while before it sleeps.
//!
//! Where waking a sleeping core takes longer than a round trip, a lone conversation is several times faster when nobody
//! sleeps in it. But looking in vain costs a core that others may need, so a worker that found nothing sleeps a few times
//! without looking before it tries again, twice as many each time. A worker without work looks in vain at once and
//! sleeps: it costs nothing whatever is set here.

use std::time::Duration;

/// Sleeps without looking, at most, between two looks in vain.
const LONGEST_REST: u32 = 31;

/// Decides before each sleep.
#[derive(Debug)]
pub(super) struct Spin {
    /// How long to look; zero is not at all.
    limit: Duration,
    /// Sleeps without looking after the last look in vain.
    rest: u32,
    /// How many of them are left.
    left: u32,
}

impl Spin {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, rest: 0, left: 0 }
    }

    /// How long to look before the sleep that comes now.
    pub(super) fn patience(&mut self) -> Option<Duration> {
        if self.limit.is_zero() {
            return None;
        }
        match self.left {
            0 => Some(self.limit),
            _ => {
                self.left -= 1;
                None
            }
        }
    }

    /// There was work before the patience ended.
    pub(super) fn found(&mut self) {
        self.rest = 0;
    }

    /// There was none.
    pub(super) fn missed(&mut self) {
        self.rest = (2 * self.rest + 1).min(LONGEST_REST);
        self.left = self.rest;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_micros(50);

    /// Of `sleeps` sleeps, before how many it looks if it never finds anything.
    fn looks_in_vain(spin: &mut Spin, sleeps: usize) -> usize {
        let looks = |spin: &mut Spin| spin.patience().inspect(|_| spin.missed()).is_some();
        (0..sleeps).filter(|_| looks(spin)).count()
    }

    #[test]
    fn one_that_finds_work_looks_every_time() {
        let mut spin = Spin::new(LIMIT);
        for _ in 0..100 {
            assert_eq!(spin.patience(), Some(LIMIT));
            spin.found();
        }
    }

    #[test]
    fn one_that_finds_nothing_looks_ever_more_seldom() {
        let mut spin = Spin::new(LIMIT);
        // After 1, 3, 7, 15 and 31 sleeps, and then before each 32nd.
        assert_eq!(looks_in_vain(&mut spin, 1), 1);
        assert_eq!(looks_in_vain(&mut spin, 1 + 3 + 7 + 15 + 31 + 4), 4);
        assert_eq!(looks_in_vain(&mut spin, 3200), 100);
    }

    #[test]
    fn one_find_makes_up_for_all_the_looks_in_vain() {
        let mut spin = Spin::new(LIMIT);
        looks_in_vain(&mut spin, 1000);
        while spin.patience().is_none() {}
        spin.found();
        assert_eq!(spin.patience(), Some(LIMIT));
    }

    #[test]
    fn zero_is_never() {
        let mut spin = Spin::new(Duration::ZERO);
        assert_eq!(looks_in_vain(&mut spin, 1000), 0);
    }
}
