//! Tree buckets: down a binary tree of weights.
//!
//! Nodes are numbered so that the leaves are the odd ones, and the number of trailing zeros is the height.

use super::{Bucket, Draw};
use crate::crush::Item;
use crate::crush::hash::hash4;

/// The item at the leaf the draw leads to; `None` if the nodes make no tree over the items.
pub(super) fn draw(bucket: &Bucket, nodes: &[u32], draw: Draw) -> Option<Item> {
    let mut node = nodes.len() >> 1;
    while node & 1 == 0 {
        let half = 1usize.checked_shl(node.trailing_zeros().checked_sub(1)?)?;
        let left = node.checked_sub(half)?;
        let weight = u64::from(*nodes.get(node)?);
        let hash = hash4(draw.x, node as u32, draw.r, bucket.id.cast_unsigned());
        let point = (u64::from(hash) * weight) >> 32;
        node = if point < u64::from(*nodes.get(left)?) { left } else { node + half };
    }
    bucket.items.get(node >> 1).copied()
}
