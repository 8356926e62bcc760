//! One direction of a socket: what was written and has not arrived.

use crate::label::Label;
use axon_proto::{Disconnect, Instant};
use bytes::Bytes;
use std::collections::VecDeque;

/// A piece of a stream as its sender wrote it: a banner, a frame, or something encrypted.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) label: Label,
    pub(crate) bytes: Bytes,
    pub(crate) at: Instant,
    /// The socket breaks at this edge of it.
    pub(crate) cut: Option<Edge>,
}

/// Where a socket breaks at a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Nothing of it arrives.
    Before,
    /// It arrives, and nothing after it.
    After,
    /// For its writer alone, who gives up while it is on its way; it arrives late, as the last.
    Late,
}

/// One direction of a socket.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) units: VecDeque<Unit>,
    /// Bytes of the first unit that were delivered.
    offset: usize,
    unread: usize,
    /// What the reader learns after the last unit, and when.
    pub(crate) end: Option<(Instant, Disconnect)>,
    /// The socket is cut: nothing that is written arrives.
    pub(crate) is_broken: bool,
    /// The reader's end alone broke: what the reader has written still arrives.
    pub(crate) is_severed: bool,
    /// What is written vanishes on the way.
    pub(crate) swallows: bool,
    /// Nothing arrives, later than which units would arrive out of order.
    last: Instant,
}

impl Pipe {
    /// When what is held back arrives.
    pub(crate) const NEVER: Instant = Instant(u64::MAX / 2);

    /// What was held back arrives now.
    pub(crate) fn release(&mut self, now: Instant) {
        let ends = self.end.iter_mut().map(|(at, _)| at);
        let held =
            self.units.iter_mut().map(|unit| &mut unit.at).chain(ends).filter(|at| **at >= Self::NEVER);
        held.for_each(|at| *at = now);
        self.last = self.last.min(now);
    }

    /// Appends a unit that arrives at `at`, or as soon as what was written before.
    pub(crate) fn write(&mut self, label: Label, bytes: Bytes, at: Instant, cut: Option<Edge>) {
        self.last = self.last.max(at);
        self.unread += bytes.len();
        self.units.push_back(Unit { label, bytes, at: self.last, cut });
    }

    /// The time from which nothing that is written arrives earlier.
    pub(crate) fn last(&self) -> Instant {
        self.last
    }

    /// Bytes written that have not arrived.
    pub(crate) fn unread(&self) -> usize {
        self.unread
    }

    /// Forgets what is on its way.
    pub(crate) fn drop_units(&mut self) {
        self.units.clear();
        (self.offset, self.unread) = (0, 0);
    }

    /// When something arrives next: bytes, or the end.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.units.front() {
            Some(unit) => Some(unit.at),
            None => self.end.map(|(at, _)| at),
        }
    }

    /// Up to `most` bytes of the first unit; its label and its last edge's cut with its last byte.
    pub(crate) fn read(&mut self, most: usize) -> Option<(Bytes, Option<Label>, Option<Edge>)> {
        let unit = self.units.front_mut()?;
        let end = unit.bytes.len().min(self.offset.saturating_add(most));
        let piece = unit.bytes.slice(self.offset..end);
        self.unread -= piece.len();
        self.offset = end;
        if end < unit.bytes.len() {
            return Some((piece, None, None));
        }
        let unit = self.units.pop_front()?;
        self.offset = 0;
        Some((piece, Some(unit.label), unit.cut))
    }

    /// Whether the socket breaks before the next byte.
    pub(crate) fn breaks_here(&self) -> bool {
        self.offset == 0 && self.units.front().is_some_and(|unit| unit.cut == Some(Edge::Before))
    }
}
