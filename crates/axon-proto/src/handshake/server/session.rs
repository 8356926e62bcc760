//! The accepting side decides about a session, with the driver's help.

use super::super::rounds::Rounds;
use super::super::{Established, Next, Phase, Resumed, Wires, ident_flags};
use super::{Server, Step};
use crate::{Fault, Policy, address};
use alloc::boxed::Box;
use axon_auth::{Identity, Mode};
use axon_denc::{AddrVec, EntityName, EntityType};
use axon_wire::{
    ClientIdent, Control, IdentMissingFeatures, ServerIdent, SessionReconnect, SessionReconnectOk,
    SessionReset, SessionRetry, SessionRetryGlobal, Wait,
};

/// Who asks for a session; the driver answers with a [`Verdict`].
#[derive(Debug, Clone)]
pub enum Ident {
    /// A new session, or one whose establishment broke off.
    Client {
        /// The peer's name.
        peer: EntityName,
        /// Where the peer is; what sessions are looked up by.
        addrs: AddrVec,
        /// The policy that holds for it.
        policy: Policy,
        /// The number of the attempt among all of the peer's.
        global_seq: u64,
        /// The peer's cookie for the session; zero if lossy.
        cookie: u64,
        /// Who authenticated.
        identity: Identity,
    },
    /// A session to be resumed.
    Reconnect {
        /// The peer's type.
        peer: EntityType,
        /// What it sent.
        frame: SessionReconnect,
        /// The policy that holds for it.
        policy: Policy,
        /// Who authenticated.
        identity: Identity,
    },
}

impl Ident {
    /// Where the peer is; what sessions are looked up by.
    pub fn addrs(&self) -> &AddrVec {
        match self {
            Self::Client { addrs, .. } => addrs,
            Self::Reconnect { frame, .. } => &frame.addrs,
        }
    }

    /// The policy that holds for the peer.
    pub fn policy(&self) -> &Policy {
        match self {
            Self::Client { policy, .. } | Self::Reconnect { policy, .. } => policy,
        }
    }

    /// The peer's type.
    pub fn peer_type(&self) -> EntityType {
        match self {
            Self::Client { peer, .. } => peer.kind,
            Self::Reconnect { peer, .. } => *peer,
        }
    }

    /// Who authenticated.
    pub fn identity(&self) -> &Identity {
        match self {
            Self::Client { identity, .. } | Self::Reconnect { identity, .. } => identity,
        }
    }
}

/// The driver's answer to an [`Ident`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// SERVER_IDENT: the session begins.
    Accept {
        /// This side's number for the attempt.
        global_seq: u64,
        /// This side's cookie for the session; zero if lossy.
        cookie: u64,
    },
    /// SESSION_RECONNECT_OK: the session goes on.
    Resume {
        /// The last message this side received.
        in_seq: u64,
    },
    /// SESSION_RESET: there is no such session. With `full` the peer must forget its half.
    Reset {
        /// Whether the peer must forget its half.
        full: bool,
    },
    /// SESSION_RETRY: a newer `connect_seq` is known.
    Retry {
        /// It.
        connect_seq: u64,
    },
    /// SESSION_RETRY_GLOBAL: a newer `global_seq` is known.
    RetryGlobal {
        /// It.
        global_seq: u64,
    },
    /// WAIT: this side's own dial goes first.
    Wait,
    /// Close without a word: the attempt is out of date.
    Drop,
    /// Close without a word: the session belongs to another entity.
    Refuse,
}

pub(crate) struct AwaitIdent {
    peer: Peer,
    rounds: Rounds,
}

pub(crate) struct AwaitVerdict {
    await_ident: AwaitIdent,
    asked: Asked,
}

/// What the peer asked for.
enum Asked {
    Session(Box<ClientIdent>),
    /// With the last message it received.
    Resume(u64),
}

/// What is known of the peer once the keys are agreed.
pub(super) struct Peer {
    pub(super) kind: EntityType,
    pub(super) identity: Identity,
    pub(super) global_id: u64,
    pub(super) mode: Mode,
    pub(super) policy: Policy,
    pub(super) my_addrs: AddrVec,
}

impl AwaitIdent {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer, rounds: Rounds::default() }
    }

    pub(super) fn on_client_ident(mut self: Box<Self>, ident: ClientIdent, wires: Wires<'_>) -> Step {
        self.count_round()?;
        if ident.addrs.first().is_blank_ip() {
            return Err(Fault::BlankAddress);
        }
        if !address::answers_to(&self.peer.my_addrs, &ident.target_addr) {
            return Err(Fault::NotMe { target: ident.target_addr });
        }
        let missing = ident.features_supported.missing(self.peer.policy.features_required);
        if !missing.is_empty() {
            let answer = IdentMissingFeatures { features: missing };
            wires.send.control(&Control::IdentMissingFeatures(answer))?;
            return Ok(Next::Await(Server::Ident(self)));
        }
        let ask = Ident::Client {
            peer: EntityName::new(self.peer.kind, ident.gid),
            addrs: ident.addrs.clone(),
            policy: self.peer.policy,
            global_seq: ident.global_seq,
            cookie: ident.client_cookie,
            identity: self.peer.identity.clone(),
        };
        Ok(self.ask(Asked::Session(Box::new(ident)), ask))
    }

    pub(super) fn on_reconnect(mut self, frame: SessionReconnect) -> Step {
        self.count_round()?;
        let asked = Asked::Resume(frame.msg_seq);
        let (policy, identity) = (self.peer.policy, self.peer.identity.clone());
        let ask = Ident::Reconnect { peer: self.peer.kind, frame, policy, identity };
        Ok(self.ask(asked, ask))
    }

    fn ask(self, asked: Asked, ask: Ident) -> Next<Server> {
        let state = AwaitVerdict { await_ident: self, asked };
        Next::Ask(Server::Verdict(Box::new(state)), Box::new(ask))
    }

    fn count_round(&mut self) -> Result<(), Fault> {
        self.rounds.next().ok_or(Fault::TooManySessionRounds { limit: Rounds::LIMIT })
    }
}

impl AwaitVerdict {
    pub(super) fn on_verdict(self, verdict: Verdict, wires: Wires<'_>) -> Step {
        let Self { await_ident, asked } = self;
        let refusal = match (verdict, asked) {
            (Verdict::Accept { global_seq, cookie }, Asked::Session(ident)) => {
                return accept(await_ident.peer, *ident, global_seq, cookie, wires);
            }
            (Verdict::Resume { in_seq }, Asked::Resume(peer_in_seq)) => {
                return resume(await_ident.peer, in_seq, peer_in_seq, wires);
            }
            (Verdict::Accept { .. } | Verdict::Resume { .. } | Verdict::Drop, _) => return Err(Fault::Stale),
            (Verdict::Refuse, _) => return Err(Fault::NotTheOwner),
            (Verdict::Reset { full }, _) => Control::SessionReset(SessionReset { full }),
            (Verdict::Retry { connect_seq }, _) => Control::SessionRetry(SessionRetry { connect_seq }),
            (Verdict::RetryGlobal { global_seq }, _) => {
                Control::SessionRetryGlobal(SessionRetryGlobal { global_seq })
            }
            (Verdict::Wait, _) => Control::Wait(Wait),
        };
        wires.send.control(&refusal)?;
        Ok(Next::Await(Server::Ident(Box::new(await_ident))))
    }
}

fn resume(peer: Peer, in_seq: u64, peer_in_seq: u64, wires: Wires<'_>) -> Step {
    wires.send.control(&Control::SessionReconnectOk(SessionReconnectOk { msg_seq: in_seq }))?;
    wires.receive.begin_session();
    wires.timeline.reached(Phase::Ident, wires.now);
    Ok(Next::Resumed(Box::new(Resumed {
        peer_in_seq,
        mode: peer.mode,
        revision: wires.send.revision(),
        global_id: peer.global_id,
        identity: Some(peer.identity),
        timeline: wires.timeline.finish(),
    })))
}

fn accept(peer: Peer, ident: ClientIdent, global_seq: u64, cookie: u64, wires: Wires<'_>) -> Step {
    let (mut my_addrs, policy) = (peer.my_addrs, peer.policy);
    // The client looks for the address it dialled among ours.
    address::learn_ip(&mut my_addrs, &ident.target_addr);
    wires.send.control(&Control::ServerIdent(ServerIdent {
        addrs: my_addrs.clone(),
        gid: wires.config.name.num,
        global_seq,
        features_supported: policy.features_supported,
        features_required: policy.features_required,
        flags: ident_flags(policy.lossy),
        server_cookie: cookie,
    }))?;
    wires.receive.begin_session();
    wires.timeline.reached(Phase::Ident, wires.now);
    Ok(Next::Established(Box::new(Established {
        peer: EntityName::new(peer.kind, ident.gid),
        peer_addrs: ident.addrs,
        my_addrs,
        features: ident.features_supported.intersect(policy.features_supported),
        mode: peer.mode,
        revision: wires.send.revision(),
        lossy: policy.lossy,
        global_id: peer.global_id,
        peer_global_seq: ident.global_seq,
        client_cookie: ident.client_cookie,
        server_cookie: cookie,
        identity: Some(peer.identity),
        timeline: wires.timeline.finish(),
    })))
}
