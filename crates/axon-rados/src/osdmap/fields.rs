//! Fields that maps and changes have in common.

use super::{ErasureCodeProfiles, SnapIntervals};
use crate::msg::read_map;
use crate::osd::PgId;
use axon_denc::{AddrVec, Decode, DecodeError, Decoder, EntityAddr, UTime};
use std::collections::BTreeMap;

/// A placement group: version, pool, seed, and where the preferred OSD used to be.
const PG: usize = 17;
/// An empty text or list.
const EMPTY: usize = 4;
/// An empty vector of addresses.
const MIN_ADDRS: usize = 5;
/// The smallest address, and a time.
const MIN_BLOCKED: usize = 19 + 8;

/// Placement groups and the OSDs of each.
pub(super) fn read_pg_lists(input: &mut Decoder<'_>) -> Result<BTreeMap<PgId, Vec<i32>>, DecodeError> {
    read_map(input, PG + EMPTY, |input| Ok((PgId::decode(input)?, input.list(4)?)))
}

/// Placement groups and pairs of OSDs.
pub(super) fn read_pg_pairs(input: &mut Decoder<'_>) -> Result<BTreeMap<PgId, Vec<(i32, i32)>>, DecodeError> {
    read_map(input, PG + EMPTY, |input| Ok((PgId::decode(input)?, read_pairs(input)?)))
}

fn read_pairs(input: &mut Decoder<'_>) -> Result<Vec<(i32, i32)>, DecodeError> {
    let n = input.count(8)?;
    (0..n).map(|_| Ok((input.i32()?, input.i32()?))).collect()
}

/// Placement groups and an OSD of each.
pub(super) fn read_pg_osds(input: &mut Decoder<'_>) -> Result<BTreeMap<PgId, i32>, DecodeError> {
    read_map(input, PG + 4, |input| Ok((PgId::decode(input)?, input.i32()?)))
}

/// Placement groups.
pub(super) fn read_pgs(input: &mut Decoder<'_>) -> Result<Vec<PgId>, DecodeError> {
    input.list(PG)
}

/// Texts by number.
pub(super) fn read_names(input: &mut Decoder<'_>) -> Result<BTreeMap<i64, String>, DecodeError> {
    read_map(input, 8 + EMPTY, |input| Ok((input.i64()?, input.string("name of a pool")?)))
}

/// Texts by text.
pub(super) fn read_texts(input: &mut Decoder<'_>) -> Result<BTreeMap<String, String>, DecodeError> {
    read_map(input, 2 * EMPTY, |input| Ok((input.string("option")?, input.string("value")?)))
}

/// Texts by text by text.
pub(super) fn read_profiles(input: &mut Decoder<'_>) -> Result<ErasureCodeProfiles, DecodeError> {
    read_map(input, 2 * EMPTY, |input| Ok((input.string("profile")?, read_texts(input)?)))
}

/// Snapshots by pool.
pub(super) fn read_snaps(input: &mut Decoder<'_>) -> Result<SnapIntervals, DecodeError> {
    read_map(input, 8 + EMPTY, |input| Ok((input.i64()?, read_intervals(input)?)))
}

/// Snapshots, as the first and how many.
pub(super) fn read_intervals(input: &mut Decoder<'_>) -> Result<Vec<(u64, u64)>, DecodeError> {
    let n = input.count(16)?;
    (0..n).map(|_| Ok((input.u64()?, input.u64()?))).collect()
}

/// The addresses of each OSD.
pub(super) fn read_addrs(input: &mut Decoder<'_>) -> Result<Vec<AddrVec>, DecodeError> {
    input.list(MIN_ADDRS)
}

/// Addresses by OSD.
pub(super) fn read_addrs_by_osd(input: &mut Decoder<'_>) -> Result<BTreeMap<u32, AddrVec>, DecodeError> {
    read_map(input, 4 + MIN_ADDRS, |input| Ok((input.u32()?, AddrVec::decode(input)?)))
}

/// Numbers by OSD.
pub(super) fn read_by_osd(input: &mut Decoder<'_>) -> Result<BTreeMap<u32, u32>, DecodeError> {
    read_map(input, 8, |input| Ok((input.u32()?, input.u32()?)))
}

/// Addresses and until when they are blocked.
pub(super) fn read_blocked(input: &mut Decoder<'_>) -> Result<BTreeMap<EntityAddr, UTime>, DecodeError> {
    read_map(input, MIN_BLOCKED, |input| Ok((EntityAddr::decode(input)?, UTime::decode(input)?)))
}

/// A fraction, as a float of four bytes.
pub(super) fn read_ratio(input: &mut Decoder<'_>) -> Result<f32, DecodeError> {
    input.u32().map(f32::from_bits)
}

/// Moves past a list of versioned structs; `what` names one in errors.
pub(super) fn skip_versioned(input: &mut Decoder<'_>, what: &'static str) -> Result<(), DecodeError> {
    const HEAD: usize = 6;
    for _ in 0..input.count(HEAD)? {
        input.versioned(what, u8::MAX)?;
    }
    Ok(())
}

/// Moves past `n` items of `size` bytes, `n` being read first.
pub(super) fn skip_list(input: &mut Decoder<'_>, size: usize) -> Result<(), DecodeError> {
    let n = input.count(size)?;
    input.take(n * size).map(drop)
}
