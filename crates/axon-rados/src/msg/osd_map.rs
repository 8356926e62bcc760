//! OSD maps on their way.

use super::{Fsid, MIN_BLOB, TypedMessage, put_map, read_map};
use axon_denc::{DecodeError, Decoder, Encode, Features};
use bytes::Bytes;
use std::collections::BTreeMap;

/// OSD maps and changes to them, as blobs.
///
/// ```text
/// fsid | le32 n | { le32 epoch, blob change }[n] | le32 n | { le32 epoch, blob map }[n]
/// le32 oldest (version 2) | le32 newest (version 2) | le32 0 (version 4)
/// ```
///
/// What stood last in version 4 before Octopus (15) is skipped.
///
/// Ceph: `src/messages/MOSDMap.h`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MOSDMap {
    /// The cluster.
    pub fsid: Fsid,
    /// What changed in each epoch.
    pub incremental: BTreeMap<u32, Bytes>,
    /// Whole maps by epoch.
    pub full: BTreeMap<u32, Bytes>,
    /// The oldest epoch the sender keeps.
    pub oldest: u32,
    /// The newest epoch it has.
    pub newest: u32,
}

const VERSION_RANGE: u16 = 2;
const VERSION_GAP: u16 = 4;

impl TypedMessage for MOSDMap {
    const KIND: u16 = 41;
    const NAME: &'static str = "osd_map";
    const HEAD_VERSION: u16 = VERSION_GAP;
    const COMPAT_VERSION: u16 = 3;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.fsid);
        put_map(out, self.incremental.iter(), |blob, out| blob[..].encode(out));
        put_map(out, self.full.iter(), |blob, out| blob[..].encode(out));
        self.oldest.encode(out);
        self.newest.encode(out);
        0u32.encode(out);
    }

    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut maps = Self {
            fsid: front.array()?,
            incremental: read_map(front, 4 + MIN_BLOB, read_epoch)?,
            full: read_map(front, 4 + MIN_BLOB, read_epoch)?,
            ..Self::default()
        };
        if version >= VERSION_RANGE {
            maps.oldest = front.u32()?;
            maps.newest = front.u32()?;
        }
        if version >= VERSION_GAP {
            front.u32()?;
        }
        Ok(maps)
    }

    fn front_size(&self) -> usize {
        let blobs = self.incremental.values().chain(self.full.values());
        64 + blobs.map(|blob| 8 + blob.len()).sum::<usize>()
    }
}

fn read_epoch(front: &mut Decoder<'_>) -> Result<(u32, Bytes), DecodeError> {
    let epoch = front.u32()?;
    Ok((epoch, Bytes::copy_from_slice(front.blob()?)))
}
