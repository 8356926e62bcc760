//! Chance drawn from a seed: the same seed gives the same faults.

use std::ops::RangeInclusive;

/// A seeded generator (SplitMix64, Steele, Lea and Flood, OOPSLA 2014): small and quick, not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator of its own for the thing numbered `number`.
    pub(crate) fn branch(&self, number: u64) -> Self {
        let mut dice = Self::new(self.state ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.draw();
        dice
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `range`; its start if the range is empty.
    pub(crate) fn within(&mut self, range: &RangeInclusive<u64>) -> u64 {
        let (start, end) = (*range.start(), *range.end());
        match end.saturating_sub(start).checked_add(1) {
            Some(1) => start,
            Some(span) => start + self.draw() % span,
            None => self.draw(),
        }
    }

    /// A size in `range`, at least 1.
    pub(crate) fn size(&mut self, range: &RangeInclusive<usize>) -> usize {
        let size = self.within(&(*range.start() as u64..=*range.end() as u64));
        usize::try_from(size).unwrap_or(usize::MAX).max(1)
    }

    /// Whether something happens that does so `per_mille` times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u16) -> bool {
        self.draw() % 1000 < u64::from(per_mille)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides() {
        let draws = |seed| {
            let mut dice = Dice::new(seed).branch(7);
            (0..10).map(move |_| dice.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let mut dice = Dice::new(3);
        let draws: Vec<u64> = (0..1000).map(|_| dice.within(&(5..=8))).collect();
        assert_eq!(draws.iter().min(), Some(&5));
        assert_eq!(draws.iter().max(), Some(&8));
        assert_eq!(dice.within(&(4..=4)), 4);
        assert_eq!(dice.size(&(0..=0)), 1);
        dice.within(&(0..=u64::MAX));
    }

    #[test]
    fn chance_is_in_thousandths() {
        let mut dice = Dice::new(4);
        let hits = (0..10_000).filter(|_| dice.chance(250)).count();
        assert!((2200..2800).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| !dice.chance(0) && dice.chance(1000)));
    }
}
