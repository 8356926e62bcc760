//! The monitor map: which monitors there are and where.

use crate::msg::{Fsid, read_map, read_strings};
use axon_denc::{AddrVec, Decode, DecodeError, Decoder, EntityAddr, Features, UTime};
use std::collections::BTreeMap;

/// The monitors of a cluster.
///
/// ```text
/// u8 version | u8 compat | le32 length | fsid[16] | le32 epoch | changed | created
/// persistent features | optional features | le32 n | { blob name | monitor }[n] | le32 n | blob name by rank[n]
/// u8 oldest release (version 7) | what only monitors need
/// ```
///
/// Read from version 6 (Nautilus, 14) on; what is newer than version 10 (Tentacle, 20) is skipped.
///
/// Ceph: `src/mon/MonMap.cc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonMap {
    /// The cluster's id.
    pub fsid: Fsid,
    /// Counts the changes of the map.
    pub epoch: u32,
    /// When it last changed.
    pub changed: UTime,
    /// When the cluster was made.
    pub created: UTime,
    /// The monitors by name, without `mon.`.
    pub mons: BTreeMap<String, MonInfo>,
    /// Their names by rank.
    pub ranks: Vec<String>,
    /// The oldest release that may run a monitor here; 0 if the map does not say.
    pub min_release: u8,
}

/// A monitor.
///
/// ```text
/// u8 version | u8 compat | le32 length | blob name | addresses | le16 priority | le16 weight (version 4) | ..
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MonInfo {
    /// Where it listens.
    pub addrs: AddrVec,
    /// Clients prefer monitors with lower numbers.
    pub priority: u16,
    /// How much of the clients of its priority it gets.
    pub weight: u16,
}

impl From<AddrVec> for MonInfo {
    /// A monitor of which nothing but its addresses is known.
    fn from(addrs: AddrVec) -> Self {
        Self { addrs, ..Self::default() }
    }
}

const KNOWN: u8 = 10;
/// The first version whose monitors have vectors of addresses and ranks of their own.
const OLDEST: u8 = 6;
const VERSION_RELEASE: u8 = 7;
const INFO_KNOWN: u8 = 6;
const INFO_VERSION_PRIORITY: u8 = 2;
const INFO_VERSION_WEIGHT: u8 = 4;
const MON_FEATURE_KNOWN: u8 = 1;
/// A name, and a monitor's version, compat and length.
const MIN_MON: usize = 4 + 6;

impl MonMap {
    /// The monitor `name`, without `mon.`.
    pub fn get(&self, name: &str) -> Option<&MonInfo> {
        self.mons.get(name)
    }

    /// The name of the monitor at `addr`.
    pub fn name_at(&self, addr: &EntityAddr) -> Option<&str> {
        let mut mons = self.mons.iter();
        mons.find(|(_, mon)| mon.addrs.contains(addr)).map(|(name, _)| name.as_str())
    }

    /// The monitors in the order of their ranks.
    pub fn by_rank(&self) -> impl Iterator<Item = (&str, &MonInfo)> {
        self.ranks.iter().filter_map(|name| Some((name.as_str(), self.get(name)?)))
    }
}

impl Decode for MonMap {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (version, mut body) = input.versioned("monitor map", KNOWN)?;
        if version < OLDEST {
            return Err(DecodeError::Undefined { what: "monitor map's version", value: version.into() });
        }
        let body = &mut body;
        let (fsid, epoch) = (body.array()?, body.u32()?);
        let (changed, created) = (UTime::decode(body)?, UTime::decode(body)?);
        skip_mon_features(body)?; // persistent
        skip_mon_features(body)?; // optional
        Ok(Self {
            fsid,
            epoch,
            changed,
            created,
            mons: read_map(body, MIN_MON, |body| Ok((body.string("monitor name")?, MonInfo::decode(body)?)))?,
            ranks: read_strings(body, "monitor name")?,
            min_release: if version >= VERSION_RELEASE { body.u8()? } else { 0 },
        })
    }
}

/// Features of monitors among themselves, which are not those of messages.
fn skip_mon_features(body: &mut Decoder<'_>) -> Result<(), DecodeError> {
    let (_, mut features) = body.versioned("monitor features", MON_FEATURE_KNOWN)?;
    Features::decode(&mut features)?;
    Ok(())
}

impl Decode for MonInfo {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (version, mut body) = input.versioned("monitor", INFO_KNOWN)?;
        body.blob()?; // its name, once more
        Ok(Self {
            addrs: AddrVec::decode(&mut body)?,
            priority: if version >= INFO_VERSION_PRIORITY { body.u16()? } else { 0 },
            weight: if version >= INFO_VERSION_WEIGHT { body.u16()? } else { 0 },
        })
    }
}
