//! Frames in secure mode.

use super::{Head, Opener, Received, body};
use crate::layout::{EPILOGUE_SECURE, FIRST_PLAIN, INLINE, LateStatus, pad16, padding};
use crate::preamble::Preamble;
use crate::provider::TAG_LEN;
use crate::{Tag, WireError};
use alloc::vec::Vec;
use bytes::BytesMut;

/// `[preamble | start of seg0] tag`, decrypted in place.
pub(super) fn rev1_head(opener: &mut Opener, block: &mut [u8]) -> Result<(), WireError> {
    let (plain, tag) = block.split_at_mut(FIRST_PLAIN);
    opener.open(0, plain, tag)?;
    opener.inline.copy_from_slice(&plain[Preamble::LEN..]);
    Ok(())
}

/// The first 32 bytes of the frame's only block, decrypted in place, and kept as they came.
pub(super) fn rev0_head(opener: &mut Opener, block: &mut [u8]) -> Result<(), WireError> {
    let (Some(start), Some(peek)) = (block.first_chunk_mut(), &opener.peek) else {
        return Err(WireError::Unauthentic { block: 0 });
    };
    opener.inline[..Preamble::LEN].copy_from_slice(start);
    peek.open(&opener.nonces.current(), start);
    Ok(())
}

/// `[rest of seg0] tag` if it is long, `[seg1 | seg2 | seg3 | status, 0 x 15] tag` if there are several segments.
pub(super) fn rev1_body(opener: &mut Opener, head: &Head, mut body: BytesMut) -> Result<Received, WireError> {
    let tag = head.tag();
    let more = head.length(0).saturating_sub(INLINE);
    let start = match more {
        0 => 0,
        more => opener.block(1, &mut body[..pad16(more as u64) as usize + TAG_LEN])?,
    };
    if tag != Tag::Message {
        let inline = opener.inline_segment(head);
        let first = joined(inline, &body[..more]);
        let payload = first.as_deref().unwrap_or(inline);
        return body::control(tag, LateStatus::Complete, payload);
    }
    let header = body::header(opener.inline_segment(head))?;
    if head.preamble.segments == 1 {
        return Ok(body::message(head, LateStatus::Complete, header, body, start, padding));
    }
    opener.block(2, &mut body[start..])?;
    let status = body[body.len() - TAG_LEN - EPILOGUE_SECURE];
    let status = body::rev1_status(tag, status)?;
    Ok(body::message(head, status, header, body, start, padding))
}

/// The rest of the frame's only block: `seg0 | seg1 | seg2 | seg3 | flags, 0 x 15] tag`. Unlike rev1 this copies: the
/// cipher takes contiguous memory, and the preamble came before the body had any.
pub(super) fn rev0_body(opener: &mut Opener, head: &Head, body: BytesMut) -> Result<Received, WireError> {
    let tag = head.tag();
    let mut whole = BytesMut::with_capacity(Preamble::LEN + body.len());
    whole.extend_from_slice(&opener.inline[..Preamble::LEN]);
    whole.extend_from_slice(&body);
    opener.block(0, &mut whole)?;
    let status = LateStatus::rev0(whole[whole.len() - TAG_LEN - EPILOGUE_SECURE]);
    let first = &whole[Preamble::LEN..][..head.length(0)];
    if tag != Tag::Message {
        return body::control(tag, status, first);
    }
    let header = body::header(first)?;
    let start = Preamble::LEN + pad16(head.length(0) as u64) as usize;
    Ok(body::message(head, status, header, whole, start, padding))
}

impl Opener {
    /// The part of segment 0 that came in the first block of a rev1 frame.
    fn inline_segment(&self, head: &Head) -> &[u8] {
        &self.inline[..head.length(0).min(INLINE)]
    }

    /// Opens `block`, plaintext and tag, where it is; returns its length.
    fn block(&mut self, index: u8, block: &mut [u8]) -> Result<usize, WireError> {
        let len = block.len();
        let (data, tag) = block.split_at_mut(len - TAG_LEN);
        self.open(index, data, tag)?;
        Ok(len)
    }

    fn open(&mut self, index: u8, data: &mut [u8], tag: &[u8]) -> Result<(), WireError> {
        let nonce = self.nonces.next()?;
        let unauthentic = WireError::Unauthentic { block: index };
        let tag = tag.first_chunk().ok_or(unauthentic)?;
        self.aead.open(&nonce, data, tag).map_err(|_| unauthentic)
    }
}

/// Segment 0 in one piece, where it came in two.
fn joined(inline: &[u8], more: &[u8]) -> Option<Vec<u8>> {
    (!more.is_empty()).then(|| [inline, more].concat())
}
