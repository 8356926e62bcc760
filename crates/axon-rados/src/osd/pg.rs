//! Placement groups.

use axon_denc::{Decode, DecodeError, Decoder, Encode, put_versioned};
use std::fmt;

/// A placement group (`pg_t`).
///
/// ```text
/// u8 1 | le64 pool | le32 seed | le32 -1        17 bytes
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PgId {
    /// The pool.
    pub pool: u64,
    /// The group within the pool, or the hash it is found by.
    pub seed: u32,
}

const PG_VERSION: u8 = 1;
/// Stands where the preferred OSD used to be.
const NO_PREFERRED: i32 = -1;

impl fmt::Display for PgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.pool, self.seed)
    }
}

impl Encode for PgId {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(PG_VERSION);
        self.pool.encode(out);
        self.seed.encode(out);
        NO_PREFERRED.encode(out);
    }
}

impl Decode for PgId {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?; // a version nobody checks
        let pg = Self { pool: input.u64()?, seed: input.u32()? };
        input.i32()?;
        Ok(pg)
    }
}

/// A placement group and, in erasure-coded pools, the shard of it (`spg_t`).
///
/// ```text
/// u8 1 | u8 1 | le32 length | pg | i8 shard
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpgId {
    /// The group.
    pub pg: PgId,
    /// The shard, [`SpgId::NO_SHARD`] in replicated pools.
    pub shard: i8,
}

const SPG_VERSION: u8 = 1;

impl SpgId {
    /// The shard of a group that has none.
    pub const NO_SHARD: i8 = -1;

    /// A group of a replicated pool.
    pub const fn whole(pg: PgId) -> Self {
        Self { pg, shard: Self::NO_SHARD }
    }
}

impl fmt::Display for SpgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shard {
            Self::NO_SHARD => self.pg.fmt(f),
            shard => write!(f, "{}s{shard}", self.pg),
        }
    }
}

impl Encode for SpgId {
    fn encode(&self, out: &mut Vec<u8>) {
        put_versioned(out, SPG_VERSION, SPG_VERSION, |out| {
            self.pg.encode(out);
            out.extend_from_slice(&self.shard.to_le_bytes());
        });
    }
}

impl Decode for SpgId {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut body) = input.versioned("placement group", SPG_VERSION)?;
        Ok(Self { pg: PgId::decode(&mut body)?, shard: i8::from_le_bytes(body.array()?) })
    }
}
