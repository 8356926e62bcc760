//! A listening socket on a ring.

use super::file::File;
use super::operation::Work;
use super::ring::{Arrival, Brought, Ring, Token};
use super::socket::Parted;
use crate::inet::{self, AcceptFailure};
use crate::{Completion, ListenOptions, ListenerId};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::SocketFlags;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

/// A listening socket. In flight is the multishot accept, or nothing while it rests.
pub(crate) struct Listener {
    file: Rc<File>,
    accepting: Option<Token>,
}

/// What becomes of a listener after an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It goes on.
    Over,
    /// Accepting makes no sense for a while.
    Rest,
}

impl Listener {
    /// Binds and listens. Returns the address bound as well.
    pub(crate) fn bind(addr: SocketAddr, options: &ListenOptions) -> io::Result<(Self, SocketAddr)> {
        let (fd, local) = inet::listening_socket(addr, options, SocketFlags::empty())?;
        Ok((Self { file: Rc::new(File::unregistered(fd)), accepting: None }, local))
    }

    /// Starts to accept.
    pub(crate) fn accept(&mut self, id: ListenerId, ring: &mut Ring) {
        self.accepting = Some(ring.start(id.0, &self.file, Work::Accept));
    }

    /// Starts to accept when somebody calls. Accepting itself would look for a descriptor before it looks for a caller.
    pub(crate) fn await_caller(&mut self, id: ListenerId, ring: &mut Ring) {
        self.accepting = Some(ring.start(id.0, &self.file, Work::Await(PollFlags::IN)));
    }

    pub(crate) fn take(
        &mut self,
        id: ListenerId,
        arrival: Arrival,
        ring: &mut Ring,
        completions: &mut Vec<Completion>,
    ) -> Turn {
        if let Brought::Socket(fd) = arrival.brought {
            // A connection reset before it was accepted has no peer any more.
            if let Ok(Some(peer)) = inet::peer_addr(&fd) {
                let socket = Box::new(Parted::accepted(fd));
                completions.push(Completion::Accepted { listener: id, socket, peer });
            }
        }
        if arrival.ended.is_none() {
            return Turn::Over;
        }
        self.accepting = None;
        match arrival.outcome.map_err(failure) {
            Err(Some((AcceptFailure::OfTheSystem, error))) => {
                completions.push(Completion::AcceptFailed { listener: id, error: error.into() });
                Turn::Rest
            }
            _ => {
                self.accept(id, ring);
                Turn::Over
            }
        }
    }

    /// Stops listening; the port is free when this returns.
    pub(crate) fn close(mut self, id: ListenerId, ring: &mut Ring) {
        if let Some(token) = self.accepting {
            ring.cancel(token);
        }
        while self.accepting.is_some() {
            match ring.next_of(id.0) {
                // Whoever was accepted meanwhile is closed.
                Ok(arrival) if arrival.ended.is_some() => self.accepting = None,
                Ok(_) => {}
                // The kernel frees it some time.
                Err(_) => return,
            }
        }
    }
}

/// What an error of accepting means, unless it is none.
fn failure(error: Errno) -> Option<(AcceptFailure, Errno)> {
    (error != Errno::CANCELED).then(|| (AcceptFailure::of(error), error))
}
