//! Somebody in the middle who reads along: bytes become units that cuts and traces can name.

use crate::cheap::Cheap;
use axon_wire::{Banner, FrameReader, Limits, Tag, default_provider};
use bytes::{Buf, Bytes, BytesMut};
use std::fmt;

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// A banner.
    Banner,
    /// A frame in the clear.
    Frame(Tag),
    /// Something encrypted: whatever was written at once.
    Sealed,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Banner => f.write_str("BANNER"),
            Self::Frame(tag) => f.write_str(tag.as_str()),
            Self::Sealed => f.write_str("(sealed)"),
        }
    }
}

/// Reads what one end of a socket writes.
#[derive(Debug)]
pub(crate) struct Tap {
    reader: FrameReader,
    buffer: BytesMut,
    greeted: bool,
    sealed: bool,
}

impl Tap {
    pub(crate) fn new(cheap: bool) -> Self {
        let mut reader = FrameReader::new(if cheap { &Cheap } else { default_provider() });
        reader.set_limits(Limits::SESSION);
        Self { reader, buffer: BytesMut::new(), greeted: false, sealed: false }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// From here on everything is encrypted.
    pub(crate) fn seal(&mut self) {
        self.sealed = true;
    }

    /// The next unit that is complete.
    pub(crate) fn next(&mut self) -> Option<(Label, Bytes)> {
        if self.buffer.is_empty() {
            return None;
        }
        if self.sealed {
            return Some((Label::Sealed, self.buffer.split().freeze()));
        }
        if !self.greeted {
            let (_, length) = Banner::parse(&self.buffer).ok()??;
            self.greeted = true;
            return Some((Label::Banner, self.buffer.split_to(length).freeze()));
        }
        let first = self.reader.first_block_len();
        let mut block = [0; 32];
        block.copy_from_slice(self.buffer.get(..first)?);
        let head = self.reader.open_head(&mut block).expect("what a machine writes can be read");
        let whole = first + head.body_len();
        if self.buffer.remaining() < whole {
            return None;
        }
        Some((Label::Frame(head.tag()), self.buffer.split_to(whole).freeze()))
    }
}

/// Where the fields of a message frame's header are, in crc mode.
const SEQ: usize = 32;
const TID: usize = 40;

/// The number and transaction id of a MESSAGE unit.
pub(crate) fn message_ids(unit: &[u8]) -> Option<(u64, u64)> {
    let at = |offset: usize| Some(u64::from_le_bytes(*unit.get(offset..)?.first_chunk::<8>()?));
    Some((at(SEQ)?, at(TID)?))
}
