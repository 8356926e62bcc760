//! List buckets: the newest item is asked first.

use super::{Bucket, Draw};
use crate::crush::Item;
use crate::crush::hash::hash4;

/// The first item, from the last to the first, that wins its share of itself and all before it.
pub(super) fn draw(bucket: &Bucket, weights: &[u32], sums: &[u32], draw: Draw) -> Item {
    let items = bucket.items.iter().zip(weights).zip(sums).rev();
    for ((item, weight), sum) in items {
        let hash = hash4(draw.x, item.cast_unsigned(), draw.r, bucket.id.cast_unsigned());
        let share = (u64::from(hash & 0xffff) * u64::from(*sum)) >> 16;
        if share < u64::from(*weight) {
            return *item;
        }
    }
    bucket.items[0]
}
