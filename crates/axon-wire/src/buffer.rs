//! Where written frames go: a list of buffers for one gathering send.

use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

/// Frames to be sent, as a list of buffers.
///
/// Small pieces of any number of frames are copied one behind the other into a chunk; pieces of
/// [`REFERENCE_FROM`](Self::REFERENCE_FROM) bytes and more are referenced where they are. The chunk's memory is used
/// again as soon as the buffers handed out are dropped, so in the steady state nothing is allocated per message.
///
/// It keeps up to two chunks while it lives: share one among the connections of a worker and drain it for each, rather
/// than giving each connection its own.
#[derive(Debug)]
pub struct FrameBuf {
    pieces: Vec<Bytes>,
    tail: BytesMut,
    spare: BytesMut,
    len: usize,
    copied: u64,
    chunk: usize,
}

impl FrameBuf {
    /// Payloads of this many bytes and more are not copied. Below it a copy costs less than another reference, another
    /// entry in the gather list, and another place for the device to fetch from.
    pub const REFERENCE_FROM: usize = 2048;

    /// The size of a chunk unless said otherwise.
    pub const CHUNK: usize = 64 << 10;

    /// An empty one; allocates nothing until something is written.
    pub fn new() -> Self {
        Self::with_chunk(Self::CHUNK)
    }

    /// An empty one with chunks of `chunk` bytes.
    pub fn with_chunk(chunk: usize) -> Self {
        Self { pieces: Vec::new(), tail: BytesMut::new(), spare: BytesMut::new(), len: 0, copied: 0, chunk }
    }

    /// Bytes written since the last drain.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written since the last drain.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that were written by copying or laying them out here, rather than referenced, since this was last asked.
    pub fn take_copied(&mut self) -> u64 {
        core::mem::take(&mut self.copied)
    }

    /// Moves everything written to the end of `out`, in order, and keeps the memory behind it for reuse.
    pub fn drain_into(&mut self, out: &mut Vec<Bytes>) {
        if !self.pieces.is_empty() {
            out.append(&mut self.pieces);
        }
        if !self.tail.is_empty() {
            out.push(self.tail.split().freeze());
        }
        self.len = 0;
    }

    /// Copies `bytes`.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.tail.extend_from_slice(bytes);
        self.len += bytes.len();
        self.copied += bytes.len() as u64;
    }

    /// Copies or references `bytes`, whichever is cheaper.
    #[inline]
    pub(crate) fn put_bytes(&mut self, bytes: &Bytes) {
        if bytes.len() < Self::REFERENCE_FROM {
            return self.put(bytes);
        }
        self.reference(bytes);
    }

    fn reference(&mut self, bytes: &Bytes) {
        self.finish_tail();
        self.pieces.push(bytes.clone());
        self.len += bytes.len();
    }

    /// Lets `fill` append `len` bytes that must be contiguous; it gets the buffer and where in it they start.
    pub(crate) fn put_contiguous(&mut self, len: usize, fill: impl FnOnce(&mut BytesMut, usize)) {
        self.len += len;
        self.copied += len as u64;
        if len <= self.chunk {
            self.make_room(len);
            let start = self.tail.len();
            fill(&mut self.tail, start);
            debug_assert_eq!(self.tail.len(), start + len);
            return;
        }
        self.finish_tail();
        let mut own = BytesMut::with_capacity(len);
        fill(&mut own, 0);
        debug_assert_eq!(own.len(), len);
        self.pieces.push(own.freeze());
    }

    /// Makes the next `len` bytes fit behind the tail without a move.
    #[inline]
    pub(crate) fn make_room(&mut self, len: usize) {
        if self.tail.capacity() - self.tail.len() < len {
            self.next_chunk(len);
        }
    }

    #[cold]
    fn next_chunk(&mut self, len: usize) {
        self.finish_tail();
        let len = len.max(self.chunk);
        if self.tail.try_reclaim(len) {
            return;
        }
        core::mem::swap(&mut self.tail, &mut self.spare);
        if !self.tail.try_reclaim(len) {
            self.tail = BytesMut::with_capacity(len);
        }
    }

    fn finish_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push(self.tail.split().freeze());
        }
    }
}

impl Default for FrameBuf {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
