//! The system calls on sockets, with the errors sorted and the calls counted.

use crate::Counters;
use bytes::{Bytes, BytesMut};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny, SocketFlags, SocketType, ipproto,
};
use std::io::{self, IoSlice};
use std::net::SocketAddr;

/// Buffers one gathering write takes. Linux: `UIO_MAXIOV`, include/uapi/linux/uio.h.
pub(crate) const MAX_GATHER: usize = 1024;

/// A new non-blocking stream socket of the family of `addr`.
pub(crate) fn stream_socket(addr: &SocketAddr) -> io::Result<OwnedFd> {
    let family = match addr {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    Ok(fd)
}

/// The address a socket is bound to.
pub(crate) fn local_addr(fd: impl AsFd) -> io::Result<SocketAddr> {
    internet(rustix::net::getsockname(fd)?)
}

/// The address of the other end; `None` while there is none.
pub(crate) fn peer_addr(fd: impl AsFd) -> io::Result<Option<SocketAddr>> {
    match rustix::net::getpeername(fd) {
        Ok(peer) => peer.map(internet).transpose(),
        Err(Errno::NOTCONN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// An address as the standard library has it.
pub(crate) fn internet(addr: SocketAddrAny) -> io::Result<SocketAddr> {
    Ok(SocketAddr::try_from(addr)?)
}

/// Takes the error that the kernel keeps for the socket.
pub(crate) fn take_error(fd: impl AsFd) -> Option<io::Error> {
    match sockopt::socket_error(fd) {
        Ok(Ok(())) => None,
        Ok(Err(error)) | Err(error) => Some(error.into()),
    }
}

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
