//! One link and a scripted peer, who may say anything at any time.

use crate::fakes::Fake;
use crate::world::{CLIENT_SOCKET, addr};
use axon_auth::{ClientAuth, Method, Mode, ServerAuth};
use axon_denc::{AddrType, AddrVec, EntityAddr, EntityName, EntityType, Features, UTime};
use axon_proto::{
    ClientStart, Config, Demand, Disconnect, Fault, Instant, Link, LinkOutput, Policies, Policy, Resume,
    ServerStart, Verdict,
};
use axon_wire::{
    Ack, AuthBadMethod, AuthDone, AuthReplyMore, AuthRequest, AuthRequestMore, AuthSignature, Banner,
    ClientIdent, CompressionDone, CompressionRequest, Control, Frame, FrameBuf, FrameReader, FrameWriter,
    Hello, IDENT_LOSSY, IdentMissingFeatures, Keepalive2, Keepalive2Ack, Limits, Message, Msgr2Features,
    Received, ServerIdent, SessionReconnect, SessionReconnectOk, SessionReset, SessionRetry,
    SessionRetryGlobal, Tag, Wait, default_provider,
};
use bytes::BytesMut;
use std::sync::Arc;

/// A link under test and what its peer writes and reads with.
pub(crate) struct Rig {
    pub(crate) link: Link,
    pub(crate) now: Instant,
    /// What the link said, but for messages and faults.
    pub(crate) outputs: Vec<LinkOutput>,
    pub(crate) messages: Vec<Message>,
    pub(crate) fault: Option<Fault>,
    /// The driver accepts every session and admits every message at once.
    pub(crate) obliging: bool,
    writer: FrameWriter,
    reader: FrameReader,
    written: BytesMut,
    greeted: bool,
}

/// The server's only address.
pub(crate) const SERVER: &str = "v2:10.0.0.2:6800/5";

/// The banner of a peer that speaks msgr2.1.
pub(crate) const BANNER: Banner =
    Banner { supported: Msgr2Features::REVISION_1, required: Msgr2Features::NONE };

pub(crate) fn client_config() -> Config {
    Config::new(EntityName::new(EntityType::Client, -1), default_provider())
}

pub(crate) fn server_config() -> Config {
    Config::new(EntityName::new(EntityType::Osd, 3), default_provider())
}

impl Rig {
    /// A dialled link.
    pub(crate) fn client(config: Config, auth: &dyn ClientAuth) -> Self {
        Self::dialled(config, auth, None)
    }

    fn dialled(config: Config, auth: &dyn ClientAuth, resume: Option<Resume>) -> Self {
        let start = ClientStart {
            target: addr(SERVER),
            peer: EntityType::Osd,
            my_addrs: EntityAddr { kind: AddrType::Any, nonce: 7, socket: None }.into(),
            policy: Policy::lossy_client(),
            global_seq: 1,
            cookies: [11, 12],
            resume,
            exchange: auth.start(EntityType::Osd).expect("an exchange"),
        };
        let now = Instant(0);
        Self::new(Link::dialled(Arc::new(config), start, now))
    }

    /// An accepted link.
    pub(crate) fn server(config: Config, auth: &dyn ServerAuth) -> Self {
        let start = ServerStart {
            peer_socket: addr(CLIENT_SOCKET),
            my_addrs: addr(SERVER).into(),
            policies: Arc::new(Policies::new(Policy::stateless_server())),
            exchange: auth.start(),
        };
        Self::new(Link::accepted(Arc::new(config), start, Instant(0)))
    }

    fn new(link: Link) -> Self {
        let mut reader = FrameReader::new(default_provider());
        reader.set_limits(Limits::SESSION);
        Self {
            link,
            now: Instant(0),
            outputs: Vec::new(),
            messages: Vec::new(),
            fault: None,
            obliging: false,
            writer: FrameWriter::new(default_provider()),
            reader,
            written: BytesMut::new(),
            greeted: false,
        }
    }

    /// A client that has come to this state by an honest handshake in crc mode without a session key.
    pub(crate) fn client_in(state: &str) -> Self {
        let script = [Tag::Hello, Tag::AuthDone, Tag::AuthSignature, Tag::ServerIdent];
        let resume = (state == "awaiting SESSION_RECONNECT_OK").then_some(Resume {
            server_cookie: 2,
            connect_seq: 1,
            in_seq: 0,
        });
        Self::dialled(client_config(), &Fake::new(), resume).follow(state, &script)
    }

    /// A server that has come to this state; its authentication takes two rounds.
    pub(crate) fn server_in(state: &str) -> Self {
        let script =
            [Tag::Hello, Tag::AuthRequest, Tag::AuthRequestMore, Tag::AuthSignature, Tag::ClientIdent];
        let mut rig = Self::server(server_config(), &Fake::rounds(1)).follow(state, &script);
        if rig.link.state() != state {
            rig.accept();
        }
        assert_eq!(rig.link.state(), state);
        rig
    }

    /// Says what the script says until the link is in `state`.
    fn follow(mut self, state: &str, script: &[Tag]) -> Self {
        let mut script = script.iter();
        if self.link.state() != state {
            self.say_bytes(&BANNER.emit());
        }
        while self.link.state() != state {
            let Some(tag) = script.next() else { break };
            self.say(&example(*tag));
            assert_eq!(self.fault, None, "on the way to {state}");
        }
        self
    }

    /// Lets the session begin that a server was asked for.
    pub(crate) fn accept(&mut self) {
        let output = self.link.verdict(self.now, Verdict::Accept { global_seq: 9, cookie: 0 });
        output.into_iter().for_each(|output| self.keep(output));
        self.drain();
    }

    /// The peer sends this frame, framed as the connection is.
    pub(crate) fn say(&mut self, frame: &Frame) {
        let bytes = self.write(frame);
        self.say_bytes(&bytes);
    }

    /// The peer's frame as bytes, without sending them.
    pub(crate) fn write(&mut self, frame: &Frame) -> Vec<u8> {
        let mut out = FrameBuf::new();
        match frame {
            Frame::Control(control) => self.writer.control(control, &mut out),
            Frame::Message(message) => self.writer.message(message, &mut out),
        }
        .expect("a frame that can be written");
        let mut parts = Vec::new();
        out.drain_into(&mut parts);
        parts.concat()
    }

    /// The peer sends these bytes.
    pub(crate) fn say_bytes(&mut self, bytes: &[u8]) {
        self.link.received(self.now, BytesMut::from(bytes));
        self.drain();
    }

    /// The peer sends these bytes, and the driver reads them in portions as the link demands. What it does not want to
    /// read is lost.
    pub(crate) fn stream(&mut self, mut bytes: &[u8], mut portion: impl FnMut() -> usize) {
        while !bytes.is_empty() && self.read(&mut bytes, portion()) {}
    }

    /// The driver reads once. Whether it did: it may want nothing, or more than there is.
    pub(crate) fn read(&mut self, bytes: &mut &[u8], portion: usize) -> bool {
        match self.link.demand() {
            Demand::Nothing => return false,
            Demand::Any => {
                let data = bytes.split_off(..portion.clamp(1, bytes.len())).unwrap_or_default();
                self.link.received(self.now, BytesMut::from(data));
            }
            Demand::Exactly { mut destination, length } => {
                let Some(data) = bytes.split_off(..length) else { return false };
                destination.extend_from_slice(data);
                self.link.filled(self.now, destination);
            }
        }
        self.drain();
        true
    }

    /// The socket ends.
    pub(crate) fn disconnect(&mut self) {
        self.link.disconnected(Disconnect::Closed);
        self.drain();
    }

    /// Wakes the link at this time.
    pub(crate) fn wake_at(&mut self, now: Instant) {
        self.now = now;
        self.link.wake(now);
        self.drain();
    }

    /// Both ends go on encrypted with this secret; the peer is who dialled if `dialled`.
    pub(crate) fn secure(&mut self, secret: &[u8; 40], dialled: bool) {
        let key = secret.first_chunk().expect("16 of 40 bytes");
        let nonce = |at: usize| secret[at..].first_chunk::<12>().copied().expect("12 of 24 bytes");
        let (receive, send) = if dialled { (nonce(16), nonce(28)) } else { (nonce(28), nonce(16)) };
        self.reader.secure(key, receive);
        self.writer.secure(key, send);
    }

    /// The frames that the link wrote since the last call, banners left out.
    pub(crate) fn heard(&mut self) -> Vec<Frame> {
        let mut pieces = Vec::new();
        self.link.take_pending(&mut pieces);
        pieces.iter().for_each(|piece| self.written.extend_from_slice(piece));
        if !self.greeted
            && let Ok(Some((_, length))) = Banner::parse(&self.written)
        {
            self.greeted = true;
            let _ = self.written.split_to(length);
        }
        core::iter::from_fn(|| self.next_heard()).collect()
    }

    /// The tags of [`heard`](Self::heard).
    pub(crate) fn heard_tags(&mut self) -> Vec<Tag> {
        self.heard().iter().map(tag_of).collect()
    }

    fn next_heard(&mut self) -> Option<Frame> {
        let first = self.reader.first_block_len();
        if self.written.len() < first {
            return None;
        }
        let head = self.reader.open_head(&mut self.written.split_to(first)).expect("a head");
        let body = self.written.split_to(head.body_len());
        match self.reader.open_body(head, body) {
            Ok(Received::Frame(frame)) => Some(frame),
            other => panic!("a link writes whole frames: {other:?}"),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.link.poll(self.now) {
            self.keep(output);
        }
    }

    fn keep(&mut self, output: LinkOutput) {
        match output {
            LinkOutput::Fault(fault) => {
                assert_eq!(self.fault, None, "a link breaks once");
                self.fault = Some(fault);
            }
            LinkOutput::Message(message) => self.messages.push(message),
            LinkOutput::Ident(_) if self.obliging => self.accept(),
            LinkOutput::Admission(_) if self.obliging => self.link.admit(),
            other => self.outputs.push(other),
        }
    }
}

pub(crate) fn tag_of(frame: &Frame) -> Tag {
    match frame {
        Frame::Control(control) => control.tag(),
        Frame::Message(_) => Tag::Message,
    }
}

/// A well-formed frame of each kind, with content that the state which awaits it accepts.
pub(crate) fn example(tag: Tag) -> Frame {
    if tag == Tag::Message {
        let mut message = Message::new(42, &b"front"[..]);
        message.header.seq = 1;
        return Frame::Message(message);
    }
    Frame::Control(auth_example(tag).or_else(|| session_example(tag)).unwrap_or_else(|| open_example(tag)))
}

fn auth_example(tag: Tag) -> Option<Control> {
    Some(match tag {
        // An OSD seen from a client, and a client seen from an OSD, are both taken by the other's side.
        Tag::Hello => Hello { entity_type: EntityType::Osd, peer_addr: addr(CLIENT_SOCKET) }.into(),
        Tag::AuthRequest => {
            AuthRequest { method: Method::CEPHX.0, preferred_modes: vec![Mode::CRC.0], payload: Vec::new() }
                .into()
        }
        Tag::AuthBadMethod => AuthBadMethod {
            method: Method::CEPHX.0,
            result: -95,
            allowed_methods: vec![Method::NONE.0],
            allowed_modes: vec![Mode::CRC.0],
        }
        .into(),
        Tag::AuthReplyMore => AuthReplyMore { payload: Vec::new() }.into(),
        Tag::AuthRequestMore => AuthRequestMore { payload: Vec::new() }.into(),
        Tag::AuthDone => AuthDone { global_id: 4100, mode: Mode::CRC.0, payload: Vec::new() }.into(),
        Tag::AuthSignature => AuthSignature { signature: [0; 32] }.into(),
        Tag::CompressionRequest => {
            CompressionRequest { is_compress: false, preferred_methods: Vec::new() }.into()
        }
        Tag::CompressionDone => CompressionDone { is_compress: false, method: 0 }.into(),
        _ => return None,
    })
}

fn session_example(tag: Tag) -> Option<Control> {
    let client: AddrVec = addr("any:10.0.0.1:0/7").into();
    Some(match tag {
        Tag::ClientIdent => client_ident().into(),
        Tag::ServerIdent => server_ident().into(),
        Tag::IdentMissingFeatures => IdentMissingFeatures { features: Features(1) }.into(),
        Tag::SessionReconnect => SessionReconnect {
            addrs: client,
            client_cookie: 1,
            server_cookie: 2,
            global_seq: 3,
            connect_seq: 4,
            msg_seq: 5,
        }
        .into(),
        Tag::SessionReset => SessionReset { full: true }.into(),
        Tag::SessionRetry => SessionRetry { connect_seq: 1 }.into(),
        Tag::SessionRetryGlobal => SessionRetryGlobal { global_seq: 1 }.into(),
        Tag::SessionReconnectOk => SessionReconnectOk { msg_seq: 1 }.into(),
        Tag::Wait => Wait.into(),
        _ => return None,
    })
}

fn open_example(tag: Tag) -> Control {
    let timestamp = UTime { sec: 0, nsec: 0 };
    match tag {
        Tag::Keepalive2 => Keepalive2 { timestamp }.into(),
        Tag::Keepalive2Ack => Keepalive2Ack { timestamp }.into(),
        Tag::Ack => Ack { seq: 1 }.into(),
        other => unreachable!("{other} has an example of its own"),
    }
}

pub(crate) fn client_ident() -> ClientIdent {
    ClientIdent {
        addrs: addr("any:10.0.0.1:0/7").into(),
        target_addr: addr(SERVER),
        gid: 4100,
        global_seq: 3,
        features_supported: Features::ALL_REEF,
        features_required: Features::MSG_ADDR2,
        flags: IDENT_LOSSY,
        client_cookie: 0,
    }
}

pub(crate) fn server_ident() -> ServerIdent {
    ServerIdent {
        addrs: addr(SERVER).into(),
        gid: 3,
        global_seq: 4,
        features_supported: Features::ALL_REEF,
        features_required: Features::MSG_ADDR2,
        flags: IDENT_LOSSY,
        server_cookie: 0,
    }
}

/// The variant of a fault, with that of what it wraps: `Wire EarlyMessage`.
pub(crate) fn name(fault: &Fault) -> String {
    let text = format!("{fault:?}");
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    match words.next() {
        Some(outer @ ("Wire" | "Auth" | "Disconnected" | "TimedOut")) => {
            format!("{outer} {}", words.next().unwrap_or_default())
        }
        outer => outer.unwrap_or_default().to_string(),
    }
}

/// What a client says to a SERVER_IDENT that was changed like this.
pub(crate) fn client_against(change: impl FnOnce(&mut ServerIdent)) -> Option<Fault> {
    let mut rig = Rig::client_in("awaiting SERVER_IDENT");
    let mut ident = server_ident();
    change(&mut ident);
    rig.say(&Frame::Control(ident.into()));
    rig.fault
}
