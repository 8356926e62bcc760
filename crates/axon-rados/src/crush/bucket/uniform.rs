//! Uniform buckets: a permutation per input.

use super::Draw;
use crate::crush::Item;
use crate::crush::hash::{LANES, Lanes, hash3_lanes};

/// Places whose hashes are kept; more are hashed anew each time.
const KEPT: usize = 8;
/// Hashed side by side: one vector of the oldest x86-64.
const STEP: usize = 4;
/// Buckets whose hashes are kept. A placement comes back to few of them.
const SLOTS: usize = 4;

/// The hashes by which the uniform buckets permute their items for one input: several draws from one bucket share them.
#[derive(Debug, Default)]
pub(in crate::crush) struct Permutations([Known; SLOTS]);

/// What is known of one bucket.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// 0 for none, which is no bucket's id.
    id: Item,
    /// How many places are hashed.
    places: usize,
    hashes: [u32; KEPT],
}

impl Permutations {
    /// The hashes of the places up to `last`, which is below [`KEPT`], for an input that is always the same.
    #[inline]
    fn hashes(&mut self, x: u32, id: Item, last: u32) -> &[u32; KEPT] {
        let known = &mut self.0[id.cast_unsigned() as usize % SLOTS];
        if known.id != id {
            (known.id, known.places) = (id, 0);
        }
        while known.places <= last as usize {
            let places: [u32; STEP] = std::array::from_fn(|lane| (known.places + lane) as u32);
            let hashes = hash3_lanes(x, &[id.cast_unsigned(); STEP], &places);
            known.hashes[known.places..known.places + STEP].copy_from_slice(&hashes);
            known.places += STEP;
        }
        &known.hashes
    }
}

/// The item at place `r` of the permutation of `size` items that belongs to the input.
///
/// The permutation is made by swapping each place, from the first, with one at or behind it. Only one place is asked for, so
/// nothing but hashes is stored: the swaps are followed backwards from where its item ends up to where it started.
pub(super) fn draw(size: usize, id: Item, draw: Draw, known: &mut Permutations) -> usize {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    let last = draw.r % size;
    let at = match (last as usize) < KEPT {
        true => {
            let hashes = known.hashes(draw.x, id, last);
            let swaps = hashes[..=last as usize].iter().enumerate().rev();
            follow(size, swaps.map(|(place, hash)| (place as u32, hash)), None)
        }
        false => {
            let chunks = (0..=last / LANES as u32).rev().map(|chunk| chunk * LANES as u32);
            chunks.fold(None, |at, start| {
                let places: Lanes = std::array::from_fn(|lane| start + lane as u32);
                let hashes = hash3_lanes(draw.x, &[id.cast_unsigned(); LANES], &places);
                follow(size, places.into_iter().zip(&hashes).rev().filter(|(place, _)| *place <= last), at)
            })
        }
    };
    at.unwrap_or(0) as usize
}

/// Follows swaps, each a place and its hash, from the last to the first. `at` is where the item ended up, if later swaps were
/// followed.
#[inline(always)]
fn follow<'h>(size: u32, swaps: impl Iterator<Item = (u32, &'h u32)>, mut at: Option<u32>) -> Option<u32> {
    for (place, hash) in swaps {
        let other = place + hash % (size - place);
        at = match at {
            Some(at) if at != other => Some(at),
            Some(_) => Some(place),
            None => Some(other),
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crush::hash::hash3;

    /// The permutation made forwards, with a table.
    fn permutation(size: usize, id: Item, x: u32) -> Vec<usize> {
        let mut table: Vec<usize> = (0..size).collect();
        for place in 0..size {
            let offset = hash3(x, id.cast_unsigned(), place as u32) as usize % (size - place);
            table.swap(place, place + offset);
        }
        table
    }

    #[test]
    fn follows_the_permutation() {
        for size in 1..40 {
            for x in 0..50 {
                let expected = permutation(size, -3, x);
                let mut known = Permutations::default();
                let mut draw = |id, r| draw(size, id, Draw { x, r, position: 0 }, &mut known);
                draw(-7, 1); // of the same slot
                let draws = (0..size as u32).map(|r| draw(-3, r));
                assert_eq!(draws.collect::<Vec<_>>(), expected);
            }
        }
    }
}
