//! Reading a pool.

use super::{CacheMode, NameHash, Pool, PoolFlags, PoolKind, PoolSnap, ShardSet};
use crate::msg::read_map;
use crate::osdmap::fields::{read_intervals, read_texts};
use axon_denc::{Decode, DecodeError, Decoder, UTime};
use std::collections::BTreeMap;

const KNOWN: u8 = 32;
/// What Luminous writes.
const OLDEST: u8 = 26;
/// A number, and the version, compat version and length of a snapshot.
const MIN_SNAP: usize = 8 + 6;
const SNAP_KNOWN: u8 = 2;

impl Decode for Pool {
    /// ```text
    /// u8 version | u8 compat | le32 length
    /// u8 kind | u8 size | u8 crush rule | u8 name hash | le32 pg num, pgp num, 0, 0 | le32 last change
    /// le64 snap seq | le32 snap epoch | snapshots | removed snapshots | le64 0 | le64 flags | le32 0 | u8 min size
    /// le64 quota bytes, quota objects | tiers | le64 tier of | u8 cache mode | le64 read tier, write tier | properties
    /// hit sets: versioned, le32 period, count | le32 stripe width
    /// cache: le64 bytes, objects | le32 dirty, full, flush age, evict age
    /// blob erasure code profile | le32 resend before Luminous | le32 read recency | le64 expected objects
    /// le32 dirty high | le32 write recency | u8 gmt | u8 fast read | le32 grade decay, search last | options: versioned
    /// le32 resend before Nautilus | applications | created (27)
    /// le32 pg num target, pgp num target, pg num pending, 0, 0, resend | u8 autoscale (28) | merges: versioned (29)
    /// le32 peering[4] (30 only) | u8 1, le32 peering[4], or u8 0 (31) | nonprimary shards (32)
    /// ```
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (version, mut body) = input.versioned("pool", KNOWN)?;
        if version < OLDEST {
            return Err(DecodeError::Undefined { what: "pool's version", value: version.into() });
        }
        let mut pool = Self::default();
        pool.read_basics(&mut body)?;
        pool.read_snaps(&mut body)?;
        pool.read_limits(&mut body)?;
        pool.read_tiers(&mut body)?;
        pool.read_cache(&mut body)?;
        pool.read_newer(version, &mut body)?;
        Ok(pool)
    }
}

impl Pool {
    fn read_basics(&mut self, body: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.kind = read_kind(body.u8()?)?;
        self.size = body.u8()?;
        self.crush_rule = body.u8()?;
        self.name_hash = read_name_hash(body.u8()?)?;
        self.pg_num = body.u32()?;
        self.pgp_num = body.u32()?;
        body.take(2 * 4)?; // localized groups
        self.last_change = body.u32()?;
        Ok(())
    }

    fn read_snaps(&mut self, body: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.snap_seq = body.u64()?;
        self.snap_epoch = body.u32()?;
        self.snaps = read_map(body, MIN_SNAP, read_snap)?;
        read_intervals(body)?; // removed before Octopus
        body.u64()?; // an owner
        self.flags = PoolFlags(body.u64()?);
        body.u32()?; // an interval for replays
        Ok(())
    }

    fn read_limits(&mut self, body: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.min_size = body.u8()?;
        self.quota_max_bytes = body.u64()?;
        self.quota_max_objects = body.u64()?;
        Ok(())
    }

    fn read_tiers(&mut self, body: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.tiers = body.list::<u64>(8)?.into_iter().collect();
        self.tier_of = read_pool_id(body)?;
        self.cache_mode = read_cache_mode(body.u8()?);
        self.read_tier = read_pool_id(body)?;
        self.write_tier = read_pool_id(body)?;
        read_texts(body)?; // properties
        Ok(())
    }

    /// What a cache does in the background, which concerns OSDs, and what came with it.
    fn read_cache(&mut self, body: &mut Decoder<'_>) -> Result<(), DecodeError> {
        body.versioned("hit sets", u8::MAX)?;
        body.take(2 * 4)?;
        self.stripe_width = body.u32()?;
        body.take(2 * 8 + 4 * 4)?; // how much it holds, and for how long
        self.erasure_code_profile = body.string("erasure code profile")?;
        body.take(4 + 4 + 8)?; // resend before Luminous, recency of reads, expected objects
        body.take(4 + 4 + 1)?; // dirty high, recency of writes, time zone of hit sets
        self.fast_read = body.bool()?;
        body.take(2 * 4)?; // grades of hit sets
        body.versioned("options of a pool", u8::MAX)?;
        self.last_force_op_resend_prenautilus = body.u32()?;
        self.applications = read_applications(body)?;
        Ok(())
    }

    fn read_newer(&mut self, version: u8, body: &mut Decoder<'_>) -> Result<(), DecodeError> {
        if version >= 27 {
            self.created = UTime::decode(body)?;
        }
        (self.pg_num_target, self.pg_num_pending) = (self.pg_num, self.pg_num);
        self.last_force_op_resend = self.last_force_op_resend_prenautilus;
        if version >= 28 {
            self.pg_num_target = body.u32()?;
            body.u32()?; // pgp num target
            self.pg_num_pending = body.u32()?;
            body.take(2 * 4)?; // merges, in versions of Nautilus nobody has
            self.last_force_op_resend = body.u32()?;
            body.u8()?; // mode of the autoscaler
        }
        if version >= 29 {
            body.versioned("last merge", u8::MAX)?;
        }
        if version == 30 || version > 30 && body.bool()? {
            self.peering = Some([body.u32()?, body.u32()?, body.u32()?, body.u32()?]);
        }
        if version >= 32 {
            self.nonprimary_shards = read_shards(body)?;
        }
        Ok(())
    }
}

fn read_kind(value: u8) -> Result<PoolKind, DecodeError> {
    match value {
        1 => Ok(PoolKind::Replicated),
        3 => Ok(PoolKind::Erasure),
        _ => Err(DecodeError::Undefined { what: "kind of a pool", value: value.into() }),
    }
}

fn read_name_hash(value: u8) -> Result<NameHash, DecodeError> {
    match value {
        1 => Ok(NameHash::Linux),
        2 => Ok(NameHash::Jenkins),
        _ => Err(DecodeError::Undefined { what: "name hash of a pool", value: value.into() }),
    }
}

fn read_cache_mode(value: u8) -> CacheMode {
    match value {
        0 => CacheMode::None,
        1 => CacheMode::Writeback,
        2 => CacheMode::Forward,
        3 => CacheMode::ReadOnly,
        4 => CacheMode::ReadForward,
        5 => CacheMode::ReadProxy,
        6 => CacheMode::Proxy,
        other => CacheMode::Other(other),
    }
}

/// A pool's id; negative for none.
fn read_pool_id(body: &mut Decoder<'_>) -> Result<Option<i64>, DecodeError> {
    body.i64().map(|id| Some(id).filter(|id| *id >= 0))
}

/// ```text
/// le64 number | u8 version | u8 compat | le32 length | le64 number | stamp | blob name
/// ```
fn read_snap(body: &mut Decoder<'_>) -> Result<(u64, PoolSnap), DecodeError> {
    let number = body.u64()?;
    let (_, mut snap) = body.versioned("snapshot of a pool", SNAP_KNOWN)?;
    snap.u64()?;
    let stamp = UTime::decode(&mut snap)?;
    Ok((number, PoolSnap { stamp, name: snap.string("name of a snapshot")? }))
}

fn read_applications(
    body: &mut Decoder<'_>,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, DecodeError> {
    read_map(body, 8, |body| Ok((body.string("application")?, read_texts(body)?)))
}

/// Two words of 64 shards, each in groups of seven bits, the lowest first.
fn read_shards(body: &mut Decoder<'_>) -> Result<ShardSet, DecodeError> {
    let (low, high) = (read_varint(body)?, read_varint(body)?);
    Ok(ShardSet(u128::from(low) | u128::from(high) << 64))
}

/// The highest bit of a byte says whether another one follows (`denc_varint`).
fn read_varint(body: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = body.u8()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DecodeError::TooLong { what: "variable-length number", length: 11, limit: 10 })
}
