//! Frames in secure mode.

use super::{Head, Opener, Received, body};
use crate::layout::{EPILOGUE_SECURE, FIRST_PLAIN, Format, INLINE, LateStatus, pad16, padding};
use crate::preamble::Preamble;
use crate::provider::{Provider, TAG_LEN};
use crate::{Tag, WireError};
use alloc::vec::Vec;
use bytes::{Buf, BytesMut};

/// `[preamble | start of seg0] tag`.
pub(super) fn rev1_head(
    provider: &dyn Provider,
    opener: &mut Opener,
    block: &mut [u8],
) -> Result<Head, WireError> {
    let (plain, tag) = block.split_at_mut(FIRST_PLAIN);
    opener.open(0, plain, tag)?;
    let (Some(preamble), Some(inline)) = (plain.first_chunk(), plain.last_chunk()) else {
        return Err(WireError::Unauthentic { block: 0 });
    };
    let preamble = Preamble::parse(preamble, provider)?;
    Ok(Head::new(preamble, Format::Rev1Secure, *inline))
}

/// The first 32 bytes of the frame's only block, which are kept as they came.
pub(super) fn rev0_head(
    provider: &dyn Provider,
    opener: &mut Opener,
    block: &mut [u8],
) -> Result<Head, WireError> {
    let (Some(start), Some(peek)) = (block.first_chunk_mut(), &opener.peek) else {
        return Err(WireError::Unauthentic { block: 0 });
    };
    let mut cipher = [0; INLINE];
    cipher[..Preamble::LEN].copy_from_slice(start);
    peek.open(&opener.nonces.current(), start);
    let preamble = Preamble::parse(start, provider)?;
    Ok(Head::new(preamble, Format::Rev0Secure, cipher))
}

/// `[rest of seg0] tag` if it is long, `[seg1 | seg2 | seg3 | status, 0 x 15] tag` if there are several segments.
pub(super) fn rev1_body(opener: &mut Opener, head: &Head, mut body: BytesMut) -> Result<Received, WireError> {
    let tag = head.tag();
    let more = head.length(0).saturating_sub(INLINE);
    let more_block = match more {
        0 => 0,
        more => opener.block(1, &mut body[..pad16(more as u64) as usize + TAG_LEN])?,
    };
    if tag != Tag::Message {
        let first = joined(head.inline_segment(), &body[..more]);
        let payload = first.as_deref().unwrap_or(head.inline_segment());
        return body::control(tag, LateStatus::Complete, payload);
    }
    let header = body::header(head.inline_segment())?;
    body.advance(more_block);
    if head.preamble.segments == 1 {
        return Ok(body::message(head, LateStatus::Complete, header, body, padding));
    }
    opener.block(2, &mut body)?;
    let status = body[body.len() - TAG_LEN - EPILOGUE_SECURE];
    let status = body::rev1_status(tag, status)?;
    Ok(body::message(head, status, header, body, padding))
}

/// The rest of the frame's only block: `seg0 | seg1 | seg2 | seg3 | flags, 0 x 15] tag`. Unlike rev1 this copies: the
/// cipher takes contiguous memory, and the preamble came before the body had any.
pub(super) fn rev0_body(opener: &mut Opener, head: &Head, body: BytesMut) -> Result<Received, WireError> {
    let tag = head.tag();
    let mut whole = BytesMut::with_capacity(Preamble::LEN + body.len());
    whole.extend_from_slice(&head.inline[..Preamble::LEN]);
    whole.extend_from_slice(&body);
    opener.block(0, &mut whole)?;
    let status = LateStatus::rev0(whole[whole.len() - TAG_LEN - EPILOGUE_SECURE]);
    whole.advance(Preamble::LEN);
    let first = &whole[..head.length(0)];
    if tag != Tag::Message {
        return body::control(tag, status, first);
    }
    let header = body::header(first)?;
    whole.advance(pad16(head.length(0) as u64) as usize);
    Ok(body::message(head, status, header, whole, padding))
}

impl Opener {
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
