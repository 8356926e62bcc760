//! Why a link or a session ended, and by whose doing.

use crate::WakeReason;
use alloc::vec::Vec;
use axon_auth::{AuthError, Mode};
use axon_denc::{AddrVec, EntityAddr, EntityType, Features};
use axon_wire::{Tag, WireError};

/// How the transport ended a socket, without the operating system's own types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer, or something between, reset the connection.
    #[error("the connection was reset")]
    Reset,
    /// Nobody listens there.
    #[error("the connection was refused: nothing listens at that address")]
    Refused,
    /// No route, or no answer.
    #[error("the peer is unreachable")]
    Unreachable,
    /// This machine is out of file descriptors or memory for sockets.
    #[error("no file descriptor or socket memory is left on this machine")]
    Exhausted,
    /// Another error, by its number.
    #[error("the transport failed (os error {0})")]
    Os(i32),
}

/// Whose doing a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The network or the peer's process went away.
    Network,
    /// The peer broke the protocol.
    PeerMisbehaved,
    /// Both are right but cannot work together as configured.
    Incompatible,
    /// The peer refused us, or we refused it.
    Refused,
    /// This side ended it.
    Local,
}

/// Why a link ended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The transport ended it.
    #[error("{0}")]
    Disconnected(#[from] Disconnect),
    /// Something took too long.
    #[error("gave up: {0}")]
    TimedOut(WakeReason),
    /// Bytes that are no msgr2 frame, or fail their check.
    #[error("{0}")]
    Wire(#[from] WireError),
    /// A frame that is not legal in this state.
    #[error("unexpected {got:?} frame while {state}")]
    Unexpected {
        /// The state, as what it awaits.
        state: &'static str,
        /// The frame.
        got: Tag,
    },
    /// The peer sent more handshake than any honest peer would.
    #[error("the peer's handshake exceeds {limit} bytes")]
    HandshakeTooLong {
        /// The limit.
        limit: usize,
    },
    /// The address belongs to another type of daemon.
    #[error(
        "expected a process of type {expected} there, but one of type {got} answered: is the address right?"
    )]
    WrongPeerType {
        /// Who was dialled.
        expected: EntityType,
        /// Who answered.
        got: EntityType,
    },
    /// Authentication failed.
    #[error("{0}")]
    Auth(#[from] AuthError),
    /// The peer keeps the authentication going without end.
    #[error("authentication took more than {limit} rounds")]
    TooManyAuthRounds {
        /// The limit.
        limit: u32,
    },
    /// The peer keeps asking for a session without end.
    #[error("no session was agreed in {limit} rounds")]
    TooManySessionRounds {
        /// The limit.
        limit: u32,
    },
    /// No mode is acceptable to both.
    #[error("no common connection mode: this side accepts {ours:?}, the peer {theirs:?}")]
    NoCommonMode {
        /// Acceptable here.
        ours: Vec<Mode>,
        /// Acceptable there.
        theirs: Vec<Mode>,
    },
    /// The peer chose a mode that was not offered.
    #[error("the peer chose connection mode {mode:?}, which was not offered")]
    ModeNotOffered {
        /// The mode.
        mode: Mode,
    },
    /// The signature over the handshake does not match: somebody changed it on the way, or the keys differ.
    #[error("the handshake's signature does not match: it was altered on the way, or the keys differ")]
    BadSignature,
    /// Features are missing on the peer's side.
    #[error("the peer lacks required features {0}")]
    PeerLacksFeatures(Features),
    /// The peer requires features this side does not offer.
    #[error("the peer requires features {0} that this side does not offer")]
    WeLackFeatures(Features),
    /// The process at the address is not the one dialled.
    #[error("dialled {target}, but the process there calls itself {actual}: a stale address or nonce")]
    WrongAddress {
        /// Who was dialled.
        target: EntityAddr,
        /// Who answered.
        actual: AddrVec,
    },
    /// The peer dialled somebody else.
    #[error("the peer wants to reach {target}, which is not this process")]
    NotMe {
        /// Whom it wants.
        target: EntityAddr,
    },
    /// The peer did not say where it is.
    #[error("the peer gave no address of its own")]
    BlankAddress,
    /// The peer asked to wait, as its own dial of us is under way.
    #[error("the peer asked to wait")]
    ToldToWait,
    /// The peer already has a newer connection from us.
    #[error("a newer connection exists")]
    Stale,
    /// The peer acknowledges messages that were never sent.
    #[error("the peer acknowledges message {acked}, but only {sent} were sent")]
    AckBeyond {
        /// What it acknowledges.
        acked: u64,
        /// What was sent.
        sent: u64,
    },
    /// Another entity than the session's owner wants to take it over.
    #[error("the session belongs to another entity")]
    NotTheOwner,
    /// A newer connection of the same peer replaced this one.
    #[error("replaced by a newer connection of the same peer")]
    Replaced,
    /// So many sessions wait for their peers that this one, which has waited longest, makes room.
    #[error("too many sessions wait for their peers, and this one has waited longest")]
    Crowded,
    /// The application, or the end of the messenger, closed the connection.
    #[error("marked down")]
    MarkedDown,
}

impl Fault {
    /// Whose doing this is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Disconnected(_) | Self::TimedOut(_) | Self::ToldToWait | Self::Stale | Self::Replaced => {
                Blame::Network
            }
            Self::Wire(error) => wire_blame(error),
            Self::Unexpected { .. }
            | Self::HandshakeTooLong { .. }
            | Self::ModeNotOffered { .. }
            | Self::TooManyAuthRounds { .. }
            | Self::TooManySessionRounds { .. }
            | Self::BadSignature
            | Self::BlankAddress
            | Self::AckBeyond { .. }
            | Self::NotTheOwner => Blame::PeerMisbehaved,
            Self::WrongPeerType { .. }
            | Self::NoCommonMode { .. }
            | Self::PeerLacksFeatures(_)
            | Self::WeLackFeatures(_)
            | Self::WrongAddress { .. }
            | Self::NotMe { .. } => Blame::Incompatible,
            Self::Auth(error) => auth_blame(error),
            Self::Crowded | Self::MarkedDown => Blame::Local,
        }
    }

    /// Whether trying again without changing anything is pointless.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Auth(error) if heals(error) => false,
            fault => matches!(fault.blame(), Blame::Incompatible | Blame::Refused),
        }
    }
}

fn auth_blame(error: &AuthError) -> Blame {
    match error {
        AuthError::Malformed(_)
        | AuthError::PayloadTooLong { .. }
        | AuthError::TooManyRounds { .. }
        | AuthError::OutOfTurn { .. }
        | AuthError::WrongResponse { .. } => Blame::PeerMisbehaved,
        _ => Blame::Refused,
    }
}

/// Whether the next attempt may succeed by itself: with another ticket, another global id, or secrets that were still
/// under way.
fn heals(error: &AuthError) -> bool {
    matches!(
        error,
        AuthError::TicketRefused { .. }
            | AuthError::TicketExpired { .. }
            | AuthError::ReclaimRefused { .. }
            | AuthError::NoMonSession { .. }
            | AuthError::UnknownSecret { .. }
            | AuthError::NotReady
    )
}

fn wire_blame(error: &WireError) -> Blame {
    match error.blame() {
        axon_wire::Blame::PeerMisbehaved => Blame::PeerMisbehaved,
        axon_wire::Blame::Incompatible => Blame::Incompatible,
        axon_wire::Blame::Local => Blame::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axon_auth::AuthName;

    #[test]
    fn only_what_nothing_but_a_change_can_cure_is_permanent() {
        let (name, service) = (AuthName::new(EntityType::Client, "admin"), EntityType::Osd);
        let cured_by_another_attempt = [
            Fault::Disconnected(Disconnect::Refused),
            Fault::TimedOut(WakeReason::Ready),
            Fault::ToldToWait,
            Fault::BadSignature,
            Fault::Auth(AuthError::TicketRefused { service }),
            Fault::Auth(AuthError::ReclaimRefused { name: name.clone(), global_id: 1 }),
            Fault::Auth(AuthError::NoMonSession { service }),
            Fault::Auth(AuthError::OutOfTurn { state: "A", got: "B" }),
        ];
        for fault in cured_by_another_attempt {
            assert!(!fault.is_permanent(), "{fault}");
        }
        for fault in [
            Fault::Auth(AuthError::KeyRejected { name }),
            Fault::Auth(AuthError::NoTicket { service }),
            Fault::NoCommonMode { ours: Vec::new(), theirs: Vec::new() },
            Fault::Wire(WireError::LegacyPeer),
            Fault::WeLackFeatures(Features(1)),
        ] {
            assert!(fault.is_permanent(), "{fault}");
        }
    }
}
