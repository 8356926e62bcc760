//! A hand-driven msgr2 client that gets real daemons to send the frames they send only to peers that are odd.

use axon_auth::{AuthName, ClientAuth, NoneClient};
use axon_denc::{EntityAddr, EntityType};
use axon_wire::{
    AuthRequest, AuthSignature, Banner, Control, Frame, FrameBuf, FrameReader, FrameWriter, Hello, Limits,
    Msgr2Features, Received, default_provider,
};
use bytes::BytesMut;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(super) type Outcome<T> = Result<T, Box<dyn Error>>;

/// One socket, method none, crc mode, msgr2.1 without compression.
pub(super) struct Probe {
    stream: TcpStream,
    reader: FrameReader,
    writer: FrameWriter,
}

/// Who the probe says it is, and to whom.
#[derive(Clone)]
pub(super) struct Roles {
    pub(super) me: AuthName,
    pub(super) peer: EntityType,
    /// The daemon's address as it knows it.
    pub(super) target: EntityAddr,
}

impl Probe {
    /// Connects to `via` and goes through the handshake up to the signatures.
    pub(super) fn connect(via: SocketAddr, roles: &Roles) -> Outcome<Self> {
        let stream = TcpStream::connect(via)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let provider = default_provider();
        let (reader, writer) = (FrameReader::new(provider), FrameWriter::new(provider));
        let mut probe = Self { stream, reader, writer };
        probe.banners()?;
        probe.reader.set_limits(Limits::SESSION);
        probe.send(Hello { entity_type: roles.me.kind, peer_addr: roles.target })?;
        // To its like a monitor shows what others show to daemons, not a request for tickets.
        let asked = if roles.me.kind == EntityType::Mon { EntityType::Osd } else { roles.peer };
        let mut exchange = NoneClient::new(roles.me.clone(), 0).start(asked)?;
        let request = exchange.request()?;
        probe.send(AuthRequest {
            method: request.method.0,
            preferred_modes: vec![1],
            payload: request.payload,
        })?;
        probe.expect(|c| matches!(c, Control::AuthDone(_)))?;
        probe.send(AuthSignature { signature: [0; 32] })?;
        probe.expect(|c| matches!(c, Control::AuthSignature(_)))?;
        Ok(probe)
    }

    fn banners(&mut self) -> Outcome<()> {
        let banner = Banner { supported: Msgr2Features(1), required: Msgr2Features(0) };
        self.stream.write_all(&banner.emit())?;
        let mut bytes = [0; Banner::LEN];
        self.stream.read_exact(&mut bytes)?;
        Banner::parse(&bytes)?.ok_or("a short banner")?;
        Ok(())
    }

    /// Sends a control frame.
    pub(super) fn send(&mut self, frame: impl Into<Control>) -> Outcome<()> {
        let mut buf = FrameBuf::new();
        self.writer.control(&frame.into(), &mut buf)?;
        let mut pieces = Vec::new();
        buf.drain_into(&mut pieces);
        pieces.iter().try_for_each(|piece| self.stream.write_all(piece))?;
        Ok(())
    }

    /// Receives frames until a control frame that `wanted` likes.
    pub(super) fn expect(&mut self, wanted: impl Fn(&Control) -> bool) -> Outcome<Control> {
        for _ in 0..20 {
            if let Received::Frame(Frame::Control(control)) = self.receive()?
                && wanted(&control)
            {
                return Ok(control);
            }
        }
        Err("the daemon sends everything but the frame awaited".into())
    }

    fn receive(&mut self) -> Outcome<Received> {
        let mut block = vec![0; self.reader.first_block_len()];
        self.stream.read_exact(&mut block)?;
        let head = self.reader.open_head(&mut block)?;
        let mut body = BytesMut::zeroed(head.body_len());
        self.stream.read_exact(&mut body)?;
        Ok(self.reader.open_body(head, body)?)
    }
}
