//! The system calls on the data path, with the errors sorted and the calls counted.

use crate::Counters;
use bytes::{Bytes, BytesMut};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};
use std::io::{self, IoSlice};

pub(crate) use crate::inet::MAX_GATHER;

/// What one receive call brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The peer sends no more.
    End,
}

/// Receives at most `limit` bytes, which must not be zero, into the spare capacity of `buffer`.
#[expect(unsafe_code, reason = "bytes offers no safe way to fill spare capacity without zeroing it first")]
pub(crate) fn receive(
    fd: impl AsFd,
    buffer: &mut BytesMut,
    limit: usize,
    counters: &mut Counters,
) -> io::Result<Arrival> {
    let spare = buffer.spare_capacity_mut();
    let room = spare.len().min(limit);
    debug_assert_ne!(room, 0, "an empty read looks like the end of the stream");
    counters.receives += 1;
    let received = match rustix::net::recv(fd, &mut spare[..room], RecvFlags::empty()) {
        Ok(((filled, _), _)) => filled.len(),
        Err(Errno::AGAIN | Errno::INTR) => return Ok(Arrival::Nothing),
        Err(error) => return Err(error.into()),
    };
    // SAFETY: the kernel wrote the first `received` bytes of the spare capacity, which begins at `len`.
    unsafe { buffer.set_len(buffer.len() + received) };
    counters.bytes_in += received as u64;
    Ok(if received == 0 { Arrival::End } else { Arrival::Bytes(received) })
}

/// Writes the first buffers, at most [`MAX_GATHER`], none of which may be empty. Returns the bytes taken, zero if the
/// kernel has no room.
pub(crate) fn gather<'a>(
    fd: impl AsFd,
    buffers: impl ExactSizeIterator<Item = &'a Bytes>,
    counters: &mut Counters,
) -> io::Result<usize> {
    // The list lives on the stack; clearing 16 KiB for each small write would cost more than building it.
    let result = match buffers.len() {
        ..=1 => write_one(fd, buffers),
        2..=16 => write_list::<16>(fd, buffers),
        17..=128 => write_list::<128>(fd, buffers),
        _ => write_list::<MAX_GATHER>(fd, buffers),
    };
    counters.sends += 1;
    match result {
        Ok(taken) => {
            counters.bytes_out += taken as u64;
            Ok(taken)
        }
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn write_one<'a>(fd: impl AsFd, mut buffers: impl Iterator<Item = &'a Bytes>) -> rustix::io::Result<usize> {
    let only = buffers.next().map_or(&[][..], |buffer| buffer);
    rustix::net::send(fd, only, SendFlags::NOSIGNAL)
}

fn write_list<'a, const N: usize>(
    fd: impl AsFd,
    buffers: impl Iterator<Item = &'a Bytes>,
) -> rustix::io::Result<usize> {
    let mut list = [IoSlice::new(&[]); N];
    let mut used = 0;
    for (place, buffer) in list.iter_mut().zip(buffers) {
        *place = IoSlice::new(buffer);
        used += 1;
    }
    let mut no_control = SendAncillaryBuffer::default();
    rustix::net::sendmsg(fd, &list[..used], &mut no_control, SendFlags::NOSIGNAL)
}
