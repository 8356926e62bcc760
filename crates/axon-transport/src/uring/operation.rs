//! An operation in flight: what the kernel was asked to do, with the memory it does it in.

use super::file::{File, Name};
use super::lent::GROUP;
use super::outgoing::{Gather, Outgoing};
use bytes::BytesMut;
use io_uring::squeue::{Entry, Flags};
use io_uring::{opcode, types};
use rustix::event::PollFlags;
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny, SocketFlags};
use std::rc::Rc;

/// Bytes one operation receives at most: results are signed 32-bit numbers.
const MAX_RECEIVE: usize = 1 << 30;

/// Bytes of a single receive into a lent buffer. What is part of a body has to be copied to its place.
const HEAD: u32 = 16 * 1024;

/// How often to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shots {
    /// Whatever comes, until cancelled.
    Many,
    /// The next bytes, but not many: the head of a message whose body has a place of its own.
    One,
}

/// How to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Now or not at all: the kernel is done with it when it has taken the entry out of the queue, and speaks up only if
    /// it did not send everything. So a send costs no completion, and no wake-up to take it.
    Prompt,
    /// As soon as the kernel has room, which it tells in any case.
    Patient,
}

impl Manner {
    fn message_flags(self) -> SendFlags {
        match self {
            // What is sent only in part is a failure with `WAITALL`, and failures are not silent.
            Self::Prompt => SendFlags::NOSIGNAL | SendFlags::DONTWAIT | WAIT_ALL,
            Self::Patient => SendFlags::NOSIGNAL,
        }
    }

    fn entry_flags(self) -> Flags {
        match self {
            Self::Prompt => Flags::SKIP_SUCCESS,
            Self::Patient => Flags::empty(),
        }
    }
}

/// Of `sendmsg`, where Linux does not use it; io_uring does. Linux: io_uring_enter(2), `IORING_OP_SEND`.
const WAIT_ALL: SendFlags = SendFlags::from_bits_retain(RecvFlags::WAITALL.bits());

/// What the kernel is asked to do. What it reads or writes meanwhile is here, on the heap, and stays in its place when this
/// is moved.
pub(crate) enum Work {
    /// Tell each time the file is ready: multishot.
    Listen(PollFlags),
    /// Tell once that the file is ready. Errors and hang-ups count as well.
    Await(PollFlags),
    /// Accept whoever comes: multishot.
    Accept,
    /// Connect to this address.
    Connect(Box<SocketAddrAny>),
    /// Send the first buffers.
    Send(Box<Outgoing>, Manner),
    /// Receive into lent buffers.
    Lend(Shots),
    /// Receive so many bytes to the end of the destination, which has the room.
    Fill(BytesMut, usize),
}

/// The entry for some work on `$file`. A macro, as the trait of what names a file is private to its crate.
macro_rules! entry {
    ($file:expr, $work:expr) => {
        match $work {
            Work::Listen(events) => opcode::PollAdd::new($file, events.bits().into()).multi(true).build(),
            Work::Await(events) => opcode::PollAdd::new($file, events.bits().into()).build(),
            Work::Accept => opcode::AcceptMulti::new($file).flags(SocketFlags::CLOEXEC.bits() as i32).build(),
            Work::Connect(addr) => opcode::Connect::new($file, addr.as_ptr().cast(), addr.addr_len()).build(),
            Work::Send(outgoing, manner) => match outgoing.gather() {
                Gather::One(start, length) => {
                    let flags = manner.message_flags().bits() as i32;
                    opcode::Send::new($file, start, length).flags(flags).build()
                }
                Gather::Many(header) => {
                    let flags = manner.message_flags().bits();
                    opcode::SendMsg::new($file, header).flags(flags).build()
                }
            }
            .flags(manner.entry_flags()),
            Work::Lend(Shots::Many) => opcode::RecvMulti::new($file, GROUP).build(),
            Work::Lend(Shots::One) => opcode::Recv::new($file, std::ptr::null_mut(), HEAD)
                .buf_group(GROUP)
                .build()
                .flags(Flags::BUFFER_SELECT),
            Work::Fill(destination, length) => {
                let room = destination.spare_capacity_mut();
                let length = room.len().min(*length).min(MAX_RECEIVE) as u32;
                let flags = RecvFlags::WAITALL.bits() as i32;
                opcode::Recv::new($file, room.as_mut_ptr().cast(), length).flags(flags).build()
            }
        }
    };
}

/// An operation in flight.
pub(crate) struct Operation {
    /// Whose it is.
    pub(crate) owner: u64,
    file: Rc<File>,
    pub(crate) work: Work,
}

impl Operation {
    pub(crate) const fn new(owner: u64, file: Rc<File>, work: Work) -> Self {
        Self { owner, file, work }
    }

    /// What is put into the queue. It names memory of `self.work`, which must be neither changed nor dropped until the
    /// kernel is done.
    pub(crate) fn entry(&mut self) -> Entry {
        match self.file.name() {
            Name::Place(place) => entry!(types::Fixed(place), &mut self.work),
            Name::Descriptor(fd) => entry!(types::Fd(fd), &mut self.work),
        }
    }
}
