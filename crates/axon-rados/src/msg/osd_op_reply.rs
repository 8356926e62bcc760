//! An OSD's answer.

use super::osd_op_reply_view::parse_front;
use super::{MOSDOpView, MessageError, TypedMessage, check_header, require};
use crate::osd::{EVersion, ObjectLocator, OsdFlags, OsdOp, PgId};
use axon_denc::{Decode, DecodeError, Decoder, Encode, Features, put_versioned};
use axon_wire::Message;
use bytes::Bytes;

/// The answer to an [`MOSDOp`](super::MOSDOp).
///
/// ```text
/// blob object | pg | le64 flags | le32 result | bad replay version | le32 map epoch
/// le32 n | op[n] | le32 retry attempt | le32 result of op[n] | replay version | le64 user version
/// u8 redirected, if so: redirect | trace[24]
/// ```
///
/// The trace is written as "none" and skipped when read. Version 8 is the only one of Luminous (12) to Tentacle (20).
///
/// Ceph: `src/messages/MOSDOpReply.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MOSDOpReply {
    /// The object's name.
    pub object: Bytes,
    /// The placement group.
    pub pg: PgId,
    /// The request's flags, with the acknowledgement asked for replaced by the one given.
    pub flags: OsdFlags,
    /// 0 or more for success, a negative errno otherwise.
    pub result: i32,
    /// What clients before Dumpling (0.67) took for the object's version.
    pub bad_replay_version: EVersion,
    /// The epoch of the OSD's map.
    pub map_epoch: u32,
    /// The request's operations; their payload lengths are those of the reply's data.
    pub ops: Vec<OsdOp>,
    /// The request's attempt.
    pub retry_attempt: i32,
    /// The result of each operation; as many as `ops`.
    pub results: Vec<i32>,
    /// The version of the placement group the request led to.
    pub replay_version: EVersion,
    /// The object's version, as clients see it.
    pub user_version: u64,
    /// Where the object is instead, if it was moved to another pool.
    pub redirect: Option<Redirect>,
    /// The operations' results, one after the other.
    pub data: Bytes,
}

/// Where a moved object is (`request_redirect_t`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The pool and namespace to ask instead.
    pub locator: ObjectLocator,
    /// The name to ask for; empty for the same.
    pub object: Bytes,
}

pub(super) const TRACE: [u8; 24] = [0; 24];
const REDIRECT_VERSION: u8 = 1;
/// Bytes of a front without the object's name, the operations and a redirect. Exact, so that the buffer becomes the
/// message's without a second allocation.
const FRONT_BASE: usize = 102;
/// What an operation adds to the front: itself and its result.
pub(super) const PER_OP: usize = OsdOp::SIZE + 4;

impl MOSDOpReply {
    /// The answer to `request` with the given result and without data, encoded with a single allocation.
    ///
    /// `ack` says how safe the change is; `map_epoch` is the epoch of the answering OSD's map.
    pub fn answer(request: &MOSDOpView<'_>, result: i32, ack: OsdFlags, map_epoch: u32) -> Message {
        let flags = request.flags.without(OsdFlags::ANY_ACK).with(ack);
        let n = request.ops.len();
        let mut front = Vec::with_capacity(front_size(request.object, n));
        let out = &mut front;
        put_head(out, request.object, request.pgid.pg, flags, result);
        put_epochs(out, EVersion::default(), map_epoch);
        put_count(out, n);
        request.ops.iter().for_each(|op| op.with_payload(0).encode(out));
        request.retry_attempt.encode(out);
        out.resize(out.len() + 4 * n, 0);
        put_tail(out, EVersion::default(), 0, None);
        let mut message = Message::new(Self::KIND, front);
        message.header.version = Self::HEAD_VERSION;
        message.header.compat_version = Self::COMPAT_VERSION;
        message.header.tid = request.tid;
        message
    }

    /// The result of the answer, without reading the rest of it.
    pub fn result_of(message: &Message) -> Result<i32, MessageError> {
        check_header::<Self>(message)?;
        let mut front = Decoder::new(&message.front);
        let mut read = || -> Result<i32, DecodeError> {
            front.blob()?;
            PgId::decode(&mut front)?;
            front.u64()?;
            front.i32()
        };
        read().map_err(Self::malformed)
    }
}

impl TypedMessage for MOSDOpReply {
    const KIND: u16 = 43;
    const NAME: &'static str = "osd_op_reply";
    const HEAD_VERSION: u16 = 8;
    const COMPAT_VERSION: u16 = 2;
    const OLDEST_VERSION: u16 = 8;

    fn version_for(features: Features) -> Result<u16, MessageError> {
        require::<Self>(features, Features::SERVER_LUMINOUS)?;
        Ok(Self::HEAD_VERSION)
    }

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        put_head(out, &self.object, self.pg, self.flags, self.result);
        put_epochs(out, self.bad_replay_version, self.map_epoch);
        put_count(out, self.ops.len());
        self.ops.iter().for_each(|op| op.encode(out));
        self.retry_attempt.encode(out);
        let results = self.results.iter().copied().chain(std::iter::repeat(0));
        results.take(self.ops.len()).for_each(|r| r.encode(out));
        let redirect = self.redirect.as_ref();
        put_tail(out, self.replay_version, self.user_version, redirect);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        parse_front(front).map(|view| view.to_owned())
    }

    fn front_size(&self) -> usize {
        front_size(&self.object, self.ops.len())
    }

    fn data(&self) -> Bytes {
        self.data.clone()
    }

    fn set_data(&mut self, data: Bytes) {
        self.data = data;
    }
}

fn front_size(object: &[u8], ops: usize) -> usize {
    FRONT_BASE + object.len() + ops * PER_OP
}

fn put_head(out: &mut Vec<u8>, object: &[u8], pg: PgId, flags: OsdFlags, result: i32) {
    object.encode(out);
    pg.encode(out);
    u64::from(flags.0).encode(out);
    result.encode(out);
}

fn put_epochs(out: &mut Vec<u8>, bad_replay_version: EVersion, map_epoch: u32) {
    bad_replay_version.encode(out);
    map_epoch.encode(out);
}

fn put_count(out: &mut Vec<u8>, n: usize) {
    u32::try_from(n).expect("a reply has fewer than 2^32 operations").encode(out);
}

fn put_tail(out: &mut Vec<u8>, replay_version: EVersion, user_version: u64, redirect: Option<&Redirect>) {
    replay_version.encode(out);
    user_version.encode(out);
    redirect.is_some().encode(out);
    if let Some(redirect) = redirect {
        put_redirect(out, redirect);
    }
    out.extend_from_slice(&TRACE);
}

fn put_redirect(out: &mut Vec<u8>, redirect: &Redirect) {
    put_versioned(out, REDIRECT_VERSION, REDIRECT_VERSION, |out| {
        redirect.locator.encode(out);
        redirect.object[..].encode(out);
        0u32.encode(out); // instructions nobody gives any more
    });
}

pub(super) fn read_redirect(front: &mut Decoder<'_>) -> Result<Option<Redirect>, DecodeError> {
    if !front.bool()? {
        return Ok(None);
    }
    let (_, mut body) = front.versioned("redirect", REDIRECT_VERSION)?;
    Ok(Some(Redirect {
        locator: ObjectLocator::decode(&mut body)?,
        object: Bytes::copy_from_slice(body.blob()?),
    }))
}
