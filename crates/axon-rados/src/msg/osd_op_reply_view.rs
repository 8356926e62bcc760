//! An answer of an OSD, read in place.

use super::osd_op_reply::{MOSDOpReply, PER_OP, Redirect, TRACE, read_redirect};
use super::{MessageError, OpList, TypedMessage, check_header};
use crate::osd::{EVersion, OsdFlags, PgId};
use axon_denc::{Decode, DecodeError, Decoder};
use axon_wire::Message;
use bytes::Bytes;

/// An [`MOSDOpReply`] read without copying or allocating (but for a redirection): what becomes of a request hangs on few
/// of its fields.
///
/// The whole front is checked, so that every accessor is infallible.
#[derive(Debug, Clone)]
pub(crate) struct MOSDOpReplyView<'a> {
    object: &'a [u8],
    pg: PgId,
    flags: OsdFlags,
    /// 0 or more, or a negative errno.
    pub(crate) result: i32,
    bad_replay_version: EVersion,
    map_epoch: u32,
    /// The request's operations; their payload lengths are those of the reply's data.
    pub(crate) ops: OpList<'a>,
    /// The request's attempt.
    pub(crate) retry_attempt: i32,
    results: &'a [[u8; 4]],
    replay_version: EVersion,
    /// The object's version, as clients see it.
    pub(crate) user_version: u64,
    /// Where the object is instead, if it was moved to another pool.
    pub(crate) redirect: Option<Redirect>,
    /// The operations' results, one after the other.
    pub(crate) data: &'a Bytes,
}

static NO_DATA: Bytes = Bytes::new();

impl<'a> MOSDOpReplyView<'a> {
    /// Reads a message that should be an MOSDOpReply.
    pub(crate) fn parse(message: &'a Message) -> Result<Self, MessageError> {
        check_header::<MOSDOpReply>(message)?;
        let mut view = parse_front(&mut Decoder::new(&message.front)).map_err(MOSDOpReply::malformed)?;
        view.data = &message.data;
        Ok(view)
    }

    /// Of each operation its code, and how many bytes of the data are its result.
    pub(crate) fn results(&self) -> impl ExactSizeIterator<Item = (i32, u32)> {
        let codes = self.results.iter().map(|code| i32::from_le_bytes(*code));
        codes.zip(self.ops.iter().map(|op| op.payload_len))
    }

    /// A copy that owns its parts; the data is shared, not copied.
    pub(super) fn to_owned(&self) -> MOSDOpReply {
        MOSDOpReply {
            object: Bytes::copy_from_slice(self.object),
            pg: self.pg,
            flags: self.flags,
            result: self.result,
            bad_replay_version: self.bad_replay_version,
            map_epoch: self.map_epoch,
            ops: self.ops.iter().collect(),
            retry_attempt: self.retry_attempt,
            results: self.results().map(|(code, _)| code).collect(),
            replay_version: self.replay_version,
            user_version: self.user_version,
            redirect: self.redirect.clone(),
            data: self.data.clone(),
        }
    }
}

/// Reads a front; the data is left empty.
pub(super) fn parse_front<'a>(front: &mut Decoder<'a>) -> Result<MOSDOpReplyView<'a>, DecodeError> {
    let object = front.blob()?;
    let pg = PgId::decode(front)?;
    let flags = OsdFlags(front.u64()? as u32); // 64 bits wide on the wire, 32 in use
    let result = front.i32()?;
    let bad_replay_version = EVersion::decode(front)?;
    let map_epoch = front.u32()?;
    let n = front.count(PER_OP)?;
    let view = MOSDOpReplyView {
        object,
        pg,
        flags,
        result,
        bad_replay_version,
        map_epoch,
        ops: OpList::read(n, front)?,
        retry_attempt: front.i32()?,
        results: front.take(n * 4)?.as_chunks().0,
        replay_version: EVersion::decode(front)?,
        user_version: front.u64()?,
        redirect: read_redirect(front)?,
        data: &NO_DATA,
    };
    front.take(TRACE.len())?;
    Ok(view)
}
