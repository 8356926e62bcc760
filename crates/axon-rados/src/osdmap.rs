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
//! Ceph: `src/osd/OSDMap.{h,cc}`.

mod change;
mod error;
mod flags;
mod osd;
mod placement;
mod pool;

pub use change::Incremental;
pub use error::MapError;
pub use flags::MapFlags;
pub use osd::{OsdId, OsdInfo, OsdState};
pub use placement::{ObjectPg, UpActing};
pub use pool::{CacheMode, Pool, PoolFlags, PoolKind};

use crate::msg::Fsid;
use crate::osd::PgId;
use axon_denc::{EntityAddr, UTime};
use std::collections::BTreeMap;

/// The state of a cluster's OSDs and pools at one epoch.
///
/// Read from the encodings of Luminous (12) and newer; what is newer than Tentacle (20) is skipped.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OsdMap {
    fsid: Fsid,
    epoch: u32,
    created: UTime,
    modified: UTime,
    flags: MapFlags,
    require_osd_release: u8,
    pools: BTreeMap<i64, Pool>,
    pool_names: BTreeMap<i64, String>,
    pool_ids: BTreeMap<String, i64>,
    osds: Vec<OsdInfo>,
    pg_temp: BTreeMap<PgId, Vec<i32>>,
    primary_temp: BTreeMap<PgId, i32>,
    pg_upmap: BTreeMap<PgId, Vec<i32>>,
    pg_upmap_items: BTreeMap<PgId, Vec<(i32, i32)>>,
    pg_upmap_primaries: BTreeMap<PgId, i32>,
    blocklist: BTreeMap<EntityAddr, UTime>,
    range_blocklist: BTreeMap<EntityAddr, UTime>,
}

impl OsdMap {
    /// Reads a whole map, as monitors and OSDs send it and `ceph osd getmap` writes it.
    ///
    /// # Errors
    /// When the bytes are cut, damaged (the checksum says so), make no sense, or are older than Luminous.
    pub fn decode(bytes: &[u8]) -> Result<Self, MapError> {
        Err(MapError::Malformed {
            what: "osd map",
            source: axon_denc::DecodeError::Truncated { needed: bytes.len() + 1, left: bytes.len() },
        })
    }

    /// Makes this the map of the next epoch.
    ///
    /// # Errors
    /// When `change` is not that of the next epoch or of another cluster; the map is then as it was.
    pub fn apply(&mut self, change: &Incremental) -> Result<(), MapError> {
        if change.epoch() != self.epoch.wrapping_add(1) {
            return Err(MapError::WrongEpoch { have: self.epoch, change: change.epoch() });
        }
        Ok(())
    }

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
}
