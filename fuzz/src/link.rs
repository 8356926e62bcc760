//! Whole sockets: what a peer says from its banner on, to who dialled it and to who accepted it. Nobody proves anything
//! (method none), so that the frames after the handshake are reached.
//!
//! The first byte of an input says how it goes:
//!
//! | bits | what |
//! |---|---|
//! | 1 | who dialled wants to resume a session |
//! | 2-4 | the [`verdict`] on who asks for a session first; the next one is accepted |
//! | 5-7 | in which [`PORTIONS`] the bytes come |

use crate::seal;
use crate::targets::Target;
use axon_auth::{AuthName, ClientAuth, ClientExchange, Mode, NoneClient, NoneServer, ServerAuth};
use axon_denc::{EntityAddr, EntityName, EntityType, Features, UTime};
use axon_proto::{
    ClientStart, Config, Demand, Disconnect, Instant, Link, LinkOutput, Policies, Policy, Resume,
    ServerStart, Verdict,
};
use axon_wire::{
    Ack, AuthDone, AuthRequest, AuthSignature, Banner, ClientIdent, Control, FrameBuf, FrameWriter, Hello,
    IDENT_LOSSY, Keepalive2, Message, Msgr2Features, ServerIdent, SessionReconnect, SessionReconnectOk,
    SessionRetry, default_provider,
};
use bytes::BytesMut;
use std::mem;
use std::sync::Arc;

/// All of them, as those of [`crate::targets::ALL`].
pub const ALL: [Target; 2] = [("dialled", dialled), ("accepted", accepted)];

/// Bytes at a time.
const PORTIONS: [usize; 8] = [1, 7, 32, 36, 100, 500, 1400, 1 << 20];

/// Bytes of a message that the driver admits. Buffers for those that come in are the driver's to bound.
const LARGEST: usize = 48 << 10;

/// The bit of who dialled to resume a session.
const RESUMES: u8 = 2;

const SERVER: &str = "v2:10.0.0.2:6800/5";
const CLIENT: &str = "any:10.0.0.1:0/7";
const CLIENT_SOCKET: &str = "v2:10.0.0.1:41000/0";

/// A socket that was dialled.
pub fn dialled(bytes: &[u8]) {
    if let [how, stream @ ..] = bytes {
        client(*how).hear(stream);
    }
}

/// A socket that was accepted.
pub fn accepted(bytes: &[u8]) {
    if let [how, stream @ ..] = bytes {
        server(*how).hear(stream);
    }
}

fn client(how: u8) -> Socket {
    let resume = Resume { server_cookie: 2, connect_seq: 1, in_seq: 0 };
    let start = ClientStart {
        target: addr(SERVER),
        peer: EntityType::Osd,
        my_addrs: addr("any:0.0.0.0:0/7").into(),
        policy: Policy::lossy_client(),
        global_seq: 1,
        cookies: [11, 12],
        resume: (how & RESUMES != 0).then_some(resume),
        exchange: exchange(),
    };
    let config = config(EntityName::new(EntityType::Client, -1));
    Socket::new(Link::dialled(config, start, Instant(0)), how)
}

fn server(how: u8) -> Socket {
    let start = ServerStart {
        peer_socket: addr(CLIENT_SOCKET),
        my_addrs: addr(SERVER).into(),
        policies: Arc::new(Policies::new(Policy::stateless_server())),
        exchange: NoneServer.start(),
    };
    let config = config(EntityName::new(EntityType::Osd, 3));
    Socket::new(Link::accepted(config, start, Instant(0)), how)
}

fn exchange() -> Box<dyn ClientExchange> {
    let client = NoneClient::new(AuthName::new(EntityType::Client, "fuzzed"), 4100);
    client.start(EntityType::Osd).expect("a method without keys")
}

fn config(name: EntityName) -> Arc<Config> {
    Arc::new(Config { admission: true, ..Config::new(name, default_provider()) })
}

const ACCEPT: Verdict = Verdict::Accept { global_seq: 9, cookie: 0 };

fn verdict(how: u8) -> Verdict {
    match how >> 2 & 7 {
        0 | 1 => ACCEPT,
        2 => Verdict::Resume { in_seq: 3 },
        3 => Verdict::Reset { full: true },
        4 => Verdict::Retry { connect_seq: 5 },
        5 => Verdict::RetryGlobal { global_seq: 5 },
        6 => Verdict::Wait,
        _ => Verdict::Drop,
    }
}

/// A link and the driver's part of it.
struct Socket {
    link: Link,
    how: u8,
    /// On who asks for a session next.
    verdict: Verdict,
    opened: bool,
    broken: bool,
    /// The driver closes it, as a message is larger than it admits.
    given_up: bool,
}

impl Socket {
    fn new(link: Link, how: u8) -> Self {
        Self { link, how, verdict: verdict(how), opened: false, broken: false, given_up: false }
    }

    /// Everything that the peer says, and the end of the socket.
    fn hear(&mut self, stream: &[u8]) {
        for portion in seal::stream(stream).chunks(PORTIONS[usize::from(self.how >> 5)]) {
            self.link.received(Instant(1), BytesMut::from(portion));
            self.drain();
            if self.given_up {
                return;
            }
            self.link.take_pending(&mut Vec::new());
            assert_eq!(self.broken, self.link.state() == "broken");
            assert!(!self.broken || matches!(self.link.demand(), Demand::Nothing));
        }
        self.link.keepalive(Instant(2));
        self.link.disconnected(Disconnect::Closed);
        self.drain();
        self.link.wake(Instant(u64::MAX));
        self.drain();
        assert!(self.broken, "every link ends with its socket");
        assert_eq!((self.link.state(), self.link.deadline()), ("broken", None));
    }

    fn drain(&mut self) {
        while let Some(output) = self.link.poll(Instant(1)) {
            self.on(output);
        }
    }

    fn on(&mut self, output: LinkOutput) {
        match output {
            LinkOutput::Fault(_) => {
                assert!(!self.broken, "a link breaks once");
                self.broken = true;
            }
            LinkOutput::Ident(_) => {
                let output = self.link.verdict(Instant(1), mem::replace(&mut self.verdict, ACCEPT));
                output.into_iter().for_each(|output| self.on(output));
            }
            LinkOutput::Established(_) | LinkOutput::Resumed(_) => self.opened = true,
            LinkOutput::Admission(length) if length > LARGEST => self.given_up = true,
            LinkOutput::Admission(_) => self.link.admit(),
            _ => {}
        }
    }
}

/// What an honest peer says to who dialled it, for a new session and for one that is resumed.
pub fn seeds_dialled() -> Vec<Vec<u8>> {
    let hello = Hello { entity_type: EntityType::Osd, peer_addr: addr(CLIENT_SOCKET) };
    let done = AuthDone { global_id: 4100, mode: Mode::CRC.0, payload: Vec::new() };
    let ident = ServerIdent {
        addrs: addr(SERVER).into(),
        gid: 3,
        global_seq: 4,
        features_supported: Features::ALL_REEF,
        features_required: Features::MSG_ADDR2,
        flags: IDENT_LOSSY,
        server_cookie: 0,
    };
    let begins = [hello.into(), done.into(), signature()];
    let new = vec![ident.into()];
    let resumed = vec![SessionRetry { connect_seq: 3 }.into(), SessionReconnectOk { msg_seq: 0 }.into()];
    seeds(client, &begins, &[(0, new), (RESUMES, resumed)])
}

/// What an honest peer says to who accepted it.
pub fn seeds_accepted() -> Vec<Vec<u8>> {
    let hello = Hello { entity_type: EntityType::Client, peer_addr: addr(SERVER) };
    let request = exchange().request().expect("a method without keys");
    let preferred_modes = vec![Mode::CRC.0];
    let request = AuthRequest { method: request.method.0, preferred_modes, payload: request.payload };
    let ident = ClientIdent {
        addrs: addr(CLIENT).into(),
        target_addr: addr(SERVER),
        gid: 4100,
        global_seq: 3,
        features_supported: Features::ALL_REEF,
        features_required: Features::MSG_ADDR2,
        flags: IDENT_LOSSY,
        client_cookie: 0,
    };
    let reconnect = SessionReconnect {
        addrs: addr(CLIENT).into(),
        client_cookie: 1,
        server_cookie: 2,
        global_seq: 3,
        connect_seq: 4,
        msg_seq: 5,
    };
    let begins = [hello.into(), request.into(), signature()];
    let ends = |how: u8| (how << 2, vec![reconnect.clone().into(), ident.clone().into()]);
    seeds(server, &begins, &[(0, vec![ident.clone().into()]), ends(2), ends(3), ends(4), ends(5), ends(6)])
}

/// Nobody has a key to sign with.
fn signature() -> Control {
    AuthSignature { signature: [0; 32] }.into()
}

/// The same beginning with each of these ends, in both revisions of the framing, and then what is said in a session.
///
/// # Panics
/// If one of them opens no session.
fn seeds(start: fn(u8) -> Socket, begins: &[Control], ends: &[(u8, Vec<Control>)]) -> Vec<Vec<u8>> {
    let mut message = Message::new(42, &b"front"[..]);
    message.header.seq = 1;
    message.data = vec![7; 50].into();
    let timestamp = UTime { sec: 1, nsec: 2 };
    let session = [Keepalive2 { timestamp }.into(), Ack { seq: 1 }.into()];
    let mut all = Vec::new();
    for (how, end) in ends {
        for features in [Msgr2Features::NONE, Msgr2Features::REVISION_1] {
            let banner = Banner { supported: features, required: Msgr2Features::NONE };
            let mut writer = FrameWriter::new(default_provider());
            writer.set_revision(seal::revision(banner));
            let mut out = FrameBuf::new();
            let controls = begins.iter().chain(end).chain(&session);
            controls.for_each(|control| writer.control(control, &mut out).expect("a frame"));
            writer.message(&message, &mut out).expect("a message");
            let mut pieces = Vec::new();
            out.drain_into(&mut pieces);
            let stream = [&banner.emit()[..], &pieces.concat()].concat();
            let mut socket = start(*how);
            socket.hear(&stream);
            assert!(socket.opened, "how {how}, {features}: a seed that opens no session");
            // All at once, so that little time goes to portions.
            all.push([&[how | 7 << 5], &stream[..]].concat());
        }
    }
    all
}

fn addr(text: &str) -> EntityAddr {
    text.parse().expect("an address")
}
