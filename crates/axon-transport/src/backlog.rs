//! Bytes accepted for sending that the device has not taken yet.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;

/// Places for buffers that an empty backlog keeps; more are given back.
const PLACES_KEPT: usize = 64;

/// A queue of buffers, none of them empty.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    buffers: VecDeque<Bytes>,
    bytes: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Bytes in the queue.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends `buffers` and leaves it empty.
    pub(crate) fn push(&mut self, buffers: &mut Vec<Bytes>) {
        for buffer in buffers.drain(..).filter(|buffer| !buffer.is_empty()) {
            self.bytes += buffer.len();
            self.buffers.push_back(buffer);
        }
    }

    /// The buffers in order.
    pub(crate) fn buffers(&self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.buffers.iter()
    }

    /// Bytes in the first `buffers` buffers.
    pub(crate) fn bytes_of_first(&self, buffers: usize) -> usize {
        if buffers >= self.buffers.len() {
            return self.bytes;
        }
        self.buffers.iter().take(buffers).map(Bytes::len).sum()
    }

    /// Drops the first `taken` bytes, which must be there.
    pub(crate) fn consume(&mut self, mut taken: usize) {
        self.bytes -= taken;
        while let Some(front) = self.buffers.front_mut() {
            if taken < front.len() {
                front.advance(taken);
                break;
            }
            taken -= front.len();
            self.buffers.pop_front();
        }
        if self.is_empty() && self.buffers.capacity() > PLACES_KEPT {
            self.buffers = VecDeque::new();
        }
    }

    /// Appends all of `later` and leaves it empty.
    #[cfg(feature = "uring")]
    pub(crate) fn append(&mut self, later: &mut Self) {
        self.bytes += std::mem::take(&mut later.bytes);
        self.buffers.append(&mut later.buffers);
    }

    /// Takes the first buffer, or its first `limit` bytes if it is longer. `limit` is not zero.
    pub(crate) fn pop(&mut self, limit: usize) -> Option<Bytes> {
        let front = self.buffers.front()?;
        let first = front.slice(..limit.min(front.len()));
        self.consume(first.len());
        Some(first)
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog() -> Backlog {
        let mut backlog = Backlog::default();
        let mut buffers = vec![Bytes::from_static(b"abc"), Bytes::new(), Bytes::from_static(b"defg")];
        backlog.push(&mut buffers);
        assert!(buffers.is_empty());
        backlog
    }

    #[test]
    fn consume_cuts_at_every_place() {
        for taken in 0..=7 {
            let mut backlog = backlog();
            backlog.consume(taken);
            let rest: Vec<u8> = backlog.buffers().flatten().copied().collect();
            assert_eq!(rest, &b"abcdefg"[taken..]);
            assert_eq!(backlog.bytes(), 7 - taken);
            assert_eq!(backlog.bytes_of_first(9), 7 - taken);
        }
    }

    #[test]
    #[cfg(feature = "uring")]
    fn append_puts_the_later_bytes_behind() {
        let (mut first, mut later) = (backlog(), backlog());
        first.consume(2);
        first.append(&mut later);
        assert!(later.is_empty() && later.buffers().len() == 0);
        let all: Vec<u8> = first.buffers().flatten().copied().collect();
        assert_eq!(all, b"cdefgabcdefg");
        assert_eq!(first.bytes(), 12);
    }

    #[test]
    fn pop_keeps_the_order_for_every_limit() {
        for limit in 1..9 {
            let mut backlog = backlog();
            let mut all = Vec::new();
            while let Some(piece) = backlog.pop(limit) {
                assert!(piece.len() <= limit && !piece.is_empty());
                all.extend_from_slice(&piece);
            }
            assert_eq!(all, b"abcdefg");
            assert!(backlog.is_empty());
        }
    }

    #[test]
    fn an_empty_backlog_keeps_few_places() {
        let mut backlog = Backlog::default();
        backlog.push(&mut vec![Bytes::from_static(b"x"); 10_000]);
        assert_eq!(backlog.bytes_of_first(10), 10);
        backlog.consume(10_000);
        assert!(backlog.buffers.capacity() <= PLACES_KEPT);
    }
}
