//! Vectors of addresses.

use super::codec::{MARKER_ADDR2, MARKER_LEGACY};
use super::{AddrType, EntityAddr};
use crate::{Decode, DecodeError, Decoder, Encode, put_list};
use alloc::vec;
use alloc::vec::Vec;

/// All addresses of one endpoint, for example its `v2:` and its `v1:` address.
///
/// ```text
/// u8 2 | le32 count | address[count]        a vector; the only form that is written
/// u8 0 | legacy address after its marker    one address, as old encoders wrote it
/// u8 1 | MSG_ADDR2 address after its marker one address
/// ```
///
/// At most [`AddrVec::MAX`] addresses are decoded.
///
/// Ceph: `entity_addrvec_t` in `src/msg/msg_types.h`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AddrVec(pub Vec<EntityAddr>);

const MARKER_VEC: u8 = 2;
/// The smallest address on the wire: marker, version, compat, length, type, nonce, elen 0.
const MIN_ADDR: usize = 1 + 2 + 4 + 12;

impl AddrVec {
    /// Addresses accepted in one vector. Daemons have one to four; the bound keeps a peer from making us hold a list as
    /// long as a frame.
    pub const MAX: usize = 64;

    /// No address: what a process sends that does not know its own.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether there is no address.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The addresses in order.
    pub fn iter(&self) -> core::slice::Iter<'_, EntityAddr> {
        self.0.iter()
    }

    /// The first address, blank if there is none.
    pub fn first(&self) -> EntityAddr {
        self.0.first().copied().unwrap_or_default()
    }

    /// The first `v2:` address.
    pub fn msgr2(&self) -> Option<EntityAddr> {
        self.of_kind(AddrType::Msgr2)
    }

    /// The first `v1:` address.
    pub fn legacy(&self) -> Option<EntityAddr> {
        self.of_kind(AddrType::Legacy)
    }

    /// The first address of the given kind.
    pub fn of_kind(&self, kind: AddrType) -> Option<EntityAddr> {
        self.iter().find(|a| a.kind == kind).copied()
    }

    /// Whether `addr` is one of the addresses: same kind, nonce, IP address and port.
    pub fn contains(&self, addr: &EntityAddr) -> bool {
        self.0.contains(addr)
    }
}

impl From<EntityAddr> for AddrVec {
    fn from(addr: EntityAddr) -> Self {
        Self(vec![addr])
    }
}

impl From<Vec<EntityAddr>> for AddrVec {
    fn from(addrs: Vec<EntityAddr>) -> Self {
        Self(addrs)
    }
}

impl FromIterator<EntityAddr> for AddrVec {
    fn from_iter<I: IntoIterator<Item = EntityAddr>>(addrs: I) -> Self {
        Self(addrs.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a AddrVec {
    type Item = &'a EntityAddr;
    type IntoIter = core::slice::Iter<'a, EntityAddr>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Encode for AddrVec {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(MARKER_VEC);
        put_list(out, &self.0);
    }
}

impl Decode for AddrVec {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.u8()? {
            MARKER_LEGACY => EntityAddr::decode_legacy_after_marker(input).map(Self::from),
            MARKER_ADDR2 => EntityAddr::decode_addr2_after_marker(input).map(Self::from),
            MARKER_VEC => decode_list(input).map(Self),
            marker => Err(DecodeError::Undefined { what: "address vector marker", value: marker.into() }),
        }
    }
}

fn decode_list(input: &mut Decoder<'_>) -> Result<Vec<EntityAddr>, DecodeError> {
    let count = input.count(MIN_ADDR)?;
    if count > AddrVec::MAX {
        return Err(DecodeError::TooLong {
            what: "address vector",
            length: count as u64,
            limit: AddrVec::MAX as u64,
        });
    }
    (0..count).map(|_| EntityAddr::decode(input)).collect()
}
