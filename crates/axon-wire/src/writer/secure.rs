//! Frames in secure mode. A block is laid out as plaintext where it is to be sent from and encrypted there, in one pass.

use super::{Parts, Sealer, split_inline};
use crate::layout::{EPILOGUE_SECURE, FIRST_PLAIN, FIRST_SECURE, LateStatus, pad16, padding};
use crate::preamble::Preamble;
use crate::provider::{Provider, TAG_LEN};
use crate::{FrameBuf, WireError};
use bytes::BytesMut;

#[inline(always)]
pub(super) fn rev1(
    provider: &dyn Provider,
    sealer: &mut Sealer,
    parts: Parts<'_>,
    out: &mut FrameBuf,
) -> Result<(), WireError> {
    let (inline, more) = split_inline(parts.first);
    let blocks = 1 + u64::from(!more.is_empty()) + u64::from(parts.several());
    sealer.check(blocks)?;
    first_block(provider, sealer, &parts, inline, out)?;
    if !more.is_empty() {
        let len = pad16(more.len() as u64) as usize;
        sealer.block(len, out, |out| put_padded(out, more))?;
    }
    if parts.several() {
        let len = rest_len(&parts) + EPILOGUE_SECURE;
        sealer.block(len, out, |out| {
            put_rest(out, &parts);
            put_epilogue(out, LateStatus::COMPLETE_REV1);
        })?;
    }
    Ok(())
}

pub(super) fn rev0(
    provider: &dyn Provider,
    sealer: &mut Sealer,
    parts: Parts<'_>,
    out: &mut FrameBuf,
) -> Result<(), WireError> {
    let first_len = pad16(parts.first.len() as u64) as usize;
    let len = Preamble::LEN + first_len + rest_len(&parts) + EPILOGUE_SECURE;
    sealer.check(1)?;
    sealer.block(len, out, |out| {
        out.extend_from_slice(&parts.preamble.emit(provider));
        put_padded(out, parts.first);
        put_rest(out, &parts);
        put_epilogue(out, LateStatus::COMPLETE_REV0);
    })
}

impl Sealer {
    /// Refuses a frame of which only a part could be sealed.
    fn check(&self, blocks: u64) -> Result<(), WireError> {
        match self.nonces.left() < blocks {
            true => Err(WireError::NoncesExhausted),
            false => Ok(()),
        }
    }

    /// Appends one block: `len` bytes of plaintext that `fill` appends, encrypted, and the tag.
    fn block(
        &mut self,
        len: usize,
        out: &mut FrameBuf,
        fill: impl FnOnce(&mut BytesMut),
    ) -> Result<(), WireError> {
        let nonce = self.nonces.next()?;
        out.put_contiguous(len + TAG_LEN, |out, start| {
            fill(out);
            let tag = self.aead.seal(&nonce, &mut out[start..]);
            out.extend_from_slice(&tag);
        });
        Ok(())
    }
}

/// Appends the block every rev1 frame starts with: preamble and the start of segment 0, always of the same size.
#[inline(always)]
fn first_block(
    provider: &dyn Provider,
    sealer: &mut Sealer,
    parts: &Parts<'_>,
    inline: &[u8],
    out: &mut FrameBuf,
) -> Result<(), WireError> {
    let mut block = [0; FIRST_SECURE];
    block[..Preamble::LEN].copy_from_slice(&parts.preamble.emit(provider));
    block[Preamble::LEN..Preamble::LEN + inline.len()].copy_from_slice(inline);
    let nonce = sealer.nonces.next()?;
    let tag = sealer.aead.seal(&nonce, &mut block[..FIRST_PLAIN]);
    block[FIRST_PLAIN..].copy_from_slice(&tag);
    out.put(&block);
    Ok(())
}

fn rest_len(parts: &Parts<'_>) -> usize {
    let padded = parts.rest.map(|segment| pad16(segment.len() as u64));
    padded.into_iter().sum::<u64>() as usize
}

fn put_rest(out: &mut BytesMut, parts: &Parts<'_>) {
    for segment in parts.rest.into_iter().filter(|segment| !segment.is_empty()) {
        put_padded(out, segment);
    }
}

fn put_padded(out: &mut BytesMut, segment: &[u8]) {
    out.extend_from_slice(segment);
    // Sixteen bytes need no call to be copied; there is room for them, as a tag follows.
    let end = out.len() + padding(segment.len());
    out.extend_from_slice(&[0; 16]);
    out.truncate(end);
}

fn put_epilogue(out: &mut BytesMut, status: u8) {
    let mut epilogue = [0; EPILOGUE_SECURE];
    epilogue[0] = status;
    out.extend_from_slice(&epilogue);
}
