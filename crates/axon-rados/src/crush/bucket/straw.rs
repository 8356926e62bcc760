//! Straw buckets: the longest straw wins.

use super::Draw;
use crate::crush::Item;
use crate::crush::hash::hash3;

/// The index of the first item with the longest straw. There must be items, and as many straws.
pub(super) fn draw(items: &[Item], straws: &[u32], draw: Draw) -> usize {
    let length = |(item, straw): (&Item, &u32)| {
        let hash = hash3(draw.x, item.cast_unsigned(), draw.r);
        u64::from(hash & 0xffff) * u64::from(*straw)
    };
    let lengths = items.iter().zip(straws).map(length).enumerate();
    let (index, _) =
        lengths.fold((0, 0), |best, (i, length)| if length > best.1 { (i, length) } else { best });
    index
}
