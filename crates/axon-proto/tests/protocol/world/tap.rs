//! Somebody in the middle who reads along: bytes of both directions become units that tests can name.

use super::Side;
use axon_proto::Instant;
use axon_wire::{
    Banner, Control, Frame, FrameReader, Limits, Msgr2Features, Received, Revision, Tag, default_provider,
};
use bytes::{Buf, BytesMut};

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// A banner.
    Banner,
    /// A frame in the clear.
    Frame(Tag),
    /// Something encrypted: whatever was written at once.
    Sealed,
}

/// A piece of one direction, as its sender wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Who wrote it.
    pub(crate) from: Side,
    /// Its place among the units of this direction of this socket.
    pub(crate) nth: usize,
    /// What it is.
    pub(crate) label: Label,
    /// Its bytes; change them to play the man in the middle.
    pub(crate) bytes: Vec<u8>,
    /// When it was written.
    pub(crate) at: Instant,
}

/// Reads both directions of one socket.
pub(crate) struct Tap {
    directions: [Direction; 2],
    sealed: bool,
}

struct Direction {
    /// What its writer said of himself, and what he was told of the other.
    banner: Option<Banner>,
    told: Option<Banner>,
    reader: FrameReader,
    buffer: BytesMut,
    units: usize,
}

impl Tap {
    pub(crate) fn new() -> Self {
        let direction = || Direction {
            banner: None,
            told: None,
            reader: FrameReader::new(default_provider()),
            buffer: BytesMut::new(),
            units: 0,
        };
        Self { directions: [direction(), direction()], sealed: false }
    }

    /// The units that `data`, written by `from`, completes.
    pub(crate) fn push(&mut self, from: Side, data: &[u8], at: Instant) -> Vec<Unit> {
        self.directions[from as usize].buffer.extend_from_slice(data);
        let mut units = Vec::new();
        while let Some((label, bytes)) = self.next(from) {
            let nth = self.directions[from as usize].units;
            self.directions[from as usize].units += 1;
            units.push(Unit { from, nth, label, bytes, at });
        }
        units
    }

    fn next(&mut self, from: Side) -> Option<(Label, Vec<u8>)> {
        let direction = &mut self.directions[from as usize];
        if self.sealed {
            let bytes = direction.buffer.split().to_vec();
            return (!bytes.is_empty()).then_some((Label::Sealed, bytes));
        }
        if direction.banner.is_none() {
            let (banner, length) = Banner::parse(&direction.buffer).ok()??;
            direction.banner = Some(banner);
            return Some((Label::Banner, direction.buffer.split_to(length).to_vec()));
        }
        let (frame, bytes) = direction.frame()?;
        let tag = match &frame {
            Frame::Control(control) => control.tag(),
            Frame::Message(_) => Tag::Message,
        };
        if let Frame::Control(Control::AuthDone(done)) = frame {
            self.sealed = done.mode == axon_auth::Mode::SECURE.0;
        }
        Some((Label::Frame(tag), bytes))
    }

    /// The banner that `to` gets to see, perhaps edited on its way: it decides how `to` writes from now on.
    pub(crate) fn delivered(&mut self, to: Side, banner: &[u8]) {
        self.directions[to as usize].told = Banner::parse(banner).ok().flatten().map(|(banner, _)| banner);
    }
}

impl Direction {
    fn frame(&mut self) -> Option<(Frame, Vec<u8>)> {
        let both = self.banner?.supported.intersect(self.told?.supported);
        let rev1 = both.contains(Msgr2Features::REVISION_1);
        self.reader.set_revision(if rev1 { Revision::One } else { Revision::Zero });
        self.reader.set_limits(Limits::SESSION);
        let first = self.reader.first_block_len();
        let mut block = self.buffer.get(..first)?.to_vec();
        let head = self.reader.open_head(&mut block).expect("what a machine writes can be read");
        let whole = first + head.body_len();
        let bytes = self.buffer.get(..whole)?.to_vec();
        self.buffer.advance(whole);
        match self.reader.open_body(head, BytesMut::from(&bytes[first..])) {
            Ok(Received::Frame(frame)) => Some((frame, bytes)),
            other => panic!("what a machine writes can be read: {other:?}"),
        }
    }
}
