//! The dialling side asks for a session.

use super::super::rounds::Rounds;
use super::super::{Established, Next, Phase, Resumed, SessionNews, Wires, ident_flags, is_lossy};
use super::{Client, ClientStart, Resume, Step};
use crate::{Fault, Policy};
use alloc::boxed::Box;
use axon_auth::Mode;
use axon_denc::EntityName;
use axon_wire::{
    ClientIdent, Control, ServerIdent, SessionReconnect, SessionReconnectOk, SessionReset, SessionRetry,
    SessionRetryGlobal,
};

/// What is known once the keys are agreed.
pub(super) struct Authenticated {
    pub(super) start: ClientStart,
    pub(super) global_id: u64,
    pub(super) mode: Mode,
}

/// Asks for the session to be resumed if there is one, else for a new one.
pub(super) fn ask(known: Authenticated, wires: Wires<'_>) -> Step {
    Ok(Next::Await(match known.start.resume {
        Some(resume) => reconnect(known, resume, Rounds::default(), wires)?,
        None => identify(known, wires)?,
    }))
}

fn identify(known: Authenticated, wires: Wires<'_>) -> Result<Client, Fault> {
    let ident = client_ident(&known.start, wires.config.name, known.global_id);
    wires.send.control(&Control::ClientIdent(ident))?;
    Ok(Client::Ident(Box::new(AwaitIdent { known })))
}

fn reconnect(
    known: Authenticated,
    resume: Resume,
    rounds: Rounds,
    wires: Wires<'_>,
) -> Result<Client, Fault> {
    wires.send.control(&Control::SessionReconnect(SessionReconnect {
        addrs: known.start.my_addrs.clone(),
        client_cookie: known.start.cookies[0],
        server_cookie: resume.server_cookie,
        global_seq: known.start.global_seq,
        connect_seq: resume.connect_seq,
        msg_seq: resume.in_seq,
    }))?;
    Ok(Client::ReconnectOk(Box::new(AwaitReconnectOk { known, resume, rounds })))
}

pub(crate) struct AwaitIdent {
    known: Authenticated,
}

pub(crate) struct AwaitReconnectOk {
    known: Authenticated,
    resume: Resume,
    rounds: Rounds,
}

impl AwaitReconnectOk {
    pub(super) fn on_ok(self, ok: SessionReconnectOk, wires: Wires<'_>) -> Next<Client> {
        wires.timeline.reached(Phase::Ident, wires.now);
        wires.receive.begin_session();
        Next::Resumed(Box::new(Resumed {
            peer_in_seq: ok.msg_seq,
            mode: self.known.mode,
            revision: wires.send.revision(),
            global_id: self.known.global_id,
            identity: None,
            timeline: wires.timeline.finish(),
        }))
    }

    /// The peer resumed more often: this attempt is the next one.
    pub(super) fn on_retry(mut self, retry: SessionRetry, wires: Wires<'_>) -> Step {
        self.count_round()?;
        self.resume.connect_seq = retry.connect_seq.saturating_add(1);
        let news = SessionNews::ConnectSeq(self.resume.connect_seq);
        Ok(Next::Tell(reconnect(self.known, self.resume, self.rounds, wires)?, news))
    }

    /// The peer saw a newer attempt of this process: this one becomes the newest.
    pub(super) fn on_retry_global(mut self, retry: SessionRetryGlobal, wires: Wires<'_>) -> Step {
        self.count_round()?;
        let start = &mut self.known.start;
        start.global_seq = start.global_seq.max(retry.global_seq).saturating_add(1);
        let news = SessionNews::GlobalSeq(start.global_seq);
        Ok(Next::Tell(reconnect(self.known, self.resume, self.rounds, wires)?, news))
    }

    /// The peer does not have the session (any more): ask for a new one on the same socket.
    pub(super) fn on_reset(self, reset: SessionReset, wires: Wires<'_>) -> Step {
        let mut known = self.known;
        // Never under the old name: the peer may be who chose it, and would take this question, should it come late, for
        // the beginning of a session that it has ended meanwhile. (Ceph keeps the name unless the reset is full.)
        known.start.cookies[0] = known.start.cookies[1];
        let news = SessionNews::Lost { full: reset.full, cookie: known.start.cookies[0] };
        Ok(Next::Tell(identify(known, wires)?, news))
    }

    fn count_round(&mut self) -> Result<(), Fault> {
        self.rounds.next().ok_or(Fault::TooManySessionRounds { limit: Rounds::LIMIT })
    }
}

impl AwaitIdent {
    pub(super) fn on_ident(self, ident: ServerIdent, wires: Wires<'_>) -> Step {
        let Authenticated { start, global_id, mode } = self.known;
        if !ident.addrs.contains(&start.target) {
            return Err(Fault::WrongAddress { target: start.target, actual: ident.addrs });
        }
        check_features(&start.policy, &ident)?;
        wires.timeline.reached(Phase::Ident, wires.now);
        wires.receive.begin_session();
        Ok(Next::Established(Box::new(Established {
            peer: EntityName::new(start.peer, ident.gid),
            peer_addrs: ident.addrs,
            my_addrs: start.my_addrs,
            features: ident.features_supported.intersect(start.policy.features_supported),
            mode,
            revision: wires.send.revision(),
            lossy: is_lossy(ident.flags),
            global_id,
            peer_global_seq: ident.global_seq,
            client_cookie: start.cookies[0],
            server_cookie: ident.server_cookie,
            identity: None,
            timeline: wires.timeline.finish(),
        })))
    }
}

fn client_ident(start: &ClientStart, name: EntityName, global_id: u64) -> ClientIdent {
    let policy = &start.policy;
    ClientIdent {
        addrs: start.my_addrs.clone(),
        target_addr: start.target,
        gid: own_number(name, global_id),
        global_seq: start.global_seq,
        features_supported: policy.features_supported,
        features_required: policy.features_required,
        flags: ident_flags(policy.lossy),
        client_cookie: start.cookies[0],
    }
}

/// A client that was given no number of its own is numbered by its global id, as Ceph's clients are.
fn own_number(name: EntityName, global_id: u64) -> i64 {
    if name.num == -1 && global_id != 0 { global_id.cast_signed() } else { name.num }
}

/// Both ends have what the other requires. Ceph's connector leaves the first half to the acceptor.
fn check_features(policy: &Policy, ident: &ServerIdent) -> Result<(), Fault> {
    let missing = policy.features_supported.missing(ident.features_required);
    if !missing.is_empty() {
        return Err(Fault::WeLackFeatures(missing));
    }
    let missing = ident.features_supported.missing(policy.features_required);
    if !missing.is_empty() {
        return Err(Fault::PeerLacksFeatures(missing));
    }
    Ok(())
}
