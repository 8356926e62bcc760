//! Tree buckets: down a binary tree of weights.
//!
//! Nodes are numbered so that the leaves are the odd ones, and the number of trailing zeros is the height. The nodes of three
//! levels are hashed side by side, before it is known which of them the way leads through.

use super::{Bucket, Draw};
use crate::crush::Item;
use crate::crush::hash::{Lanes, hash4_lanes};

/// Levels hashed at a time: seven nodes, in eight lanes.
const LEVELS: usize = 3;

/// The item at the leaf the draw leads to; `None` if the nodes make no tree over the items.
pub(super) fn draw(bucket: &Bucket, nodes: &[u32], draw: Draw) -> Option<Item> {
    let mut node = nodes.len() >> 1;
    while node & 1 == 0 {
        let hashes = hash4_lanes(draw.x, &three_levels(node), draw.r, bucket.id.cast_unsigned());
        let mut lane = 0;
        for _ in 0..LEVELS {
            if node & 1 == 1 {
                break;
            }
            let half = 1usize.checked_shl(node.trailing_zeros().checked_sub(1)?)?;
            let left = node.checked_sub(half)?;
            let weight = u64::from(*nodes.get(node)?);
            let point = (u64::from(hashes[lane]) * weight) >> 32;
            let goes_left = point < u64::from(*nodes.get(left)?);
            (node, lane) = if goes_left { (left, 2 * lane + 1) } else { (node + half, 2 * lane + 2) };
        }
    }
    bucket.items.get(node >> 1).copied()
}

/// A node, its two children and its four grandchildren, where there are any; the last lane means nothing.
fn three_levels(node: usize) -> Lanes {
    let node = node as u32;
    let half = (1u32 << node.trailing_zeros().min(31)) >> 1;
    let quarter = half >> 1;
    let (left, right) = (node.wrapping_sub(half), node.wrapping_add(half));
    [
        node,
        left,
        right,
        left.wrapping_sub(quarter),
        left.wrapping_add(quarter),
        right.wrapping_sub(quarter),
        right.wrapping_add(quarter),
        0,
    ]
}
