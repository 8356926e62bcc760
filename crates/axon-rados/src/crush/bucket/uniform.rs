//! Uniform buckets: a permutation per input.

use super::Draw;
use crate::crush::Item;
use crate::crush::hash::hash3;

/// The item at place `r` of the permutation of `size` items that belongs to the input.
///
/// The permutation is made by swapping each place, from the first, with one at or behind it. Only one place is asked for, so
/// nothing is stored: the swaps are followed backwards from where its item ends up to where it started.
pub(super) fn draw(size: usize, id: Item, draw: Draw) -> usize {
    let place = draw.r as usize % size;
    let swapped_with = |place: usize| {
        let behind = size - place;
        let offset = hash3(draw.x, id.cast_unsigned(), place as u32) as usize % behind;
        place + offset
    };
    let last = swapped_with(place);
    (0..place).rev().fold(last, |at, place| if at == swapped_with(place) { place } else { at })
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
