//! A request as a message.

use super::WhenFull;
use super::op::Op;
use crate::msg::{MessageError, OpFront};
use crate::osd::{LocatorView, OsdFlags, ReqId};
use axon_denc::Features;
use axon_wire::Message;

/// The priority of clients' requests (Ceph: `osd_client_op_priority`).
const PRIORITY: u16 = 63;
/// What this client knows about.
const KNOWN: OsdFlags = OsdFlags::KNOWN_REDIR.with(OsdFlags::SUPPORTS_POOL_EIO);
/// What goes to where a redirection leads.
const REDIRECTED: OsdFlags = OsdFlags::REDIRECTED.with(OsdFlags::IGNORE_CACHE).with(OsdFlags::IGNORE_OVERLAY);

/// The message of a request's next attempt.
pub(super) fn message<T>(
    op: &Op<T>,
    tid: u64,
    epoch: u32,
    features: Features,
) -> Result<Message, MessageError> {
    let target = op.target.as_ref().expect("a request is sent when it is known where it belongs");
    let request = &op.request;
    let front = OpFront {
        pgid: target.pg,
        hash: target.raw.seed,
        map_epoch: epoch,
        flags: flags(op),
        reqid: ReqId::default(),
        client_inc: 0,
        mtime: request.mtime,
        locator: locator(op, target.raw.pool.cast_signed()),
        object: op.object(),
        ops: &request.ops,
        snapid: request.snapid,
        snap_seq: request.snapc.seq,
        snaps: &request.snapc.snaps,
        retry_attempt: op.attempts,
    };
    let mut message = front.message(features, request.data.clone())?;
    message.header.tid = tid;
    message.header.priority = PRIORITY;
    Ok(message)
}

fn flags<T>(op: &Op<T>) -> OsdFlags {
    let mut flags = op.request.flags.with(KNOWN);
    if op.attempts > 0 {
        flags = flags.with(OsdFlags::RETRY);
    }
    if op.is_redirected() {
        flags = flags.with(REDIRECTED);
    }
    match op.request.when_full {
        // Without the flag an OSD that is full says nothing, and forgets the request.
        WhenFull::Try | WhenFull::Fail => flags.with(OsdFlags::FULL_TRY),
        WhenFull::Wait => flags,
    }
}

/// The hash of a request on a placement group is no part of its locator, nor is the key.
fn locator<T>(op: &Op<T>, pool: i64) -> LocatorView<'_> {
    let locator = LocatorView { pool, ..LocatorView::of(op.locator()) };
    match op.request.is_on_pg() {
        true => LocatorView { key: &[], hash: None, ..locator },
        false => locator,
    }
}
