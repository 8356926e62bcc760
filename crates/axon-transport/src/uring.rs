//! TCP over io_uring.
//!
//! One reactor is one ring, used by one thread, which does the kernel's deferred work when it looks for arrivals. What is
//! asked for during a turn goes into the ring together, and leaves with the system call that waits. Receiving is one
//! multishot operation per socket over a ring of lent buffers; sends are operations too, one in flight per socket.
//! See `ring.rs` for who owns memory in flight.

mod file;
mod lent;
mod listener;
mod operation;
mod outgoing;
mod probe;
mod reactor;
mod ring;
mod socket;
mod stream;

pub use probe::UringUnavailable;

use crate::{Capabilities, Reactor, Transport, inet};
use std::io;
use std::time::Instant;

/// TCP, IPv4 and IPv6, over io_uring (Linux 6.1 or later).
///
/// Faster than [`TcpTransport`](crate::TcpTransport) where a worker serves many connections with small messages, and not
/// for a single one. Sends leave at the next [`poll`](Reactor::poll); a small one is as good as gone before, so
/// that [`unsent`](Reactor::unsent) does not count it.
///
/// Limits: lent buffers hold at most 256 KiB, and each keeps its share of a piece of that size alive. IPv6 listeners take no
/// IPv4 connections: listen on both addresses.
#[derive(Debug, Clone)]
pub struct UringTransport {
    origin: Instant,
}

impl UringTransport {
    /// A transport whose reactors count time from now.
    ///
    /// # Errors
    /// If the kernel has no io_uring, refuses it to this process, or is too old.
    pub fn new() -> Result<Self, UringUnavailable> {
        UringUnavailable::check()?;
        Ok(Self { origin: Instant::now() })
    }
}

impl Transport for UringTransport {
    fn name(&self) -> &'static str {
        "uring"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            message_boundaries: false,
            registered_memory: false,
            foreign_send: false,
            zero_copy: false,
            max_gather: inet::MAX_GATHER,
        }
    }

    /// Fails with an error whose source is an [`UringUnavailable`], for example if the process has run out of descriptors
    /// since the transport was made.
    fn reactor(&self) -> io::Result<Box<dyn Reactor>> {
        match reactor::UringReactor::new(self.origin) {
            Ok(reactor) => Ok(Box::new(reactor)),
            Err(error) => Err(io::Error::new(error.kind(), UringUnavailable::of(error))),
        }
    }
}

#[cfg(test)]
mod tests;
