//! A monitor map on its way.

use super::TypedMessage;
use axon_denc::{DecodeError, Decoder, Encode, Features};
use bytes::Bytes;

/// The monitor map, as a blob that [`MonMap`](crate::MonMap) reads.
///
/// Ceph: `src/messages/MMonMap.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MMonMap {
    /// The encoded map.
    pub map: Bytes,
}

impl TypedMessage for MMonMap {
    const KIND: u16 = 4;
    const NAME: &'static str = "mon_map";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        self.map[..].encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { map: Bytes::copy_from_slice(front.blob()?) })
    }

    fn front_size(&self) -> usize {
        4 + self.map.len()
    }
}
