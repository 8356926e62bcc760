//! The first block of a frame, read and judged.

use crate::layout::Format;
use crate::preamble::Preamble;
use crate::{Limits, Tag, WireError};

/// What the first block of a frame said. Goes back to [`FrameReader::open_body`](crate::FrameReader::open_body) together
/// with the body, in the order of arrival.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub(super) preamble: Preamble,
    pub(super) format: Format,
    body_len: usize,
}

impl Head {
    /// Refuses what is compressed or too long, and works out how much follows.
    #[inline]
    pub(super) fn judge(preamble: Preamble, format: Format, limits: &Limits) -> Result<Self, WireError> {
        let tag = preamble.tag;
        if preamble.is_compressed() {
            return Err(WireError::Compressed { tag });
        }
        limits.check(&preamble)?;
        let body_len = format.body_len(&preamble).ok_or(WireError::FrameTooLong { tag })?;
        Ok(Self { preamble, format, body_len })
    }

    /// What the frame is.
    #[inline]
    pub fn tag(&self) -> Tag {
        self.preamble.tag
    }

    /// The preamble.
    pub fn preamble(&self) -> &Preamble {
        &self.preamble
    }

    /// Bytes of the frame that follow the first block; may be 0.
    #[inline]
    pub fn body_len(&self) -> usize {
        self.body_len
    }

    /// Bytes of front, middle and data together; 0 for a control frame.
    pub fn payload_len(&self) -> usize {
        let [_, rest @ ..] = self.preamble.lengths;
        rest.into_iter().map(|l| l as usize).sum()
    }

    /// Length of segment `i` in bytes.
    pub(super) fn length(&self, i: usize) -> usize {
        self.preamble.lengths[i] as usize
    }
}
