//! The dialling side authenticates.

use super::super::rounds::Rounds;
use super::super::{End, Next, Phase, Wires, install};
use super::session::{self, Authenticated};
use super::{Client, ClientStart, Step};
use crate::Fault;
use crate::transcript::Transcript;
use alloc::boxed::Box;
use alloc::vec::Vec;
use axon_auth::{Agreed, Method, Mode, Request};
use axon_wire::{AuthBadMethod, AuthDone, AuthRequest, AuthRequestMore, AuthSignature, Control};

pub(crate) struct AwaitAuth {
    start: ClientStart,
    /// Of the last request.
    method: Method,
    rounds: Rounds,
}

pub(crate) struct AwaitSignature {
    start: ClientStart,
    agreed: Agreed,
    mode: Mode,
    sent: Transcript,
}

impl AwaitAuth {
    pub(super) fn begin(mut start: ClientStart, wires: Wires<'_>) -> Step {
        let request = start.exchange.request()?;
        let method = request.method;
        send_request(request, &start, wires)?;
        Ok(Next::Await(Client::Auth(Box::new(Self { start, method, rounds: Rounds::default() }))))
    }

    pub(super) fn on_bad_method(mut self: Box<Self>, bad: AuthBadMethod, wires: Wires<'_>) -> Step {
        self.count_round()?;
        let ours = wires.config.modes_for(self.start.peer);
        let theirs: Vec<Mode> = bad.allowed_modes.iter().map(|m| Mode(*m)).collect();
        let acceptable = theirs.iter().any(|mode| ours.allows(*mode));
        if !theirs.is_empty() && !acceptable {
            return Err(Fault::NoCommonMode { ours: ours.all(), theirs });
        }
        let methods: Vec<Method> = bad.allowed_methods.iter().map(|m| Method(*m)).collect();
        let request = self.start.exchange.bad_method(Method(bad.method), bad.result, &methods)?;
        self.method = request.method;
        send_request(request, &self.start, wires)?;
        Ok(Next::Await(Client::Auth(self)))
    }

    pub(super) fn on_more(mut self: Box<Self>, payload: &[u8], wires: Wires<'_>) -> Step {
        self.count_round()?;
        let payload = self.start.exchange.more(payload)?;
        wires.send.control(&Control::AuthRequestMore(AuthRequestMore { payload }))?;
        Ok(Next::Await(Client::Auth(self)))
    }

    pub(super) fn on_done(self, done: AuthDone, mut wires: Wires<'_>) -> Step {
        let Self { mut start, method, .. } = self;
        let mode = Mode(done.mode);
        if !wires.config.modes_for(start.peer).usable_with(method).contains(&mode) {
            return Err(Fault::ModeNotOffered { mode });
        }
        let agreed = start.exchange.done(done.global_id, mode, &done.payload)?;
        install(&agreed, mode, End::Connector, &mut wires)?;
        wires.timeline.reached(Phase::Auth, wires.now);
        let received = wires.receive.take_transcript();
        let sent = wires.send.take_transcript();
        let signature = received.sign(agreed.session_key.as_ref().map(|k| k.as_slice()));
        wires.send.control(&Control::AuthSignature(AuthSignature { signature }))?;
        Ok(Next::Await(Client::Signature(Box::new(AwaitSignature { start, agreed, mode, sent }))))
    }

    fn count_round(&mut self) -> Result<(), Fault> {
        self.rounds.next().ok_or(Fault::TooManyAuthRounds { limit: Rounds::LIMIT })
    }
}

/// Writes AUTH_REQUEST with the modes usable with its method.
fn send_request(request: Request, start: &ClientStart, wires: Wires<'_>) -> Result<(), Fault> {
    let ours = wires.config.modes_for(start.peer);
    let modes = ours.usable_with(request.method);
    if modes.is_empty() {
        return Err(Fault::NoCommonMode { ours: ours.all(), theirs: Vec::from([Mode::CRC]) });
    }
    wires.send.control(&Control::AuthRequest(AuthRequest {
        method: request.method.0,
        preferred_modes: modes.iter().map(|m| m.0).collect(),
        payload: request.payload,
    }))
}

impl AwaitSignature {
    pub(super) fn on_signature(self, theirs: AuthSignature, wires: Wires<'_>) -> Step {
        let Self { mut start, agreed, mode, sent } = self;
        sent.verify(agreed.session_key.as_ref().map(|k| k.as_slice()), &theirs.signature)?;
        start.exchange.confirmed();
        wires.timeline.reached(Phase::Signature, wires.now);
        session::ask(Authenticated { start, global_id: agreed.global_id, mode }, wires)
    }
}
