//! The preamble: the first 32 bytes of every frame.
//!
//! ```text
//!  0  u8 tag | u8 number of segments
//!  2  4 x { le32 length, le16 alignment }      unused entries are zero
//! 26  u8 flags: bit 0 compressed | u8 reserved
//! 28  le32 crc of the bytes before it, from register 0
//! ```
//!
//! Ceph: `preamble_block_t` in `src/msg/async/frames_v2.h`.

use crate::provider::Provider;
use crate::{Tag, WireError};

/// The most segments of a frame.
pub const MAX_SEGMENTS: usize = 4;

/// What a preamble says. One that was parsed has 1 to 4 segments of which the last is not empty if there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preamble {
    /// What the frame is.
    pub tag: Tag,
    /// Number of segments, 1 to 4.
    pub segments: u8,
    /// Length of each segment in bytes.
    pub lengths: [u32; MAX_SEGMENTS],
    /// The alignment the sender suggests for each segment's buffer. Its word, not a fact: clamp before use.
    pub alignments: [u16; MAX_SEGMENTS],
    /// See [`Preamble::COMPRESSED`]; other bits are reserved, written as zero and ignored.
    pub flags: u8,
}

const CRC_AT: usize = 28;

impl Preamble {
    /// Bytes on the wire.
    pub const LEN: usize = 32;
    /// The flag that says the segments are compressed, and their lengths those after compression.
    pub const COMPRESSED: u8 = 1;

    /// A preamble for segments of the given lengths: empty segments at the end are not counted, but one always is.
    pub fn new(tag: Tag, lengths: [u32; MAX_SEGMENTS]) -> Self {
        let last = match lengths {
            [_, 0, 0, 0] => 0,
            [_, _, 0, 0] => 1,
            [_, _, _, 0] => 2,
            _ => 3,
        };
        let mut alignments = core::array::from_fn(|i| if i <= last { 8 } else { 0 });
        if tag == Tag::Message && last == 3 {
            alignments[3] = 4096;
        }
        Self { tag, segments: last as u8 + 1, lengths, alignments, flags: 0 }
    }

    /// What goes on the wire.
    pub fn emit(&self, provider: &dyn Provider) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[0] = self.tag as u8;
        out[1] = self.segments;
        let (entries, _) = out[2..26].as_chunks_mut::<6>();
        for (i, entry) in entries.iter_mut().enumerate() {
            entry[..4].copy_from_slice(&self.lengths[i].to_le_bytes());
            entry[4..].copy_from_slice(&self.alignments[i].to_le_bytes());
        }
        out[26] = self.flags;
        let crc = provider.crc32c(0, &out[..CRC_AT]);
        out[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a preamble. The crc is checked before anything else is believed; lengths are not judged here.
    ///
    /// # Errors
    /// [`WireError::PreambleCrc`], [`WireError::UnknownTag`], [`WireError::SegmentCount`],
    /// [`WireError::EmptyLastSegment`].
    #[inline]
    pub fn parse(bytes: &[u8; Self::LEN], provider: &dyn Provider) -> Result<Self, WireError> {
        let expected = provider.crc32c(0, &bytes[..CRC_AT]);
        let got = u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]);
        if got != expected {
            return Err(WireError::PreambleCrc { expected, got });
        }
        let mut preamble = Self {
            tag: Tag::from_wire(bytes[0])?,
            segments: bytes[1],
            lengths: [0; MAX_SEGMENTS],
            alignments: [0; MAX_SEGMENTS],
            flags: bytes[26],
        };
        preamble.check_count()?;
        let (entries, _) = bytes[2..26].as_chunks::<6>();
        for (i, entry) in entries.iter().enumerate().take(preamble.segments.into()) {
            preamble.lengths[i] = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
            preamble.alignments[i] = u16::from_le_bytes([entry[4], entry[5]]);
        }
        preamble.check_last()?;
        Ok(preamble)
    }

    /// Whether the segments are compressed.
    #[inline]
    pub const fn is_compressed(&self) -> bool {
        self.flags & Self::COMPRESSED != 0
    }

    #[inline]
    fn check_count(&self) -> Result<(), WireError> {
        let max = match self.tag {
            Tag::Message => MAX_SEGMENTS as u8,
            _ => 1,
        };
        if (1..=max).contains(&self.segments) {
            return Ok(());
        }
        Err(WireError::SegmentCount { tag: self.tag, count: self.segments })
    }

    #[inline]
    fn check_last(&self) -> Result<(), WireError> {
        let last = usize::from(self.segments - 1);
        if last > 0 && self.lengths[last] == 0 {
            return Err(WireError::EmptyLastSegment { tag: self.tag });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
