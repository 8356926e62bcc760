//! The handshake: from a fresh socket to an agreed session. It dies with the socket, or when the session is agreed.
//!
//! ```text
//!  client                                            server
//!  AwaitBanner                                       AwaitBanner
//!     │ ◄──────────────── banners ────────────────────► │
//!  AwaitHello                                        AwaitHello
//!     │ ◄───────────────── HELLO ─────────────────────► │
//!     │ AUTH_REQUEST ─────────────────────────────────► │
//!  AwaitAuth ◄──────────── AUTH_BAD_METHOD ────────  AwaitAuthRequest
//!     │      ◄──────────── AUTH_REPLY_MORE ────────     │
//!     │ AUTH_REQUEST_MORE ────────────────────────►  AwaitAuthMore
//!     │      ◄──────────── AUTH_DONE ──────────────     │
//!     │            (from here on in the agreed mode)    │
//!  AwaitSignature ◄────── AUTH_SIGNATURE ────────►   AwaitSignature
//!     │ CLIENT_IDENT ─────────────────────────────►  AwaitIdent ──► AwaitVerdict
//!  AwaitIdent ◄─────────── SERVER_IDENT ──────────      │
//!     │        (or IDENT_MISSING_FEATURES, WAIT, ...)   │
//!     │                                                 │
//!     │ or, to resume a session:                        │
//!     │ SESSION_RECONNECT ────────────────────────►  AwaitIdent ──► AwaitVerdict
//!  AwaitReconnectOk ◄───── SESSION_RECONNECT_OK ───     │
//!     │        (or RETRY, RETRY_GLOBAL, RESET, WAIT)    │
//!  established                                       established
//! ```
//!
//! Each state is a struct that owns what it needs and is consumed by its transition; keys do not exist in the states
//! before they are agreed.

mod client;
mod rounds;
mod server;
mod timeline;

pub(crate) use client::Client;
pub use client::{ClientStart, Resume};
pub(crate) use server::Server;
pub use server::{Ident, ServerStart, Verdict};
pub use timeline::{Phase, Timeline};

use crate::receive::Receive;
use crate::send::Send;
use crate::{Config, Fault, Instant};
use alloc::boxed::Box;
use alloc::sync::Arc;
use axon_auth::{Agreed, Identity, Mode};
use axon_denc::{AddrVec, EntityName, Features};
use axon_wire::{Banner, Frame, IDENT_LOSSY, Msgr2Features, Revision, Tag};

/// What both ends agreed on.
#[derive(Debug, Clone)]
pub struct Established {
    /// Who the peer says it is.
    pub peer: EntityName,
    /// Where the peer is.
    pub peer_addrs: AddrVec,
    /// This side's addresses, blanks filled in from what the peer saw.
    pub my_addrs: AddrVec,
    /// Features both ends have.
    pub features: Features,
    /// The mode.
    pub mode: Mode,
    /// The framing.
    pub revision: Revision,
    /// Whether the session is lossy.
    pub lossy: bool,
    /// The id the monitor gave the client of this connection.
    pub global_id: u64,
    /// The peer's `global_seq` of this attempt.
    pub peer_global_seq: u64,
    /// The dialler's half of the session's name; zero if it is lossy.
    pub client_cookie: u64,
    /// The acceptor's half of the session's name; zero if it is lossy.
    pub server_cookie: u64,
    /// On the accepting side: who authenticated, with what capabilities.
    pub identity: Option<Identity>,
    /// How long it took.
    pub timeline: Timeline,
}

/// A session goes on where it broke.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// The last message the peer received.
    pub peer_in_seq: u64,
    /// The mode of the new link.
    pub mode: Mode,
    /// Its framing.
    pub revision: Revision,
    /// The id the monitor gave the client of the new link.
    pub global_id: u64,
    /// On the accepting side of the new link: who authenticated, with what capabilities.
    pub identity: Option<Identity>,
    /// How long it took.
    pub timeline: Timeline,
}

impl Established {
    /// Takes over what belongs to the link on which the session goes on. The rest is the session's own: the peer is the same
    /// process, and says its features only once.
    pub fn resume(&mut self, resumed: Resumed) {
        (self.mode, self.revision, self.global_id) = (resumed.mode, resumed.revision, resumed.global_id);
        self.timeline = resumed.timeline;
        // A link that this side dialled does not say who is there.
        if resumed.identity.is_some() {
            self.identity = resumed.identity;
        }
    }
}

/// What a dialling handshake learns about the session before it is over. The session must know at once: the link may
/// break before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionNews {
    /// The session was resumed more often than this side knew; the attempt goes on with this `connect_seq`.
    ConnectSeq(u64),
    /// The peer saw a newer attempt; this one goes on with this `global_seq`.
    GlobalSeq(u64),
    /// The peer has lost the session: with `full` altogether, otherwise it never began there.
    Lost {
        /// Whether messages that were on their way may be lost with it.
        full: bool,
        /// The cookie under which a new session is asked for.
        cookie: u64,
    },
}

/// The parts of a link that a transition may use.
pub(crate) struct Wires<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Arc<Config>,
    pub(crate) receive: &'a mut Receive,
    pub(crate) send: &'a mut Send,
    pub(crate) timeline: &'a mut Timeline,
}

/// What a transition leads to.
pub(crate) enum Next<S> {
    /// Another state.
    Await(S),
    /// The driver must decide about this identification.
    Ask(S, Box<Ident>),
    /// Another state, and something the session must know.
    Tell(S, SessionNews),
    /// The end of the handshake: a new session.
    Established(Box<Established>),
    /// The end of the handshake: the session goes on.
    Resumed(Box<Resumed>),
}

/// A handshake on either side.
pub(crate) enum Handshake {
    Client(Client),
    Server(Server),
}

impl Handshake {
    pub(crate) fn on_banner(self, banner: Banner, mut wires: Wires<'_>) -> Result<Next<Self>, Fault> {
        agree_revision(banner, &mut wires)?;
        match self {
            Self::Client(state) => Ok(Next::Await(Self::Client(state.on_banner(wires)?))),
            Self::Server(state) => Ok(Next::Await(Self::Server(state.on_banner(wires)?))),
        }
    }

    pub(crate) fn on_frame(self, frame: Frame, wires: Wires<'_>) -> Result<Next<Self>, Fault> {
        match self {
            Self::Client(state) => Ok(state.on_frame(frame, wires)?.map(Self::Client)),
            Self::Server(state) => Ok(state.on_frame(frame, wires)?.map(Self::Server)),
        }
    }

    /// The driver's decision. Does nothing in states that asked for none.
    pub(crate) fn on_verdict(self, verdict: Verdict, wires: Wires<'_>) -> Result<Next<Self>, Fault> {
        match self {
            Self::Server(state) => Ok(state.on_verdict(verdict, wires)?.map(Self::Server)),
            other => Ok(Next::Await(other)),
        }
    }

    /// The state, as what it awaits.
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Self::Client(state) => state.name(),
            Self::Server(state) => state.name(),
        }
    }
}

impl<S> Next<S> {
    fn map<T>(self, wrap: impl FnOnce(S) -> T) -> Next<T> {
        match self {
            Self::Await(state) => Next::Await(wrap(state)),
            Self::Ask(state, ident) => Next::Ask(wrap(state), ident),
            Self::Tell(state, news) => Next::Tell(wrap(state), news),
            Self::Established(established) => Next::Established(established),
            Self::Resumed(resumed) => Next::Resumed(resumed),
        }
    }
}

/// The banner this side sends.
pub(crate) fn our_banner(config: &Config) -> Banner {
    let revision = Msgr2Features::REVISION_1;
    Banner {
        supported: if config.offer_revision_1 { revision } else { Msgr2Features::NONE },
        required: if config.require_revision_1 { revision } else { Msgr2Features::NONE },
    }
}

fn agree_revision(theirs: Banner, wires: &mut Wires<'_>) -> Result<(), Fault> {
    let both = our_banner(wires.config).agree(&theirs)?;
    let revision = if both.contains(Msgr2Features::REVISION_1) { Revision::One } else { Revision::Zero };
    wires.receive.set_revision(revision);
    wires.send.set_revision(revision);
    Ok(())
}

/// Which end of the TCP connection this is; decides which nonce encrypts which direction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Connector,
    Acceptor,
}

/// Encrypts both directions with the agreed secret, if the mode says so.
fn install(agreed: &Agreed, mode: Mode, end: End, wires: &mut Wires<'_>) -> Result<(), Fault> {
    if mode != Mode::SECURE {
        return Ok(());
    }
    let secret = agreed.connection_secret.as_ref().map_or(&[][..], |s| s.as_slice());
    let (Some(key), Some(nonce_a), Some(nonce_b)) =
        (secret.first_chunk::<16>(), chunk::<12>(secret, 16), chunk::<12>(secret, 28))
    else {
        return Err(Fault::Auth(axon_auth::AuthError::NoConnectionSecret { length: secret.len() }));
    };
    let (receive, send) = if end == End::Connector { (nonce_a, nonce_b) } else { (nonce_b, nonce_a) };
    wires.receive.secure(key, receive);
    wires.send.secure(key, send);
    Ok(())
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>()
}

/// The catch-all arm of every state.
fn unexpected<T>(state: &'static str, frame: &Frame) -> Result<T, Fault> {
    Err(Fault::Unexpected { state, got: tag_of(frame) })
}

/// The tag of a frame.
pub(crate) fn tag_of(frame: &Frame) -> Tag {
    match frame {
        Frame::Control(control) => control.tag(),
        Frame::Message(_) => Tag::Message,
    }
}

/// The flags of an ident.
fn ident_flags(lossy: bool) -> u64 {
    if lossy { IDENT_LOSSY } else { 0 }
}

/// What the flags of an ident say.
fn is_lossy(flags: u64) -> bool {
    flags & IDENT_LOSSY != 0
}
