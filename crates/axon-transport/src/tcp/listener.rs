//! A listening socket: accepts in bounded turns, and rests when the system has no room for another socket.

use super::socket::Socket;
use super::sys;
use crate::{Completion, ListenOptions, ListenerId};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{SocketFlags, sockopt};
use std::io;
use std::net::SocketAddr;

/// Sockets accepted before others have their turn.
const ACCEPTS_PER_TURN: usize = 64;

/// How a turn of accepting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing more to accept now, or enough for one turn.
    Over,
    /// Accepting makes no sense for a while.
    Rest,
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    fd: OwnedFd,
}

impl Listener {
    /// Binds and listens. Returns the address bound as well.
    pub(crate) fn bind(addr: SocketAddr, options: &ListenOptions) -> io::Result<(Self, SocketAddr)> {
        let fd = sys::stream_socket(&addr)?;
        // A restarted daemon binds its port again while connections of its former life linger in TIME_WAIT.
        sockopt::set_socket_reuseaddr(&fd, true)?;
        sockopt::set_socket_reuseport(&fd, options.reuse_port)?;
        if addr.is_ipv6() {
            // Whatever the system's default: one address is one address, and its IPv4 twin can be bound beside it.
            sockopt::set_ipv6_v6only(&fd, true)?;
        }
        rustix::net::bind(&fd, &addr)?;
        rustix::net::listen(&fd, i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
        let local = sys::local_addr(&fd)?;
        Ok((Self { fd }, local))
    }

    /// Accepts what waits, a bounded number.
    pub(crate) fn accept(&self, id: ListenerId, completions: &mut Vec<Completion>) -> Turn {
        for _ in 0..ACCEPTS_PER_TURN {
            match self.accept_one() {
                Ok((socket, peer)) => {
                    completions.push(Completion::Accepted { listener: id, socket: Box::new(socket), peer })
                }
                Err(error) => match Failure::of(error) {
                    Failure::NothingWaits => return Turn::Over,
                    Failure::OfOneConnection => (),
                    Failure::OfTheSystem => {
                        let error = error.into();
                        completions.push(Completion::AcceptFailed { listener: id, error });
                        return Turn::Rest;
                    }
                },
            }
        }
        Turn::Over
    }

    fn accept_one(&self) -> rustix::io::Result<(Socket, SocketAddr)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (fd, peer) = rustix::net::acceptfrom_with(&self.fd, flags)?;
        // A connection reset before it was accepted has no peer any more.
        let peer = peer.ok_or(Errno::CONNABORTED)?;
        let peer = SocketAddr::try_from(peer)?;
        Ok((Socket::open(fd), peer))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What an error of `accept` is about.
enum Failure {
    NothingWaits,
    /// The connection that was to be accepted is gone; the next may be well. Linux: accept(2), "Error handling".
    OfOneConnection,
    /// No descriptors or no memory, or something unheard of: trying again at once would spin.
    OfTheSystem,
}

impl Failure {
    fn of(error: Errno) -> Self {
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
