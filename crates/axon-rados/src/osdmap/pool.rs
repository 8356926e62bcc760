//! Pools.

mod decode;

use super::hash::NameHash;
use crate::crush::hash::hash2;
use crate::osd::PgId;
use axon_denc::UTime;
use std::collections::{BTreeMap, BTreeSet};

/// A pool.
///
/// Ceph: `pg_pool_t` in `src/osd/osd_types.h`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pool {
    /// How it keeps its objects.
    pub kind: PoolKind,
    /// Copies or shards of an object.
    pub size: u8,
    /// How many of them must be there for requests to be served.
    pub min_size: u8,
    /// The CRUSH rule that places its groups.
    pub crush_rule: u8,
    /// How many placement groups objects are spread over.
    pub pg_num: u32,
    /// How many of them are placed on their own.
    pub pgp_num: u32,
    /// How many there will be when a merge that has begun is done.
    pub pg_num_pending: u32,
    /// How many there shall be.
    pub pg_num_target: u32,
    /// Its flags.
    pub flags: PoolFlags,
    /// The epoch it was last changed in.
    pub last_change: u32,
    /// The epoch since which all requests must be sent again.
    pub last_force_op_resend: u32,
    /// The same for clients older than Nautilus.
    pub last_force_op_resend_prenautilus: u32,
    /// The newest snapshot.
    pub snap_seq: u64,
    /// The epoch of it.
    pub snap_epoch: u32,
    /// Snapshots of the whole pool.
    pub snaps: BTreeMap<u64, PoolSnap>,
    /// Bytes it may hold, 0 for no limit.
    pub quota_max_bytes: u64,
    /// Objects it may hold, 0 for no limit.
    pub quota_max_objects: u64,
    /// The pools that are caches of this one.
    pub tiers: BTreeSet<u64>,
    /// The pool this one is a cache of.
    pub tier_of: Option<i64>,
    /// What this cache does.
    pub cache_mode: CacheMode,
    /// Where reads go first.
    pub read_tier: Option<i64>,
    /// Where writes go first.
    pub write_tier: Option<i64>,
    /// Bytes of a stripe over all data shards; 0 in replicated pools.
    pub stripe_width: u32,
    /// The profile of its erasure code; empty in replicated pools.
    pub erasure_code_profile: String,
    /// Whether reads are asked of all shards at once.
    pub fast_read: bool,
    /// Who uses it (`rbd`), with what they note.
    pub applications: BTreeMap<String, BTreeMap<String, String>>,
    /// When it was made.
    pub created: UTime,
    /// Shards that never lead a group.
    pub nonprimary_shards: ShardSet,
    /// Over how much of CRUSH a group must be spread to be active, in stretched clusters: compared, not understood.
    pub(crate) peering: Option<[u32; 4]>,
    pub(super) name_hash: NameHash,
}

/// A snapshot of a whole pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolSnap {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub stamp: UTime,
}

/// How a pool keeps its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PoolKind {
    /// As copies.
    #[default]
    Replicated,
    /// As shards.
    Erasure,
}

/// What a cache tier does with reads and writes.
///
/// Ceph: `cache_mode_t` in `src/osd/osd_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CacheMode {
    /// It is no cache.
    #[default]
    None,
    /// Writes go to the cache and later to the base.
    Writeback,
    /// Requests for what is not there go to the base.
    Forward,
    /// Reads are promoted, writes go to the base.
    ReadOnly,
    /// Reads of what is not there go to the base.
    ReadForward,
    /// Reads of what is not there are made on the client's behalf.
    ReadProxy,
    /// Requests for what is not there are made on the client's behalf.
    Proxy,
    /// A mode this code does not know.
    Other(u8),
}

/// Flags of a pool.
///
/// Ceph: `pg_pool_t::FLAG_*` in `src/osd/osd_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PoolFlags(pub u64);

impl PoolFlags {
    /// The place of a group depends on the pool's id, so that pools do not put their groups on the same OSDs.
    pub const HASHPSPOOL: Self = Self(1);
    /// Out of space or over quota: writes fail or wait.
    pub const FULL: Self = Self(1 << 1);
    /// Parts of erasure-coded objects may be written.
    pub const EC_OVERWRITES: Self = Self(1 << 2);
    /// A cache may lack clones its base has.
    pub const INCOMPLETE_CLONES: Self = Self(1 << 3);
    /// It may not be deleted.
    pub const NODELETE: Self = Self(1 << 4);
    /// Its number of groups may not change.
    pub const NOPGCHANGE: Self = Self(1 << 5);
    /// Its size may not change.
    pub const NOSIZECHANGE: Self = Self(1 << 6);
    /// What is written need not be cached.
    pub const WRITE_FADVISE_DONTNEED: Self = Self(1 << 7);
    /// No scrubs.
    pub const NOSCRUB: Self = Self(1 << 8);
    /// No deep scrubs.
    pub const NODEEP_SCRUB: Self = Self(1 << 9);
    /// It is full because of its quota.
    pub const FULL_QUOTA: Self = Self(1 << 10);
    /// Nearly full.
    pub const NEARFULL: Self = Self(1 << 11);
    /// Too full to be backfilled.
    pub const BACKFILLFULL: Self = Self(1 << 12);
    /// Clients choose the snapshots of objects.
    pub const SELFMANAGED_SNAPS: Self = Self(1 << 13);
    /// Snapshots are of the whole pool.
    pub const POOL_SNAPS: Self = Self(1 << 14);
    /// Its first groups are being made.
    pub const CREATING: Self = Self(1 << 15);
    /// All requests fail.
    pub const EIO: Self = Self(1 << 16);
    /// Expected to be large.
    pub const BULK: Self = Self(1 << 17);
    /// On OSDs of the new kind.
    pub const CRIMSON: Self = Self(1 << 18);
    /// Erasure-coded shards are laid out for partial reads and writes (Tentacle and newer).
    pub const EC_OPTIMIZATIONS: Self = Self(1 << 19);

    /// Whether all of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

/// A set of shards, up to 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ShardSet(pub(super) u128);

impl ShardSet {
    /// Whether `shard` is in it.
    pub fn contains(self, shard: usize) -> bool {
        shard < 128 && self.0 >> shard & 1 == 1
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Pool {
    /// Whether OSDs that fail leave no gaps in the list of a group's OSDs: copies are all the same, shards are not.
    pub(super) fn closes_gaps(&self) -> bool {
        self.kind == PoolKind::Replicated
    }

    /// Whether lists in [`OsdMap`](super::OsdMap)'s pg temp name the shards that may lead first.
    pub(super) fn temp_is_primary_first(&self) -> bool {
        self.kind == PoolKind::Erasure && self.flags.contains(PoolFlags::EC_OPTIMIZATIONS)
    }

    /// Bytes whose multiples appends have to begin at, if that matters.
    ///
    /// Ceph: `pg_pool_t::requires_aligned_append` in `src/osd/osd_types.h`.
    pub fn required_alignment(&self) -> Option<u64> {
        let aligned = self.kind == PoolKind::Erasure && !self.flags.contains(PoolFlags::EC_OVERWRITES);
        (aligned && self.stripe_width > 0).then(|| self.stripe_width.into())
    }

    /// The hash that places an object.
    pub(super) fn hash(&self, namespace: &[u8], name: &[u8]) -> u32 {
        self.name_hash.of(namespace, name)
    }

    /// The group a raw one (with a whole hash) belongs to.
    pub fn fold(&self, raw: PgId) -> PgId {
        PgId { seed: stable_mod(raw.seed, self.pg_num), ..raw }
    }

    /// How many bits of the hash choose the group `pg`: one more after it was split, one fewer after another group was
    /// merged into it; `None` if it is merged away itself.
    pub(crate) fn split_bits(&self, pg: PgId) -> Option<u32> {
        split_bits(pg.seed, self.pg_num)
    }

    /// The same once a merge that has begun is done.
    pub(crate) fn split_bits_pending(&self, pg: PgId) -> Option<u32> {
        split_bits(pg.seed, self.pg_num_pending)
    }

    /// What CRUSH places the group by.
    pub(super) fn placement_seed(&self, pg: PgId) -> u32 {
        let seed = stable_mod(pg.seed, self.pgp_num);
        let pool = pg.pool as u32;
        match self.flags.contains(PoolFlags::HASHPSPOOL) {
            true => hash2(seed, pool),
            false => seed.wrapping_add(pool),
        }
    }
}

/// `x` modulo `n`, so that as `n` grows only what moves into the new places moves.
///
/// Ceph: `ceph_stable_mod` in `src/include/rados.h`.
fn stable_mod(x: u32, n: u32) -> u32 {
    let mask = n.saturating_sub(1).checked_ilog2().map_or(0, |bits| u32::MAX >> (31 - bits));
    match x & mask < n {
        true => x & mask,
        false => x & (mask >> 1),
    }
}

/// How many low bits of `x` decide whether [`stable_mod`] of it is `place`; `None` if it never is.
///
/// Ceph: `pg_t::get_split_bits` in `src/osd/osd_types.cc`.
fn split_bits(place: u32, n: u32) -> Option<u32> {
    let last = n.checked_sub(1).filter(|last| place <= *last)?;
    let Some(bits) = last.checked_ilog2() else { return Some(0) };
    let twin = place | 1 << bits;
    Some(bits + u32::from(twin < n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_that_choose_a_place() {
        for n in 1..70 {
            for place in 0..n {
                let bits = split_bits(place, n).unwrap();
                let same_bits = |x: u32| (x ^ place).trailing_zeros() >= bits;
                assert!((0..1000).all(|x| (stable_mod(x, n) == place) == same_bits(x)), "{place} of {n}");
            }
            assert_eq!(split_bits(n, n), None);
        }
        assert_eq!((split_bits(0, 0), split_bits(0, u32::MAX)), (None, Some(32)));
        assert_eq!(split_bits(u32::MAX >> 1, u32::MAX), Some(31));
    }

    #[test]
    fn only_pools_of_whole_stripes_have_an_alignment() {
        let coded = Pool { kind: PoolKind::Erasure, stripe_width: 12288, ..Pool::default() };
        assert_eq!(coded.required_alignment(), Some(12288));
        assert_eq!(Pool { stripe_width: 0, ..coded.clone() }.required_alignment(), None);
        assert_eq!(Pool { flags: PoolFlags::EC_OVERWRITES, ..coded }.required_alignment(), None);
        assert_eq!(Pool { stripe_width: 4096, ..Pool::default() }.required_alignment(), None);
    }

    #[test]
    fn stable_modulo() {
        for (n, x, expected) in
            [(1, 7, 0), (8, 13, 5), (12, 11, 11), (12, 13, 5), (12, 0xffff_fffc, 4), (0, 9, 0)]
        {
            assert_eq!(stable_mod(x, n), expected, "{x} mod {n}");
        }
        assert_eq!(stable_mod(u32::MAX, u32::MAX), 0x7fff_ffff);
        for n in 1..200 {
            assert!((0..1000).all(|x| stable_mod(x, n) < n));
            let moved = (0..1000).filter(|x| stable_mod(*x, n) != stable_mod(*x, n + 1));
            assert!(moved.into_iter().all(|x| stable_mod(x, n + 1) == n), "only the new place gains");
        }
    }
}
