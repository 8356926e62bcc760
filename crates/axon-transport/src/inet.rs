//! Internet sockets: how they are made and bound, their addresses, and what the errors of accepting mean. The same for
//! every back end on the kernel's TCP.

use crate::ListenOptions;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrAny, SocketFlags, SocketType, ipproto, sockopt};
use std::io;
use std::net::SocketAddr;

/// Buffers one gathering write takes. Linux: `UIO_MAXIOV`, include/uapi/linux/uio.h.
pub(crate) const MAX_GATHER: usize = 1024;

/// A new stream socket of the family of `addr`, closed on exec.
pub(crate) fn stream_socket(addr: &SocketAddr, flags: SocketFlags) -> io::Result<OwnedFd> {
    let family = match addr {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = flags | SocketFlags::CLOEXEC;
    Ok(rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?)
}

/// A socket that listens on `addr`, and the address bound.
pub(crate) fn listening_socket(
    addr: SocketAddr,
    options: &ListenOptions,
    flags: SocketFlags,
) -> io::Result<(OwnedFd, SocketAddr)> {
    let fd = stream_socket(&addr, flags)?;
    // A restarted daemon binds its port again while connections of its former life linger in TIME_WAIT.
    sockopt::set_socket_reuseaddr(&fd, true)?;
    sockopt::set_socket_reuseport(&fd, options.reuse_port)?;
    if addr.is_ipv6() {
        // Whatever the system's default: one address is one address, and its IPv4 twin can be bound beside it.
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    rustix::net::bind(&fd, &addr)?;
    rustix::net::listen(&fd, i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    let local = local_addr(&fd)?;
    Ok((fd, local))
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

/// Whether the other end is on this machine. Linux gives both ends the same address then, or both one of loopback.
pub(crate) fn is_near(fd: impl AsFd) -> bool {
    match (local_addr(&fd), peer_addr(&fd)) {
        (Ok(local), Ok(Some(peer))) => {
            local.ip() == peer.ip() || local.ip().is_loopback() && peer.ip().is_loopback()
        }
        _ => false,
    }
}

/// Bytes that the kernel has received for the socket in order, whether somebody took them or not. Linux:
/// `tcpi_bytes_received` of `TCP_INFO`, include/uapi/linux/tcp.h; 0 before 4.1, which did not count.
#[expect(unsafe_code, reason = "rustix does not know the option")]
pub(crate) fn arrived(fd: impl AsFd) -> u64 {
    /// Where it is in `struct tcp_info`.
    const PLACE: usize = 128;
    let mut info = [0u8; PLACE + size_of::<u64>()];
    let mut length = info.len() as libc::socklen_t;
    let (fd, start) = (fd.as_fd().as_raw_fd(), info.as_mut_ptr().cast());
    // SAFETY: the kernel writes at most `length` bytes from `start`, which are those of `info`, and the number of them.
    let result = unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, start, &raw mut length) };
    match info.last_chunk() {
        Some(bytes) if result == 0 => u64::from_ne_bytes(*bytes),
        _ => 0,
    }
}

/// An address as the standard library has it.
fn internet(addr: SocketAddrAny) -> io::Result<SocketAddr> {
    Ok(SocketAddr::try_from(addr)?)
}

/// Takes the error that the kernel keeps for the socket.
pub(crate) fn take_error(fd: impl AsFd) -> Option<io::Error> {
    match sockopt::socket_error(fd) {
        Ok(Ok(())) => None,
        Ok(Err(error)) | Err(error) => Some(error.into()),
    }
}

/// What an error of `accept` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AcceptFailure {
    NothingWaits,
    /// The connection that was to be accepted is gone; the next may be well. Linux: accept(2), "Error handling".
    OfOneConnection,
    /// No descriptors or no memory, or something unheard of: trying again at once would spin.
    OfTheSystem,
}

impl AcceptFailure {
    pub(crate) fn of(error: Errno) -> Self {
        match error {
            Errno::AGAIN => Self::NothingWaits,
            Errno::CONNABORTED
            | Errno::INTR
            | Errno::PERM
            | Errno::PROTO
            | Errno::NOPROTOOPT
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NONET
            | Errno::OPNOTSUPP
            | Errno::TIMEDOUT => Self::OfOneConnection,
            _ => Self::OfTheSystem,
        }
    }
}
