//! Bytes on their way into the kernel, and the list by which it finds them.

use crate::backlog::Backlog;
use crate::inet::MAX_GATHER;
use std::mem::MaybeUninit;

/// Places of a list that are kept for the next; longer lists are rare and given back.
const PLACES_KEPT: usize = 64;

/// Buffers that one socket sends, in order. In flight it does not change.
pub(crate) struct Outgoing {
    pub(crate) backlog: Backlog,
    list: Vec<libc::iovec>,
    header: libc::msghdr,
}

/// What one operation sends.
pub(crate) enum Gather {
    /// A single buffer.
    One(*const u8, u32),
    /// A list.
    Many(*const libc::msghdr),
}

impl Outgoing {
    pub(crate) fn new() -> Self {
        Self { backlog: Backlog::default(), list: Vec::new(), header: empty_header() }
    }

    /// Lists the first buffers, at most [`MAX_GATHER`]. The pointers hold as long as this is neither changed nor dropped.
    pub(crate) fn gather(&mut self) -> Gather {
        let mut buffers = self.backlog.buffers();
        if buffers.len() == 1
            && let Some(only) = buffers.next()
        {
            let length = u32::try_from(only.len()).unwrap_or(MAX_SEND);
            return Gather::One(only.as_ptr(), length.min(MAX_SEND));
        }
        self.list.clear();
        self.list.extend(buffers.take(MAX_GATHER).map(|buffer| libc::iovec {
            // The kernel only reads it.
            iov_base: buffer.as_ptr().cast_mut().cast(),
            iov_len: buffer.len(),
        }));
        self.header.msg_iov = self.list.as_mut_ptr();
        self.header.msg_iovlen = self.list.len() as _;
        Gather::Many(&raw const self.header)
    }

    /// Makes it ready for another socket.
    pub(crate) fn reset(&mut self) {
        self.backlog.clear();
        self.list.clear();
        self.list.shrink_to(PLACES_KEPT);
    }
}

/// Bytes one operation sends at most: results are signed 32-bit numbers.
const MAX_SEND: u32 = 1 << 30;

#[expect(unsafe_code, reason = "some C libraries have private padding in it, so it cannot be spelled out")]
fn empty_header() -> libc::msghdr {
    // SAFETY: it is made of integers and pointers, for which zero is a value.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn one_buffer_needs_no_list() {
        let mut outgoing = Outgoing::new();
        let buffer = Bytes::from_static(b"abc");
        outgoing.backlog.push(&mut vec![buffer.clone()]);
        match outgoing.gather() {
            Gather::One(start, length) => assert_eq!((start, length), (buffer.as_ptr(), 3)),
            Gather::Many(_) => panic!("a list of one"),
        }
    }

    #[test]
    fn a_list_names_as_many_buffers_as_the_kernel_takes() {
        let mut outgoing = Outgoing::new();
        let buffer = Bytes::from_static(b"abc");
        outgoing.backlog.push(&mut vec![buffer.clone(); MAX_GATHER + 1]);
        assert!(matches!(outgoing.gather(), Gather::Many(_)));
        assert_eq!(outgoing.list.len(), MAX_GATHER);
        let last = outgoing.list[MAX_GATHER - 1];
        assert_eq!((last.iov_base as *const u8, last.iov_len), (buffer.as_ptr(), 3));
        outgoing.reset();
        assert!(outgoing.list.capacity() <= PLACES_KEPT && outgoing.backlog.is_empty());
    }
}
