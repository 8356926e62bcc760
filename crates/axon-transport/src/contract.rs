//! The contract every back end fulfils. See the crate page for the order of calls and the mapping table.

use crate::Counters;
use bytes::{Bytes, BytesMut};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A way to move bytes between processes; makes one [`Reactor`] per worker thread.
pub trait Transport: Send + Sync + 'static {
    /// The name used by `--transport` and in reports.
    fn name(&self) -> &'static str;
    /// What this back end can do beyond the minimum.
    fn capabilities(&self) -> Capabilities;
    /// A reactor for the calling thread.
    ///
    /// # Errors
    /// The device's, if it cannot be used on this machine or there are no descriptors or memory for it.
    fn reactor(&self) -> io::Result<Box<dyn Reactor>>;
    /// A reactor that several threads may use in turns, see [`Reactor::park`]; `None` unless
    /// [`Capabilities::foreign_send`] is set.
    fn shared_reactor(&self) -> Option<io::Result<Box<dyn Reactor + Send>>> {
        None
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn reactor(&self) -> io::Result<Box<dyn Reactor>> {
        (**self).reactor()
    }

    fn shared_reactor(&self) -> Option<io::Result<Box<dyn Reactor + Send>>> {
        (**self).shared_reactor()
    }
}

/// What a back end can do beyond the minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether receives preserve the sender's message boundaries (verbs) or form a stream (TCP).
    pub message_boundaries: bool,
    /// Whether buffers must come from registered memory.
    pub registered_memory: bool,
    /// Whether a thread other than the owner may send on a socket, while the owner waits.
    pub foreign_send: bool,
    /// Whether sends can leave without a copy into the kernel.
    pub zero_copy: bool,
    /// Buffers taken by one send call to the device; longer lists are split by the back end.
    pub max_gather: usize,
}

/// Names a socket within one reactor. An id that died is not given again in any time that matters, so that a caller who
/// kept one too long does no harm: calls with it are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// Names a listener within one reactor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u64);

/// Options of a listener.
#[derive(Debug, Clone)]
pub struct ListenOptions {
    /// Connections the device queues before they are accepted.
    pub backlog: u32,
    /// Whether other sockets may listen on the same address to share the load.
    pub reuse_port: bool,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self { backlog: 512, reuse_port: false }
    }
}

/// A socket between two reactors: taken out of one, or just accepted, and not yet in another. Dropping it closes the socket.
///
/// An accepted socket begins its life in this state so that the reactor that will own it can be chosen first: verbs bind
/// a queue pair to its completion queue for good.
pub trait Detached: Send + fmt::Debug {
    /// For the receiving back end to recover its own type.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send>;
}

/// The wait of a reactor, taken out of it by [`Reactor::park`]: waiting needs nothing else of it.
pub trait Parked: Send {
    /// Waits as [`Reactor::poll`] would have.
    fn wait(&mut self);
    /// For the reactor to recover its own type.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send>;
}

/// Wakes a reactor that sleeps in `poll` from any thread. Calling it often is cheap and harmless.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    /// Wraps the back end's way to wake.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// Makes the current or next `poll` return.
    pub fn wake(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}

/// Something that happened on a reactor. Those of one socket come in the order in which it happened.
#[derive(Debug)]
pub enum Completion {
    /// A listener has a new socket. It belongs to no reactor until somebody calls [`Reactor::adopt`].
    Accepted {
        /// Where it came from.
        listener: ListenerId,
        /// The socket.
        socket: Box<dyn Detached>,
        /// The other end.
        peer: SocketAddr,
    },
    /// A listener could not accept, for example because no file descriptor is left.
    /// The listener rests (tcp: 100 ms) and tries again by itself; nothing is lost but time.
    AcceptFailed {
        /// The listener.
        listener: ListenerId,
        /// Why.
        error: io::Error,
    },
    /// A `connect` succeeded. Comes before any other completion of the socket.
    Connected {
        /// The socket.
        socket: SocketId,
        /// This end's address.
        local: SocketAddr,
    },
    /// Bytes arrived in a buffer the reactor lends; the receiver keeps the buffer as long as it likes, and with it the
    /// chunk of memory it is a part of. Consecutive ones of a socket are often neighbours in memory: `unsplit` then joins
    /// them without copying.
    Received {
        /// The socket.
        socket: SocketId,
        /// At least one byte.
        data: BytesMut,
    },
    /// A `receive_into` is complete: the destination has the wanted length.
    Filled {
        /// The socket.
        socket: SocketId,
        /// The destination, as handed in, longer by the bytes asked for.
        data: BytesMut,
    },
    /// All bytes handed to `send` are gone, after `unsent` was non-zero at the return of a `send`.
    Drained {
        /// The socket.
        socket: SocketId,
    },
    /// The socket is finished: closed by the peer (`None`), or by an error. Also the answer to a failed `connect`.
    /// The last completion of this socket; the id is dead.
    ///
    /// An orderly end is reported when all bytes before it were: a paused socket does not learn of it. An error is
    /// reported to a paused socket too, and overtakes the bytes that waited for it to receive. If sending failed, what has
    /// arrived is reported before: often it says why. A destination that was being filled is dropped.
    Closed {
        /// The socket.
        socket: SocketId,
        /// Why, if not an orderly end.
        error: Option<io::Error>,
    },
}

/// One worker's view of the transport. Lives on one thread. Dropping it closes its sockets and listeners.
///
/// Calls never block, but for [`poll`](Self::poll). The crate page lists their legal order.
pub trait Reactor {
    /// Wakes this reactor from other threads.
    fn waker(&self) -> Waker;

    /// Time since an origin common to all reactors of the transport; the mem back end may run it virtually.
    fn now(&self) -> Duration;

    /// Listens on `addr`; port 0 picks a free one. Returns the address bound.
    ///
    /// # Errors
    /// The device's: [`AddrInUse`](io::ErrorKind::AddrInUse) if somebody else listens there,
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) if the address is not one of this machine.
    fn listen(&mut self, addr: SocketAddr, options: &ListenOptions) -> io::Result<(ListenerId, SocketAddr)>;

    /// Stops listening.
    fn unlisten(&mut self, listener: ListenerId);

    /// Starts to connect; answered by `Connected` or `Closed`. There is no timeout but the device's: who does not want to
    /// wait longer closes the socket.
    ///
    /// # Errors
    /// The device's, only if there is no socket to be had (descriptors, memory).
    fn connect(&mut self, addr: SocketAddr) -> io::Result<SocketId>;

    /// Takes in a socket that was accepted or detached elsewhere, from any reactor of the same transport. The socket is
    /// paused unless a `receive_into` is pending.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for a socket of another transport; the device's, if it has no room.
    fn adopt(&mut self, socket: Box<dyn Detached>) -> io::Result<SocketId>;

    /// Takes a socket out of this reactor so that another may adopt it. No completion for it comes any more.
    /// Unsent bytes and a pending `receive_into` go along; received bytes already reported do not. `None` for a dead id.
    fn detach(&mut self, socket: SocketId) -> Option<Box<dyn Detached>>;

    /// Sends the buffers in order after those sent before. Takes all of them out of `buffers` and leaves its
    /// capacity to the caller. Errors are reported as `Closed`, never here. Sending on a dead id drops the bytes; on one
    /// that is not connected yet, they wait. Back ends with a submission queue send at the next `poll`.
    fn send(&mut self, socket: SocketId, buffers: &mut Vec<Bytes>);

    /// Bytes accepted by `send` that the device has not taken yet; zero for a dead id. What the device took may still be
    /// lost: only the peer's acknowledgement says that it arrived. Where sends leave at the next `poll`, those that it
    /// takes along without waiting need not be counted; they leave even if the socket is closed before.
    fn unsent(&self, socket: SocketId) -> usize;

    /// Bytes that have arrived at the socket so far; zero for a dead id. Whoever waits for `Filled` learns from a larger number
    /// that the peer goes on sending: those count that the device keeps, or has put into a destination that is not full.
    /// Without a `receive_into` they may count later, when they are received. Only the difference between two answers
    /// says something. Not for each message: it may be a system call.
    fn arrived(&self, socket: SocketId) -> u64;

    /// Arms receiving into lent buffers: `Received` comes again and again until `pause`, `receive_into` or `close`.
    /// Sockets start paused. Ignored while a `receive_into` is pending.
    fn receive(&mut self, socket: SocketId);

    /// The next `length` bytes of the stream go to the end of `destination`, which has room for them; answered by one
    /// `Filled`, after which the socket is paused. Replaces an armed `receive`; must not be called while another
    /// `receive_into` is pending. The destination does not move and nothing beyond `length` is written to it.
    fn receive_into(&mut self, socket: SocketId, destination: BytesMut, length: usize);

    /// Stops reading from the socket: back-pressure reaches the peer. A `receive_into` cannot be paused.
    fn pause(&mut self, socket: SocketId);

    /// Closes the socket; unsent bytes are dropped. No completion for it comes any more.
    ///
    /// Bytes the device took are still delivered, unless the peer sent something that was not received: then TCP resets
    /// the connection, and the peer may lose the last bytes. Who wants them heard waits for the peer to close.
    fn close(&mut self, socket: SocketId);

    /// Waits until something happened, a waker was used, or `timeout` passed (`None`: no limit; zero: just look), and
    /// appends what happened to `completions`. It may return early with nothing. One call does a bounded amount of work
    /// for each socket, so that none starves the others.
    ///
    /// # Errors
    /// The device's, only if the reactor is of no use any more.
    fn poll(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()>;

    /// Begins a `poll` whose wait happens apart from the reactor, so that other threads may send on its sockets
    /// meanwhile; [`unpark`](Self::unpark) ends it, and comes before the next `poll`. What they do is reported to whoever polls
    /// next; where that is urgent, the wait ends. `None` if there is nothing to wait for, or the back end cannot: then `poll`.
    fn park(&mut self, timeout: Option<Duration>) -> Option<Box<dyn Parked>> {
        let _ = timeout;
        None
    }

    /// Ends the `poll` that [`park`](Self::park) began.
    ///
    /// # Errors
    /// Those of [`poll`](Self::poll), and [`InvalidInput`](io::ErrorKind::InvalidInput) if another back end made `parked`.
    fn unpark(&mut self, parked: Box<dyn Parked>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let (_, _) = (parked, completions);
        Ok(())
    }

    /// What this reactor did so far; zeros if the back end does not count.
    fn counters(&self) -> Counters {
        Counters::default()
    }
}
