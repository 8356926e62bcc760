//! What the objecter asks a map.

use crate::osd::{ObjectLocator, PgId, SpgId};
use crate::osdmap::MapFlags;
use axon_denc::AddrVec;
use std::sync::Arc;

/// Where a request belongs at one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The pool and the object's whole hash.
    pub(crate) raw: PgId,
    /// The placement group, and in erasure-coded pools the primary's shard.
    pub(crate) pg: SpgId,
    /// The OSD that serves it; `None` if there is none.
    pub(crate) primary: Option<u32>,
    /// Everything else whose change lets OSDs forget requests they have not begun: who serves the group, how often it
    /// was split, what the monitors ask for.
    pub(crate) interval: Arc<Interval>,
}

/// What marks the time during which a placement group is served in one way.
///
/// Ceph: `PastIntervals::is_new_interval` in `src/osd/osd_types.cc`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Interval {
    /// The OSDs that serve it, in their order.
    pub(crate) acting: Vec<Option<u32>>,
    /// The OSDs that should.
    pub(crate) up: Vec<Option<u32>>,
    /// The one of them that should lead.
    pub(crate) up_primary: Option<u32>,
    /// How many bits of the hash choose the group: other groups' splits and merges do not concern it.
    pub(crate) split_bits: Option<u32>,
    /// The same when a merge that has begun is done.
    pub(crate) split_bits_pending: Option<u32>,
    /// Copies of an object.
    pub(crate) size: u8,
    /// How many of them must be there.
    pub(crate) min_size: u8,
    /// The order of objects, and whether deletions are recovered.
    pub(crate) flags: MapFlags,
    /// How shards are laid out.
    pub(crate) ec_optimizations: bool,
    /// What stretched clusters ask for.
    pub(crate) peering: Option<[u32; 4]>,
}

/// What keeps requests of a kind from being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Barriers {
    /// Reads are paused.
    pub(crate) reads: bool,
    /// Writes are paused.
    pub(crate) writes: bool,
    /// The cluster is full.
    pub(crate) cluster_full: bool,
    /// The pool is full.
    pub(crate) pool_full: bool,
    /// The pool is marked so that all its requests fail with EIO: its OSDs leave it to the client to say so.
    pub(crate) pool_eio: bool,
}

/// The questions; a trait so that the objecter can be tested with maps of three lines.
pub(crate) trait ClusterMap {
    /// The epoch; 0 for none yet.
    fn epoch(&self) -> u32;

    /// Where an object belongs; `None` if there is no such pool.
    fn target(&self, locator: &ObjectLocator, object: &[u8]) -> Option<Target>;

    /// Where to read or write instead if the pool has a cache tier: the tier's pool.
    fn overlay(&self, pool: i64, write: bool) -> Option<i64>;

    /// Where an object belongs if the pool may have a cache tier.
    fn tier_target(&self, locator: &ObjectLocator, object: &[u8], write: bool) -> Option<Target> {
        match self.overlay(locator.pool, write) {
            Some(tier) => self.target(&ObjectLocator { pool: tier, ..locator.clone() }, object),
            None => self.target(locator, object),
        }
    }

    /// What keeps requests on `pool` from being sent.
    fn barriers(&self, pool: i64) -> Barriers;

    /// The newest epoch in which requests on `pool` had to be sent again.
    fn force_resend(&self, pool: i64) -> u32;

    /// Where an OSD listens; `None` if it is down.
    fn osd_addrs(&self, osd: u32) -> Option<AddrVec>;
}
