//! What changed from one epoch to the next.

use super::decode::check_age;
use super::envelope::{Envelope, Part};
use super::fields::*;
use super::{ErasureCodeProfiles, MapError, OsdId, Pool, SnapIntervals};
use crate::crush::CrushMap;
use crate::msg::{Fsid, read_map, read_strings};
use crate::osd::PgId;
use axon_denc::{AddrVec, Decode, DecodeError, Decoder, EntityAddr, UTime};
use std::collections::BTreeMap;
use std::sync::Arc;

const WHAT: &str = "change of the OSD map";
/// The first versions of the parts that Luminous writes for its own.
const OLDEST_CLIENT: u8 = 5;
const OLDEST_OSD: u8 = 6;
/// An id, and the version, compat version and length of a pool.
const MIN_POOL: usize = 8 + 6;

/// What changed from one epoch of the map to the next.
///
/// Ceph: `OSDMap::Incremental` in `src/osd/OSDMap.h`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Incremental {
    pub(super) fsid: Fsid,
    pub(super) epoch: u32,
    pub(super) modified: UTime,
    /// The checksum of the whole map of the epoch, as the monitors encode it.
    pub(super) full_crc: u32,
    /// The whole map, instead of all that follows.
    pub(super) full: Option<Vec<u8>>,
    pub(super) crush: Option<Arc<CrushMap>>,
    pub(super) pool_max: Option<i64>,
    pub(super) flags: Option<u32>,
    pub(super) max_osd: Option<u32>,
    pub(super) pools: BTreeMap<i64, Pool>,
    pub(super) pool_names: BTreeMap<i64, String>,
    pub(super) old_pools: Vec<i64>,
    pub(super) osds: OsdChanges,
    /// Empty to remove one.
    pub(super) pg_temp: BTreeMap<PgId, Vec<i32>>,
    /// -1 to remove one.
    pub(super) primary_temp: BTreeMap<PgId, i32>,
    pub(super) erasure_code_profiles: ErasureCodeProfiles,
    pub(super) old_erasure_code_profiles: Vec<String>,
    pub(super) pg_upmap: BTreeMap<PgId, Vec<i32>>,
    pub(super) old_pg_upmap: Vec<PgId>,
    pub(super) pg_upmap_items: BTreeMap<PgId, Vec<(i32, i32)>>,
    pub(super) old_pg_upmap_items: Vec<PgId>,
    pub(super) pg_upmap_primaries: BTreeMap<PgId, i32>,
    pub(super) old_pg_upmap_primaries: Vec<PgId>,
    pub(super) removed_snaps: SnapIntervals,
    pub(super) last_up_change: UTime,
    pub(super) last_in_change: UTime,
    pub(super) blocked: BTreeMap<EntityAddr, UTime>,
    pub(super) unblocked: Vec<EntityAddr>,
    pub(super) blocked_ranges: BTreeMap<EntityAddr, UTime>,
    pub(super) unblocked_ranges: Vec<EntityAddr>,
    /// Negative for no change.
    pub(super) nearfull_ratio: f32,
    pub(super) full_ratio: f32,
    pub(super) backfillfull_ratio: f32,
    pub(super) require_min_compat_client: Option<u8>,
    pub(super) require_osd_release: Option<u8>,
}

/// What changed about OSDs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct OsdChanges {
    /// Came up, with their addresses for clients.
    pub(super) up: BTreeMap<OsdId, AddrVec>,
    pub(super) cluster_addrs: BTreeMap<OsdId, AddrVec>,
    /// States that are turned over; 0 means up.
    pub(super) state: BTreeMap<OsdId, u32>,
    pub(super) weight: BTreeMap<OsdId, u32>,
    pub(super) primary_affinity: BTreeMap<OsdId, u32>,
    pub(super) up_thru: BTreeMap<OsdId, u32>,
    pub(super) lost_at: BTreeMap<OsdId, u32>,
}

impl Incremental {
    /// Reads a change, as monitors and OSDs send it.
    ///
    /// # Errors
    /// When the bytes are cut, damaged (the checksum says so), make no sense, or are older than Luminous.
    pub fn decode(bytes: &[u8]) -> Result<Self, MapError> {
        let mut envelope = Envelope::open(bytes, WHAT)?;
        check_age("change of the OSD map's part for clients", &envelope.client, OLDEST_CLIENT)?;
        check_age("change of the OSD map's part for OSDs", &envelope.osd, OLDEST_OSD)?;
        let mut change = Self::default();
        let crush = change.read_client(envelope.client).map_err(malformed)?;
        change.read_osd(envelope.osd).map_err(malformed)?;
        change.full_crc = envelope.after.u32().map_err(malformed)?;
        if !crush.is_empty() {
            change.crush = Some(Arc::new(CrushMap::decode(crush)?));
        }
        Ok(change)
    }

    /// The cluster's id.
    pub fn fsid(&self) -> &Fsid {
        &self.fsid
    }

    /// The epoch it leads to.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The checksum of the whole map of that epoch, as the monitors encode it.
    pub fn full_crc(&self) -> u32 {
        self.full_crc
    }

    /// ```text
    /// fsid | le32 epoch | modified | le64 highest pool | le32 flags | blob whole map | blob CRUSH | le32 number of OSDs
    /// pools | names of pools | old pools | up | states | weights | pg temp | primary temp | primary affinities
    /// erasure code profiles | old profiles | pg upmap, old | pg upmap items, old
    /// removed snapshots, purged snapshots (6) | last up, last in (8) | pg upmap primaries, old (9)
    /// ```
    ///
    /// Returns the CRUSH map's bytes.
    fn read_client<'a>(&mut self, (version, mut part): Part<'a>) -> Result<&'a [u8], DecodeError> {
        let part = &mut part;
        (self.fsid, self.epoch, self.modified) = (part.array()?, part.u32()?, UTime::decode(part)?);
        self.pool_max = Some(part.i64()?).filter(|max| *max != -1);
        self.flags = u32::try_from(part.i32()?).ok();
        self.full = Some(part.blob()?).filter(|map| !map.is_empty()).map(<[u8]>::to_vec);
        let crush = part.blob()?;
        self.max_osd = u32::try_from(part.i32()?).ok();
        self.pools = read_map(part, MIN_POOL, |part| Ok((part.i64()?, Pool::decode(part)?)))?;
        self.pool_names = read_names(part)?;
        self.old_pools = part.list(8)?;
        self.osds.up = read_addrs_by_osd(part)?;
        self.osds.state = read_by_osd(part)?;
        self.osds.weight = read_by_osd(part)?;
        self.pg_temp = read_pg_lists(part)?;
        self.primary_temp = read_pg_osds(part)?;
        self.osds.primary_affinity = read_by_osd(part)?;
        self.erasure_code_profiles = read_profiles(part)?;
        self.old_erasure_code_profiles = read_strings(part, "profile")?;
        (self.pg_upmap, self.old_pg_upmap) = (read_pg_lists(part)?, read_pgs(part)?);
        (self.pg_upmap_items, self.old_pg_upmap_items) = (read_pg_pairs(part)?, read_pgs(part)?);
        if version >= 6 {
            self.removed_snaps = read_snaps(part)?;
            read_snaps(part)?; // purged, which concerns OSDs
        }
        if version >= 8 {
            (self.last_up_change, self.last_in_change) = (UTime::decode(part)?, UTime::decode(part)?);
        }
        if version >= 9 {
            (self.pg_upmap_primaries, self.old_pg_upmap_primaries) = (read_pg_osds(part)?, read_pgs(part)?);
        }
        Ok(crush)
    }

    /// ```text
    /// back addresses | up thru | clean intervals | lost | blocklist, old | cluster addresses | blob name of a snapshot
    /// uuids | extra | front addresses | le64 features | ratios nearfull, full, backfillfull
    /// u8 oldest client, u8 oldest OSD | flags of CRUSH nodes (8) | flags of device classes (9) | stretch mode (10)
    /// range blocklist, old (11) | u8 crimson (12)
    /// ```
    fn read_osd(&mut self, (version, mut part): Part<'_>) -> Result<(), DecodeError> {
        let part = &mut part;
        read_addrs_by_osd(part)?; // heartbeats, back
        self.osds.up_thru = read_by_osd(part)?;
        skip_list(part, 12)?; // intervals that ended cleanly
        self.osds.lost_at = read_by_osd(part)?;
        (self.blocked, self.unblocked) = (read_blocked(part)?, read_unblocked(part)?);
        self.osds.cluster_addrs = read_addrs_by_osd(part)?;
        part.blob()?;
        skip_list(part, 4 + 16)?; // uuids
        skip_extra(part)?;
        read_addrs_by_osd(part)?; // heartbeats, front
        part.u64()?; // the features it was encoded for
        (self.nearfull_ratio, self.full_ratio) = (read_ratio(part)?, read_ratio(part)?);
        self.backfillfull_ratio = read_ratio(part)?;
        self.require_min_compat_client = read_release(part)?.filter(|release| *release > 0);
        self.require_osd_release = read_release(part)?;
        if version >= 8 {
            skip_list(part, 8)?; // flags of CRUSH nodes
        }
        if version >= 9 {
            skip_list(part, 8)?; // flags of device classes
        }
        if version >= 10 {
            part.take(2 + 4 * 4)?; // stretch mode
        }
        if version >= 11 {
            (self.blocked_ranges, self.unblocked_ranges) = (read_blocked(part)?, read_unblocked(part)?);
        }
        Ok(())
    }
}

impl OsdChanges {
    /// All OSDs that are spoken of.
    pub(super) fn ids(&self) -> impl Iterator<Item = OsdId> {
        let addrs = self.up.keys().chain(self.cluster_addrs.keys());
        let numbers = [&self.state, &self.weight, &self.primary_affinity, &self.up_thru, &self.lost_at];
        addrs.chain(numbers.into_iter().flat_map(BTreeMap::keys)).copied()
    }
}

fn read_unblocked(part: &mut Decoder<'_>) -> Result<Vec<EntityAddr>, DecodeError> {
    const MIN_ADDR: usize = 19;
    part.list(MIN_ADDR)
}

/// The number of a release; 255 for no change.
fn read_release(part: &mut Decoder<'_>) -> Result<Option<u8>, DecodeError> {
    part.u8().map(|release| Some(release).filter(|release| *release != u8::MAX))
}

/// Moves past more about OSDs: numbers and versioned structs.
fn skip_extra(part: &mut Decoder<'_>) -> Result<(), DecodeError> {
    for _ in 0..part.count(4 + 6)? {
        part.u32()?;
        part.versioned("more about an OSD", u8::MAX)?;
    }
    Ok(())
}

fn malformed(source: DecodeError) -> MapError {
    MapError::Malformed { what: WHAT, source }
}
