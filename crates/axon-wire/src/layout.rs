//! Where the parts of a frame are, for each of the four ways to frame.
//!
//! ```text
//! rev1 crc      preamble | seg0 | crc(seg0) if seg0 is not empty
//!               and, with several segments:  seg1 | seg2 | seg3 | status u8 | crc(seg1) | crc(seg2) | crc(seg3)
//! rev1 secure   [preamble | seg0 up to 48, padded to 48] tag
//!               and, if seg0 is longer:      [rest of seg0, padded] tag
//!               and, with several segments:  [seg1, padded | seg2, padded | seg3, padded | status u8, 0 x 15] tag
//! rev0 crc      preamble | seg0 | seg1 | seg2 | seg3 | status u8 | crc(seg0) .. crc(seg3)
//! rev0 secure   [preamble | seg0, padded | .. | seg3, padded | status u8, 0 x 15] tag
//! ```
//!
//! Brackets are one GCM operation; padding is with zeros to a multiple of 16; crcs are le32.
//!
//! Ceph: `src/msg/async/frames_v2.h`, `FrameAssembler`.

use crate::preamble::{MAX_SEGMENTS, Preamble};
use crate::provider::{Provider, TAG_LEN};

/// The revision of the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// msgr2.0, before Octopus 15.2 and Nautilus 14.2.11.
    Zero,
    /// msgr2.1.
    One,
}

/// Bytes of segment 0 that travel in the first secure block.
pub(crate) const INLINE: usize = 48;
/// Plaintext of the first block of a rev1 secure frame.
pub(crate) const FIRST_PLAIN: usize = Preamble::LEN + INLINE;
/// The first block of a rev1 secure frame on the wire.
pub(crate) const FIRST_SECURE: usize = FIRST_PLAIN + TAG_LEN;
/// Bytes of a crc.
pub(crate) const CRC_LEN: usize = 4;
/// Status and crcs of segments 1 to 3.
pub(crate) const EPILOGUE_REV1: usize = 1 + 3 * CRC_LEN;
/// Status and crcs of segments 0 to 3.
pub(crate) const EPILOGUE_REV0: usize = 1 + 4 * CRC_LEN;
/// Status and padding.
pub(crate) const EPILOGUE_SECURE: usize = 16;

/// The register a segment's crc starts from; also the crc of an empty segment.
const CRC_SEED: u32 = 0xffff_ffff;

/// The crc of a segment. Few messages have a middle.
#[inline]
pub(crate) fn segment_crc(provider: &dyn Provider, segment: &[u8]) -> u32 {
    if segment.is_empty() { CRC_SEED } else { provider.crc32c(CRC_SEED, segment) }
}

/// How frames look at some point of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Rev0Crc,
    Rev0Secure,
    Rev1Crc,
    Rev1Secure,
}

impl Format {
    pub(crate) const fn new(revision: Revision, secure: bool) -> Self {
        match (revision, secure) {
            (Revision::Zero, false) => Self::Rev0Crc,
            (Revision::Zero, true) => Self::Rev0Secure,
            (Revision::One, false) => Self::Rev1Crc,
            (Revision::One, true) => Self::Rev1Secure,
        }
    }

    /// Bytes to read before anything is known about the frame.
    pub(crate) const fn first_block_len(self) -> usize {
        match self {
            Self::Rev1Secure => FIRST_SECURE,
            _ => Preamble::LEN,
        }
    }

    /// Bytes of the frame after its first block; `None` if that is more than a buffer can hold.
    #[inline]
    pub(crate) fn body_len(self, preamble: &Preamble) -> Option<usize> {
        let [first, rest @ ..] = preamble.lengths.map(u64::from);
        let several = preamble.segments > 1;
        let len = match self {
            Self::Rev1Crc => {
                let crc = if first > 0 { CRC_LEN as u64 } else { 0 };
                first + crc + if several { sum(rest) + EPILOGUE_REV1 as u64 } else { 0 }
            }
            Self::Rev1Secure => {
                let tail = rest.map(pad16);
                let tail = sum(tail) + (EPILOGUE_SECURE + TAG_LEN) as u64;
                secure_rest_of_first(first) + if several { tail } else { 0 }
            }
            Self::Rev0Crc => first + sum(rest) + EPILOGUE_REV0 as u64,
            Self::Rev0Secure => {
                let tail = rest.map(pad16);
                pad16(first) + sum(tail) + (EPILOGUE_SECURE + TAG_LEN) as u64
            }
        };
        usize::try_from(len).ok()
    }
}

fn sum(lengths: [u64; MAX_SEGMENTS - 1]) -> u64 {
    lengths.into_iter().sum()
}

/// Bytes of the block that continues a long segment 0, with its tag; 0 if there is none.
fn secure_rest_of_first(length: u64) -> u64 {
    match length.checked_sub(INLINE as u64) {
        None | Some(0) => 0,
        Some(more) => pad16(more) + TAG_LEN as u64,
    }
}

/// The length with padding to a multiple of 16.
pub(crate) const fn pad16(length: u64) -> u64 {
    length.next_multiple_of(16)
}

/// The length of what pads `length` to a multiple of 16.
pub(crate) const fn padding(length: usize) -> usize {
    length.wrapping_neg() & 15
}

/// The last byte-sized field of a frame with an epilogue: whether the sender finished what it had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LateStatus {
    Complete,
    Aborted,
}

impl LateStatus {
    /// What rev1 senders write.
    pub(crate) const COMPLETE_REV1: u8 = 0x0e;
    /// What rev0 senders write.
    pub(crate) const COMPLETE_REV0: u8 = 0;

    /// Rev1: the low nibble is a code in which no single bit turns one into the other; the high one is reserved.
    pub(crate) const fn rev1(value: u8) -> Option<Self> {
        match value & 0x0f {
            0x0e => Some(Self::Complete),
            0x01 => Some(Self::Aborted),
            _ => None,
        }
    }

    /// Rev0: bit 0 says aborted; the others are reserved.
    pub(crate) const fn rev0(value: u8) -> Self {
        match value & 1 {
            0 => Self::Complete,
            _ => Self::Aborted,
        }
    }
}

#[cfg(test)]
mod tests;
