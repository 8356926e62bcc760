//! One direction of a socket.

use axon_proto::{Disconnect, Instant};
use bytes::{Buf, BytesMut};
use std::collections::VecDeque;

/// Bytes under way to one end.
#[derive(Default)]
pub(crate) struct Pipe {
    bytes: BytesMut,
    /// Bytes ever written, and delivered.
    written: u64,
    delivered: u64,
    /// Up to which byte what was written arrives when.
    arrivals: VecDeque<(u64, Instant)>,
    /// After this byte the socket breaks for both ends.
    pub(crate) cut: Option<u64>,
    /// What the reader sees after the last byte.
    end: Option<(Disconnect, Instant)>,
}

impl Pipe {
    /// Appends bytes that arrive at `at`.
    pub(crate) fn write(&mut self, bytes: &[u8], at: Instant) {
        self.bytes.extend_from_slice(bytes);
        self.written += bytes.len() as u64;
        self.arrivals.push_back((self.written, at));
    }

    /// Bytes ever written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Nothing more will be written; the reader learns it at `at`.
    pub(crate) fn close(&mut self, cause: Disconnect, at: Instant) {
        self.end.get_or_insert((cause, at));
    }

    /// Up to `most` bytes that have arrived.
    pub(crate) fn read(&mut self, most: usize, now: Instant) -> Option<BytesMut> {
        let arrived = self.arrivals.iter().take_while(|(_, at)| *at <= now).last().map_or(0, |(end, _)| *end);
        let readable = arrived.min(self.cut.unwrap_or(u64::MAX)).saturating_sub(self.delivered);
        let length = most.min(readable as usize);
        if length == 0 {
            return None;
        }
        self.delivered += length as u64;
        while self.arrivals.front().is_some_and(|(end, _)| *end <= self.delivered) {
            self.arrivals.pop_front();
        }
        let data = BytesMut::from(&self.bytes[..length]);
        self.bytes.advance(length);
        Some(data)
    }

    /// Whether everything before the cut was delivered.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut == Some(self.delivered)
    }

    /// The end of the stream, once everything before it was read.
    pub(crate) fn take_end(&mut self, now: Instant) -> Option<Disconnect> {
        let due = self.end.is_some_and(|(_, at)| at <= now) && self.delivered == self.written;
        if due { self.end.take().map(|(cause, _)| cause) } else { None }
    }

    /// When something arrives next.
    pub(crate) fn next_arrival(&self, now: Instant) -> Option<Instant> {
        let bytes = self.arrivals.iter().map(|(_, at)| *at).find(|at| *at > now);
        let end = self.end.map(|(_, at)| at).filter(|at| *at > now);
        [bytes, end].into_iter().flatten().min()
    }
}
