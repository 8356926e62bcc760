//! Frames in crc mode.

use super::{Head, Received, body};
use crate::layout::{CRC_LEN, EPILOGUE_REV0, EPILOGUE_REV1, LateStatus, segment_crc};
use crate::provider::Provider;
use crate::{Tag, WireError};
use bytes::BytesMut;

/// `seg0 | crc if not empty`, and with several segments `seg1 | seg2 | seg3 | status | crc x 3`.
#[inline]
pub(super) fn rev1_body(provider: &dyn Provider, head: &Head, body: BytesMut) -> Result<Received, WireError> {
    let tag = head.tag();
    let (first, after) = body.split_at(head.length(0));
    if !first.is_empty() {
        check(provider, tag, 0, first, after)?;
    }
    if tag != Tag::Message {
        return body::control(tag, LateStatus::Complete, first);
    }
    let header = body::header(first)?;
    let start = head.length(0) + CRC_LEN;
    let status = match head.preamble.segments {
        1 => LateStatus::Complete,
        _ => rest(provider, head, &body[start..])?,
    };
    Ok(body::message(head, status, header, body, start, no_gap))
}

/// `seg1 | seg2 | seg3 | status | crc x 3`.
#[inline]
fn rest(provider: &dyn Provider, head: &Head, rest: &[u8]) -> Result<LateStatus, WireError> {
    let (rest, epilogue) = rest.split_at(rest.len() - EPILOGUE_REV1);
    check_rest(provider, head, rest, &epilogue[1..])?;
    body::rev1_status(head.tag(), epilogue[0])
}

/// `seg0 | seg1 | seg2 | seg3 | flags | crc x 4`.
pub(super) fn rev0_body(provider: &dyn Provider, head: &Head, body: BytesMut) -> Result<Received, WireError> {
    let tag = head.tag();
    let (segments, epilogue) = body.split_at(body.len() - EPILOGUE_REV0);
    let (first, rest) = segments.split_at(head.length(0));
    let (slot, slots) = epilogue[1..].split_at(CRC_LEN);
    check(provider, tag, 0, first, slot)?;
    check_rest(provider, head, rest, slots)?;
    let status = LateStatus::rev0(epilogue[0]);
    if tag != Tag::Message {
        return body::control(tag, status, first);
    }
    let header = body::header(first)?;
    Ok(body::message(head, status, header, body, head.length(0), no_gap))
}

fn no_gap(_length: usize) -> usize {
    0
}

/// Checks the segments after the first against their slots; slots beyond the last segment say nothing.
#[inline]
fn check_rest(provider: &dyn Provider, head: &Head, mut rest: &[u8], slots: &[u8]) -> Result<(), WireError> {
    let (slots, _) = slots.as_chunks::<CRC_LEN>();
    for i in 1..head.preamble.segments {
        let (segment, after) = rest.split_at(head.length(i.into()));
        check(provider, head.tag(), i, segment, &slots[usize::from(i) - 1])?;
        rest = after;
    }
    Ok(())
}

/// Checks a segment against the crc at the start of `slot`.
#[inline]
fn check(provider: &dyn Provider, tag: Tag, segment: u8, bytes: &[u8], slot: &[u8]) -> Result<(), WireError> {
    let got = slot.first_chunk().map_or(0, |s| u32::from_le_bytes(*s));
    let expected = segment_crc(provider, bytes);
    if got == expected {
        return Ok(());
    }
    Err(WireError::SegmentCrc { tag, segment, expected, got })
}
