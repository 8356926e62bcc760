//! An OSD asks for patience.

use super::TypedMessage;
use crate::osd::{HObject, SpgId};
use axon_denc::{Decode, DecodeError, Decoder, Encode, Features};

/// Requests on a range of objects shall wait; or: they may come again; or, from the client: understood.
///
/// ```text
/// spg | le32 map epoch | u8 op | le64 id | object begin | object end
/// ```
///
/// The range includes its begin and not its end, except that equal ones mean one object.
///
/// Ceph: `src/messages/MOSDBackoff.h`, `doc/dev/osd_internals/backoff.rst`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MOSDBackoff {
    /// The placement group.
    pub pgid: SpgId,
    /// The epoch of the sender's OSD map.
    pub map_epoch: u32,
    /// What is said.
    pub op: BackoffOp,
    /// Names the backoff within the session.
    pub id: u64,
    /// The first object.
    pub begin: HObject,
    /// The first one that is not meant.
    pub end: HObject,
}

/// What a backoff message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackoffOp {
    /// The OSD: send nothing for these objects.
    Block,
    /// The client: the block was seen; nothing follows.
    AckBlock,
    /// The OSD: send again.
    Unblock,
}

impl BackoffOp {
    const ALL: [(Self, u8); 3] = [(Self::Block, 1), (Self::AckBlock, 2), (Self::Unblock, 3)];

    fn to_wire(self) -> u8 {
        Self::ALL.iter().find(|(op, _)| *op == self).map_or(0, |(_, number)| *number)
    }

    fn from_wire(number: u8) -> Result<Self, DecodeError> {
        let known = Self::ALL.iter().find(|(_, n)| *n == number).map(|(op, _)| *op);
        known.ok_or(DecodeError::Undefined { what: "backoff operation", value: number.into() })
    }
}

impl TypedMessage for MOSDBackoff {
    const KIND: u16 = 61;
    const NAME: &'static str = "osd_backoff";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        self.pgid.encode(out);
        self.map_epoch.encode(out);
        out.push(self.op.to_wire());
        self.id.encode(out);
        self.begin.encode(out);
        self.end.encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            pgid: SpgId::decode(front)?,
            map_epoch: front.u32()?,
            op: BackoffOp::from_wire(front.u8()?)?,
            id: front.u64()?,
            begin: HObject::decode(front)?,
            end: HObject::decode(front)?,
        })
    }

    fn front_size(&self) -> usize {
        192
    }
}
