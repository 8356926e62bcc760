//! The accepting side.

mod auth;
mod session;

pub use session::{Ident, Verdict};

use super::{Next, Phase, Wires, unexpected};
use crate::Fault;
use crate::policy::Policies;
use alloc::boxed::Box;
use alloc::sync::Arc;
use auth::{AwaitAuthMore, AwaitAuthRequest, AwaitSignature};
use axon_auth::ServerExchange;
use axon_denc::{AddrVec, EntityAddr};
use axon_wire::{Control, Frame, Hello};
use session::{AwaitIdent, AwaitVerdict};

/// What an accepted socket starts with.
pub struct ServerStart {
    /// The address at the other end of the socket, told to the peer in HELLO.
    pub peer_socket: EntityAddr,
    /// This side's addresses; a blank IP is filled in from what the peer dialled.
    pub my_addrs: AddrVec,
    /// Policies by type of peer.
    pub policies: Arc<Policies>,
    /// Authenticates.
    pub exchange: Box<dyn ServerExchange>,
}

/// Where the accepting side stands.
pub(crate) enum Server {
    Banner(Box<AwaitBanner>),
    Hello(Box<AwaitHello>),
    AuthRequest(Box<AwaitAuthRequest>),
    AuthMore(Box<AwaitAuthMore>),
    /// The peer was refused in the middle of a method: no frame is legal any more, only the end of the socket.
    Refused,
    Signature(Box<AwaitSignature>),
    Ident(Box<AwaitIdent>),
    Verdict(Box<AwaitVerdict>),
}

pub(crate) struct AwaitBanner {
    start: ServerStart,
}

pub(crate) struct AwaitHello {
    start: ServerStart,
}

type Step = Result<Next<Server>, Fault>;

impl Server {
    /// Writes the banner and awaits the peer's.
    pub(crate) fn start(start: ServerStart, wires: Wires<'_>) -> Result<Self, Fault> {
        wires.send.banner(super::our_banner(wires.config))?;
        Ok(Self::Banner(Box::new(AwaitBanner { start })))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Banner(_) => "awaiting the banner",
            Self::Hello(_) => "awaiting HELLO",
            Self::AuthRequest(_) => "awaiting AUTH_REQUEST",
            Self::AuthMore(_) => "awaiting AUTH_REQUEST_MORE",
            Self::Refused => "refused, awaiting the end",
            Self::Signature(_) => "awaiting AUTH_SIGNATURE",
            Self::Ident(_) => "awaiting CLIENT_IDENT",
            Self::Verdict(_) => "deciding about a session",
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
            (Self::Hello(state), Control::Hello(hello)) => Ok(state.on_hello(hello, wires)),
            (Self::AuthRequest(state), Control::AuthRequest(request)) => state.on_request(request, wires),
            (Self::AuthMore(state), Control::AuthRequestMore(more)) => state.on_more(&more.payload, wires),
            (Self::Signature(state), Control::AuthSignature(theirs)) => state.on_signature(theirs, wires),
            (Self::Ident(state), Control::ClientIdent(ident)) => state.on_client_ident(ident, wires),
            (Self::Ident(state), Control::SessionReconnect(frame)) => state.on_reconnect(frame),
            (_, control) => unexpected(name, &Frame::Control(control)),
        }
    }

    /// The driver's decision. Does nothing in states that asked for none.
    pub(crate) fn on_verdict(self, verdict: Verdict, wires: Wires<'_>) -> Step {
        match self {
            Self::Verdict(state) => state.on_verdict(verdict, wires),
            other => Ok(Next::Await(other)),
        }
    }
}

impl AwaitBanner {
    fn on_banner(self, wires: Wires<'_>) -> Result<Server, Fault> {
        wires.timeline.reached(Phase::Banner, wires.now);
        let hello = Hello { entity_type: wires.config.name.kind, peer_addr: self.start.peer_socket };
        wires.send.control(&Control::Hello(hello))?;
        Ok(Server::Hello(Box::new(AwaitHello { start: self.start })))
    }
}

impl AwaitHello {
    fn on_hello(self, hello: Hello, wires: Wires<'_>) -> Next<Server> {
        wires.timeline.reached(Phase::Hello, wires.now);
        Next::Await(Server::AuthRequest(Box::new(AwaitAuthRequest::new(hello.entity_type, self.start))))
    }
}
