//! Straw buckets: the longest straw wins.

use super::Draw;
use crate::crush::Item;
use crate::crush::hash::{LANES, hash_items};

/// The index of the first item with the longest straw. There must be items, and as many straws.
pub(super) fn draw(items: &[Item], straws: &[u32], draw: Draw) -> usize {
    let mut longest = (0, 0);
    for (start, items) in (0..).step_by(LANES).zip(items.chunks(LANES)) {
        let hashes = hash_items(draw.x, items, draw.r);
        for (index, hash) in (start..).zip(&hashes[..items.len()]) {
            let length = u64::from(*hash) * u64::from(straws[index]);
            if length > longest.1 {
                longest = (index, length);
            }
        }
    }
    longest.0
}
