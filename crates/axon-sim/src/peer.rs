//! A connection and what its driver knows of it.

use crate::PeerId;
use axon_denc::{AddrType, AddrVec, EntityAddr};
use axon_proto::{Connection, Instant, Policy, SessionState, State};

/// A connection of a node, as `Peer` is in the messenger.
pub struct Peer {
    /// The machine.
    pub machine: Connection,
    /// Whose it is.
    pub node: usize,
    /// The node at the other end.
    pub other: usize,
    /// The address it is registered under.
    pub(crate) addrs: AddrVec,
    /// Which incarnation of the other node that was.
    pub(crate) policy: Policy,
    pub(crate) target: Option<EntityAddr>,
    pub(crate) socket: Option<usize>,
    /// When the message that waits is admitted.
    pub(crate) admission: Option<Instant>,
    pub(crate) counts: Counts,
    /// The connection its messages went to last, and how often it had been told by then that a session was lost.
    pub(crate) partner: Option<(PeerId, u32)>,
    /// Times that a session between the two nodes had been forgotten when this one began.
    pub(crate) forgets: u32,
    /// Whether the other end has this session, too, or had it.
    pub(crate) is_shared: bool,
    pub(crate) over: bool,
}

/// What happened to a connection so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Sessions begun.
    pub established: u32,
    /// Sessions resumed.
    pub resumed: u32,
    /// Open sessions that lost their socket.
    pub interrupted: u32,
    /// Attempts that failed.
    pub failed: u32,
    /// Times the peer had lost the session.
    pub remote_resets: u32,
    /// 1 once it was reset.
    pub resets: u32,
    /// Dials.
    pub dials: u32,
}

/// How to reach a peer again that has these addresses; nothing if this side never dials.
pub(crate) fn target(policy: &Policy, addrs: &AddrVec) -> Option<EntityAddr> {
    let dialable = |addr: &&EntityAddr| addr.kind == AddrType::Msgr2 && addr.port() != 0;
    if policy.server { None } else { addrs.iter().find(dialable).copied() }
}

impl Peer {
    /// Its state.
    pub fn state(&self) -> State {
        self.machine.state()
    }

    /// What happened to it.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether it has nothing to do: it is open or rests, and nothing waits to be sent or acknowledged.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.machine.session().state();
        matches!(state, SessionState::Open | SessionState::Standby) && self.machine.is_drained()
    }
}

/// A connection's name in traces.
pub(crate) struct Named<'a>(pub(crate) PeerId, pub(crate) &'a Peer);

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}{}", letter(self.1.node), letter(self.1.other), self.0.0)
    }
}

/// A node's name in traces.
pub fn letter(node: usize) -> char {
    char::from(b'a' + node as u8)
}
