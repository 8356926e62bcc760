//! A request to an OSD, read in place.

use super::osd_op::{MOSDOp, skip_traces};
use super::{MessageError, TypedMessage, check_header};
use crate::osd::{LocatorView, OsdFlags, OsdOp, ReqId, SpgId};
use axon_denc::{Decode, DecodeError, Decoder, Features, UTime};
use axon_wire::Message;
use bytes::Bytes;

/// An [`MOSDOp`] read without copying or allocating: what a responder needs for its answer.
///
/// The whole front is checked, so that every accessor is infallible.
#[derive(Debug, Clone, Copy)]
pub struct MOSDOpView<'a> {
    /// The message's transaction id, which the reply repeats.
    pub tid: u64,
    /// The placement group.
    pub pgid: SpgId,
    /// The object's hash.
    pub hash: u32,
    /// The epoch of the sender's OSD map.
    pub map_epoch: u32,
    /// Flags.
    pub flags: OsdFlags,
    /// The request's id.
    pub reqid: ReqId,
    /// The client's incarnation.
    pub client_inc: u32,
    /// The time the object shall have been written at.
    pub mtime: UTime,
    /// The object's name.
    pub object: &'a [u8],
    /// The operations.
    pub ops: OpList<'a>,
    /// The snapshot read from, [`crate::osd::NO_SNAP`] for the present.
    pub snapid: u64,
    /// The newest snapshot a write knows of.
    pub snap_seq: u64,
    /// Which attempt this is, from 0; -1 if the client does not count.
    pub retry_attempt: i32,
    /// The features agreed between sender and receiver, as the sender sees them.
    pub features: Features,
    /// The data segment: the operations' bytes, one after the other.
    pub data: &'a Bytes,
    locator: LocatorView<'a>,
    snaps: &'a [[u8; 8]],
}

/// The operations of a request, still as bytes.
#[derive(Debug, Clone, Copy)]
pub struct OpList<'a>(&'a [[u8; OsdOp::SIZE]]);

impl<'a> OpList<'a> {
    /// Reads `n` operations.
    pub(super) fn read(n: usize, front: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let bytes = front.take(n.saturating_mul(OsdOp::SIZE))?;
        Ok(Self(bytes.as_chunks().0))
    }

    /// Number of operations.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The operations in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = OsdOp> + 'a {
        self.0.iter().map(|op| OsdOp::from_bytes(op).expect("any 38 bytes are an operation"))
    }
}

impl<'a> MOSDOpView<'a> {
    /// Reads a message that should be an MOSDOp.
    pub fn parse(message: &'a Message) -> Result<Self, MessageError> {
        let version = check_header::<MOSDOp>(message)?;
        if version > MOSDOp::HEAD_VERSION {
            return Err(MessageError::TooNew {
                message: MOSDOp::NAME,
                compat: version, // new fields come in the middle, whatever the header claims
                known: MOSDOp::HEAD_VERSION,
            });
        }
        let mut view = parse_front(version, &mut Decoder::new(&message.front)).map_err(MOSDOp::malformed)?;
        view.tid = message.header.tid;
        view.data = &message.data;
        Ok(view)
    }

    /// The snapshots a write shall keep, newest first.
    pub fn snaps(&self) -> impl ExactSizeIterator<Item = u64> + 'a {
        self.snaps.iter().map(|snap| u64::from_le_bytes(*snap))
    }

    /// A copy that owns its parts; the data is shared, not copied.
    pub fn to_owned(&self) -> MOSDOp {
        MOSDOp {
            pgid: self.pgid,
            hash: self.hash,
            map_epoch: self.map_epoch,
            flags: self.flags,
            reqid: self.reqid,
            client_inc: self.client_inc,
            mtime: self.mtime,
            locator: self.locator.to_owned(),
            object: Bytes::copy_from_slice(self.object),
            ops: self.ops.iter().collect(),
            snapid: self.snapid,
            snap_seq: self.snap_seq,
            snaps: self.snaps().collect(),
            retry_attempt: self.retry_attempt,
            data: self.data.clone(),
        }
    }
}

static NO_DATA: Bytes = Bytes::new();

/// Reads a front in version 8 or 9; tid and data are left empty.
pub(super) fn parse_front<'a>(version: u16, front: &mut Decoder<'a>) -> Result<MOSDOpView<'a>, DecodeError> {
    let pgid = SpgId::decode(front)?;
    let hash = front.u32()?;
    let map_epoch = front.u32()?;
    let flags = OsdFlags(front.u32()?);
    let reqid = ReqId::decode(front)?;
    skip_traces(version, front)?;
    let view = MOSDOpView {
        tid: 0,
        pgid,
        hash,
        map_epoch,
        flags,
        reqid,
        client_inc: front.u32()?,
        mtime: UTime::decode(front)?,
        locator: LocatorView::decode(front)?,
        object: front.blob()?,
        ops: read_ops(front)?,
        snapid: front.u64()?,
        snap_seq: front.u64()?,
        snaps: read_snaps(front)?,
        retry_attempt: front.i32()?,
        features: Features(front.u64()?),
        data: &NO_DATA,
    };
    Ok(view)
}

fn read_ops<'a>(front: &mut Decoder<'a>) -> Result<OpList<'a>, DecodeError> {
    let n = front.u16()?;
    OpList::read(n.into(), front)
}

fn read_snaps<'a>(front: &mut Decoder<'a>) -> Result<&'a [[u8; 8]], DecodeError> {
    let n = front.count(8)?;
    Ok(front.take(n * 8)?.as_chunks().0)
}
