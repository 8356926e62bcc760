//! The answer to a pool operation.

use super::{Fsid, TypedMessage, paxos};
use axon_denc::{DecodeError, Decoder, Encode, Features, put_blob};
use bytes::Bytes;
use std::ops::Not;

/// A monitor answers a [`MPoolOp`](super::MPoolOp).
///
/// ```text
/// paxos header | fsid[16] | le32 result | le32 epoch | u8 more, if so: blob
/// ```
///
/// Ceph: `src/messages/MPoolOpReply.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MPoolOpReply {
    /// The cluster.
    pub fsid: Fsid,
    /// 0, or a negative errno.
    pub result: i32,
    /// The OSD map that has the change.
    pub epoch: u32,
    /// What the operation returns: a new snapshot's id, le64; empty if nothing.
    pub data: Bytes,
}

impl TypedMessage for MPoolOpReply {
    const KIND: u16 = 48;
    const NAME: &'static str = "poolopreply";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(0, out);
        out.extend_from_slice(&self.fsid);
        self.result.encode(out);
        self.epoch.encode(out);
        self.data.is_empty().not().encode(out);
        if !self.data.is_empty() {
            put_blob(out, &self.data);
        }
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        paxos::read(front)?;
        Ok(Self {
            fsid: front.array()?,
            result: front.i32()?,
            epoch: front.u32()?,
            data: if front.bool()? { Bytes::copy_from_slice(front.blob()?) } else { Bytes::new() },
        })
    }
}
