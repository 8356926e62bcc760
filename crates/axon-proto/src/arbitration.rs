//! What an incoming attempt means for the session that already exists with the same peer.
//!
//! Both ends of a lossless-peer session may dial, early, late or twice; these tables decide which socket carries the
//! session in the end. They are pure: the same facts give the same verdict on every machine, and both ends, looking at
//! mirrored facts, come to verdicts that fit together.

use core::cmp::Ordering;

/// The existing session as the tables see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Existing {
    /// It is over and only not forgotten yet.
    pub closed: bool,
    /// Another socket is being moved into it at this moment.
    pub replacing: bool,
    /// It is lossy.
    pub lossy: bool,
    /// This side never dials in it.
    pub server: bool,
    /// It is open, or broken and resting; otherwise this side is dialling.
    pub settled: bool,
    /// This side has asked for its beginning, and the answer may be on its way.
    pub asking: bool,
    /// The peer is known to have the session too.
    pub mutual: bool,
    /// The dialler's cookie; zero if there is none.
    pub client_cookie: u64,
    /// The acceptor's cookie; zero if there is none.
    pub server_cookie: u64,
    /// The newest attempt of the peer that it saw.
    pub peer_global_seq: u64,
    /// How often it was resumed.
    pub connect_seq: u64,
    /// The number of the last message that was ever written in it.
    pub sent: u64,
}

/// A CLIENT_IDENT as the table sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncomingIdent {
    /// The number of the attempt among the peer's.
    pub global_seq: u64,
    /// The peer's cookie; zero if it is lossy.
    pub cookie: u64,
    /// Whether this side's policy looks peers up at all.
    pub registered: bool,
    /// Whether this side's policy tells the application that a peer lost its session.
    pub resetcheck: bool,
    /// Whether it comes from another entity than the one that the session belongs to.
    pub foreign: bool,
    /// The peer's address against this side's, in the order of [`axon_denc::EntityAddr::race_cmp`].
    pub peer_to_mine: Ordering,
}

/// What to do with a CLIENT_IDENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentVerdict {
    /// Begin a new session.
    Begin,
    /// End the existing session and begin a new one.
    Replace,
    /// Move the socket into the existing session; with `reset`, forget its state first and say so.
    Reuse {
        /// Whether the session's state is void.
        reset: bool,
    },
    /// Close the socket: it is older than what exists. Or the peer restarted and counts its attempts anew: if the session
    /// rests, this side dials and finds out.
    Stale,
    /// Close the socket: the session is none of the peer's business. Or another entity has the address now: if the session
    /// rests, this side dials and finds out.
    Refuse,
    /// Tell the peer to wait; with `kick`, make sure that this side's own dial goes on.
    Wait {
        /// Whether this side's own dial may need a push.
        kick: bool,
    },
}

/// Judges a CLIENT_IDENT; first match wins (Ceph: `ProtocolV2::handle_client_ident`, `handle_existing_connection`).
///
/// | row | when | verdict |
/// |---|---|---|
/// | unregistered | peers are not looked up | begin |
/// | nobody | no session exists | begin |
/// | closed | the session is over | begin |
/// | foreign | the session belongs to another entity (Ceph lets it take the session over) | refuse; dial if it rests |
/// | replacing | another socket is being moved in | wait |
/// | stale | the session saw a newer attempt | stale; dial if it rests |
/// | lossy | the session is lossy | replace |
/// | restarted | both cookies exist, and the peer's is another | reuse, reset if the policy checks |
/// | late | the peer's cookie is the same, and it has the session already: it asked before it had | stale |
/// | resumed | the peer's cookie is the same | reuse |
/// | settled | the session is open or rests | reuse |
/// | race-lost | both dial; the peer's address is lower, or this side is a server | reuse |
/// | race-won | both dial; the peer's address is higher | wait, kick |
pub fn decide_client_ident(existing: Option<&Existing>, incoming: &IncomingIdent) -> IdentVerdict {
    let Some(ex) = existing.filter(|ex| incoming.registered && !ex.closed) else {
        return IdentVerdict::Begin;
    };
    let same = ex.client_cookie == incoming.cookie;
    let restarted = ex.server_cookie != 0 && ex.client_cookie != 0 && !same;
    match () {
        () if incoming.foreign => IdentVerdict::Refuse,
        () if ex.replacing => IdentVerdict::Wait { kick: false },
        () if ex.peer_global_seq > incoming.global_seq => IdentVerdict::Stale,
        () if ex.lossy => IdentVerdict::Replace,
        () if restarted => IdentVerdict::Reuse { reset: incoming.resetcheck },
        () if same && ex.mutual => IdentVerdict::Stale,
        () if same => IdentVerdict::Reuse { reset: false },
        () if ex.settled => IdentVerdict::Reuse { reset: false },
        () if incoming.peer_to_mine == Ordering::Less || ex.server => IdentVerdict::Reuse { reset: false },
        () => IdentVerdict::Wait { kick: true },
    }
}

/// A SESSION_RECONNECT as the table sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncomingReconnect {
    /// The dialler's cookie of the session to resume.
    pub client_cookie: u64,
    /// The acceptor's cookie of the session to resume.
    pub server_cookie: u64,
    /// The last message that the peer received.
    pub in_seq: u64,
    /// The number of the attempt among the peer's.
    pub global_seq: u64,
    /// How often the peer resumed the session.
    pub connect_seq: u64,
    /// Whether this side's policy insists that a lost session is lost on both sides.
    pub resetcheck: bool,
    /// Whether it comes from another entity than the one that the session belongs to.
    pub foreign: bool,
    /// The peer's address against this side's, in the order of [`axon_denc::EntityAddr::race_cmp`].
    pub peer_to_mine: Ordering,
}

/// What to do with a SESSION_RECONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconnectVerdict {
    /// Move the socket into the session and resume it.
    Resume,
    /// SESSION_RESET.
    Reset {
        /// Whether the peer must forget its half as well.
        full: bool,
    },
    /// SESSION_RETRY with this side's `connect_seq`.
    Retry {
        /// It.
        connect_seq: u64,
    },
    /// SESSION_RETRY_GLOBAL with the newest attempt known.
    RetryGlobal {
        /// It.
        global_seq: u64,
    },
    /// WAIT: this side's own attempt goes first.
    Wait,
    /// Close the socket: the session is none of the peer's business.
    Refuse,
}

/// Judges a SESSION_RECONNECT; first match wins (Ceph: `ProtocolV2::handle_reconnect`).
///
/// | row | when | verdict |
/// |---|---|---|
/// | nobody | no session exists, or it is over | reset, full |
/// | foreign | the session belongs to another entity (Ceph does not look) | refuse; dial if it rests |
/// | replacing | another socket is being moved in | retry global |
/// | other-session | the cookie is another | reset, full if the policy checks |
/// | asking | this side dials and waits for its SERVER_IDENT: the peer's session is the one it asks for, if that still comes | wait |
/// | half-open | this side dialled and never got its SERVER_IDENT | reset, not full |
/// | other-beginning | the acceptor's cookie is another: both ends accepted, or one forgot and accepted a late question | reset; full if more than the beginning is at stake |
/// | beyond | the peer received more than was sent | reset, full |
/// | stale | the session saw a newer attempt | retry global |
/// | behind | the session was resumed more often | retry |
/// | race-won | both resume; the peer's address is higher, and this side may dial | wait |
/// | resume | otherwise | resume |
pub fn decide_reconnect(existing: Option<&Existing>, incoming: &IncomingReconnect) -> ReconnectVerdict {
    let Some(ex) = existing.filter(|ex| !ex.closed) else {
        return ReconnectVerdict::Reset { full: true };
    };
    let race = ex.connect_seq == incoming.connect_seq;
    match () {
        () if incoming.foreign => ReconnectVerdict::Refuse,
        () if ex.replacing => ReconnectVerdict::RetryGlobal { global_seq: ex.peer_global_seq },
        () if ex.client_cookie != incoming.client_cookie => {
            ReconnectVerdict::Reset { full: incoming.resetcheck }
        }
        () if ex.server_cookie == 0 && ex.asking => ReconnectVerdict::Wait,
        () if ex.server_cookie == 0 => ReconnectVerdict::Reset { full: false },
        () if ex.server_cookie != incoming.server_cookie => ReconnectVerdict::Reset { full: ex.mutual },
        () if incoming.in_seq > ex.sent => ReconnectVerdict::Reset { full: true },
        () if ex.peer_global_seq > incoming.global_seq => {
            ReconnectVerdict::RetryGlobal { global_seq: ex.peer_global_seq }
        }
        () if ex.connect_seq > incoming.connect_seq => {
            ReconnectVerdict::Retry { connect_seq: ex.connect_seq }
        }
        () if race && incoming.peer_to_mine == Ordering::Greater && !ex.server => ReconnectVerdict::Wait,
        () => ReconnectVerdict::Resume,
    }
}

#[cfg(test)]
mod tests;
