//! Tree buckets: down a binary tree of weights.
//!
//! Nodes are numbered so that the leaves are the odd ones, and the number of trailing zeros is the height. A hash takes long
//! because each of its steps needs the one before, not because there are many: four take hardly longer than one. So a node
//! is hashed together with both its children, which halves the way down; and the bucket that is drawn from first, which
//! every replica comes back to, is walked for four attempts at a time.

use super::{Bucket, Draw};
use crate::crush::Item;
use crate::crush::hash::{hash4, hash4_lanes};

/// Attempts walked together: one vector of the oldest x86-64.
const TOGETHER: usize = 4;

/// Where the attempts for one input lead in the tree that was drawn from first.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// 0 for none yet, which is no bucket's id.
    id: Item,
    /// The first attempt that is known.
    first: u32,
    /// The places of the items.
    places: [usize; TOGETHER],
}

impl Paths {
    /// The item at the leaf the draw leads to; `None` if the nodes make no tree over the items.
    #[inline]
    pub(super) fn draw(&mut self, bucket: &Bucket, nodes: &[u32], draw: Draw) -> Option<Item> {
        let place = match nodes.len() {
            2 => 0,
            n if n > 1 && n.is_power_of_two() && (self.id == 0 || self.id == bucket.id) => {
                self.known(bucket.id, nodes, draw)
            }
            _ => walk(bucket.id, nodes, draw)?,
        };
        bucket.items.get(place).copied()
    }

    /// Where an attempt leads in the tree that was drawn from first.
    fn known(&mut self, id: Item, nodes: &[u32], draw: Draw) -> usize {
        let ahead = draw.r.wrapping_sub(self.first) as usize;
        if self.id == id && ahead < TOGETHER {
            return self.places[ahead];
        }
        *self = Self { id, first: draw.r, places: walk_together(id, nodes, draw) };
        self.places[0]
    }
}

/// The places that an attempt and those after it lead to, in a tree with as many levels everywhere: its number of nodes is a
/// power of two.
fn walk_together(id: Item, nodes: &[u32], draw: Draw) -> [usize; TOGETHER] {
    let attempts = std::array::from_fn(|ahead| draw.r.wrapping_add(ahead as u32));
    let mut at = [nodes.len() >> 1; TOGETHER];
    let mut step = nodes.len() >> 2;
    while step > 0 {
        let hashes = hash4_lanes(draw.x, &at.map(|node| node as u32), &attempts, id.cast_unsigned());
        for (node, hash) in at.iter_mut().zip(hashes) {
            let left = *node - step;
            let point = (u64::from(hash) * u64::from(nodes[*node])) >> 32;
            *node = if point < u64::from(nodes[left]) { left } else { *node + step };
        }
        step >>= 1;
    }
    at.map(|leaf| leaf >> 1)
}

/// The place one attempt leads to; `None` where there is no node.
fn walk(id: Item, nodes: &[u32], draw: Draw) -> Option<usize> {
    let id = id.cast_unsigned();
    let mut node = nodes.len() >> 1;
    let mut step = 1usize.checked_shl(node.trailing_zeros())? >> 1;
    while step >= 2 {
        let (left, right) = (node.checked_sub(step)?, node + step);
        let three = [node, left, right, 0].map(|node| node as u32);
        let [hash, on_left, on_right, _] = hash4_lanes(draw.x, &three, &[draw.r; 4], id);
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
    Some(node >> 1)
}

/// Whether a node's hash leads to the child on its left, which gets its share of the node's weight.
#[inline(always)]
fn goes_left(nodes: &[u32], node: usize, left: usize, hash: u32) -> Option<bool> {
    let point = (u64::from(hash) * u64::from(*nodes.get(node)?)) >> 32;
    Some(point < u64::from(*nodes.get(left)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crush::bucket::Drawing;

    #[test]
    fn a_lone_node_is_no_tree() {
        for (nodes, item) in [(vec![1], None), (vec![0, 1], Some(7))] {
            let drawing = Drawing::Tree { nodes: nodes.clone() };
            let bucket = Bucket { id: -1, kind: 1, weight: 1, items: vec![7], drawing };
            let draw = Draw { x: 0, r: 0, position: 0 };
            assert_eq!(Paths::default().draw(&bucket, &nodes, draw), item, "{nodes:?}");
        }
    }

    #[test]
    fn walking_together_leads_where_walking_alone_does() {
        for levels in 1..7 {
            let nodes: Vec<u32> =
                (0..1u32 << (levels + 1)).map(|node| node.wrapping_mul(0x9e37_79b9)).collect();
            for x in 0..200 {
                let draw = |r| Draw { x, r, position: 0 };
                let alone = [0, 1, 2, 3].map(|r| walk(-5, &nodes, draw(r)).unwrap());
                assert_eq!(walk_together(-5, &nodes, draw(0)), alone, "{levels} {x}");
            }
        }
    }
}
