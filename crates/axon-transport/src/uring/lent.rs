//! The memory that arriving bytes are lent in: a ring of buffers that the kernel takes from, and only when there is
//! something to receive. An idle socket has none.
//!
//! Since Linux 6.15 the kernel fills a buffer bit by bit, whichever sockets the bits come from: small messages cost little
//! memory, and consecutive parts of a stream are neighbours. Before, each receive takes a buffer of its own, which is offered
//! again with the rest of its room.
//!
//! Kernels fill bit by bit from 6.12 on, but a completion does not say where in the buffer its bytes are: it follows from
//! those before it, if completions come in the order in which the buffer was filled. Before 6.15 one of a multishot receive
//! may overtake one of a single receive, and a connection would be handed the bytes of another.
//! Linux: 687b2bae0eff, "io_uring: ensure deferred completions are flushed for multishot".
//!
//! A used-up buffer begins anew if its bytes are no longer in use, else another takes its place.

use bytes::BytesMut;
use io_uring::Submitter;
use io_uring::types::BufRingEntry;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

/// The only group of buffers.
pub(crate) const GROUP: u16 = 0;
/// Bytes per buffer, and thereby the most one lent buffer holds.
const PIECE: usize = 256 * 1024;
/// Room below which a buffer is not offered again.
const ROOM: usize = 64 * 1024;
/// Buffers at first; twice as many each time they do not suffice.
const PIECES_AT_FIRST: u16 = 4;
/// Buffers at most, a power of two.
const PIECES: u16 = 128;
/// Used-up pieces kept in the hope that their bytes are given back before a new one must be allocated.
const KEPT: usize = 4;

/// How the kernel uses the buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A receive takes as much of one as it needs: `IOU_PBUF_RING_INC`. Of kernels that [keep](Self::of) the order of
    /// completions only.
    BitByBit,
    /// A receive takes a whole one.
    Whole,
}

impl Use {
    /// The best use that the kernel of this machine allows.
    pub(crate) fn here() -> Self {
        Self::of(&rustix::system::uname().release().to_string_lossy())
    }

    /// The best use that a kernel of this release allows. Older ones may have the order repaired, but do not say so.
    fn of(release: &str) -> Self {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (6, 15) => Self::BitByBit,
            _ => Self::Whole,
        }
    }

    const fn flags(self) -> u16 {
        match self {
            Self::BitByBit => 2,
            Self::Whole => 0,
        }
    }
}

/// The buffers, and the ring that offers them to the kernel.
#[derive(Debug)]
pub(crate) struct Lent {
    using: Use,
    offers: Offers,
    /// By number. The spare capacity of those that are offered belongs to the kernel.
    pieces: Vec<BytesMut>,
    /// Numbers of pieces the kernel gave back.
    taken: Vec<u16>,
    used_up: Vec<BytesMut>,
}

impl Lent {
    /// Registers the ring and offers the first buffers.
    pub(crate) fn register(submitter: &Submitter<'_>, using: Use) -> io::Result<Self> {
        let offers = Offers::register(submitter, using)?;
        let mut lent = Self { using, offers, pieces: Vec::new(), taken: Vec::new(), used_up: Vec::new() };
        lent.add(PIECES_AT_FIRST);
        Ok(lent)
    }

    /// The `length` bytes that the kernel put into piece `number`, if any. Without `more` to come in the piece, it is
    /// offered again at the next [`offer`](Self::offer).
    #[expect(unsafe_code, reason = "only the kernel knows how much of the spare capacity it has filled")]
    pub(crate) fn take(&mut self, number: u16, length: usize, more: bool) -> Option<BytesMut> {
        // A receive that brought nothing leaves its place in the piece to the next.
        let is_back = match self.using {
            Use::BitByBit => !more && length > 0,
            Use::Whole => true,
        };
        if is_back {
            self.taken.push(number);
        }
        let piece = &mut self.pieces[usize::from(number)];
        assert!(length <= piece.capacity() - piece.len(), "the kernel wrote more than it was offered");
        // SAFETY: the piece was offered with its whole spare capacity, which begins at `len`. The kernel fills it from
        // there, and has filled `length` bytes more since the completion of it before: whole pieces have one completion
        // per offer, and where they are filled bit by bit, completions come in the order of filling (see `Use::of`).
        unsafe { piece.set_len(piece.len() + length) };
        (length > 0).then(|| piece.split())
    }

    /// Offers what was given back. Comes late so that the bytes may have been used by then.
    pub(crate) fn offer(&mut self) {
        while let Some(number) = self.taken.pop() {
            let piece = &mut self.pieces[usize::from(number)];
            if !piece.try_reclaim(PIECE) && piece.capacity() < ROOM {
                replace(piece, &mut self.used_up);
            }
            self.offers.push(number, piece);
        }
        self.offers.publish();
    }

    /// Adds buffers, as those there are did not suffice. Does nothing if there are as many as may be.
    pub(crate) fn grow(&mut self) {
        let pieces = self.pieces.len() as u16;
        self.add(pieces.min(PIECES - pieces));
    }

    fn add(&mut self, more: u16) {
        for _ in 0..more {
            let number = self.pieces.len() as u16;
            self.pieces.push(BytesMut::with_capacity(PIECE));
            self.offers.push(number, &mut self.pieces[usize::from(number)]);
        }
        self.offers.publish();
    }

    /// Leaves all memory to the kernel for good.
    pub(crate) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.pieces));
        self.offers.leaked = true;
    }

    /// Takes the ring away from the kernel, which must not be receiving into any buffer.
    pub(crate) fn unregister(&self, submitter: &Submitter<'_>) -> io::Result<()> {
        submitter.unregister_buf_ring(GROUP)
    }
}

fn replace(piece: &mut BytesMut, used_up: &mut Vec<BytesMut>) {
    if let Some(back) = used_up.iter_mut().find_map(|old| old.try_reclaim(PIECE).then_some(old)) {
        std::mem::swap(piece, back);
        return;
    }
    let old = std::mem::replace(piece, BytesMut::with_capacity(PIECE));
    if used_up.len() == KEPT {
        // The oldest goes to its last reader, who frees it.
        used_up.remove(0);
    }
    used_up.push(old);
}

/// The ring of offers: memory that this side writes and the kernel reads. Linux: io_uring_register_buf_ring(3).
#[derive(Debug)]
struct Offers {
    entries: NonNull<BufRingEntry>,
    tail: u16,
    leaked: bool,
}

#[expect(unsafe_code, reason = "the ring is memory shared with the kernel")]
impl Offers {
    /// Its address must be that of a page; no page is larger on the machines Linux runs on.
    fn layout() -> Layout {
        Layout::array::<BufRingEntry>(usize::from(PIECES))
            .and_then(|layout| layout.align_to(64 * 1024))
            .expect("a small constant size")
    }

    fn register(submitter: &Submitter<'_>, using: Use) -> io::Result<Self> {
        let layout = Self::layout();
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(entries) = NonNull::new(memory.cast()) else { handle_alloc_error(layout) };
        let offers = Self { entries, tail: 0, leaked: false };
        let start = memory.expose_provenance() as u64;
        // SAFETY: the memory is large enough for so many entries, zero is a value of them, and the owner of this, `Ring`,
        // unregisters it before it is freed.
        unsafe { submitter.register_buf_ring_with_flags(start, PIECES, GROUP, using.flags())? };
        Ok(offers)
    }

    /// Offers the spare capacity of `piece`. There are never more offers than places, for each number is offered once.
    fn push(&mut self, number: u16, piece: &mut BytesMut) {
        let room = piece.spare_capacity_mut();
        // SAFETY: the index is below the number of entries. The kernel uses an entry only from `publish` on until it gives
        // the piece back.
        let entry = unsafe { self.entries.add(usize::from(self.tail % PIECES)).as_mut() };
        entry.set_addr(room.as_mut_ptr().expose_provenance() as u64);
        entry.set_len(room.len() as u32);
        entry.set_bid(number);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Shows the kernel all offers made so far.
    fn publish(&self) {
        // SAFETY: the place of the tail lies in the first entry, which is initialised, aligned, and lives as long as
        // `self`; nobody but this thread writes it, and the kernel reads it atomically.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries.as_ptr()).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}

#[expect(unsafe_code, reason = "the ring is memory shared with the kernel")]
impl Drop for Offers {
    fn drop(&mut self) {
        if self.leaked {
            return;
        }
        // SAFETY: allocated with this layout. The kernel does not read it any more, for it was unregistered, or never
        // registered.
        unsafe { dealloc(self.entries.as_ptr().cast(), Self::layout()) };
    }
}

#[cfg(test)]
mod tests {
    use super::Use;

    #[test]
    fn buffers_are_filled_bit_by_bit_only_where_completions_keep_their_order() {
        for (release, using) in [
            ("6.1.0-37-amd64", Use::Whole),
            ("6.12.0", Use::Whole),
            ("6.14.11-300.fc42.x86_64", Use::Whole),
            ("6.15", Use::BitByBit),
            ("6.15.0-rc7", Use::BitByBit),
            ("6.18.44-fc-v669", Use::BitByBit),
            ("7.0.1", Use::BitByBit),
            ("10.2", Use::BitByBit),
            ("6.9.12", Use::Whole),
            ("6", Use::Whole),
            ("-6.15", Use::Whole),
            ("99999999999.0", Use::Whole),
            ("", Use::Whole),
        ] {
            assert_eq!(Use::of(release), using, "{release}");
        }
    }
}
