//! Pools.

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
    /// Writes go to the base.
    Forward,
    /// Reads are promoted, writes go to the base.
    ReadOnly,
    /// Reads are forwarded.
    ReadForward,
    /// Reads are proxied.
    ReadProxy,
    /// Everything is proxied.
    Proxy,
}

/// Flags of a pool.
///
/// Ceph: `pg_pool_t::FLAG_*` in `src/osd/osd_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PoolFlags(pub u64);

impl PoolFlags {
    /// The hash of a group counts the pool's id in, so that pools do not put their groups on the same OSDs.
    pub const HASHPSPOOL: Self = Self(1);
    /// Out of space or quota: writes fail or wait.
    pub const FULL: Self = Self(1 << 1);
    /// What is written is soon gone again.
    pub const EC_OVERWRITES: Self = Self(1 << 17);
    /// Erasure-coded shards are laid out for partial reads and writes.
    pub const EC_OPTIMIZATIONS: Self = Self(1 << 20);

    /// Whether all of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pool {
    /// How it keeps its objects.
    pub kind: PoolKind,
    /// Copies or shards of an object.
    pub size: u8,
    /// The CRUSH rule that places its groups.
    pub crush_rule: u8,
    /// How many placement groups objects are spread over.
    pub pg_num: u32,
    /// How many of them are placed on their own.
    pub pgp_num: u32,
    /// Its flags.
    pub flags: PoolFlags,
}
