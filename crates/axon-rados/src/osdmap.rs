//! The OSD map: which OSDs and pools there are, and where each object is.
//!
//! A map comes whole ([`OsdMap::decode`]) or as what changed since the epoch before ([`Incremental`],
//! [`OsdMap::apply`]). From an object's name to the OSDs that serve it takes two steps:
//!
//! ```text
//! name, key, namespace --hash--> raw placement group --fold to pg_num--> placement group      object_to_pg
//! placement group --CRUSH--> upmap --> up --> primary affinity --> temp --> acting           pg_to_up_acting
//! ```
//!
//! What only OSDs and monitors need (heartbeat addresses, snapshots being trimmed, ...) is skipped. A map carries a checksum
//! over its bytes, which is verified before anything is believed; the bytes may still come from somebody hostile, so every
//! count is bounded by the bytes that are there, and every placement ends (see [`crush`](crate::crush)).
//!
//! Ceph: `src/osd/OSDMap.{h,cc}`.

mod apply;
mod blocklist;
mod change;
mod decode;
mod envelope;
mod error;
mod fault;
mod fields;
mod flags;
mod hash;
mod osd;
mod placement;
mod pool;

pub use blocklist::Blocklist;
pub use change::Incremental;
pub use error::MapError;
pub use fault::MapFault;
pub use flags::MapFlags;
pub use osd::{OsdId, OsdInfo, OsdState};
pub use placement::{ObjectPg, UpActing};
pub use pool::{CacheMode, Pool, PoolFlags, PoolKind, PoolSnap, ShardSet};

use crate::crush::CrushMap;
use crate::msg::Fsid;
use crate::osd::PgId;
use axon_denc::UTime;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The options of each erasure code, by the name of its profile.
pub type ErasureCodeProfiles = BTreeMap<String, BTreeMap<String, String>>;

/// The state of a cluster's OSDs and pools at one epoch.
///
/// Read from the encodings of Luminous (12) and newer; what is newer than Tentacle (20) is skipped.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OsdMap {
    fsid: Fsid,
    epoch: u32,
    created: UTime,
    modified: UTime,
    last_up_change: UTime,
    last_in_change: UTime,
    flags: MapFlags,
    require_osd_release: u8,
    require_min_compat_client: u8,
    ratios: Ratios,
    pool_max: i64,
    pools: BTreeMap<i64, Pool>,
    pool_names: BTreeMap<i64, String>,
    pool_ids: BTreeMap<String, i64>,
    osds: Vec<OsdInfo>,
    /// The weights in `osds`, side by side as CRUSH wants them.
    weights: Vec<u32>,
    pg_temp: BTreeMap<PgId, Vec<i32>>,
    primary_temp: BTreeMap<PgId, i32>,
    pg_upmap: BTreeMap<PgId, Vec<i32>>,
    pg_upmap_items: BTreeMap<PgId, Vec<(i32, i32)>>,
    pg_upmap_primaries: BTreeMap<PgId, i32>,
    erasure_code_profiles: ErasureCodeProfiles,
    crush: Arc<CrushMap>,
    crush_version: u32,
    new_removed_snaps: SnapIntervals,
    blocklist: Blocklist,
}

/// Snapshots by pool, as the first and how many.
type SnapIntervals = BTreeMap<i64, Vec<(u64, u64)>>;

/// How full OSDs may be, as fractions of 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ratios {
    /// From here on they are said to be nearly full.
    pub nearfull: f32,
    /// From here on nothing is moved to them.
    pub backfillfull: f32,
    /// From here on nobody may write.
    pub full: f32,
}

impl OsdMap {
    /// Ids of OSDs are below this: real clusters are far from it, and a map that claims more is not believed.
    pub const MAX_OSDS: u32 = 1 << 17;

    /// The cluster's id.
    pub fn fsid(&self) -> &Fsid {
        &self.fsid
    }

    /// Counts the changes of the map; 0 for a map that has nothing yet.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// When the cluster was made.
    pub fn created(&self) -> UTime {
        self.created
    }

    /// When this epoch was made.
    pub fn modified(&self) -> UTime {
        self.modified
    }

    /// What holds for the whole cluster.
    pub fn flags(&self) -> MapFlags {
        self.flags
    }

    /// The oldest release that may run an OSD, by its number (16 for Pacific); 0 if the map does not say.
    pub fn require_osd_release(&self) -> u8 {
        self.require_osd_release
    }

    /// The oldest release of clients the cluster wants to serve, by its number; 0 if the map does not say.
    pub fn require_min_compat_client(&self) -> u8 {
        self.require_min_compat_client
    }

    /// How full OSDs may be.
    pub fn ratios(&self) -> Ratios {
        self.ratios
    }

    /// The pool `id`.
    pub fn pool(&self, id: i64) -> Option<&Pool> {
        self.pools.get(&id)
    }

    /// The pool with this name, and its id.
    pub fn pool_by_name(&self, name: &str) -> Option<(i64, &Pool)> {
        let id = *self.pool_ids.get(name)?;
        Some((id, self.pools.get(&id)?))
    }

    /// The name of the pool `id`.
    pub fn pool_name(&self, id: i64) -> Option<&str> {
        self.pool_names.get(&id).map(String::as_str)
    }

    /// All pools, by id.
    pub fn pools(&self) -> impl Iterator<Item = (i64, &Pool)> {
        self.pools.iter().map(|(id, pool)| (*id, pool))
    }

    /// The OSD `id`, if it exists.
    pub fn osd(&self, id: OsdId) -> Option<&OsdInfo> {
        self.osds.get(id as usize).filter(|osd| osd.exists())
    }

    /// All OSDs that exist, by id.
    pub fn osds(&self) -> impl Iterator<Item = (OsdId, &OsdInfo)> {
        (0..).zip(&self.osds).filter(|(_, osd)| osd.exists())
    }

    /// One more than the highest id an OSD can have.
    pub fn max_osd(&self) -> u32 {
        self.osds.len() as u32
    }

    /// The hierarchy and the rules that place groups.
    pub fn crush(&self) -> &Arc<CrushMap> {
        &self.crush
    }

    /// Counts the changes of the hierarchy.
    pub fn crush_version(&self) -> u32 {
        self.crush_version
    }

    /// The options of each erasure code, by the name of its profile.
    pub fn erasure_code_profiles(&self) -> &ErasureCodeProfiles {
        &self.erasure_code_profiles
    }

    /// Who may not talk to OSDs.
    pub fn blocklist(&self) -> &Blocklist {
        &self.blocklist
    }

    /// The snapshots of `pool` that were removed in this epoch, as the first and how many; no request may name them.
    pub fn new_removed_snaps(&self, pool: i64) -> &[(u64, u64)] {
        self.new_removed_snaps.get(&pool).map_or(&[], Vec::as_slice)
    }

    /// The state of an OSD by the number a list of OSDs has for it.
    fn osd_by_item(&self, item: i32) -> Option<&OsdInfo> {
        self.osd(u32::try_from(item).ok()?)
    }

    /// Brings what is computed from other fields up to date.
    fn recompute(&mut self) {
        self.weights = self.osds.iter().map(|osd| osd.weight).collect();
        self.pool_ids = self.pool_names.iter().map(|(id, name)| (name.clone(), *id)).collect();
    }
}

#[cfg(test)]
mod tests;
