//! The dialling side.

mod auth;
mod session;

use super::{Next, Phase, Wires, unexpected};
use crate::address;
use crate::{Fault, Policy};
use alloc::boxed::Box;
use auth::{AwaitAuth, AwaitSignature};
use axon_auth::ClientExchange;
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_wire::{Control, Frame, Hello};
use session::{AwaitIdent, AwaitReconnectOk};

/// What a dial starts with.
pub struct ClientStart {
    /// The address dialled, as the peer knows itself (type and nonce included).
    pub target: EntityAddr,
    /// The type of process expected there.
    pub peer: EntityType,
    /// This side's addresses; a blank IP is filled in from what the peer sees.
    pub my_addrs: AddrVec,
    /// The policy towards that type.
    pub policy: Policy,
    /// The number of this attempt among all of this process.
    pub global_seq: u64,
    /// Two random numbers. [`crate::Connection`] overwrites the first with the cookie its session already has, or with
    /// zero if that is lossy; the second serves if the peer has lost the session.
    pub cookies: [u64; 2],
    /// The session to resume; filled in by [`crate::Connection`].
    pub resume: Option<Resume>,
    /// Authenticates.
    pub exchange: Box<dyn ClientExchange>,
}

/// A session to resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// The acceptor's half of its name; the dialler's is the first cookie.
    pub server_cookie: u64,
    /// How often it was resumed, this attempt included.
    pub connect_seq: u64,
    /// The last message received.
    pub in_seq: u64,
}

/// Where the dialling side stands.
pub(crate) enum Client {
    Banner(Box<AwaitBanner>),
    Hello(Box<AwaitHello>),
    Auth(Box<AwaitAuth>),
    Signature(Box<AwaitSignature>),
    Ident(Box<AwaitIdent>),
    ReconnectOk(Box<AwaitReconnectOk>),
}

pub(crate) struct AwaitBanner {
    start: ClientStart,
}

pub(crate) struct AwaitHello {
    start: ClientStart,
}

type Step = Result<Next<Client>, Fault>;

impl Client {
    /// Writes the banner and awaits the peer's.
    pub(crate) fn start(start: ClientStart, wires: Wires<'_>) -> Result<Self, Fault> {
        wires.send.banner(super::our_banner(wires.config))?;
        Ok(Self::Banner(Box::new(AwaitBanner { start })))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Banner(_) => "awaiting the banner",
            Self::Hello(_) => "awaiting HELLO",
            Self::Auth(_) => "awaiting the answer to AUTH_REQUEST",
            Self::Signature(_) => "awaiting AUTH_SIGNATURE",
            Self::Ident(_) => "awaiting SERVER_IDENT",
            Self::ReconnectOk(_) => "awaiting SESSION_RECONNECT_OK",
        }
    }

    pub(crate) fn on_banner(self, wires: Wires<'_>) -> Result<Self, Fault> {
        match self {
            Self::Banner(state) => state.on_banner(wires),
            other => Ok(other), // the receive machine parses exactly one banner
        }
    }

    pub(crate) fn on_frame(self, frame: Frame, wires: Wires<'_>) -> Step {
        let name = self.name();
        let Frame::Control(control) = frame else { return unexpected(name, &frame) };
        match (self, control) {
            (Self::Hello(state), Control::Hello(hello)) => state.on_hello(hello, wires),
            (Self::Auth(state), Control::AuthBadMethod(bad)) => state.on_bad_method(bad, wires),
            (Self::Auth(state), Control::AuthReplyMore(more)) => state.on_more(&more.payload, wires),
            (Self::Auth(state), Control::AuthDone(done)) => state.on_done(done, wires),
            (Self::Signature(state), Control::AuthSignature(theirs)) => state.on_signature(theirs, wires),
            (Self::Ident(state), Control::ServerIdent(ident)) => state.on_ident(ident, wires),
            (Self::Ident(_), Control::IdentMissingFeatures(missing)) => {
                Err(Fault::WeLackFeatures(missing.features))
            }
            (Self::Ident(_) | Self::ReconnectOk(_), Control::Wait(_)) => Err(Fault::ToldToWait),
            (Self::ReconnectOk(state), Control::SessionReconnectOk(ok)) => Ok(state.on_ok(ok, wires)),
            (Self::ReconnectOk(state), Control::SessionRetry(retry)) => state.on_retry(retry, wires),
            (Self::ReconnectOk(state), Control::SessionRetryGlobal(retry)) => {
                state.on_retry_global(retry, wires)
            }
            (Self::ReconnectOk(state), Control::SessionReset(reset)) => state.on_reset(reset, wires),
            (_, control) => unexpected(name, &Frame::Control(control)),
        }
    }
}

impl AwaitBanner {
    fn on_banner(self, wires: Wires<'_>) -> Result<Client, Fault> {
        wires.timeline.reached(Phase::Banner, wires.now);
        let hello = Hello { entity_type: wires.config.name.kind, peer_addr: self.start.target };
        wires.send.control(&Control::Hello(hello))?;
        Ok(Client::Hello(Box::new(AwaitHello { start: self.start })))
    }
}

impl AwaitHello {
    fn on_hello(self, hello: Hello, wires: Wires<'_>) -> Step {
        let mut start = self.start;
        if hello.entity_type != start.peer {
            return Err(Fault::WrongPeerType { expected: start.peer, got: hello.entity_type });
        }
        wires.timeline.reached(Phase::Hello, wires.now);
        address::learn_ip(&mut start.my_addrs, &hello.peer_addr);
        AwaitAuth::begin(start, wires)
    }
}
