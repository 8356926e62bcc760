//! List buckets: the newest item is asked first.

use super::{Bucket, Draw};
use crate::crush::Item;
use crate::crush::hash::{LANES, Lanes, hash4_lanes};

/// The first item, from the last to the first, that wins its share of itself and all before it.
pub(super) fn draw(bucket: &Bucket, weights: &[u32], sums: &[u32], draw: Draw) -> Item {
    let items = bucket.items.rchunks(LANES);
    let chunks = items.zip(weights.rchunks(LANES)).zip(sums.rchunks(LANES));
    for ((items, weights), sums) in chunks {
        let hashes = hash_items(bucket, items, draw);
        let hashes = &hashes[..items.len()];
        let newest_first = items.iter().zip(weights).zip(sums).zip(hashes).rev();
        for (((item, weight), sum), hash) in newest_first {
            let share = (u64::from(hash & 0xffff) * u64::from(*sum)) >> 16;
            if share < u64::from(*weight) {
                return *item;
            }
        }
    }
    bucket.items[0]
}

/// The hashes of up to eight items; those beyond the last mean nothing.
fn hash_items(bucket: &Bucket, items: &[Item], draw: Draw) -> Lanes {
    let mut lanes = Lanes::default();
    lanes.iter_mut().zip(items).for_each(|(lane, item)| *lane = item.cast_unsigned());
    hash4_lanes(draw.x, &lanes, &[draw.r; LANES], bucket.id.cast_unsigned())
}
