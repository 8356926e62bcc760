//! A listening socket: accepts in bounded turns, and rests when the system has no room for another socket.

use super::socket::Socket;
use crate::inet::{self, AcceptFailure};
use crate::{Completion, ListenOptions, ListenerId};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::SocketFlags;
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
        let (fd, local) = inet::listening_socket(addr, options, SocketFlags::NONBLOCK)?;
        Ok((Self { fd }, local))
    }

    /// Accepts what waits, a bounded number.
    pub(crate) fn accept(&self, id: ListenerId, completions: &mut Vec<Completion>) -> Turn {
        for _ in 0..ACCEPTS_PER_TURN {
            match self.accept_one() {
                Ok((socket, peer)) => {
                    completions.push(Completion::Accepted { listener: id, socket: Box::new(socket), peer })
                }
                Err(error) => match AcceptFailure::of(error) {
                    AcceptFailure::NothingWaits => return Turn::Over,
                    AcceptFailure::OfOneConnection => (),
                    AcceptFailure::OfTheSystem => {
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
