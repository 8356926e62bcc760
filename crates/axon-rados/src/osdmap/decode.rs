//! Reading a whole map.

use super::envelope::{Envelope, Part};
use super::fields::*;
use super::{Blocklist, MapError, MapFlags, OsdInfo, OsdMap, OsdState, Pool, Ratios};
use crate::crush::CrushMap;
use crate::msg::read_map;
use axon_denc::{AddrVec, Decode, DecodeError, Decoder, UTime};
use std::sync::Arc;

const WHAT: &str = "OSD map";
/// The first versions of the parts that Luminous writes for its own.
const OLDEST_CLIENT: u8 = 6;
const OLDEST_OSD: u8 = 5;
/// An id, and the version, compat version and length of a pool.
const MIN_POOL: usize = 8 + 6;
/// Six epochs and a version.
const OSD_EPOCHS: usize = 25;

impl OsdMap {
    /// Reads a whole map, as monitors and OSDs send it and `ceph osd getmap` writes it.
    ///
    /// # Errors
    /// When the bytes are cut, damaged (the checksum says so), make no sense, or are older than Luminous.
    pub fn decode(bytes: &[u8]) -> Result<Self, MapError> {
        let envelope = Envelope::open(bytes, WHAT)?;
        check_age("OSD map's part for clients", &envelope.client, OLDEST_CLIENT)?;
        check_age("OSD map's part for OSDs", &envelope.osd, OLDEST_OSD)?;
        let mut map = Self::default();
        let crush = map.read_client(envelope.client).map_err(malformed)?;
        map.read_osd(envelope.osd).map_err(malformed)?;
        map.crush = Arc::new(CrushMap::decode(crush)?);
        map.flags = map.flags.implied_by(map.require_osd_release);
        map.recompute();
        Ok(map)
    }

    /// ```text
    /// fsid | le32 epoch | created | modified | pools | names of pools | le32 highest pool | le32 flags
    /// le32 n | states | weights | addresses | pg temp | primary temp | primary affinities | blob CRUSH
    /// erasure code profiles | pg upmap | pg upmap items | le32 version of CRUSH
    /// removed snapshots, purged snapshots (7) | last up, last in (9) | pg upmap primaries (10)
    /// ```
    ///
    /// Returns the CRUSH map's bytes.
    fn read_client<'a>(&mut self, (version, mut part): Part<'a>) -> Result<&'a [u8], DecodeError> {
        let part = &mut part;
        (self.fsid, self.epoch) = (part.array()?, part.u32()?);
        (self.created, self.modified) = (UTime::decode(part)?, UTime::decode(part)?);
        self.pools = read_map(part, MIN_POOL, |part| Ok((part.i64()?, Pool::decode(part)?)))?;
        self.pool_names = read_names(part)?;
        self.pool_max = part.i32()?.into();
        self.flags = MapFlags(part.u32()?);
        self.osds = read_osds(part)?;
        self.pg_temp = read_pg_lists(part)?;
        self.primary_temp = read_pg_osds(part)?;
        self.read_affinities(part)?;
        let crush = part.blob()?;
        self.erasure_code_profiles = read_profiles(part)?;
        self.pg_upmap = read_pg_lists(part)?;
        self.pg_upmap_items = read_pg_pairs(part)?;
        self.crush_version = part.u32()?;
        if version >= 7 {
            self.new_removed_snaps = read_snaps(part)?;
            read_snaps(part)?; // purged, which concerns OSDs
        }
        if version >= 9 {
            (self.last_up_change, self.last_in_change) = (UTime::decode(part)?, UTime::decode(part)?);
        }
        if version >= 10 {
            self.pg_upmap_primaries = read_pg_osds(part)?;
        }
        Ok(crush)
    }

    /// An empty list means that all have the highest.
    fn read_affinities(&mut self, part: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let affinities: Vec<u32> = part.list(4)?;
        if !affinities.is_empty() {
            check_count("primary affinities", affinities.len(), self.osds.len())?;
        }
        self.osds.iter_mut().zip(affinities).for_each(|(osd, affinity)| osd.primary_affinity = affinity);
        Ok(())
    }

    /// ```text
    /// back addresses | epochs | blocklist | cluster addresses | le32 epoch, blob name of a snapshot | uuids | extra
    /// front addresses | ratios nearfull, full, backfillfull | u8 oldest client, u8 oldest OSD
    /// removed snapshots (6) | flags of CRUSH nodes (8) | flags of device classes (9)
    /// stretch mode (10) | range blocklist (11) | u8 crimson (12)
    /// ```
    fn read_osd(&mut self, (version, mut part): Part<'_>) -> Result<(), DecodeError> {
        let part = &mut part;
        read_addrs(part)?; // heartbeats, back
        self.read_epochs(part)?;
        let hosts = read_blocked(part)?;
        self.read_cluster_addrs(part)?;
        part.u32()?;
        part.blob()?;
        skip_list(part, 16)?; // uuids
        skip_versioned(part, "more about an OSD")?;
        read_addrs(part)?; // heartbeats, front
        let (nearfull, full, backfillfull) = (read_ratio(part)?, read_ratio(part)?, read_ratio(part)?);
        self.ratios = Ratios { nearfull, backfillfull, full };
        (self.require_min_compat_client, self.require_osd_release) = (part.u8()?, part.u8()?);
        if version >= 6 {
            read_snaps(part)?; // to be trimmed
        }
        if version >= 8 {
            skip_list(part, 8)?; // flags of CRUSH nodes
        }
        if version >= 9 {
            skip_list(part, 8)?; // flags of device classes
        }
        if version >= 10 {
            part.take(1 + 4 * 4)?; // stretch mode
        }
        let ranges = if version >= 11 { read_blocked(part)? } else { Default::default() };
        self.blocklist = Blocklist { hosts, ranges };
        Ok(())
    }

    /// ```text
    /// le32 n | { u8 version | le32 last clean begin, last clean end, up from, up thru, down at, lost at }[n]
    /// ```
    fn read_epochs(&mut self, part: &mut Decoder<'_>) -> Result<(), DecodeError> {
        check_count("epochs of OSDs", part.count(OSD_EPOCHS)?, self.osds.len())?;
        for osd in &mut self.osds {
            part.take(1 + 2 * 4)?;
            (osd.up_from, osd.up_thru) = (part.u32()?, part.u32()?);
            (osd.down_at, osd.lost_at) = (part.u32()?, part.u32()?);
        }
        Ok(())
    }

    fn read_cluster_addrs(&mut self, part: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let addrs = read_addrs(part)?;
        check_count("cluster addresses", addrs.len(), self.osds.len())?;
        self.osds.iter_mut().zip(addrs).for_each(|(osd, addrs)| osd.cluster_addrs = addrs);
        Ok(())
    }
}

/// How many OSDs, and the state, weight and addresses of each.
fn read_osds(part: &mut Decoder<'_>) -> Result<Vec<OsdInfo>, DecodeError> {
    let n = part.u32()? as usize;
    let states: Vec<u32> = part.list(4)?;
    let weights: Vec<u32> = part.list(4)?;
    let addrs: Vec<AddrVec> = read_addrs(part)?;
    check_count("states of OSDs", states.len(), n)?;
    check_count("weights of OSDs", weights.len(), n)?;
    check_count("addresses of OSDs", addrs.len(), n)?;
    check_max_osd(n)?;
    let osds = states.into_iter().zip(weights).zip(addrs);
    Ok(osds
        .map(|((state, weight), client_addrs)| OsdInfo {
            state: OsdState(state),
            weight,
            client_addrs,
            ..OsdInfo::default()
        })
        .collect())
}

/// Refuses numbers of OSDs that no cluster has.
pub(super) fn check_max_osd(n: usize) -> Result<(), DecodeError> {
    let limit = u64::from(OsdMap::MAX_OSDS);
    match n as u64 > limit {
        true => Err(DecodeError::TooLong { what: "number of OSDs", length: n as u64, limit }),
        false => Ok(()),
    }
}

/// There must be one for each OSD.
fn check_count(what: &'static str, found: usize, osds: usize) -> Result<(), DecodeError> {
    match found == osds {
        true => Ok(()),
        false => Err(DecodeError::Undefined { what, value: found as u64 }),
    }
}

/// Refuses what is older than what is read here.
pub(super) fn check_age(what: &'static str, (version, _): &Part<'_>, oldest: u8) -> Result<(), MapError> {
    match *version < oldest {
        true => Err(MapError::TooOld { what, version: *version, oldest }),
        false => Ok(()),
    }
}

fn malformed(source: DecodeError) -> MapError {
    MapError::Malformed { what: WHAT, source }
}
