//! The msgr2 connection as state machines without I/O.
//!
//! A driver owns sockets, threads and clocks; this crate owns every rule. The contract of each machine is the same:
//! give it an input with the current time, then drain its outputs until there are none, then ask it what it wants to
//! send ([`Connection::transmit`]), what it wants to read ([`Connection::demand`]) and when to be woken
//! ([`Connection::deadline`]).
//!
//! | machine | lives as long as | module |
//! |---|---|---|
//! | receive, send | a socket | `receive`, `send` |
//! | handshake | a socket, until its session is agreed | `handshake` |
//! | link = the above three | a socket | [`Link`] |
//! | session | the stream of messages, over many sockets | [`Session`] |
//! | connection = session + at most one link | the user's handle | [`Connection`] |
//!
//! Time, randomness and configuration come in as arguments; there is no clock, socket, thread or hash map in here.
//!
//! What becomes of a session when its socket breaks is one of several decisions that are plain functions:
//!
//! ```
//! use axon_proto::{FaultFacts, FaultVerdict, decide_fault};
//!
//! let open = FaultFacts {
//!     lossy: false,
//!     server: false,
//!     standby: false,
//!     established: true,
//!     idle: true,
//!     told_to_wait: false,
//! };
//! assert_eq!(decide_fault(&open), FaultVerdict::RedialNow);
//! assert_eq!(decide_fault(&FaultFacts { lossy: true, ..open }), FaultVerdict::Reset);
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod address;
mod arbitration;
mod config;
mod connection;
mod contend;
mod fault;
mod handshake;
mod link;
mod liveness;
mod policy;
mod receive;
mod send;
mod session;
mod tables;
mod tally;
mod time;
mod transcript;

pub use arbitration::{
    Existing, IdentVerdict, IncomingIdent, IncomingReconnect, ReconnectVerdict, decide_client_ident,
    decide_reconnect,
};
pub use config::{Config, Modes, Timeouts};
pub use connection::{Connection, Event, Input, Output, State, Transmitted};
pub use contend::{Arena, Contended};
pub use fault::{Blame, Disconnect, Fault};
pub use handshake::{
    ClientStart, Established, Ident, Phase, Resume, Resumed, ServerStart, SessionNews, Timeline, Verdict,
};
pub use link::{Link, LinkOutput};
pub use policy::{Policies, Policy};
pub use receive::Demand;
pub use session::{
    Arrival, BackOff, FaultFacts, FaultVerdict, Progress, Session, SessionIds, SessionState, Undelivered,
    cost, cost_of, decide_fault,
};
pub use tables::Tables;
pub use tally::Tally;
pub use time::{Instant, WakeReason};
