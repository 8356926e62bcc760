//! Misuse and failure as the API reports them.

use axon_wire::Message;
use std::io;
use std::net::SocketAddr;

/// Why a message was not accepted for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The connection is closed: marked down, reset, or the messenger shut down.
    #[error("the connection is closed")]
    Closed,
    /// The send budget of the connection is used up; wait with `send_async`, or try again later.
    #[error("the send budget of the connection is used up")]
    Full,
    /// The message alone exceeds the send budget and could wait for ever.
    #[error("a message of {size} bytes exceeds the connection's send budget of {limit} bytes")]
    TooLarge {
        /// Bytes it would take.
        size: usize,
        /// The budget.
        limit: usize,
    },
    /// A part of the message is longer than any peer accepts: it would break the connection.
    #[error("the {segment} of {size} bytes exceeds the protocol's limit of {limit} bytes")]
    SegmentTooLong {
        /// front, middle or data.
        segment: &'static str,
        /// Its length in bytes.
        size: usize,
        /// What peers accept: 16 MiB of front and of middle, 256 MiB of data ([`axon_wire::Limits::SESSION`]).
        limit: usize,
    },
    /// The deadline passed before there was room.
    #[error("the deadline passed before the send budget had room")]
    DeadlinePassed,
}

/// A message that was not accepted for sending, handed back.
#[derive(Debug, thiserror::Error)]
#[error("not sent: {why}")]
pub struct SendError {
    /// Why.
    pub why: Rejection,
    /// The message, as it was handed in.
    pub message: Box<Message>,
}

/// Why a messenger could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The transport gave no reactor.
    #[error("the transport {transport} does not work here: {error}")]
    Transport {
        /// Its name.
        transport: &'static str,
        /// Why.
        error: io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// An address could not be bound.
    #[error("cannot listen on {addr}: {error}")]
    Bind {
        /// The address tried last.
        addr: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

/// Why no connection can be made to these addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// There is no msgr2 address among them.
    #[error(
        "no address to dial: the peer has no v2 address (it may speak only msgr1, which is not supported)"
    )]
    NoAddress,
    /// The messenger is shut down.
    #[error("the messenger is shut down")]
    ShutDown,
}
