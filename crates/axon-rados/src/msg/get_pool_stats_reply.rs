//! What is in pools.

use super::{Fsid, MIN_BLOB, TypedMessage, paxos, put_map, read_map};
use axon_denc::{DecodeError, Decoder, Encode, Features, put_versioned};
use std::collections::BTreeMap;

/// The answer to an [`MGetPoolStats`](super::MGetPoolStats); repeats its tid.
///
/// ```text
/// paxos header | fsid[16] | le32 n | { blob name | statistics }[n] | u8 per pool (version 2)
/// ```
///
/// Ceph: `src/messages/MGetPoolStatsReply.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MGetPoolStatsReply {
    /// The version of the statistics.
    pub version: u64,
    /// The cluster.
    pub fsid: Fsid,
    /// Statistics by pool.
    pub pools: BTreeMap<String, PoolStats>,
    /// Whether every OSD counts what it stores per pool, so that [`PoolStats::allocated`] is exact.
    pub per_pool: bool,
}

/// What is in a pool, and what was done with it.
///
/// ```text
/// u8 version | u8 compat | le32 length | { u8 version | u8 compat | le32 length | counts | .. }
/// le64 log | le64 log on disk | le32 up | le32 acting | store (version 7) | le32 stores (version 7) | ..
/// ```
///
/// Only what clients show is kept.
///
/// Ceph: `pool_stat_t`, `object_stat_sum_t` and `store_statfs_t` in `src/osd/osd_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolStats {
    /// Bytes in objects, each counted once.
    pub bytes: u64,
    /// Objects, clones among them.
    pub objects: u64,
    /// Clones: earlier states of objects that snapshots keep.
    pub clones: u64,
    /// Copies of objects there should be.
    pub copies: u64,
    /// Objects the primary lacks.
    pub missing_on_primary: u64,
    /// Objects with too few copies.
    pub degraded: u64,
    /// Objects of which no copy is found.
    pub unfound: u64,
    /// Reads.
    pub reads: u64,
    /// KiB read.
    pub read_kib: u64,
    /// Writes.
    pub writes: u64,
    /// KiB written.
    pub written_kib: u64,
    /// Bytes allocated on all devices, with all copies; 0 if the monitor does not say.
    pub allocated: u64,
    /// Bytes of users' data on all devices, with all copies; 0 if the monitor does not say.
    pub stored: u64,
}

const VERSION_PER_POOL: u16 = 2;
const POOL_KNOWN: u8 = 7;
const POOL_COMPAT: u8 = 5;
const POOL_VERSION_STORE: u8 = 7;
const OBJECTS_KNOWN: u8 = 2;
const COUNTS_KNOWN: u8 = 20;
const COUNTS_COMPAT: u8 = 14;
const STORE_KNOWN: u8 = 1;
/// Bytes of the counts after those kept here.
const COUNTS_LEFT_OUT: usize = 216;
/// A version, a compat and a length.
const MIN_STRUCT: usize = 6;

impl TypedMessage for MGetPoolStatsReply {
    const KIND: u16 = 59;
    const NAME: &'static str = "getpoolstatsreply";
    const HEAD_VERSION: u16 = VERSION_PER_POOL;
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(self.version, out);
        out.extend_from_slice(&self.fsid);
        put_map(out, self.pools.iter(), PoolStats::put);
        self.per_pool.encode(out);
    }

    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: paxos::read(front)?,
            fsid: front.array()?,
            pools: read_map(front, MIN_BLOB + MIN_STRUCT, |front| {
                Ok((front.string("pool name")?, PoolStats::read(front)?))
            })?,
            per_pool: version >= VERSION_PER_POOL && front.bool()?,
        })
    }
}

impl PoolStats {
    /// The counts that stand first, in their order.
    fn counts(&mut self) -> [&mut u64; 11] {
        [
            &mut self.bytes,
            &mut self.objects,
            &mut self.clones,
            &mut self.copies,
            &mut self.missing_on_primary,
            &mut self.degraded,
            &mut self.unfound,
            &mut self.reads,
            &mut self.read_kib,
            &mut self.writes,
            &mut self.written_kib,
        ]
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut stats = Self::default();
        let (version, mut pool) = input.versioned("pool's statistics", POOL_KNOWN)?;
        let (_, mut objects) = pool.versioned("objects' statistics", OBJECTS_KNOWN)?;
        let (_, mut counts) = objects.versioned("objects' counts", COUNTS_KNOWN)?;
        for count in stats.counts() {
            *count = counts.u64()?;
        }
        if version >= POOL_VERSION_STORE {
            pool.take(8 + 8 + 4 + 4)?; // the logs, and how many placement groups are up and acting
            stats.read_store(&mut pool)?;
        }
        Ok(stats)
    }

    /// Total, available and reserved are zero in a pool's statistics.
    fn read_store(&mut self, pool: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let (_, mut store) = pool.versioned("store's statistics", STORE_KNOWN)?;
        store.take(3 * 8)?;
        (self.allocated, self.stored) = (store.u64()?, store.u64()?);
        Ok(())
    }

    fn put(&self, out: &mut Vec<u8>) {
        let mut stats = *self;
        put_versioned(out, POOL_KNOWN, POOL_COMPAT, |out| {
            put_versioned(out, OBJECTS_KNOWN, OBJECTS_KNOWN, |out| {
                put_versioned(out, COUNTS_KNOWN, COUNTS_COMPAT, |out| {
                    stats.counts().iter().for_each(|count| count.encode(out));
                    out.extend_from_slice(&[0; COUNTS_LEFT_OUT]);
                });
                0u32.encode(out);
            });
            out.extend_from_slice(&[0; 8 + 8 + 4 + 4]);
            put_versioned(out, STORE_KNOWN, STORE_KNOWN, |out| {
                [0, 0, 0, stats.allocated, stats.stored, 0, 0, 0, 0, 0]
                    .iter()
                    .for_each(|n: &u64| n.encode(out));
            });
            0u32.encode(out);
        });
    }
}
