//! The dialling side.

use super::{End, Established, Next, Phase, Timeline, Wires, ident_flags, install, is_lossy, unexpected};
use crate::address;
use crate::transcript::Transcript;
use crate::{Fault, Policy};
use alloc::boxed::Box;
use alloc::vec::Vec;
use axon_auth::{Agreed, ClientExchange, Method, Mode, Request};
use axon_denc::{AddrVec, EntityAddr, EntityName, EntityType};
use axon_wire::{
    AuthBadMethod, AuthDone, AuthRequest, AuthRequestMore, AuthSignature, ClientIdent, Control, Frame, Hello,
    Limits, ServerIdent,
};

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
    /// The session's cookie; zero for lossy sessions.
    pub cookie: u64,
    /// Authenticates.
    pub exchange: Box<dyn ClientExchange>,
}

/// Where the dialling side stands.
pub(crate) enum Client {
    Banner(Box<AwaitBanner>),
    Hello(Box<AwaitHello>),
    Auth(Box<AwaitAuth>),
    Signature(Box<AwaitSignature>),
    Ident(Box<AwaitIdent>),
}

pub(crate) struct AwaitBanner {
    start: ClientStart,
    timeline: Timeline,
}

pub(crate) struct AwaitHello {
    start: ClientStart,
    timeline: Timeline,
}

pub(crate) struct AwaitAuth {
    start: ClientStart,
    timeline: Timeline,
    method: Method,
    rounds: Rounds,
}

pub(crate) struct AwaitSignature {
    start: ClientStart,
    timeline: Timeline,
    agreed: Agreed,
    mode: Mode,
    sent: Transcript,
}

pub(crate) struct AwaitIdent {
    start: ClientStart,
    timeline: Timeline,
    global_id: u64,
    mode: Mode,
}

/// Counts the rounds of an authentication; neither side lets the other go on for ever.
#[derive(Default)]
pub(super) struct Rounds(u32);

impl Rounds {
    /// No method of Ceph takes more than two rounds; a few refused methods may come before.
    const LIMIT: u32 = 10;

    pub(super) fn next(&mut self) -> Result<(), Fault> {
        self.0 += 1;
        if self.0 > Self::LIMIT { Err(Fault::TooManyAuthRounds { limit: Self::LIMIT }) } else { Ok(()) }
    }
}

type Step = Result<Next<Client>, Fault>;

impl Client {
    /// Writes the banner and awaits the peer's.
    pub(crate) fn start(start: ClientStart, wires: Wires<'_>) -> Result<Self, Fault> {
        wires.send.banner(super::our_banner(wires.config))?;
        let timeline = Timeline::new(wires.now);
        Ok(Self::Banner(Box::new(AwaitBanner { start, timeline })))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Banner(_) => "awaiting the banner",
            Self::Hello(_) => "awaiting HELLO",
            Self::Auth(_) => "awaiting the answer to AUTH_REQUEST",
            Self::Signature(_) => "awaiting AUTH_SIGNATURE",
            Self::Ident(_) => "awaiting SERVER_IDENT",
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
            (Self::Ident(_), Control::Wait(_)) => Err(Fault::ToldToWait),
            (_, control) => unexpected(name, &Frame::Control(control)),
        }
    }
}

impl AwaitBanner {
    fn on_banner(self, wires: Wires<'_>) -> Result<Client, Fault> {
        let Self { start, mut timeline } = self;
        timeline.reached(Phase::Banner, wires.now);
        let hello = Hello { entity_type: wires.config.name.kind, peer_addr: start.target };
        wires.send.control(&Control::Hello(hello))?;
        Ok(Client::Hello(Box::new(AwaitHello { start, timeline })))
    }
}

impl AwaitHello {
    fn on_hello(self, hello: Hello, wires: Wires<'_>) -> Step {
        let Self { mut start, mut timeline } = self;
        if hello.entity_type != start.peer {
            return Err(Fault::WrongPeerType { expected: start.peer, got: hello.entity_type });
        }
        timeline.reached(Phase::Hello, wires.now);
        address::learn_ip(&mut start.my_addrs, &hello.peer_addr);
        let request = start.exchange.request()?;
        let method = request.method;
        send_request(request, &start, wires)?;
        let rounds = Rounds::default();
        Ok(Next::Await(Client::Auth(Box::new(AwaitAuth { start, timeline, method, rounds }))))
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

impl AwaitAuth {
    fn on_bad_method(mut self: Box<Self>, bad: AuthBadMethod, wires: Wires<'_>) -> Step {
        self.rounds.next()?;
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

    fn on_more(mut self: Box<Self>, payload: &[u8], wires: Wires<'_>) -> Step {
        self.rounds.next()?;
        let payload = self.start.exchange.more(payload)?;
        wires.send.control(&Control::AuthRequestMore(AuthRequestMore { payload }))?;
        Ok(Next::Await(Client::Auth(self)))
    }

    fn on_done(self, done: AuthDone, mut wires: Wires<'_>) -> Step {
        let Self { mut start, mut timeline, method, .. } = self;
        let mode = Mode(done.mode);
        if !wires.config.modes_for(start.peer).usable_with(method).contains(&mode) {
            return Err(Fault::ModeNotOffered { mode });
        }
        let agreed = start.exchange.done(done.global_id, mode, &done.payload)?;
        install(&agreed, mode, End::Connector, &mut wires)?;
        timeline.reached(Phase::Auth, wires.now);
        let received = wires.receive.take_transcript();
        let sent = wires.send.take_transcript();
        let signature = received.sign(agreed.session_key.as_ref().map(|k| k.as_slice()));
        wires.send.control(&Control::AuthSignature(AuthSignature { signature }))?;
        Ok(Next::Await(Client::Signature(Box::new(AwaitSignature { start, timeline, agreed, mode, sent }))))
    }
}

impl AwaitSignature {
    fn on_signature(self, theirs: AuthSignature, wires: Wires<'_>) -> Step {
        let Self { start, mut timeline, agreed, mode, sent } = self;
        sent.verify(agreed.session_key.as_ref().map(|k| k.as_slice()), &theirs.signature)?;
        timeline.reached(Phase::Signature, wires.now);
        let global_id = agreed.global_id;
        wires.send.control(&Control::ClientIdent(client_ident(&start, wires.config.name, global_id)))?;
        Ok(Next::Await(Client::Ident(Box::new(AwaitIdent { start, timeline, global_id, mode }))))
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
        client_cookie: start.cookie,
    }
}

/// A client that was given no number of its own is numbered by its global id, as Ceph's clients are.
fn own_number(name: EntityName, global_id: u64) -> i64 {
    if name.num == -1 && global_id != 0 { global_id.cast_signed() } else { name.num }
}

impl AwaitIdent {
    fn on_ident(self, ident: ServerIdent, wires: Wires<'_>) -> Step {
        let Self { start, mut timeline, global_id, mode } = self;
        if !ident.addrs.contains(&start.target) {
            return Err(Fault::WrongAddress { target: start.target, actual: ident.addrs });
        }
        let ours = start.policy.features_supported;
        let missing = ours.missing(ident.features_required);
        if !missing.is_empty() {
            return Err(Fault::WeLackFeatures(missing));
        }
        let missing = ident.features_supported.missing(start.policy.features_required);
        if !missing.is_empty() {
            return Err(Fault::PeerLacksFeatures(missing));
        }
        timeline.reached(Phase::Ident, wires.now);
        wires.receive.set_limits(Limits::SESSION);
        Ok(Next::Established(Box::new(Established {
            peer: EntityName::new(start.peer, ident.gid),
            peer_addrs: ident.addrs,
            my_addrs: start.my_addrs,
            features: ident.features_supported.intersect(ours),
            mode,
            revision: wires.send.revision(),
            lossy: is_lossy(ident.flags),
            global_id,
            peer_global_seq: ident.global_seq,
            identity: None,
            timeline,
        })))
    }
}
