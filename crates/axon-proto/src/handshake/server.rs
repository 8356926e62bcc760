//! The accepting side.

use super::client::Rounds;
use super::{End, Established, Next, Phase, Timeline, Wires, ident_flags, install, unexpected};
use crate::address;
use crate::policy::Policies;
use crate::transcript::Transcript;
use crate::{Fault, Policy};
use alloc::boxed::Box;
use alloc::sync::Arc;
use axon_auth::{Agreed, Identity, Method, Mode, ServerExchange, Step as AuthStep};
use axon_denc::{AddrVec, EntityAddr, EntityName, EntityType};
use axon_wire::{
    AuthBadMethod, AuthDone, AuthReplyMore, AuthRequest, AuthSignature, ClientIdent, Control, Frame, Hello,
    IdentMissingFeatures, Limits, ServerIdent, SessionReconnect, SessionReset, SessionRetry,
    SessionRetryGlobal, Wait,
};

/// What an accepted socket starts with.
pub struct ServerStart {
    /// The address at the other end of the socket, told to the peer in HELLO.
    pub peer_socket: EntityAddr,
    /// This side's addresses.
    pub my_addrs: AddrVec,
    /// Policies by type of peer.
    pub policies: Arc<Policies>,
    /// Authenticates.
    pub exchange: Box<dyn ServerExchange>,
}

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
    },
    /// A session to be resumed.
    Reconnect {
        /// The peer's type.
        peer: EntityType,
        /// What it sent.
        frame: SessionReconnect,
        /// The policy that holds for it.
        policy: Policy,
    },
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
}

/// Where the accepting side stands.
pub(crate) enum Server {
    Banner(Box<AwaitBanner>),
    Hello(Box<AwaitHello>),
    AuthRequest(Box<AwaitAuth>),
    AuthMore(Box<AwaitAuth>),
    Signature(Box<AwaitSignature>),
    Ident(Box<AwaitIdent>),
    Verdict(Box<AwaitVerdict>),
}

pub(crate) struct AwaitBanner {
    start: ServerStart,
    timeline: Timeline,
}

pub(crate) struct AwaitHello {
    start: ServerStart,
    timeline: Timeline,
}

pub(crate) struct AwaitAuth {
    peer: EntityType,
    mode: Mode,
    rounds: Rounds,
    start: ServerStart,
    timeline: Timeline,
}

pub(crate) struct AwaitSignature {
    who: Authenticated,
    agreed: Agreed,
    sent: Transcript,
    timeline: Timeline,
}

pub(crate) struct AwaitIdent {
    who: Authenticated,
    timeline: Timeline,
}

pub(crate) struct AwaitVerdict {
    who: Authenticated,
    timeline: Timeline,
    /// `None` for a reconnect, which can only be answered by a refusal so far.
    ident: Option<ClientIdent>,
}

/// What is known once the keys are agreed.
pub(crate) struct Authenticated {
    peer: EntityType,
    identity: Identity,
    global_id: u64,
    mode: Mode,
    policy: Policy,
    my_addrs: AddrVec,
}

type Step = Result<Next<Server>, Fault>;

impl Server {
    /// Writes the banner and awaits the peer's.
    pub(crate) fn start(start: ServerStart, wires: Wires<'_>) -> Result<Self, Fault> {
        wires.send.banner(super::our_banner(wires.config))?;
        let timeline = Timeline::new(wires.now);
        Ok(Self::Banner(Box::new(AwaitBanner { start, timeline })))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Banner(_) => "awaiting the banner",
            Self::Hello(_) => "awaiting HELLO",
            Self::AuthRequest(_) => "awaiting AUTH_REQUEST",
            Self::AuthMore(_) => "awaiting AUTH_REQUEST_MORE",
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
            (Self::Ident(state), Control::SessionReconnect(frame)) => Ok(state.on_reconnect(frame)),
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
        let Self { start, mut timeline } = self;
        timeline.reached(Phase::Banner, wires.now);
        let hello = Hello { entity_type: wires.config.name.kind, peer_addr: start.peer_socket };
        wires.send.control(&Control::Hello(hello))?;
        Ok(Server::Hello(Box::new(AwaitHello { start, timeline })))
    }
}

impl AwaitHello {
    fn on_hello(self, hello: Hello, wires: Wires<'_>) -> Next<Server> {
        let Self { start, mut timeline } = self;
        timeline.reached(Phase::Hello, wires.now);
        let (peer, mode) = (hello.entity_type, Mode::CRC);
        Next::Await(Server::AuthRequest(Box::new(AwaitAuth {
            peer,
            mode,
            rounds: Rounds::default(),
            start,
            timeline,
        })))
    }
}

impl AwaitAuth {
    fn on_request(mut self: Box<Self>, request: AuthRequest, wires: Wires<'_>) -> Step {
        self.rounds.next()?;
        let method = Method(request.method);
        let allowed = self.start.exchange.methods();
        let Some(mode) = wires.config.modes_for(self.peer).choose(method, &request.preferred_modes) else {
            let errno = if allowed.contains(&method) { -EOPNOTSUPP } else { -EACCES };
            return self
                .refuse(request.method, errno, wires)
                .map(|state| Next::Await(Server::AuthRequest(state)));
        };
        self.mode = mode;
        match self.start.exchange.request(self.peer, method, mode, &request.payload) {
            Ok(AuthStep::More(payload)) => self.ask_more(payload, wires),
            Ok(AuthStep::Done { payload, agreed, identity }) => self.done(payload, agreed, identity, wires),
            Err(error) if error.drops_connection() => Err(error.into()),
            Err(error) => {
                let state = self.refuse(request.method, error.errno(), wires)?;
                Ok(Next::Await(Server::AuthRequest(state)))
            }
        }
    }

    /// A refusal after the first round ends the attempt: no frame is legal after it but the end of the socket.
    fn on_more(mut self: Box<Self>, payload: &[u8], wires: Wires<'_>) -> Step {
        self.rounds.next()?;
        match self.start.exchange.more(payload) {
            Ok(AuthStep::More(payload)) => self.ask_more(payload, wires),
            Ok(AuthStep::Done { payload, agreed, identity }) => self.done(payload, agreed, identity, wires),
            Err(error) if error.drops_connection() => Err(error.into()),
            Err(error) => {
                let state = self.refuse(Method::CEPHX.0, error.errno(), wires)?;
                Ok(Next::Await(Server::AuthMore(state)))
            }
        }
    }

    fn refuse(self: Box<Self>, method: u32, result: i32, wires: Wires<'_>) -> Result<Box<Self>, Fault> {
        let allowed = self.start.exchange.methods();
        let modes = wires.config.modes_for(self.peer).all();
        wires.send.control(&Control::AuthBadMethod(AuthBadMethod {
            method,
            result,
            allowed_methods: allowed.iter().map(|m| m.0).collect(),
            allowed_modes: modes.iter().map(|m| m.0).collect(),
        }))?;
        Ok(self)
    }

    fn ask_more(self: Box<Self>, payload: alloc::vec::Vec<u8>, wires: Wires<'_>) -> Step {
        wires.send.control(&Control::AuthReplyMore(AuthReplyMore { payload }))?;
        Ok(Next::Await(Server::AuthMore(self)))
    }

    fn done(
        self,
        payload: alloc::vec::Vec<u8>,
        agreed: Agreed,
        identity: Identity,
        mut wires: Wires<'_>,
    ) -> Step {
        let Self { peer, mode, start, mut timeline, .. } = self;
        let global_id = agreed.global_id;
        let done = AuthDone { global_id, mode: mode.0, payload };
        wires.send.control(&Control::AuthDone(done))?;
        let received = wires.receive.take_transcript();
        let sent = wires.send.take_transcript();
        install(&agreed, mode, End::Acceptor, &mut wires)?;
        timeline.reached(Phase::Auth, wires.now);
        let signature = received.sign(agreed.session_key.as_ref().map(|k| k.as_slice()));
        wires.send.control(&Control::AuthSignature(AuthSignature { signature }))?;
        let policy = start.policies.get(peer);
        let who = Authenticated { peer, identity, global_id, mode, policy, my_addrs: start.my_addrs };
        Ok(Next::Await(Server::Signature(Box::new(AwaitSignature { who, agreed, sent, timeline }))))
    }
}

const EACCES: i32 = 13;
const EOPNOTSUPP: i32 = 95;

impl AwaitSignature {
    fn on_signature(self, theirs: AuthSignature, wires: Wires<'_>) -> Step {
        let Self { who, agreed, sent, mut timeline } = self;
        sent.verify(agreed.session_key.as_ref().map(|k| k.as_slice()), &theirs.signature)?;
        timeline.reached(Phase::Signature, wires.now);
        Ok(Next::Await(Server::Ident(Box::new(AwaitIdent { who, timeline }))))
    }
}

impl AwaitIdent {
    fn on_client_ident(self: Box<Self>, ident: ClientIdent, wires: Wires<'_>) -> Step {
        if ident.addrs.first().is_blank_ip() {
            return Err(Fault::BlankAddress);
        }
        if !address::answers_to(&self.who.my_addrs, &ident.target_addr) {
            return Err(Fault::NotMe { target: ident.target_addr });
        }
        let policy = self.who.policy;
        let missing = ident.features_supported.missing(policy.features_required);
        if !missing.is_empty() {
            let answer = Control::IdentMissingFeatures(IdentMissingFeatures { features: missing });
            wires.send.control(&answer)?;
            return Ok(Next::Await(Server::Ident(self)));
        }
        let Self { who, timeline } = *self;
        let ask = Ident::Client {
            peer: EntityName::new(who.peer, ident.gid),
            addrs: ident.addrs.clone(),
            policy,
            global_seq: ident.global_seq,
            cookie: ident.client_cookie,
        };
        let state = Server::Verdict(Box::new(AwaitVerdict { who, timeline, ident: Some(ident) }));
        Ok(Next::Ask(state, Box::new(ask)))
    }

    fn on_reconnect(self, frame: SessionReconnect) -> Next<Server> {
        let Self { who, timeline } = self;
        let ask = Ident::Reconnect { peer: who.peer, frame, policy: who.policy };
        Next::Ask(Server::Verdict(Box::new(AwaitVerdict { who, timeline, ident: None })), Box::new(ask))
    }
}

impl AwaitVerdict {
    fn on_verdict(self, verdict: Verdict, wires: Wires<'_>) -> Step {
        let answer = match (verdict, &self.ident) {
            (Verdict::Accept { global_seq, cookie }, Some(_)) => {
                return self.accept(global_seq, cookie, wires);
            }
            (Verdict::Accept { .. }, None) | (Verdict::Drop, _) => return Err(Fault::Stale),
            (Verdict::Reset { full }, _) => Control::SessionReset(SessionReset { full }),
            (Verdict::Retry { connect_seq }, _) => Control::SessionRetry(SessionRetry { connect_seq }),
            (Verdict::RetryGlobal { global_seq }, _) => {
                Control::SessionRetryGlobal(SessionRetryGlobal { global_seq })
            }
            (Verdict::Wait, _) => Control::Wait(Wait),
        };
        wires.send.control(&answer)?;
        let Self { who, timeline, .. } = self;
        Ok(Next::Await(Server::Ident(Box::new(AwaitIdent { who, timeline }))))
    }

    fn accept(self, global_seq: u64, cookie: u64, wires: Wires<'_>) -> Step {
        let Self { who, mut timeline, ident } = self;
        let Some(ident) = ident else { return Err(Fault::Stale) };
        wires.send.control(&Control::ServerIdent(ServerIdent {
            addrs: who.my_addrs.clone(),
            gid: wires.config.name.num,
            global_seq,
            features_supported: who.policy.features_supported,
            features_required: who.policy.features_required,
            flags: ident_flags(who.policy.lossy),
            server_cookie: cookie,
        }))?;
        wires.receive.set_limits(Limits::SESSION);
        timeline.reached(Phase::Ident, wires.now);
        Ok(Next::Established(Box::new(Established {
            peer: EntityName::new(who.peer, ident.gid),
            peer_addrs: ident.addrs,
            my_addrs: who.my_addrs,
            features: ident.features_supported.intersect(who.policy.features_supported),
            mode: who.mode,
            revision: wires.send.revision(),
            lossy: who.policy.lossy,
            global_id: who.global_id,
            peer_global_seq: ident.global_seq,
            identity: Some(who.identity),
            timeline,
        })))
    }
}
