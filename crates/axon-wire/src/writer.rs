//! The sending direction: frames to bytes.

mod crc;
mod secure;

use crate::layout::{Format, INLINE, Revision};
use crate::nonce::NonceSequence;
use crate::preamble::{MAX_SEGMENTS, Preamble};
use crate::provider::{Aead, KEY_LEN, NONCE_LEN, Provider};
use crate::{Control, FrameBuf, Message, Tag, WireError};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

/// Writes the frames of one direction of one socket.
///
/// It starts with msgr2.1 framing in crc mode, which is how HELLO goes out; [`set_revision`](Self::set_revision) and
/// [`secure`](Self::secure) change how the frames after the call look. A frame is written whole or not at all.
pub struct FrameWriter {
    provider: &'static dyn Provider,
    revision: Revision,
    sealer: Option<Sealer>,
    /// The payload of the control frame being written.
    scratch: Vec<u8>,
}

struct Sealer {
    aead: Box<dyn Aead>,
    nonces: NonceSequence,
}

/// A frame about to be written.
#[derive(Clone, Copy)]
struct Parts<'a> {
    preamble: &'a Preamble,
    first: &'a [u8],
    rest: [&'a Bytes; MAX_SEGMENTS - 1],
}

impl Parts<'_> {
    fn several(&self) -> bool {
        self.preamble.segments > 1
    }
}

/// Scratch space kept between control frames; more is given back, as only the handshake needs it.
const SCRATCH_KEPT: usize = 1024;

static EMPTY: Bytes = Bytes::new();

impl FrameWriter {
    /// Starts a socket.
    pub fn new(provider: &'static dyn Provider) -> Self {
        Self { provider, revision: Revision::One, sealer: None, scratch: Vec::new() }
    }

    /// Chooses the framing's revision, after the banners and before the first frame.
    pub fn set_revision(&mut self, revision: Revision) {
        self.revision = revision;
    }

    /// Encrypts every frame from now on. `nonce` is where this direction's nonces start. Choose the revision before.
    pub fn secure(&mut self, key: &[u8; KEY_LEN], nonce: [u8; NONCE_LEN]) {
        self.sealer = Some(Sealer {
            aead: self.provider.aes128gcm(key),
            nonces: NonceSequence::new(self.revision, nonce),
        });
    }

    /// Whether frames are encrypted.
    pub fn is_secure(&self) -> bool {
        self.sealer.is_some()
    }

    /// How many more blocks can be sealed before [`WireError::NoncesExhausted`]; `None` in crc mode. A frame takes one
    /// to three of them.
    pub fn nonces_left(&self) -> Option<u64> {
        self.sealer.as_ref().map(|s| s.nonces.left())
    }

    /// Appends a control frame.
    ///
    /// # Errors
    /// [`WireError::NoncesExhausted`], [`WireError::Oversize`]; nothing was appended then.
    pub fn control(&mut self, control: &Control, out: &mut FrameBuf) -> Result<(), WireError> {
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        control.encode(&mut scratch);
        let result = self.frame(control.tag(), &scratch, [&EMPTY; 3], out);
        if scratch.capacity() <= SCRATCH_KEPT {
            self.scratch = scratch;
        }
        result
    }

    /// Appends a message, its header as it is: the session has set `seq` and `ack_seq`.
    ///
    /// # Errors
    /// [`WireError::NoncesExhausted`], [`WireError::Oversize`]; nothing was appended then.
    pub fn message(&mut self, message: &Message, out: &mut FrameBuf) -> Result<(), WireError> {
        let header = message.header.emit();
        let rest = [&message.front, &message.middle, &message.data];
        self.frame(Tag::Message, &header, rest, out)
    }

    /// Inlined, as a message's first segment always has the same length, and then copies and loops over it vanish.
    #[inline(always)]
    fn frame(
        &mut self,
        tag: Tag,
        first: &[u8],
        rest: [&Bytes; 3],
        out: &mut FrameBuf,
    ) -> Result<(), WireError> {
        let preamble = Preamble::new(tag, lengths(first, rest)?);
        let parts = Parts { preamble: &preamble, first, rest };
        match (self.revision, &mut self.sealer) {
            (Revision::One, None) => crc::rev1(self.provider, parts, out),
            (Revision::Zero, None) => crc::rev0(self.provider, parts, out),
            (Revision::One, Some(sealer)) => secure::rev1(self.provider, sealer, parts, out)?,
            (Revision::Zero, Some(sealer)) => secure::rev0(self.provider, sealer, parts, out)?,
        }
        Ok(())
    }
}

impl fmt::Debug for FrameWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = Format::new(self.revision, self.is_secure());
        write!(f, "FrameWriter({format:?})")
    }
}

fn lengths(first: &[u8], rest: [&Bytes; 3]) -> Result<[u32; MAX_SEGMENTS], WireError> {
    Ok([
        length(0, first.len())?,
        length(1, rest[0].len())?,
        length(2, rest[1].len())?,
        length(3, rest[2].len())?,
    ])
}

fn length(segment: u8, length: usize) -> Result<u32, WireError> {
    u32::try_from(length).map_err(|_| WireError::Oversize { segment, length })
}

/// Segment 0 as it is split between the first block and the one that continues it.
fn split_inline(first: &[u8]) -> (&[u8], &[u8]) {
    first.split_at(first.len().min(INLINE))
}

#[cfg(test)]
mod tests;
