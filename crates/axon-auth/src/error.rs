//! What can go wrong in an exchange, by whose fault, and what helps.

use crate::{AuthName, KeyUsage, Method};
use alloc::vec::Vec;
use axon_denc::{DecodeError, EntityType};
use core::fmt;

/// Why an attempt to authenticate ended.
///
/// The first group is the peer's doing on either side, the second is what a client meets, the third is why a
/// service refuses. Texts name the cause and what to do about it; none holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The peer's bytes make no sense.
    #[error("malformed authentication payload: {0}")]
    Malformed(#[from] DecodeError),
    /// The peer's payload is longer than any honest one.
    #[error("authentication payload of {length} bytes exceeds the limit of {limit}")]
    PayloadTooLong {
        /// Its length.
        length: usize,
        /// [`crate::MAX_PAYLOAD`].
        limit: usize,
    },
    /// The peer keeps the exchange going without end.
    #[error("authentication did not finish within {limit} rounds")]
    TooManyRounds {
        /// [`crate::MAX_ROUNDS`].
        limit: u32,
    },
    /// A payload came that the exchange does not await.
    #[error("authentication out of turn: in state {state}, got {got}")]
    OutOfTurn {
        /// The state.
        state: &'static str,
        /// What came.
        got: &'static str,
    },
    /// A response answers another request than the one made.
    #[error("the monitor answered request {expected:#06x} with a response to {got:#06x}")]
    WrongResponse {
        /// The request made.
        expected: u16,
        /// The request answered.
        got: u16,
    },
    /// Something encrypted did not come out right: another key, or somebody changed it.
    #[error("cannot decrypt the {what}: it was made with another key, or changed on its way")]
    Undecryptable {
        /// What it was to hold.
        what: KeyUsage,
    },
    /// A key of type none encrypts nothing.
    #[error("the key has type none and cannot protect the {what}: use a key of type aes or aes256k")]
    KeyWithoutSecret {
        /// What was to be protected.
        what: KeyUsage,
    },

    /// No key is configured and cephx is the only way.
    #[error("no key for {name}: name a keyring that holds [{name}], or pass its key")]
    NoKey {
        /// Who wants to authenticate.
        name: AuthName,
    },
    /// The monitor does not accept the key.
    #[error(
        "the monitor rejected {name}: its key is wrong, it does not exist in the cluster, or it has no mon \
         capability; compare with `ceph auth get {name}`"
    )]
    KeyRejected {
        /// Who tried to authenticate.
        name: AuthName,
    },
    /// The monitor does not let us keep the global id of an earlier session. The old ticket is forgotten, so that
    /// the next attempt asks for a new id.
    #[error(
        "the monitor did not let {name} reclaim global id {global_id}: its old ticket is no longer valid, or its \
         key was changed; connecting again asks for a new id"
    )]
    ReclaimRefused {
        /// Who tried to authenticate.
        name: AuthName,
        /// The id it had.
        global_id: u64,
    },
    /// There was no session with a monitor yet, so there is nothing to show to other daemons.
    #[error(
        "not authenticated to a monitor yet, so there is nothing to show to the {service}: connect to a monitor first"
    )]
    NoMonSession {
        /// The service that was dialled.
        service: EntityType,
    },
    /// The monitor gave no ticket for this service.
    #[error(
        "no ticket for service {service}: the monitor gave none; the entity needs a capability for {service} (`ceph auth caps`)"
    )]
    NoTicket {
        /// The service that was dialled.
        service: EntityType,
    },
    /// The ticket is too old, and was not renewed.
    #[error("the ticket for service {service} has expired: renew it over the session with the monitor")]
    TicketExpired {
        /// The service that was dialled.
        service: EntityType,
    },
    /// A daemon of the service does not accept the ticket. A new one is asked for; until it comes, other daemons are shown
    /// the one there is.
    #[error(
        "the {service} refused our ticket: its service keys have rotated away or our clocks differ; a new ticket \
         from the monitor helps"
    )]
    TicketRefused {
        /// The service that was dialled.
        service: EntityType,
    },
    /// Client and server have no method in common.
    #[error(
        "the server refuses method {tried} and allows {}: set auth_client_required to one of them",
        Methods(allowed)
    )]
    MethodRefused {
        /// The method tried last.
        tried: Method,
        /// What the server allows.
        allowed: Vec<Method>,
    },
    /// The server refuses the method and names no other: a monitor that has just started does so.
    #[error(
        "the server refuses method {tried} and names no other: it is still starting, or allows neither this method nor \
         the modes offered with it; try again, then compare auth_client_required and ms_client_mode with its settings"
    )]
    NothingAllowed {
        /// The method tried last.
        tried: Method,
    },
    /// The server allows none of the offered connection modes.
    #[error(
        "the server allows none of the connection modes offered with method {method}: compare ms_client_mode here \
         with ms_service_mode there (method none cannot be secure)"
    )]
    ModeRefused {
        /// The method tried.
        method: Method,
    },
    /// The server refused for a reason that has no name here.
    #[error("the server refused method {method} with error {errno}")]
    Refused {
        /// The method tried.
        method: Method,
        /// As on the wire, negative.
        errno: i32,
    },
    /// A response says that the request failed.
    #[error("the monitor answered with error {status}")]
    RequestFailed {
        /// As on the wire: a negative errno.
        status: i32,
    },
    /// The server could not prove that it knows the ticket's key.
    #[error("the {service} could not prove its identity: it does not hold the keys of its service")]
    ServerUnproven {
        /// The service that was dialled.
        service: EntityType,
    },
    /// The mode is secure but the secret for it is missing or short.
    #[error("secure mode was agreed but the connection secret has only {length} bytes")]
    NoConnectionSecret {
        /// Its length.
        length: usize,
    },
    /// Method none has no keys for secure mode.
    #[error("secure mode is not possible with method none")]
    SecureWithoutKeys,

    /// This service cannot verify anybody yet. The handshake drops the connection without an answer, the client
    /// comes back later.
    #[error("the service keys are not loaded yet: connections are dropped until the monitor has sent them")]
    NotReady,
    /// The client used a method that is not allowed here.
    #[error("method {method} is not allowed here")]
    MethodNotAllowed {
        /// What the client tried.
        method: Method,
    },
    /// The client talks to this daemon as if it were a monitor.
    #[error("the client asked for the monitor's authentication service, this is not a monitor")]
    NotAMonitor,
    /// The client's ticket is for another service.
    #[error("the ticket is for service {got}, this is {expected}")]
    WrongService {
        /// This service.
        expected: EntityType,
        /// What the ticket is for.
        got: EntityType,
    },
    /// The ticket was made with a service secret that is not known here: too old, or too new.
    #[error("the ticket was made with service secret {id}, which is not known here")]
    UnknownSecret {
        /// The secret's id.
        id: u64,
    },
    /// The authorizer's global id is not the ticket's.
    #[error("the authorizer names global id {authorizer}, its ticket {ticket}")]
    GlobalIdMismatch {
        /// From the authorizer.
        authorizer: u64,
        /// From the ticket.
        ticket: u64,
    },
    /// The ticket expired longer ago than key rotation would allow.
    #[error("the ticket of {name} has expired")]
    ExpiredTicket {
        /// Whose it is.
        name: AuthName,
    },
    /// The challenge was not answered, or wrongly: a replayed authorizer.
    #[error("the client did not answer the challenge: a replayed authorizer")]
    ChallengeUnanswered,
    /// No such entity (monitor side).
    #[error("there is no entity {name}")]
    UnknownEntity {
        /// The name claimed.
        name: AuthName,
    },
    /// The proof does not fit the entity's key (monitor side).
    #[error("{name} does not hold its key")]
    BadProof {
        /// The name claimed.
        name: AuthName,
    },
    /// The entity may not use the monitors at all (monitor side).
    #[error("{name} has no mon capability")]
    NoMonCaps {
        /// The name claimed.
        name: AuthName,
    },
    /// The global id may not be reclaimed (monitor side).
    #[error("{name} may not reclaim global id {global_id}")]
    BadReclaim {
        /// The name claimed.
        name: AuthName,
        /// The id claimed.
        global_id: u64,
    },
}

/// Errors as numbered on the wire (Linux), negative.
pub(crate) mod errno {
    pub(crate) const EPERM: i32 = -1;
    pub(crate) const EACCES: i32 = -13;
    pub(crate) const EBUSY: i32 = -16;
    pub(crate) const EINVAL: i32 = -22;
    pub(crate) const EOPNOTSUPP: i32 = -95;
}

impl AuthError {
    /// What a server writes into AUTH_BAD_METHOD, negative. `-EBUSY` ([`AuthError::NotReady`]) is never written:
    /// it means drop the connection.
    pub fn errno(&self) -> i32 {
        match self {
            Self::Malformed(_) | Self::PayloadTooLong { .. } | Self::OutOfTurn { .. } => errno::EINVAL,
            Self::NotReady => errno::EBUSY,
            Self::MethodNotAllowed { .. }
            | Self::SecureWithoutKeys
            | Self::ModeRefused { .. }
            | Self::MethodRefused { .. } => errno::EOPNOTSUPP,
            _ => errno::EACCES,
        }
    }

    /// Whether the acceptor must drop the connection instead of answering AUTH_BAD_METHOD.
    pub fn drops_connection(&self) -> bool {
        matches!(self, Self::NotReady | Self::TooManyRounds { .. })
    }
}

/// A list of methods in words.
struct Methods<'a>(&'a [Method]);

impl fmt::Display for Methods<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (i, method) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{method}")?;
        }
        Ok(())
    }
}
