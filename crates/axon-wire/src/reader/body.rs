//! The segments of a body, once they are known to be right.

use super::{Frame, Head, Received};
use crate::layout::LateStatus;
use crate::{Control, Message, MessageHeader, Tag, WireError};
use bytes::{Buf, Bytes, BytesMut};

/// What a rev1 status byte means for this frame.
#[inline]
pub(super) fn rev1_status(tag: Tag, value: u8) -> Result<LateStatus, WireError> {
    LateStatus::rev1(value).ok_or(WireError::LateStatus { tag, value })
}

/// A control frame from its payload.
pub(super) fn control(tag: Tag, status: LateStatus, payload: &[u8]) -> Result<Received, WireError> {
    match status {
        LateStatus::Aborted => Err(WireError::AbortedControl { tag }),
        LateStatus::Complete => {
            let control = Control::decode(tag, payload)?;
            Ok(Received::Frame(Frame::Control(control)))
        }
    }
}

/// A message's header from segment 0.
#[inline]
pub(super) fn header(segment: &[u8]) -> Result<MessageHeader, WireError> {
    segment
        .first_chunk()
        .map(MessageHeader::parse)
        .ok_or(WireError::HeaderLength { length: segment.len() as u32 })
}

/// A message from its header and the body it came in. Segment 1 begins at `start`; after each segment `gap` bytes for its
/// length are skipped.
#[inline]
pub(super) fn message(
    head: &Head,
    status: LateStatus,
    header: MessageHeader,
    mut body: BytesMut,
    start: usize,
    gap: impl Fn(usize) -> usize,
) -> Received {
    if status == LateStatus::Aborted {
        return Received::Aborted;
    }
    body.truncate(end_of_last(head, start, &gap));
    let mut rest = body.freeze();
    rest.advance(start);
    Received::Frame(Frame::Message(Message {
        header,
        front: take(&mut rest, head.length(1), &gap),
        middle: take(&mut rest, head.length(2), &gap),
        data: take(&mut rest, head.length(3), &gap),
    }))
}

/// Where the last segment ends: without this cut, the last `take` would have to share memory with a remainder nobody
/// wants.
#[inline]
fn end_of_last(head: &Head, start: usize, gap: impl Fn(usize) -> usize) -> usize {
    let last = usize::from(head.preamble.segments) - 1;
    let before: usize = (1..last).map(|i| head.length(i) + gap(head.length(i))).sum();
    match last {
        0 => start,
        last => start + before + head.length(last),
    }
}

/// Takes a segment off the front without copying, and without touching the reference count if it is the last.
#[inline]
fn take(rest: &mut Bytes, length: usize, gap: impl Fn(usize) -> usize) -> Bytes {
    if length == 0 {
        return Bytes::new();
    }
    if length == rest.len() {
        return core::mem::take(rest);
    }
    let segment = rest.split_to(length);
    rest.advance(gap(length));
    segment
}
