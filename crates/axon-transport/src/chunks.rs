//! The memory that arriving bytes are lent in: shared by all sockets of a reactor, so that an idle one owns nothing.

use bytes::BytesMut;

/// Bytes per chunk, and thereby the most one lent buffer holds.
const CHUNK: usize = 256 * 1024;
/// Room offered at least to a read, so that a large transfer needs few of them.
const ROOM: usize = 64 * 1024;
/// Used-up chunks kept in the hope that their parts come back before a new one must be allocated.
const KEPT: usize = 4;

/// The chunk being filled, and those whose parts are still out.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    current: BytesMut,
    used_up: Vec<BytesMut>,
}

impl Chunks {
    /// An empty buffer with room for a read. The caller reads into it and lends what came with `split`: what it reads
    /// next then follows in memory, and the receiver can `unsplit` the two without copying.
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        // A whole reclaimed chunk is preferred to the fresh rest of one: its memory is warm in the cache.
        let whole = self.current.capacity() >= CHUNK || self.current.try_reclaim(CHUNK);
        if !whole && self.current.capacity() < ROOM {
            self.replace();
        }
        &mut self.current
    }

    fn replace(&mut self) {
        if let Some(back) = self.used_up.iter_mut().find_map(reclaimed) {
            std::mem::swap(&mut self.current, back);
            return;
        }
        let old = std::mem::replace(&mut self.current, BytesMut::with_capacity(CHUNK));
        if self.used_up.len() == KEPT {
            // The oldest goes to its last reader, who frees it.
            self.used_up.remove(0);
        }
        self.used_up.push(old);
    }
}

fn reclaimed(chunk: &mut BytesMut) -> Option<&mut BytesMut> {
    chunk.try_reclaim(CHUNK).then_some(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lend(chunks: &mut Chunks, bytes: usize) -> BytesMut {
        let room = chunks.room();
        room.resize(bytes, 7);
        room.split()
    }

    #[test]
    fn consecutive_parts_are_contiguous() {
        let mut chunks = Chunks::default();
        let mut first = lend(&mut chunks, 1000);
        let second = lend(&mut chunks, 500);
        let start = first.as_ptr();
        assert_eq!(first.as_ptr_range().end, second.as_ptr());
        first.unsplit(second);
        assert_eq!((first.as_ptr(), first.len()), (start, 1500));
    }

    #[test]
    fn a_chunk_whose_parts_are_gone_is_used_again_from_its_start() {
        let mut chunks = Chunks::default();
        let first = lend(&mut chunks, 64).as_ptr();
        for _ in 0..100_000 {
            assert_eq!(lend(&mut chunks, 64).as_ptr(), first);
        }
    }

    #[test]
    fn every_read_finds_room_and_used_up_chunks_come_back() {
        let mut chunks = Chunks::default();
        let mut starts = std::collections::BTreeSet::new();
        let mut held = std::collections::VecDeque::new();
        for _ in 0..10_000 {
            assert!(chunks.room().capacity() >= ROOM);
            let part = lend(&mut chunks, 10_000);
            starts.insert(part.as_ptr());
            held.push_back(part);
            if held.len() > 40 {
                held.pop_front();
            }
        }
        // 400 KB are out at any time: three chunks serve them for ever.
        assert!(starts.len() < 4 * (CHUNK / 10_000), "{}", starts.len());
    }
}
