//! Tree buckets: down a binary tree of weights.
//!
//! Nodes are numbered so that the leaves are the odd ones, and the number of trailing zeros is the height. A hash takes long
//! because each of its steps needs the one before, not because there are many: a node and both its children are hashed side
//! by side in the time of one, which halves the way down.

use super::{Bucket, Draw};
use crate::crush::Item;
use crate::crush::hash::{hash4, hash4_lanes};

/// The item at the leaf the draw leads to; `None` if the nodes make no tree over the items.
pub(super) fn draw(bucket: &Bucket, nodes: &[u32], draw: Draw) -> Option<Item> {
    let id = bucket.id.cast_unsigned();
    let mut node = nodes.len() >> 1;
    let mut step = 1usize.checked_shl(node.trailing_zeros())? >> 1;
    while step >= 2 {
        let (left, right) = (node.checked_sub(step)?, node + step);
        let [hash, on_left, on_right, _] =
            hash4_lanes(draw.x, &[node as u32, left as u32, right as u32, 0], draw.r, id);
        let (child, hash) =
            if goes_left(nodes, node, left, hash)? { (left, on_left) } else { (right, on_right) };
        let half = step >> 1;
        let left = child.checked_sub(half)?;
        node = if goes_left(nodes, child, left, hash)? { left } else { child + half };
        step >>= 2;
    }
    if step == 1 {
        let hash = hash4(draw.x, node as u32, draw.r, id);
        let left = node.checked_sub(1)?;
        node = if goes_left(nodes, node, left, hash)? { left } else { node + 1 };
    }
    bucket.items.get(node >> 1).copied()
}

/// Whether a node's hash leads to the child on its left, which gets its share of the node's weight.
#[inline(always)]
fn goes_left(nodes: &[u32], node: usize, left: usize, hash: u32) -> Option<bool> {
    let point = (u64::from(hash) * u64::from(*nodes.get(node)?)) >> 32;
    Some(point < u64::from(*nodes.get(left)?))
}
