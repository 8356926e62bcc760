//! TCP over epoll.
//!
//! One reactor is one epoll instance. Reads go to memory the reactor lends or straight to a named destination; writes are
//! tried at once and only their rest waits for epoll. What the kernel is asked to report is changed as seldom as possible:
//! a request and its answer on an idle connection cost one wait, one receive and one send per side, and no wait if the
//! reactor looks for them without sleeping: then it reads from the sockets that were readable last (`hot.rs`).

mod clock;
mod hot;
mod listener;
mod marks;
mod parking;
mod reactor;
mod sleep_timer;
mod socket;
mod sys;
mod writing;

use crate::{Capabilities, Reactor, Transport};
use std::io;
use std::time::Duration;

/// The token of the alarm; no key of a table, for those end in a place below 2^31 - 1.
const ALARM: u64 = u64::MAX;

/// TCP, IPv4 and IPv6, over epoll (Linux).
///
/// Limits: sleeps of a second and more may end early, at a time that an earlier one asked for; lent buffers hold at most
/// 256 KiB, and each keeps its share of a chunk of that size alive. IPv6 listeners take no IPv4 connections: listen on
/// both addresses.
#[derive(Debug, Clone)]
pub struct TcpTransport {
    /// On [`clock::monotonic`].
    origin: Duration,
}

impl TcpTransport {
    /// A transport whose reactors count time from now.
    pub fn new() -> Self {
        Self { origin: clock::monotonic() }
    }
}

impl Default for TcpTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for TcpTransport {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            message_boundaries: false,
            registered_memory: false,
            foreign_send: true,
            zero_copy: false,
            max_gather: sys::MAX_GATHER,
        }
    }

    fn reactor(&self) -> io::Result<Box<dyn Reactor>> {
        Ok(Box::new(reactor::TcpReactor::new(self.origin)?))
    }

    fn shared_reactor(&self) -> Option<io::Result<Box<dyn Reactor + Send>>> {
        Some(reactor::TcpReactor::new(self.origin).map(|reactor| Box::new(reactor) as _))
    }
}
