//! Straw2 buckets: the longest straw wins, and a straw's length depends on nothing but its own weight.
//!
//! An item's draw is the logarithm of a hash, divided by the item's weight, rounded towards zero; the draw nearest to zero
//! wins, and of equal ones the first. Two things make this quick without changing any answer:
//!
//! - eight items are hashed side by side;
//! - hardly any item is divided for. With unequal weights an estimate in floating point, rounded so that it never rules out a
//!   winner, comes first. With equal weights the hashes themselves are compared, and only items within [`SLACK`] of the
//!   highest are looked at more closely.

use crate::crush::Item;
use crate::crush::hash::{LANES, hash_items};
use crate::crush::log::deficit;

/// The weights of a straw2 bucket, ready to draw by.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::crush) struct Straw2 {
    weights: Vec<u32>,
    /// `1 / weight` for each item, infinite for items that are never drawn; empty if all weights are `even`.
    inverse: Vec<f64>,
    /// The weight all items have, if hashes can be compared instead of draws.
    even: Option<u32>,
}

/// A hash that is lower by more than this has a worse draw for every weight up to [`MAX_EVEN`].
const SLACK: u32 = 8;
/// The largest weight (4,096 times that of a device of weight 1) for which [`SLACK`] holds.
const MAX_EVEN: u32 = 1 << 28;
/// An estimate is off by two roundings at most.
const MARGIN: f64 = 1.0 + 8.0 * f64::EPSILON;

impl Straw2 {
    pub(in crate::crush) fn new(weights: Vec<u32>) -> Self {
        let first = weights.first().copied().unwrap_or(0);
        let even = (1..=MAX_EVEN).contains(&first) && weights.iter().all(|weight| *weight == first);
        let inverse = match even {
            true => Vec::new(),
            false => weights.iter().map(|weight| 1.0 / f64::from(*weight)).collect(),
        };
        Self { weights, inverse, even: even.then_some(first) }
    }

    /// How many items it has weights for.
    pub(in crate::crush) fn len(&self) -> usize {
        self.weights.len()
    }

    /// The index of the item drawn; `ids`, as many as there are weights, are what is hashed for each item.
    #[inline]
    pub(super) fn draw(&self, ids: &[Item], x: u32, r: u32) -> usize {
        match self.even {
            Some(weight) => draw_even(weight, ids, x, r),
            None => self.draw_uneven(ids, x, r),
        }
    }

    fn draw_uneven(&self, ids: &[Item], x: u32, r: u32) -> usize {
        let mut best = Best::default();
        let mut limit = f64::INFINITY;
        for (start, ids) in (0..).step_by(LANES).zip(ids.chunks(LANES)) {
            let hashes = hash_items(x, ids, r);
            for (index, hash) in (start..).zip(&hashes[..ids.len()]) {
                let deficit = deficit(*hash);
                if deficit as f64 * self.inverse[index] < limit {
                    best.offer(index, deficit / u64::from(self.weights[index]));
                    limit = best.draw as f64 * MARGIN;
                }
            }
        }
        best.index
    }
}

fn draw_even(weight: u32, ids: &[Item], x: u32, r: u32) -> usize {
    let mut best = Best::default();
    let mut highest = 0;
    for (start, ids) in (0..).step_by(LANES).zip(ids.chunks(LANES)) {
        let hashes = hash_items(x, ids, r);
        let hashes = &hashes[..ids.len()];
        let local = hashes.iter().copied().fold(0, u32::max);
        if local + SLACK < highest {
            continue;
        }
        highest = highest.max(local);
        for (index, hash) in (start..).zip(hashes) {
            if hash + SLACK >= highest {
                best.offer(index, deficit(*hash) / u64::from(weight));
            }
        }
    }
    best.index
}

/// The best draw so far, as its distance from zero.
struct Best {
    index: usize,
    draw: u64,
}

impl Default for Best {
    fn default() -> Self {
        Self { index: 0, draw: u64::MAX }
    }
}

impl Best {
    #[inline(always)]
    fn offer(&mut self, index: usize, draw: u64) {
        if draw < self.draw {
            *self = Self { index, draw };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crush::hash::hash3;
    use proptest::prelude::*;

    /// By the book: every draw divided, in order.
    fn plain(weights: &[u32], ids: &[Item], x: u32, r: u32) -> usize {
        let mut best = Best::default();
        for (index, (weight, id)) in weights.iter().zip(ids).enumerate() {
            let hash = hash3(x, id.cast_unsigned(), r) & 0xffff;
            if *weight != 0 {
                best.offer(index, deficit(hash) / u64::from(*weight));
            }
        }
        best.index
    }

    #[test]
    fn a_hash_lower_by_more_than_the_slack_always_loses() {
        let lowest_from = |from: u32, upto: u32| (from..=upto).map(deficit).min().unwrap();
        let mut nearest = u64::MAX;
        for hash in SLACK + 1..=0xffff {
            // Deficits grow downwards but for neighbours, so the nearest losers are the ones to look at.
            let lost = lowest_from((hash - SLACK - 1).saturating_sub(64), hash - SLACK - 1);
            nearest = nearest.min(lost.saturating_sub(deficit(hash)));
        }
        assert!(nearest >= u64::from(MAX_EVEN), "{nearest:#x}");
        let mut lowest = u64::MAX;
        for hash in 0..=0xffff {
            lowest = lowest.min(deficit(hash));
            assert!(deficit(hash) - lowest < u64::from(MAX_EVEN) * 4, "not falling at {hash}");
        }
    }

    fn any_weights() -> impl Strategy<Value = Vec<u32>> {
        let weight = prop_oneof![Just(0), Just(0x10000), 1..0x40000u32, any::<u32>(), 1..16u32];
        prop_oneof![
            prop::collection::vec(weight.clone(), 1..50),
            (weight, 1..50usize).prop_map(|(weight, n)| vec![weight; n]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn short_cuts_change_nothing(weights in any_weights(), first: i16, x: u32, r in 0..100u32) {
            let ids: Vec<Item> = (0..weights.len() as i32).map(|i| i32::from(first) + i * 7).collect();
            let drawn = Straw2::new(weights.clone()).draw(&ids, x, r);
            prop_assert_eq!(drawn, plain(&weights, &ids, x, r));
        }

        #[test]
        fn short_cuts_change_nothing_where_ids_repeat(weights in any_weights(), x: u32, r in 0..100u32) {
            let ids: Vec<Item> = (0..weights.len() as i32).map(|i| i % 3).collect();
            let drawn = Straw2::new(weights.clone()).draw(&ids, x, r);
            prop_assert_eq!(drawn, plain(&weights, &ids, x, r));
        }
    }
}
