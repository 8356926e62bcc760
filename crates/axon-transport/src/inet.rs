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

/// Bytes the kernel takes beyond those it has sent, of a socket with [`bound_unsent`].
const UNSENT: i32 = 256 * 1024;

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
pub(crate) fn arrived(fd: impl AsFd) -> u64 {
    /// Where it is in `struct tcp_info`.
    const PLACE: usize = 128;
    let mut info = [0; PLACE + size_of::<u64>()];
    match read_option(fd, libc::TCP_INFO, &mut info).then_some(info.last_chunk()) {
        Some(Some(bytes)) => u64::from_ne_bytes(*bytes),
        _ => 0,
    }
}

/// Has the kernel take no more than a little beyond what it has sent: what it has taken cannot be overtaken any more. Failing
/// costs urgent messages their speed only.
pub(crate) fn bound_unsent(fd: impl AsFd) {
    let _ = set_option(fd, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, UNSENT);
}

/// Reads an option of TCP that rustix has no function for into the front of `value`. Whether there is such an option.
#[expect(unsafe_code, reason = "rustix knows the option not, and has no way to name it")]
fn read_option(fd: impl AsFd, name: i32, value: &mut [u8]) -> bool {
    let mut length = value.len() as libc::socklen_t;
    let (fd, start) = (fd.as_fd().as_raw_fd(), value.as_mut_ptr().cast());
    // SAFETY: the kernel writes at most `length` bytes from `start`, which are those of `value`, and then how many.
    unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, name, start, &raw mut length) == 0 }
}

/// Sets an option of a socket that rustix has no function for.
#[expect(unsafe_code, reason = "rustix knows the option not, and has no way to name it")]
pub(crate) fn set_option(fd: impl AsFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    let length = size_of_val(&value) as libc::socklen_t;
    let start = (&raw const value).cast();
    // SAFETY: the kernel reads `length` bytes from `start`, where `value` is until the call returns.
    let result = unsafe { libc::setsockopt(fd.as_fd().as_raw_fd(), level, name, start, length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    /// Whether the kernel takes only a little of what `fd` has to send.
    pub(crate) fn is_bounded(fd: impl AsFd) -> bool {
        let mut value = [0; size_of::<i32>()];
        read_option(fd, libc::TCP_NOTSENT_LOWAT, &mut value) && i32::from_ne_bytes(value) == UNSENT
    }

    /// Two ends of a connection.
    pub(crate) fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (far, listener.accept().unwrap().0)
    }

    #[test]
    fn what_arrived_is_counted_by_the_kernel() {
        let (mut far, near) = pair();
        assert_eq!(arrived(&near), 0);
        far.write_all(&[0; 1000]).unwrap();
        let begin = std::time::Instant::now();
        while arrived(&near) < 1000 {
            assert!(begin.elapsed().as_secs() < 30);
        }
        assert_eq!((arrived(&near), arrived(&far)), (1000, 0));
        let (unix, _) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(arrived(&unix), 0, "it has no such option");
    }

    #[test]
    fn what_is_unsent_is_bounded_from_then_on() {
        let (far, _near) = pair();
        assert!(!is_bounded(&far));
        bound_unsent(&far);
        assert!(is_bounded(&far));
    }
}
