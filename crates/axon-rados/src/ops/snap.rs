//! Snapshots of an object.

use super::{Pick, ReadOp, WriteOp};
use crate::osd::{OpCode, OsdOp};
use axon_denc::{Decode, DecodeError, Decoder, Encode};
use bytes::Bytes;

/// The snapshots an object has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapSet {
    /// What is kept, oldest first; the last one may be the present state ([`crate::osd::NO_SNAP`]).
    pub clones: Vec<CloneInfo>,
    /// The newest snapshot a writer knew of.
    pub seq: u64,
}

/// A state of an object that is kept for some snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneInfo {
    /// Names the state: the newest of the snapshots it was kept for.
    pub id: u64,
    /// The snapshots it is kept for.
    pub snaps: Vec<u64>,
    /// Extents that are the same in the next newer state: offset and length.
    pub overlap: Vec<(u64, u64)>,
    /// Its bytes.
    pub size: u64,
}

const SET_VERSION: u8 = 2;
const CLONE_VERSION: u8 = 1;
/// An empty clone: the struct's header, an id, two counts and a size.
const MIN_CLONE: usize = 6 + 8 + 4 + 4 + 8;
/// Bytes of an extent.
const EXTENT: usize = 16;

impl ReadOp {
    /// Asks for the object's snapshots. To be read at [`crate::osd::SNAP_DIR`].
    pub fn list_snaps(&mut self) -> Pick<SnapSet> {
        self.0.ask(OsdOp::with_args(OpCode::LIST_SNAPS, 0, |_| {}), Bytes::new(), |data| {
            SnapSet::from_bytes(data)
        })
    }
}

impl WriteOp {
    /// Makes the object what it was in the snapshot `snap`.
    pub fn rollback(&mut self, snap: u64) -> &mut Self {
        self.0.push(OsdOp::with_args(OpCode::ROLLBACK, 0, |args| snap.encode(args)), Bytes::new());
        self
    }
}

/// Ceph: `obj_list_snap_response_t` in `src/include/rados/rados_types.hpp`.
impl Decode for SnapSet {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (version, mut body) = input.versioned("list of snapshots", SET_VERSION)?;
        let clones = body.list(MIN_CLONE)?;
        let seq = if version >= SET_VERSION { body.u64()? } else { 0 };
        Ok(Self { clones, seq })
    }
}

/// Ceph: `clone_info` in the same file.
impl Decode for CloneInfo {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut body) = input.versioned("clone", CLONE_VERSION)?;
        let id = body.u64()?;
        let snaps = (0..body.count(8)?).map(|_| body.u64()).collect::<Result<_, _>>()?;
        let n = body.count(EXTENT)?;
        let overlap = (0..n).map(|_| Ok((body.u64()?, body.u64()?))).collect::<Result<_, DecodeError>>()?;
        Ok(Self { id, snaps, overlap, size: body.u64()? })
    }
}
