//! A network inside the process.
//!
//! The same contract as TCP, in memory and without unsafe code: bounded pipes, so that back-pressure is real; chance from a
//! seed, so that a failure can be repeated; and a hand on each link, for tests that cut or stall it. With virtual time
//! nothing waits for a clock: `now` stands still until [`MemNetwork::advance`] moves it.
//!
//! Locks, always taken in this order: the world's, a link's, a mailbox's. None is held while sleeping.

mod clock;
mod link;
mod mailbox;
mod pipe;
mod reactor;
mod socket;
mod world;

#[cfg(test)]
mod tests;

use crate::{Capabilities, Reactor, Transport};
use clock::Clock;
use link::{Link, Side};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use world::World;

/// How a network behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemOptions {
    /// Bytes on their way in one direction of a link, at most. Further ones wait at the sender, as unsent.
    pub capacity: usize,
    /// Sizes of the pieces in which bytes arrive. The default, up to any size, delivers whatever is there at once.
    pub piece: RangeInclusive<usize>,
    /// The time bytes, ends of streams and answers to attempts to connect take on their way. Order is kept.
    pub latency: RangeInclusive<Duration>,
    /// What chance is drawn from. With one thread and virtual time, the same seed gives the same run.
    pub seed: u64,
    /// Whether time stands still until [`MemNetwork::advance`] moves it.
    pub virtual_time: bool,
}

impl MemOptions {
    fn is_ragged(&self) -> bool {
        *self.piece.end() != usize::MAX
    }
}

impl Default for MemOptions {
    fn default() -> Self {
        Self {
            capacity: 256 * 1024,
            piece: usize::MAX..=usize::MAX,
            latency: Duration::ZERO..=Duration::ZERO,
            seed: 0,
            virtual_time: false,
        }
    }
}

/// A network inside the process, with addresses of its own. Clones are the same network.
///
/// Any address can be listened on. A listener with as many waiting connections as its backlog refuses further ones.
#[derive(Debug, Clone)]
pub struct MemNetwork {
    world: Arc<World>,
}

impl MemNetwork {
    /// A network without faults, in real time.
    pub fn new() -> Self {
        Self::with_options(MemOptions::default())
    }

    /// A network without faults whose time stands still until [`MemNetwork::advance`] moves it.
    pub fn with_virtual_time() -> Self {
        Self::with_options(MemOptions { virtual_time: true, ..MemOptions::default() })
    }

    /// A network that behaves as told.
    pub fn with_options(options: MemOptions) -> Self {
        let clock = if options.virtual_time { Clock::stopped() } else { Clock::real() };
        Self { world: Arc::new(World::new(options, clock)) }
    }

    /// Time since the network was made, as its reactors see it.
    pub fn now(&self) -> Duration {
        self.world.clock.now()
    }

    /// Moves virtual time forward and wakes every reactor whose timeout that ends. `false`, and nothing happens, if the
    /// network runs in real time.
    ///
    /// With virtual time a `poll` with a timeout sleeps until another thread calls this: a test with a single thread
    /// polls with a timeout of zero.
    pub fn advance(&self, by: Duration) -> bool {
        self.world.advance(by)
    }

    /// The links that stand, oldest first: those that were not cut and have at least one end left.
    pub fn links(&self) -> Vec<MemLink> {
        let links = self.world.links().into_iter();
        links.filter(|link| link.stands()).map(MemLink).collect()
    }

    /// Lets attempts to connect to `addr` go unanswered from now on, or be answered again. Existing links stay.
    pub fn set_unreachable(&self, addr: SocketAddr, unreachable: bool) {
        self.world.set_unreachable(addr, unreachable);
    }
}

impl Default for MemNetwork {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for MemNetwork {
    fn name(&self) -> &'static str {
        "mem"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            message_boundaries: false,
            registered_memory: false,
            foreign_send: false,
            zero_copy: false,
            max_gather: usize::MAX,
        }
    }

    fn reactor(&self) -> io::Result<Box<dyn Reactor>> {
        Ok(Box::new(reactor::MemReactor::new(Arc::clone(&self.world))))
    }
}

/// The way bytes take on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the end that connected to the end that listened.
    ToServer,
    /// From the end that listened to the end that connected.
    ToClient,
}

impl Direction {
    const fn toward(self) -> Side {
        match self {
            Self::ToServer => Side::Server,
            Self::ToClient => Side::Client,
        }
    }
}

/// A hand on a connection of the network. It does not keep the connection alive.
#[derive(Debug, Clone)]
pub struct MemLink(Arc<Link>);

impl MemLink {
    /// The address of the end that connected.
    pub fn client(&self) -> SocketAddr {
        self.0.client
    }

    /// The address that was connected to.
    pub fn server(&self) -> SocketAddr {
        self.0.server
    }

    /// Breaks the connection: both ends get [`ErrorKind::ConnectionReset`], bytes on their way are lost.
    pub fn cut(&self) {
        self.0.cut(ErrorKind::ConnectionReset);
    }

    /// Stops delivery in one direction: neither bytes nor the end of the stream arrive, and nobody is told. Stalling one
    /// direction makes the connection half open; stalling both is a pulled cable.
    pub fn stall(&self, direction: Direction) {
        self.0.stall(direction.toward(), true);
    }

    /// Resumes delivery: what was written meanwhile arrives.
    pub fn resume(&self, direction: Direction) {
        self.0.stall(direction.toward(), false);
    }

    /// Bytes on their way.
    pub fn in_flight(&self, direction: Direction) -> usize {
        self.0.in_flight(direction.toward())
    }
}
