//! Uniform buckets: a permutation per input.

use super::Draw;
use crate::crush::Item;
use crate::crush::hash::{LANES, Lanes, Word, hash3, hash3_lanes};

/// The item at place `r` of the permutation of `size` items that belongs to the input.
///
/// The permutation is made by swapping each place, from the first, with one at or behind it. Only one place is asked for, so
/// nothing is stored: the swaps are followed backwards from where its item ends up to where it started.
pub(super) fn draw(size: usize, id: Item, draw: Draw) -> usize {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    let last = draw.r % size;
    let id = id.cast_unsigned();
    if last == 0 {
        return (hash3(draw.x, id, 0) % size) as usize;
    }
    let mut at = None;
    for start in (0..=last / LANES as u32).rev().map(|chunk| chunk * LANES as u32) {
        let places: Lanes = std::array::from_fn(|lane| start + lane as u32);
        let hashes = hash3_lanes(draw.x, &Lanes::splat(id), &places);
        let swaps = places.into_iter().zip(hashes).rev().filter(|(place, _)| *place <= last);
        for (place, hash) in swaps {
            let other = place + hash % (size - place);
            at = match at {
                Some(at) if at != other => Some(at),
                Some(_) => Some(place),
                None => Some(other),
            };
        }
    }
    at.unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

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
                let draws = (0..size as u32).map(|r| draw(size, -3, Draw { x, r, position: 0 }));
                assert_eq!(draws.collect::<Vec<_>>(), expected);
            }
        }
    }
}
