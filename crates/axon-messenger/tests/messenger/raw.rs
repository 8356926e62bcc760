//! A peer that speaks the protocol over a blocking socket and does only what a test tells it.

use crate::town::PATIENCE;
use axon_auth::{AuthName, ClientAuth, NoneClient};
use axon_messenger::{AddrVec, EntityAddr, EntityName, EntityType, Message, Policy};
use axon_proto::{ClientStart, Config, Established, Instant, Link, LinkOutput, Resume};
use axon_wire::{FrameBuf, Preamble, Tag};
use bytes::BytesMut;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a message's header.
const MESSAGE_HEADER: u32 = 41;
/// Bytes behind a message in crc mode: a status, and a checksum for each segment but the first.
const EPILOGUE: usize = 13;
/// The status of a message that was given up (Ceph: src/msg/async/frames_v2.h).
const ABORTED: u8 = 0x01;

/// A client without a messenger.
pub(crate) struct RawClient {
    pub(crate) stream: TcpStream,
    link: Link,
    behind: Vec<u8>,
    seq: u64,
}

/// Who it claims to be.
pub(crate) struct Claim {
    pub(crate) name: EntityName,
    pub(crate) addrs: AddrVec,
    pub(crate) global_seq: u64,
    pub(crate) policy: Policy,
    /// Its half of the session's name.
    pub(crate) cookie: u64,
    /// The session that it wants to go on with.
    pub(crate) resume: Option<Resume>,
    /// What a monitor may have given it.
    pub(crate) global_id: u64,
    /// What it writes in one go with its question for a session.
    pub(crate) behind: Vec<u8>,
}

impl Claim {
    /// Client number `num`, unbound, with `num` as its nonce too.
    pub(crate) fn client(num: u32) -> Self {
        let addr =
            EntityAddr::new(axon_messenger::AddrType::Any, "127.0.0.1:0".parse().expect("an address"), num);
        Self {
            name: EntityName::new(EntityType::Client, num.into()),
            addrs: AddrVec(vec![addr]),
            global_seq: 1,
            policy: Policy::lossy_client(),
            cookie: 1,
            resume: None,
            global_id: 0,
            behind: Vec::new(),
        }
    }
}

/// The server closed the socket before the session was open.
#[derive(Debug)]
pub(crate) struct Closed;

impl RawClient {
    /// Connects and shakes hands with the OSD at `target`.
    pub(crate) fn dial(target: EntityAddr, claim: Claim) -> Result<(Self, Box<Established>), Closed> {
        Self::dial_after(target, claim, || ())
    }

    /// The same, but calls `pause` right before it asks for a session.
    pub(crate) fn dial_after(
        target: EntityAddr,
        claim: Claim,
        pause: impl FnOnce(),
    ) -> Result<(Self, Box<Established>), Closed> {
        let socket = target.socket.expect("a bound address");
        let mut client = Self::begin(socket, target, claim);
        let mut pause = Some(pause);
        let established = client.shake_hands(|| {
            if let Some(pause) = pause.take() {
                pause();
            }
        })?;
        assert!(pause.is_none(), "the state has another name");
        Ok((client, established.expect("a new session")))
    }

    /// Connects and goes on with the session of the claim.
    pub(crate) fn resume(target: EntityAddr, claim: Claim) -> Result<Self, Closed> {
        assert!(claim.resume.is_some());
        let mut client = Self::begin(target.socket.expect("a bound address"), target, claim);
        let began = client.shake_hands(|| ())?;
        assert!(began.is_none(), "another session began");
        Ok(client)
    }

    fn begin(socket: SocketAddr, target: EntityAddr, claim: Claim) -> Self {
        let stream = TcpStream::connect(socket).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let auth =
            NoneClient::new(AuthName::new(EntityType::Client, claim.name.num.to_string()), claim.global_id);
        let start = ClientStart {
            target,
            peer: EntityType::Osd,
            my_addrs: claim.addrs,
            policy: claim.policy,
            global_seq: claim.global_seq,
            cookies: [claim.cookie, claim.cookie + 1],
            resume: claim.resume,
            exchange: auth.start(EntityType::Osd).expect("method none"),
        };
        let config = Config::new(claim.name, axon_wire::default_provider());
        Self {
            stream,
            link: Link::dialled(Arc::new(config), start, Instant(0)),
            behind: claim.behind,
            seq: 0,
        }
    }

    /// What a new session agreed on, or nothing about one that goes on.
    fn shake_hands(&mut self, mut before_asking: impl FnMut()) -> Result<Option<Box<Established>>, Closed> {
        loop {
            match self.link.poll(Instant(0)) {
                Some(LinkOutput::Established(established)) => return Ok(Some(established)),
                Some(LinkOutput::Resumed(_)) => return Ok(None),
                Some(LinkOutput::Fault(fault)) => panic!("{fault}"),
                Some(_) => {}
                None => {
                    if self.asks() {
                        before_asking();
                    }
                    if self.read_some() == 0 {
                        return Err(Closed);
                    }
                }
            }
        }
    }

    /// Writes a message.
    pub(crate) fn send(&mut self, mut message: Message) -> io::Result<()> {
        self.seq += 1;
        message.header.seq = self.seq;
        let frame = self.frame(&message);
        self.stream.write_all(&frame)
    }

    /// Writes a message with the number of an earlier one.
    pub(crate) fn send_again(&mut self, mut message: Message) -> io::Result<()> {
        message.header.seq = self.seq;
        let frame = self.frame(&message);
        self.stream.write_all(&frame)
    }

    /// Writes a message and gives it up in its last bytes.
    pub(crate) fn abort(&mut self, mut message: Message) -> io::Result<()> {
        message.header.seq = self.seq + 1;
        let mut frame = self.frame(&message);
        let status = frame.len() - EPILOGUE;
        frame[status] = ABORTED;
        self.stream.write_all(&frame)
    }

    /// Waits until the server has read everything written before.
    pub(crate) fn settle(&mut self) {
        self.link.keepalive(Instant(0));
        loop {
            match self.link.poll(Instant(0)) {
                Some(LinkOutput::KeepaliveAck(_)) => return,
                Some(LinkOutput::Fault(fault)) => panic!("{fault}"),
                Some(_) => {}
                None => assert!(self.read_some() > 0, "the server closed the socket"),
            }
        }
    }

    fn frame(&mut self, message: &Message) -> Vec<u8> {
        let (mut frame, mut parts) = (FrameBuf::new(), Vec::new());
        self.link.message(message, &mut frame);
        frame.drain_into(&mut parts);
        parts.concat()
    }

    /// Announces a message with `size` bytes of data and writes `part` bytes of what should follow.
    pub(crate) fn announce(&mut self, size: u32, part: usize) -> io::Result<()> {
        self.stream.write_all(&announcement(size))?;
        self.stream.write_all(&vec![0; part])
    }

    /// Whether the server closes the socket within `patience`, whatever it sends before.
    pub(crate) fn is_closed_within(&mut self, patience: Duration) -> bool {
        is_closed_within(&mut self.stream, patience)
    }

    fn write_pending(&mut self) {
        let mut parts = Vec::new();
        self.link.take_pending(&mut parts);
        let mut bytes = parts.concat();
        if self.asks() {
            bytes.append(&mut self.behind);
        }
        // A server that is gone is noticed when reading.
        let _ = self.stream.write_all(&bytes);
    }

    /// Whether it says now which session it wants, or has said it.
    fn asks(&self) -> bool {
        matches!(self.link.state(), "awaiting SERVER_IDENT" | "awaiting SESSION_RECONNECT_OK")
    }

    /// Says what there is to say, then listens.
    fn read_some(&mut self) -> usize {
        self.write_pending();
        let mut buffer = BytesMut::zeroed(64 << 10);
        let length = match self.stream.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("the server says nothing: {error}"),
        };
        buffer.truncate(length);
        if length > 0 {
            self.link.received(Instant(0), buffer);
        }
        length
    }
}

/// The first bytes of a message with `size` bytes of data.
pub(crate) fn announcement(size: u32) -> Vec<u8> {
    let preamble = Preamble::new(Tag::Message, [MESSAGE_HEADER, 0, 0, size]);
    preamble.emit(axon_wire::default_provider()).to_vec()
}

/// Whether the other end closes or resets `stream` within `patience`.
pub(crate) fn is_closed_within(stream: &mut TcpStream, patience: Duration) -> bool {
    let deadline = std::time::Instant::now() + patience;
    let mut buffer = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return false;
        }
        stream.set_read_timeout(Some(left)).expect("a time-out");
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(_) => return true,
        }
    }
}
