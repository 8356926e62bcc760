//! Alternative weights and ids for buckets, as the balancer makes them.

use super::bucket::Straw2;
use super::{Bucket, Item};
use std::collections::BTreeMap;

/// Alternative weights and ids for the straw2 buckets of a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChooseArgs {
    /// By the index of the bucket.
    pub(super) buckets: BTreeMap<u32, ChooseArg>,
}

/// What one bucket draws with instead of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct ChooseArg {
    /// Weights by position; the last ones hold for all further positions.
    pub(super) weights: Vec<Straw2>,
    /// Ids to hash; empty for the bucket's own.
    pub(super) ids: Vec<Item>,
}

impl ChooseArgs {
    /// What `bucket` draws with.
    pub(super) fn of(&self, bucket: &Bucket) -> Option<&ChooseArg> {
        self.buckets.get(&bucket.index())
    }
}

impl ChooseArg {
    /// The weights at a position.
    pub(super) fn weights_at(&self, position: usize) -> Option<&Straw2> {
        self.weights.get(position).or(self.weights.last())
    }
}
