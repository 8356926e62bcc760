//! Messenger, Connection, Dispatcher: ordered sessions of messages between the processes of a distributed system.
//!
//! A [`Messenger`] owns worker threads, each with a reactor of the transport. A [`Connection`] is the application's
//! handle of one session. A [`Dispatcher`] is the application's side: it is handed messages and news. [`auth`] has what
//! connections authenticate with, [`transport`] what they run over.
//!
//! `docs/messenger.md` tells which policy, which settings and which way to send are for what; `examples/` has programs of a
//! page each.
//!
//! ```
//! use axon_messenger::{BindSpec, Connection, Dispatcher, EntityType, Expect, Message, Messenger, Nonce, Received};
//! use axon_messenger::incoming;
//! use std::time::Duration;
//!
//! struct Echo;
//!
//! impl Dispatcher for Echo {
//!     fn dispatch(&self, connection: &Connection, message: Received) {
//!         connection.send(message.into_message()).ok();
//!     }
//! }
//!
//! let anywhere: BindSpec = "127.0.0.1:0".parse()?;
//! let server = Messenger::builder("osd.0".parse()?).nonce(Nonce::MONITOR).bind(anywhere).start(Echo)?;
//! let (dispatcher, _rest) = incoming();
//! let client = Messenger::builder("client.?".parse()?).start(dispatcher)?;
//! let osd = client.connect(EntityType::Osd, &server.addrs())?;
//! let request = Message::new(1000, &b"hello"[..]);
//! let reply = osd.call_within(request, Expect::Kind(1000), Duration::from_secs(10))?.wait()?;
//! assert_eq!(reply.front, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod bind;
mod builder;
mod connection;
mod counters;
mod dispatch_queue;
mod dispatcher;
mod dump;
mod entropy;
mod error;
mod framing;
mod incoming;
mod mailbox;
mod messenger;
pub mod park;
mod policies;
mod received;
mod receiver;
mod registry;
mod reply;
mod shared;
mod slot;
mod sync;
#[cfg(all(test, not(loom)))]
mod testing;
mod throttle;
mod upcall;
mod worker;

pub use axon_auth as auth;
pub use axon_auth::{ClientAuth, Identity, Mode, ServerAuth};
pub use axon_denc::{AddrType, AddrVec, EntityAddr, EntityName, EntityType, Features};
pub use axon_proto::{
    BackOff, Established, Fault, Modes, Phase, Policy, State, Timeline, Timeouts, Undelivered, cost,
};
pub use axon_transport as transport;
pub use axon_transport::Transport;
pub use axon_wire::{Message, MessageHeader};
pub use bind::{BadBindSpec, BindSpec, Nonce, Ports};
pub use builder::Builder;
pub use connection::Connection;
pub use counters::{BATCH_GROUPS, Snapshot};
pub use dispatch_queue::{DispatchStats, Stuck};
pub use dispatcher::{Dispatcher, Reset};
pub use dump::{
    AcceptingDump, Agreed, ConnectionDump, DispatchDump, Dump, DumpError, Dumper, Origin, QueueDump,
    SessionDump, ThrottleDump, WorkerDump,
};
pub use entropy::{OsEntropy, system_surroundings};
pub use error::{ConnectError, Rejection, SendError, StartError};
pub use framing::Framing;
pub use incoming::{Incoming, incoming};
pub use messenger::Messenger;
pub use received::Received;
pub use receiver::{Feed, Receiver, Recv, RecvError, receiver};
pub use reply::{CallError, Expect, ReplyFuture};
pub use throttle::{Acquire, Oversize, Permit, Throttle, Ticket, TooLarge};
