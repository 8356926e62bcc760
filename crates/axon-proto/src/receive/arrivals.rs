//! Bytes that arrived and were not parsed yet, in the memory they came in.
//!
//! Parts of a stream are often neighbours in memory, and joined for nothing. Where they are not, whole frames stay where
//! they are: only a frame that begins in one part and ends in another is put together, in memory of its own.

use alloc::collections::VecDeque;
use bytes::{Buf, BytesMut};

/// Bytes of a stream, in order.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// The next bytes. Empty only if nothing is here.
    front: BytesMut,
    /// What follows, and is no neighbour of what is before it.
    later: VecDeque<BytesMut>,
    copied: u64,
}

impl Arrivals {
    /// Adds what arrived, where it is.
    #[inline]
    pub(super) fn push(&mut self, data: BytesMut) {
        let last = self.later.back_mut().unwrap_or(&mut self.front);
        if last.is_empty() {
            *last = data;
        } else if last.as_ptr_range().end == data.as_ptr() {
            join(last, data, &mut self.copied);
        } else {
            self.later.push_back(data);
        }
    }

    /// Adds a copy of what arrived.
    pub(super) fn copy(&mut self, data: &[u8]) {
        self.front.extend_from_slice(data);
        self.copied += data.len() as u64;
    }

    /// Puts back what [`take_roomy`](Self::take_roomy) took, with what came since. Nothing else may be here.
    pub(super) fn put_back(&mut self, data: BytesMut) {
        debug_assert!(self.front.is_empty() && self.later.is_empty(), "nothing arrives beside a direct read");
        self.front = data;
    }

    /// The bytes that are together.
    pub(super) fn front(&mut self) -> &mut [u8] {
        &mut self.front
    }

    /// Puts the next `length` bytes together, or all if fewer are here. Whether there are so many.
    #[inline]
    pub(super) fn gather(&mut self, length: usize) -> bool {
        self.front.len() >= length || (!self.later.is_empty() && self.gather_parts(length))
    }

    #[cold]
    fn gather_parts(&mut self, length: usize) -> bool {
        self.make_room(length);
        while let Some(next) = self.later.front_mut() {
            let missing = length - self.front.len();
            if missing == 0 {
                return true;
            }
            let part = next.split_to(missing.min(next.len()));
            if next.is_empty() {
                self.later.pop_front();
            }
            self.copied += part.len() as u64;
            self.front.extend_from_slice(&part);
        }
        self.front.len() >= length
    }

    /// Drops the next `length` bytes.
    #[inline]
    pub(super) fn advance(&mut self, length: usize) {
        match self.front.len() == length {
            true => self.front = BytesMut::new(), // what is used up would keep its memory
            false => self.front.advance(length),
        }
        self.refill();
    }

    /// Takes the next `length` bytes.
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> BytesMut {
        let taken = match self.front.len() == length {
            true => core::mem::take(&mut self.front), // spares a reference
            false => self.front.split_to(length),
        };
        self.refill();
        taken
    }

    /// Takes everything, which [`gather`](Self::gather) has put together, with room for `length` bytes in all.
    pub(super) fn take_roomy(&mut self, length: usize) -> BytesMut {
        debug_assert!(self.later.is_empty(), "it was put together");
        self.make_room(length);
        core::mem::take(&mut self.front)
    }

    /// Holds no memory while nothing is here.
    #[inline]
    pub(super) fn let_go(&mut self) {
        if self.front.is_empty() && self.front.capacity() + self.later.capacity() > 0 {
            self.front = BytesMut::new();
            self.later = VecDeque::new();
        }
    }

    /// Bytes that were copied since this was last asked.
    pub(super) fn take_copied(&mut self) -> u64 {
        core::mem::take(&mut self.copied)
    }

    #[inline]
    fn refill(&mut self) {
        if self.front.is_empty()
            && let Some(next) = self.later.pop_front()
        {
            self.front = next;
        }
    }

    /// Moves the front to where `length` bytes fit, if they do not.
    fn make_room(&mut self, length: usize) {
        if self.front.capacity() >= length {
            return;
        }
        let mut roomy = BytesMut::with_capacity(length);
        roomy.extend_from_slice(&self.front);
        self.copied += self.front.len() as u64;
        self.front = roomy;
    }
}

/// Joins neighbours. They are copied after all if they belong to different chunks that happen to touch.
fn join(first: &mut BytesMut, second: BytesMut, copied: &mut u64) {
    let (start, arrived) = (first.as_ptr(), second.as_ptr());
    let (before, added) = (first.len(), second.len());
    first.unsplit(second);
    let is_moved = first.as_ptr() != start;
    let is_copied = first[before..].as_ptr() != arrived;
    *copied += (usize::from(is_moved) * before + usize::from(is_copied) * added) as u64;
}

#[cfg(test)]
impl Arrivals {
    /// Bytes of memory held.
    pub(super) fn held(&self) -> usize {
        self.front.capacity() + self.later.iter().map(BytesMut::capacity).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn bytes(from: u8, length: u8) -> BytesMut {
        let bytes: Vec<u8> = (from..from + length).collect();
        bytes.as_slice().into()
    }

    fn taken(arrivals: &mut Arrivals, length: usize) -> Option<Vec<u8>> {
        arrivals.gather(length).then(|| arrivals.take(length).to_vec())
    }

    #[test]
    fn neighbours_are_joined_without_copying() {
        let mut all = bytes(0, 10);
        let start = all.as_ptr();
        let mut arrivals = Arrivals::default();
        for length in [4, 1, 5] {
            arrivals.push(all.split_to(length));
        }
        assert!(arrivals.gather(10));
        let joined = arrivals.take(10);
        assert_eq!((joined.as_ptr(), joined.len(), arrivals.take_copied()), (start, 10, 0));
    }

    #[test]
    fn only_what_comes_apart_is_copied() {
        let (first, second) = (bytes(0, 100), bytes(100, 100));
        let (begin, rest) = (first.as_ptr(), second[20..].as_ptr());
        let mut arrivals = Arrivals::default();
        arrivals.push(first);
        arrivals.push(second);
        assert!(arrivals.gather(40));
        assert_eq!(arrivals.take(40).as_ptr(), begin, "a whole frame stays");
        assert_eq!(taken(&mut arrivals, 80), Some((40..120).collect()));
        assert_eq!(arrivals.take_copied(), 80, "60 bytes of the one and 20 of the other");
        assert!(arrivals.gather(80));
        assert_eq!(arrivals.take(80).as_ptr(), rest, "what follows stays too");
        assert_eq!(arrivals.take_copied(), 0);
    }

    #[test]
    fn bytes_keep_their_order_however_they_come_and_go() {
        for part in 1..=7 {
            for length in 1..=9 {
                let mut arrivals = Arrivals::default();
                let mut all = Vec::new();
                for at in (0..210).step_by(part) {
                    arrivals.push(bytes(at as u8, part as u8));
                    while let Some(frame) = taken(&mut arrivals, length) {
                        all.extend(frame);
                    }
                }
                assert_eq!(all, (0..all.len() as u8).collect::<Vec<_>>(), "{part} {length}");
                assert!(all.len() > 200 - length);
            }
        }
    }

    #[test]
    fn tiny_parts_of_large_chunks_are_not_kept_once_they_were_looked_at() {
        let mut arrivals = Arrivals::default();
        for at in 0..100 {
            let mut chunk = BytesMut::with_capacity(64 << 10);
            chunk.extend_from_slice(&[at]);
            arrivals.push(chunk.split_to(1));
            assert!(!arrivals.gather(1000));
        }
        assert!(arrivals.later.is_empty());
        assert!(arrivals.held() <= 1000);
        assert_eq!(arrivals.front().len(), 100);
    }

    #[test]
    fn a_part_that_is_taken_has_room_for_the_rest() {
        let mut arrivals = Arrivals::default();
        arrivals.push(bytes(0, 10));
        arrivals.push(bytes(10, 10));
        assert!(!arrivals.gather(1000));
        let part = arrivals.take_roomy(1000);
        assert!(part.len() == 20 && part.capacity() >= 1000);
        assert_eq!(arrivals.take_copied(), 20, "it was made room for once");
        arrivals.let_go();
        assert_eq!(arrivals.held(), 0);
        arrivals.put_back(part);
        assert_eq!(taken(&mut arrivals, 20), Some((0..20).collect()));
    }
}
