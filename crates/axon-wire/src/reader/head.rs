//! The first block of a frame, read and judged.

use crate::layout::{Format, INLINE};
use crate::preamble::Preamble;
use crate::{Limits, Tag, WireError};

/// What the first block of a frame said. Goes back to [`FrameReader::open_body`](crate::FrameReader::open_body) together
/// with the body, in the order of arrival.
#[derive(Debug)]
pub struct Head {
    pub(super) preamble: Preamble,
    pub(super) format: Format,
    /// Rev1 secure: the start of segment 0. Rev0 secure: the first block as it came, which the tag covers.
    pub(super) inline: [u8; INLINE],
    body_len: usize,
}

impl Head {
    pub(super) fn new(preamble: Preamble, format: Format, inline: [u8; INLINE]) -> Self {
        Self { preamble, format, inline, body_len: 0 }
    }

    /// What the frame is.
    pub fn tag(&self) -> Tag {
        self.preamble.tag
    }

    /// The preamble.
    pub fn preamble(&self) -> &Preamble {
        &self.preamble
    }

    /// Bytes of the frame that follow the first block; may be 0.
    pub fn body_len(&self) -> usize {
        self.body_len
    }

    /// Bytes of front, middle and data together: what budgets count. 0 for a control frame.
    pub fn payload_len(&self) -> usize {
        let [_, rest @ ..] = self.preamble.lengths;
        rest.into_iter().map(|l| l as usize).sum()
    }

    /// Refuses what is compressed or too long, and works out how much follows.
    pub(super) fn judge(mut self, limits: &Limits) -> Result<Self, WireError> {
        let tag = self.tag();
        if self.preamble.is_compressed() {
            return Err(WireError::Compressed { tag });
        }
        limits.check(&self.preamble)?;
        self.body_len = self.format.body_len(&self.preamble).ok_or(WireError::FrameTooLong { tag })?;
        Ok(self)
    }

    /// Length of segment `i` in bytes.
    pub(super) fn length(&self, i: usize) -> usize {
        self.preamble.lengths[i] as usize
    }

    /// The part of segment 0 that came in the first block of a rev1 secure frame.
    pub(super) fn inline_segment(&self) -> &[u8] {
        &self.inline[..self.length(0).min(INLINE)]
    }
}
