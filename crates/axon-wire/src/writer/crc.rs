//! Frames in crc mode.

use super::Parts;
use crate::FrameBuf;
use crate::layout::{CRC_LEN, EPILOGUE_REV0, EPILOGUE_REV1, LateStatus, segment_crc};
use crate::preamble::Preamble;
use crate::provider::Provider;

#[inline(always)]
pub(super) fn rev1(provider: &dyn Provider, parts: Parts<'_>, out: &mut FrameBuf) {
    out.make_room(Preamble::LEN + parts.first.len() + CRC_LEN);
    out.put(&parts.preamble.emit(provider));
    if !parts.first.is_empty() {
        out.put(parts.first);
        out.put(&segment_crc(provider, parts.first).to_le_bytes());
    }
    if !parts.several() {
        return;
    }
    let mut epilogue = [0; EPILOGUE_REV1];
    epilogue[0] = LateStatus::COMPLETE_REV1;
    let (slots, _) = epilogue[1..].as_chunks_mut();
    put_rest(provider, &parts, slots, out);
    out.put(&epilogue);
}

pub(super) fn rev0(provider: &dyn Provider, parts: Parts<'_>, out: &mut FrameBuf) {
    out.put(&parts.preamble.emit(provider));
    out.put(parts.first);
    let mut epilogue = [0; EPILOGUE_REV0];
    epilogue[0] = LateStatus::COMPLETE_REV0;
    let (slots, _) = epilogue[1..].as_chunks_mut();
    slots[0] = segment_crc(provider, parts.first).to_le_bytes();
    put_rest(provider, &parts, &mut slots[1..], out);
    out.put(&epilogue);
}

/// Puts the segments after the first and their crcs into `slots`; slots without a segment stay zero.
fn put_rest(provider: &dyn Provider, parts: &Parts<'_>, slots: &mut [[u8; CRC_LEN]], out: &mut FrameBuf) {
    let count = usize::from(parts.preamble.segments) - 1;
    for (segment, slot) in parts.rest.iter().zip(slots).take(count) {
        *slot = segment_crc(provider, segment).to_le_bytes();
        if !segment.is_empty() {
            out.put_bytes(segment);
        }
    }
}
