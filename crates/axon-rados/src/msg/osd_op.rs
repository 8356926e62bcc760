//! A request to an OSD.

use super::osd_op_view::parse_front;
use super::{MOSDOpView, MessageError, TypedMessage, require};
use crate::osd::{LocatorView, NO_SNAP, ObjectLocator, OsdFlags, OsdOp, PgId, ReqId, SpgId};
use axon_denc::{DecodeError, Decoder, Encode, Features, UTime, put_list, put_versioned};
use axon_wire::{Limits, Message};
use bytes::Bytes;

/// Operations on one object, done together or not at all.
///
/// ```text
/// spg | le32 hash | le32 map epoch | le32 flags | request id | trace[24]
/// version 9 only: trace context of OpenTelemetry
/// le32 client inc | mtime | locator | blob object | le16 n | op[n]
/// le64 snapid | le64 snap seq | le32 n | le64 snap[n] | le32 retry attempt | le64 features
/// ```
///
/// The features are those agreed with the peer. Traces are written as "none" and skipped when read. Version 8 goes
/// to Luminous (12) and newer, version 9 to Squid (19) and newer; these two are also what is read.
///
/// Ceph: `src/messages/MOSDOp.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MOSDOp {
    /// The placement group.
    pub pgid: SpgId,
    /// The object's hash.
    pub hash: u32,
    /// The epoch of the sender's OSD map.
    pub map_epoch: u32,
    /// Flags.
    pub flags: OsdFlags,
    /// The request's id; name and tid are usually left to the connection and the header.
    pub reqid: ReqId,
    /// The client's incarnation.
    pub client_inc: u32,
    /// The time the object shall have been written at.
    pub mtime: UTime,
    /// The object's pool and namespace.
    pub locator: ObjectLocator,
    /// The object's name.
    pub object: Bytes,
    /// The operations; at most [`MOSDOp::MAX_OPS`].
    pub ops: Vec<OsdOp>,
    /// The snapshot read from, [`NO_SNAP`] for the present.
    pub snapid: u64,
    /// The newest snapshot a write knows of.
    pub snap_seq: u64,
    /// The snapshots a write shall keep, newest first.
    pub snaps: Vec<u64>,
    /// Which attempt this is, from 0; -1 if the client does not count.
    pub retry_attempt: i32,
    /// The operations' bytes, one after the other.
    pub data: Bytes,
}

const VERSION_OTEL: u16 = 9;
/// Three ids of a trace: le64 each, 0 for none.
const TRACE: [u8; 24] = [0; 24];
const OTEL_VERSION: u8 = 1;
/// Bytes of a front without a trace's context, names, operations and snapshots. Exact, so that the buffer becomes the
/// message's without a second allocation.
const FRONT_BASE: usize = 171;
/// Bytes of the context of a trace.
const OTEL: usize = 7;

impl MOSDOp {
    /// Operations of a request: their number is a le16.
    pub const MAX_OPS: usize = u16::MAX as usize;

    /// A request for `ops` on the present state of `object` in `pgid`; everything else is zero or absent.
    pub fn new(object: impl Into<Bytes>, pgid: PgId, ops: Vec<OsdOp>) -> Self {
        Self {
            pgid: SpgId::whole(pgid),
            hash: pgid.seed,
            map_epoch: 0,
            flags: OsdFlags::default(),
            reqid: ReqId::default(),
            client_inc: 0,
            mtime: UTime::default(),
            locator: ObjectLocator::pool(pgid.pool.cast_signed()),
            object: object.into(),
            ops,
            snapid: NO_SNAP,
            snap_seq: 0,
            snaps: Vec::new(),
            retry_attempt: -1,
            data: Bytes::new(),
        }
    }

    /// A request that writes `data` at `offset`.
    ///
    /// # Panics
    /// If `data` is 4 GiB or longer.
    pub fn write(object: impl Into<Bytes>, pgid: PgId, offset: u64, data: Bytes) -> Self {
        let length = u32::try_from(data.len()).expect("a write is shorter than 4 GiB");
        let mut op = Self::new(object, pgid, vec![OsdOp::write(offset, length)]);
        op.flags = OsdFlags::WRITE.with(OsdFlags::ONDISK);
        op.data = data;
        op
    }

    /// A request that reads `length` bytes at `offset`.
    pub fn read(object: impl Into<Bytes>, pgid: PgId, offset: u64, length: u64) -> Self {
        let mut op = Self::new(object, pgid, vec![OsdOp::read(offset, length)]);
        op.flags = OsdFlags::READ;
        op
    }

    /// What a benchmark sends over and over: a write of `size` bytes, whose front is encoded once.
    ///
    /// The request of Ceph's `ceph_perf_msgr_client`, but for the operation's payload length, which that leaves at 0.
    pub fn bench(size: u32, features: Features) -> Result<OpTemplate, MessageError> {
        let ops = vec![OsdOp::write(0, size)];
        Self::new(&b"object-name"[..], PgId::default(), ops).template(features)
    }

    /// The message of this request without tid and data, to be sent many times.
    pub fn template(&self, features: Features) -> Result<OpTemplate, MessageError> {
        let mut message = self.encode(features)?;
        message.data = Bytes::new();
        Ok(OpTemplate(message))
    }

    fn front(&self) -> OpFront<'_> {
        OpFront {
            pgid: self.pgid,
            hash: self.hash,
            map_epoch: self.map_epoch,
            flags: self.flags,
            reqid: self.reqid,
            client_inc: self.client_inc,
            mtime: self.mtime,
            locator: LocatorView::of(&self.locator),
            object: &self.object,
            ops: &self.ops,
            snapid: self.snapid,
            snap_seq: self.snap_seq,
            snaps: &self.snaps,
            retry_attempt: self.retry_attempt,
        }
    }
}

/// What a request's front is made of: the fields of [`MOSDOp`], with the names and lists of whoever may have to send them
/// again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpFront<'a> {
    pub(crate) pgid: SpgId,
    pub(crate) hash: u32,
    pub(crate) map_epoch: u32,
    pub(crate) flags: OsdFlags,
    pub(crate) reqid: ReqId,
    pub(crate) client_inc: u32,
    pub(crate) mtime: UTime,
    pub(crate) locator: LocatorView<'a>,
    pub(crate) object: &'a [u8],
    pub(crate) ops: &'a [OsdOp],
    pub(crate) snapid: u64,
    pub(crate) snap_seq: u64,
    pub(crate) snaps: &'a [u64],
    pub(crate) retry_attempt: i32,
}

impl OpFront<'_> {
    /// The message for a peer with whom `features` were agreed, with `data` as its data segment. Its tid is 0.
    ///
    /// # Errors
    /// [`MessageError::MissingFeatures`], [`MessageError::TooLong`].
    pub(crate) fn message(&self, features: Features, data: Bytes) -> Result<Message, MessageError> {
        let version = MOSDOp::version_for(features)?;
        let size = self.size(features);
        check_length("front", size, Limits::SESSION.front)?;
        check_length("data", data.len(), Limits::SESSION.data)?;
        let mut front = Vec::with_capacity(size);
        self.put(features, &mut front);
        let mut message = Message::new(MOSDOp::KIND, front);
        message.header.version = version;
        message.header.compat_version = MOSDOp::COMPAT_VERSION;
        message.data = data;
        Ok(message)
    }

    fn put(&self, features: Features, out: &mut Vec<u8>) {
        self.pgid.encode(out);
        self.hash.encode(out);
        self.map_epoch.encode(out);
        self.flags.0.encode(out);
        self.reqid.encode(out);
        out.extend_from_slice(&TRACE);
        if has_otel(features) {
            put_versioned(out, OTEL_VERSION, OTEL_VERSION, |out| false.encode(out));
        }
        self.put_names_and_ops(out);
        self.snapid.encode(out);
        self.snap_seq.encode(out);
        put_list(out, self.snaps);
        self.retry_attempt.encode(out);
        features.encode(out);
    }

    fn put_names_and_ops(&self, out: &mut Vec<u8>) {
        self.client_inc.encode(out);
        self.mtime.encode(out);
        self.locator.encode(out);
        self.object.encode(out);
        let n = u16::try_from(self.ops.len()).expect("a request has fewer than 65536 operations");
        n.encode(out);
        self.ops.iter().for_each(|op| op.encode(out));
    }

    /// Bytes of the front.
    fn size(&self, features: Features) -> usize {
        let trace = if has_otel(features) { OTEL } else { 0 };
        let names = self.object.len() + self.locator.key.len() + self.locator.namespace.len();
        FRONT_BASE + trace + names + self.ops.len() * OsdOp::SIZE + self.snaps.len() * 8
    }
}

impl TypedMessage for MOSDOp {
    const KIND: u16 = 42;
    const NAME: &'static str = "osd_op";
    const HEAD_VERSION: u16 = VERSION_OTEL;
    const COMPAT_VERSION: u16 = 3;
    const OLDEST_VERSION: u16 = 8;

    fn version_for(features: Features) -> Result<u16, MessageError> {
        require::<Self>(features, Features::SERVER_LUMINOUS)?;
        Ok(match has_otel(features) {
            true => VERSION_OTEL,
            false => Self::OLDEST_VERSION,
        })
    }

    fn put_front(&self, features: Features, out: &mut Vec<u8>) {
        self.front().put(features, out);
    }

    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        parse_front(version, front).map(|view| view.to_owned())
    }

    fn decode(message: &Message) -> Result<Self, MessageError> {
        MOSDOpView::parse(message).map(|view| view.to_owned())
    }

    fn front_size(&self) -> usize {
        self.front().size(Features::SERVER_SQUID)
    }

    fn data(&self) -> Bytes {
        self.data.clone()
    }

    fn set_data(&mut self, data: Bytes) {
        self.data = data;
    }
}

/// A peer ends the connection over a longer segment, which would be written again on the next one.
fn check_length(segment: &'static str, size: usize, limit: u32) -> Result<(), MessageError> {
    let limit = limit as usize;
    match size <= limit {
        true => Ok(()),
        false => Err(MessageError::TooLong { message: MOSDOp::NAME, segment, size, limit }),
    }
}

fn has_otel(features: Features) -> bool {
    features.contains(Features::SERVER_SQUID)
}

/// Reads past the trace ids, and in version 9 past OpenTelemetry's context.
pub(super) fn skip_traces(version: u16, front: &mut Decoder<'_>) -> Result<(), DecodeError> {
    front.take(TRACE.len())?;
    if version >= VERSION_OTEL {
        // Ceph 20 skips it whatever its version, and so does this.
        front.versioned("trace context", u8::MAX)?;
    }
    Ok(())
}

/// A request encoded once and sent many times: each message shares its front and has its own tid and data.
#[derive(Debug, Clone)]
pub struct OpTemplate(Message);

impl OpTemplate {
    /// The request with the given transaction id and data. Does not allocate.
    ///
    /// The length of `data` must be that of the request the template was made from.
    pub fn message(&self, tid: u64, data: Bytes) -> Message {
        let mut message = self.0.clone();
        message.header.tid = tid;
        message.data = data;
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_front_is_known_before_it_is_written() {
        let mut op = MOSDOp::read(&b"name"[..], PgId { pool: 1, seed: 2 }, 0, 4096);
        op.locator.namespace = Bytes::from_static(b"namespace");
        op.locator.key = Bytes::from_static(b"key");
        op.snaps = vec![3, 2];
        for features in [Features::ALL_REEF, Features::ALL_TENTACLE] {
            let size = op.front().size(features);
            assert_eq!(op.encode(features).unwrap().front.len(), size, "{features}");
        }
    }

    #[test]
    fn nothing_longer_than_peers_take_is_written() {
        let (features, most) = (Features::ALL_REEF, Limits::SESSION.front as usize);
        let bare = MOSDOp::read(Bytes::new(), PgId::default(), 0, 1).front().size(features);
        let of_name = |length| {
            let op = MOSDOp::read(vec![b'o'; length], PgId::default(), 0, 1);
            op.front().message(features, Bytes::new()).map(|message| message.front.len())
        };
        assert_eq!(of_name(most - bare), Ok(most));
        let too_long =
            |segment, size, limit| MessageError::TooLong { message: MOSDOp::NAME, segment, size, limit };
        assert_eq!(of_name(most - bare + 1), Err(too_long("front", most + 1, most)));

        let most = Limits::SESSION.data as usize;
        let data = Bytes::from(vec![0; most + 1]); // zeroed by the kernel, and never touched
        let op = MOSDOp::new(&b"o"[..], PgId::default(), Vec::new());
        assert!(op.front().message(features, data.slice(1..)).is_ok());
        assert_eq!(op.front().message(features, data).unwrap_err(), too_long("data", most + 1, most));
    }
}
