//! How long a peer's segments may be.

use crate::preamble::Preamble;
use crate::{MessageHeader, Tag, WireError};

/// The longest segments accepted, in bytes. The format itself allows 4 GiB each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The segment of a control frame. That of a message's header has [`MessageHeader::LEN`] bytes, no more and no less.
    pub control: u32,
    /// A message's front.
    pub front: u32,
    /// A message's middle.
    pub middle: u32,
    /// A message's data.
    pub data: u32,
    /// Whether messages may come at all.
    pub messages: bool,
}

impl Limits {
    /// For strangers: control frames of up to 64 KiB, no messages.
    pub const HANDSHAKE: Limits = Limits { control: 64 << 10, front: 0, middle: 0, data: 0, messages: false };

    /// For established sessions: 16 MiB for control, front and middle, as kernel clients have it, and 256 MiB for data.
    pub const SESSION: Limits =
        Limits { control: 16 << 20, front: 16 << 20, middle: 16 << 20, data: 256 << 20, messages: true };

    /// Judges what a preamble announces.
    #[inline]
    pub(crate) fn check(&self, preamble: &Preamble) -> Result<(), WireError> {
        if preamble.tag == Tag::Message {
            self.check_message(preamble)?;
        }
        let limits = [self.control, self.front, self.middle, self.data];
        for (segment, (length, limit)) in preamble.lengths.into_iter().zip(limits).enumerate() {
            if length > limit {
                return Err(WireError::SegmentTooLong {
                    tag: preamble.tag,
                    segment: segment as u8,
                    length,
                    limit,
                });
            }
        }
        Ok(())
    }

    #[inline]
    fn check_message(&self, preamble: &Preamble) -> Result<(), WireError> {
        if !self.messages {
            return Err(WireError::EarlyMessage);
        }
        let length = preamble.lengths[0];
        // Nobody sends longer ones, and what budgets do not count must be small (Ceph: src/msg/async/frames_v2.h).
        if length as usize != MessageHeader::LEN {
            return Err(WireError::HeaderLength { length });
        }
        Ok(())
    }
}
