//! How full the cluster is.

use super::{Fsid, TypedMessage};
use axon_denc::{DecodeError, Decoder, Encode, Features};

/// The answer to an [`MStatFs`](super::MStatFs); repeats its tid.
///
/// ```text
/// fsid[16] | le64 version | le64 total KiB | le64 used KiB | le64 available KiB | le64 objects
/// ```
///
/// Ceph: `src/messages/MStatfsReply.h`, `ceph_mon_statfs_reply` in `src/include/ceph_fs.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MStatFsReply {
    /// The cluster.
    pub fsid: Fsid,
    /// The version of the statistics.
    pub version: u64,
    /// The usage.
    pub usage: StatFs,
}

/// How full a cluster or a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatFs {
    /// Capacity in KiB.
    pub total_kib: u64,
    /// Used, in KiB.
    pub used_kib: u64,
    /// Still free, in KiB.
    pub available_kib: u64,
    /// Objects stored.
    pub objects: u64,
}

impl TypedMessage for MStatFsReply {
    const KIND: u16 = 14;
    const NAME: &'static str = "statfs_reply";
    const COMPAT_VERSION: u16 = 1;
    const OLDEST_VERSION: u16 = 0;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.fsid);
        self.version.encode(out);
        let StatFs { total_kib, used_kib, available_kib, objects } = self.usage;
        [total_kib, used_kib, available_kib, objects].iter().for_each(|n| n.encode(out));
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            fsid: front.array()?,
            version: front.u64()?,
            usage: StatFs {
                total_kib: front.u64()?,
                used_kib: front.u64()?,
                available_kib: front.u64()?,
                objects: front.u64()?,
            },
        })
    }
}
