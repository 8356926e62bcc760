//! The accepting side authenticates the peer.

use super::super::rounds::Rounds;
use super::super::{End, Next, Phase, Wires, install};
use super::session::{AwaitIdent, Peer};
use super::{Server, ServerStart, Step};
use crate::Fault;
use crate::transcript::Transcript;
use alloc::boxed::Box;
use alloc::vec::Vec;
use axon_auth::{Agreed, AuthError, Identity, Method, Mode, Step as AuthStep};
use axon_denc::EntityType;
use axon_wire::{AuthBadMethod, AuthDone, AuthReplyMore, AuthRequest, AuthSignature, Control};

pub(crate) struct AwaitAuthRequest(Attempt);

pub(crate) struct AwaitAuthMore {
    attempt: Attempt,
    method: Method,
    mode: Mode,
}

pub(crate) struct AwaitSignature {
    peer: Peer,
    agreed: Agreed,
    sent: Transcript,
}

/// A peer's attempt to authenticate, which may go through several methods.
struct Attempt {
    /// What the peer says it is.
    kind: EntityType,
    start: ServerStart,
    rounds: Rounds,
}

impl AwaitAuthRequest {
    pub(super) fn new(kind: EntityType, start: ServerStart) -> Self {
        Self(Attempt { kind, start, rounds: Rounds::default() })
    }

    pub(super) fn on_request(self, request: AuthRequest, wires: Wires<'_>) -> Step {
        let Self(mut attempt) = self;
        attempt.count_round()?;
        let method = Method(request.method);
        let modes = wires.config.modes_for(attempt.kind);
        let Some(mode) = modes.choose(method, &request.preferred_modes) else {
            return attempt.await_another(method, EOPNOTSUPP, wires);
        };
        match attempt.start.exchange.request(attempt.kind, method, mode, &request.payload) {
            Ok(step) => attempt.go_on(method, mode, step, wires),
            Err(error) => attempt.await_another(method, errno(error)?, wires),
        }
    }
}

impl AwaitAuthMore {
    pub(super) fn on_more(self, payload: &[u8], wires: Wires<'_>) -> Step {
        let Self { mut attempt, method, mode } = self;
        attempt.count_round()?;
        match attempt.start.exchange.more(payload) {
            Ok(step) => attempt.go_on(method, mode, step, wires),
            Err(error) => {
                attempt.refuse(method, errno(error)?, wires)?;
                Ok(Next::Await(Server::Refused))
            }
        }
    }
}

impl Attempt {
    fn count_round(&mut self) -> Result<(), Fault> {
        self.rounds.next().ok_or(Fault::TooManyAuthRounds { limit: Rounds::LIMIT })
    }

    fn go_on(self, method: Method, mode: Mode, step: AuthStep, wires: Wires<'_>) -> Step {
        match step {
            AuthStep::More(payload) => {
                wires.send.control(&Control::AuthReplyMore(AuthReplyMore { payload }))?;
                let state = AwaitAuthMore { attempt: self, method, mode };
                Ok(Next::Await(Server::AuthMore(Box::new(state))))
            }
            AuthStep::Done { payload, agreed, identity } => self.done(payload, agreed, identity, mode, wires),
        }
    }

    fn await_another(self, method: Method, result: i32, wires: Wires<'_>) -> Step {
        self.refuse(method, result, wires)?;
        Ok(Next::Await(Server::AuthRequest(Box::new(AwaitAuthRequest(self)))))
    }

    /// Says what would be accepted.
    fn refuse(&self, method: Method, result: i32, wires: Wires<'_>) -> Result<(), Fault> {
        let methods = self.start.exchange.methods();
        let modes = wires.config.modes_for(self.kind).all();
        wires.send.control(&Control::AuthBadMethod(AuthBadMethod {
            method: method.0,
            result,
            allowed_methods: methods.iter().map(|m| m.0).collect(),
            allowed_modes: modes.iter().map(|m| m.0).collect(),
        }))
    }

    fn done(
        self,
        payload: Vec<u8>,
        agreed: Agreed,
        identity: Identity,
        mode: Mode,
        mut wires: Wires<'_>,
    ) -> Step {
        let done = AuthDone { global_id: agreed.global_id, mode: mode.0, payload };
        wires.send.control(&Control::AuthDone(done))?;
        let received = wires.receive.take_transcript();
        let sent = wires.send.take_transcript();
        install(&agreed, mode, End::Acceptor, &mut wires)?;
        wires.timeline.reached(Phase::Auth, wires.now);
        let signature = received.sign(agreed.session_key.as_ref().map(|k| k.as_slice()));
        wires.send.control(&Control::AuthSignature(AuthSignature { signature }))?;
        let peer = Peer {
            kind: self.kind,
            identity,
            global_id: agreed.global_id,
            mode,
            policy: self.start.policies.get(self.kind),
            my_addrs: self.start.my_addrs,
        };
        Ok(Next::Await(Server::Signature(Box::new(AwaitSignature { peer, agreed, sent }))))
    }
}

/// What AUTH_BAD_METHOD says when no mode is acceptable.
const EOPNOTSUPP: i32 = -95;

/// What AUTH_BAD_METHOD says about this error, unless it ends the connection without an answer.
fn errno(error: AuthError) -> Result<i32, Fault> {
    if error.drops_connection() { Err(error.into()) } else { Ok(error.errno()) }
}

impl AwaitSignature {
    pub(super) fn on_signature(self, theirs: AuthSignature, wires: Wires<'_>) -> Step {
        let Self { peer, agreed, sent } = self;
        sent.verify(agreed.session_key.as_ref().map(|k| k.as_slice()), &theirs.signature)?;
        wires.timeline.reached(Phase::Signature, wires.now);
        Ok(Next::Await(Server::Ident(Box::new(AwaitIdent::new(peer)))))
    }
}
