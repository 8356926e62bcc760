//! What a dump says of a connection, and of an accepted socket that is none yet.

#[cfg(feature = "serde")]
use super::serial;
use axon_auth::{AuthName, Mode};
use axon_denc::{AddrVec, EntityName, EntityType, Features};
use axon_proto::{Policy, State};
use axon_wire::Revision;
use std::net::SocketAddr;
use std::time::Duration;

/// A connection at one moment, as its worker sees it.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ConnectionDump {
    /// The number of the connection in its messenger, [`Connection::id`](crate::Connection::id).
    pub id: u64,
    /// The worker that owns it.
    pub worker: usize,
    /// The peer, once a session was open.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::optional_text"))]
    pub peer: Option<EntityName>,
    /// The peer's type.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::text"))]
    pub peer_type: EntityType,
    /// The peer's addresses: as the peer gave them, before that as they were dialled.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::text"))]
    pub peer_addrs: AddrVec,
    /// Who dialled first.
    pub origin: Origin,
    /// Whether others that ask for these addresses get this connection; `false` for anonymous ones and for clients of a
    /// stateless server.
    pub registered: bool,
    /// Its state.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::state"))]
    pub state: State,
    /// What its socket waits for in the handshake, or `open`; nothing while there is no socket.
    pub link: Option<&'static str>,
    /// What the session promises.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::policy"))]
    pub policy: Policy,
    /// What the last handshake agreed on, once a session was open.
    pub agreed: Option<Agreed>,
    /// The session.
    pub session: SessionDump,
    /// What waits to be sent.
    pub queue: QueueDump,
    /// Body bytes of a message of the peer's that waits for a receive budget, and all behind it.
    pub held_back: Option<usize>,
    /// The time the last acknowledged keepalive took.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "last_round_trip_us", serialize_with = "serial::optional_micros")
    )]
    pub last_round_trip: Option<Duration>,
}

/// Who dialled first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Origin {
    /// This side.
    Dialled,
    /// The peer.
    Accepted,
}

/// What a handshake agreed on.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Agreed {
    /// How the connection is protected.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::text"))]
    pub mode: Mode,
    /// The framing; in JSON the number, 1 or 0.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::revision"))]
    pub revision: Revision,
    /// Features both ends have.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::text"))]
    pub features: Features,
    /// The id the monitor gave the client of this connection; 0 with method none.
    pub global_id: u64,
    /// On an accepted connection: who authenticated.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::optional_text"))]
    pub identity: Option<AuthName>,
}

/// The numbers of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SessionDump {
    /// The dialler's half of its name; 0 if it is lossy or has not begun. Both halves are the same at both ends.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::hexadecimal"))]
    pub client_cookie: u64,
    /// The acceptor's half; 0 if it is lossy or has not begun.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::hexadecimal"))]
    pub server_cookie: u64,
    /// How often it was resumed.
    pub connect_seq: u64,
    /// The number of the peer's newest attempt.
    pub peer_global_seq: u64,
    /// The last message written.
    pub out_seq: u64,
    /// The last message received.
    pub in_seq: u64,
}

/// What a connection has to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct QueueDump {
    /// Messages never written.
    pub waiting: usize,
    /// Messages written on a socket that broke, which will be written again.
    pub again: usize,
    /// Messages written and not acknowledged; 0 if the session is lossy, which keeps none.
    pub unacknowledged: usize,
    /// Bytes of the send budget that are taken, [`axon_proto::cost`].
    pub bytes: usize,
    /// The send budget in bytes; 0 is unlimited.
    pub budget: usize,
    /// Senders that stand in line for the budget.
    pub senders: usize,
    /// Bytes written that the transport's device has not taken.
    pub unsent: usize,
}

/// An accepted socket that has not agreed on a session yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AcceptingDump {
    /// The worker that owns it.
    pub worker: usize,
    /// Where it comes from.
    pub from: SocketAddr,
    /// What it waits for in the handshake.
    pub link: Option<&'static str>,
}
