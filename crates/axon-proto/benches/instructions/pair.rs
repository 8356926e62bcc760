//! A message through both machines: into the queue, onto the wire, off the wire, to the application; and what has to go
//! back. In crc mode: what encryption adds is in the cases of frames.

use crate::Path;
use crate::frames::message;
use axon_auth::{AuthName, ClientAuth, NoneClient, NoneServer, ServerAuth};
use axon_denc::{AddrType, EntityAddr, EntityName, EntityType};
use axon_proto::{
    Arena, BackOff, ClientStart, Config, Connection, Contended, Demand, Input, Instant, Link, LinkOutput,
    Output, Policies, Policy, ServerStart, State,
};
use axon_wire::{FrameBuf, default_provider};
use bytes::{Bytes, BytesMut};
use std::hint::black_box;
use std::sync::Arc;

/// What the two ends promise.
pub(crate) type Promise = fn() -> (Policy, Policy);

/// A client of an OSD.
pub(crate) const LOSSY: Promise = || (Policy::lossy_client(), Policy::stateless_server());
/// A client of a metadata server.
pub(crate) const LOSSLESS: Promise = || (Policy::lossless_client(), Policy::stateful_server());

const NOW: Instant = Instant(1_000_000_000);
/// More than any batch.
const ROOM: usize = 1 << 20;

/// Sends `batch` messages with `data` bytes of data each as one write, delivers them, and takes back what the other end
/// has to say. Once in `batch` calls, so that the figure is for one message.
pub(crate) fn messages(promise: Promise, data: usize, batch: usize) -> Path {
    let mut pair = Pair::open(promise);
    let message = message(data);
    let mut queued = 0;
    Box::new(move || {
        pair.client.handle(NOW, Input::Send(message.clone()));
        queued += 1;
        if queued == batch {
            assert_eq!(pair.exchange(), batch);
            queued = 0;
        }
    })
}

/// Two ends of an open session, and the memory that a driver keeps.
struct Pair {
    client: Connection,
    server: Connection,
    wire: Wire,
}

/// What a driver keeps for moving bytes.
#[derive(Default)]
struct Wire {
    scratch: FrameBuf,
    out: Vec<Bytes>,
    arriving: BytesMut,
}

impl Wire {
    /// Moves what `from` has to write into one portion; `None` if there is nothing.
    fn carry(&mut self, from: &mut Connection) -> Option<BytesMut> {
        from.transmit(ROOM, &mut self.scratch, &mut self.out);
        self.portion()
    }

    fn portion(&mut self) -> Option<BytesMut> {
        if self.out.is_empty() {
            return None;
        }
        self.arriving.reserve(self.out.iter().map(Bytes::len).sum());
        self.out.iter().for_each(|piece| self.arriving.extend_from_slice(piece));
        self.out.clear();
        Some(self.arriving.split()).filter(|portion| !portion.is_empty())
    }
}

impl Pair {
    /// Both directions once; the messages delivered to the server.
    fn exchange(&mut self) -> usize {
        let mut delivered = 0;
        if let Some(portion) = self.wire.carry(&mut self.client) {
            delivered = receive(&mut self.server, portion);
        }
        if let Some(portion) = self.wire.carry(&mut self.server) {
            receive(&mut self.client, portion);
        }
        delivered
    }

    /// Shakes hands.
    fn open(promise: Promise) -> Self {
        let (ours, theirs) = promise();
        let target: EntityAddr = "v2:10.0.0.2:6800/5".parse().expect("an address");
        let mut wire = Wire::default();
        let mut client = Connection::dial(config(EntityType::Client), ours, BackOff::default(), 1);
        assert!(matches!(client.poll(NOW), Some(Output::Dial)));
        client.handle(NOW, Input::Connected(Box::new(dialled(target, ours))));
        let mut link = Link::accepted(config(EntityType::Osd), accepted(target, theirs), NOW);
        let ident = loop {
            link.take_pending(&mut wire.out);
            if let Some(portion) = wire.portion() {
                receive(&mut client, portion);
            }
            if let Some(portion) = wire.carry(&mut client) {
                link.received(NOW, portion);
            }
            match link.poll(NOW) {
                Some(LinkOutput::Ident(ident)) => break ident,
                other => assert!(other.is_none(), "{other:?}"),
            }
        };
        let mut server = Connection::accept(config(EntityType::Osd), *ident.policy(), BackOff::default(), 1);
        let arena = Arena { peer: ident.peer_type(), my_addrs: target.into(), global_seq: 2, cookie: 99 };
        assert!(matches!(server.contend(NOW, link, &ident, &arena), Contended::Taken));
        let mut pair = Self { client, server, wire };
        receive(&mut pair.server, BytesMut::new());
        pair.exchange();
        assert_eq!((pair.client.state(), pair.server.state()), (State::Open, State::Open));
        pair
    }
}

/// What a driver does when bytes arrive. Returns the messages delivered.
fn receive(end: &mut Connection, portion: BytesMut) -> usize {
    end.handle(NOW, Input::Received(portion));
    let mut delivered = 0;
    while let Some(output) = end.poll(NOW) {
        match &output {
            Output::Deliver(message) => {
                black_box(message);
                delivered += 1;
            }
            Output::Event(_) => {}
            other => panic!("nothing breaks here: {other:?}"),
        }
    }
    assert!(matches!(end.demand(), Demand::Any), "whole frames arrive");
    delivered
}

fn config(kind: EntityType) -> Arc<Config> {
    Arc::new(Config::new(EntityName::new(kind, 3), default_provider()))
}

fn dialled(target: EntityAddr, policy: Policy) -> ClientStart {
    let auth = NoneClient::new(AuthName::new(EntityType::Client, "admin"), 4100);
    ClientStart {
        target,
        peer: EntityType::Osd,
        my_addrs: EntityAddr { kind: AddrType::Any, nonce: 7, socket: None }.into(),
        policy,
        global_seq: 1,
        cookies: [1, 3],
        resume: None,
        exchange: auth.start(EntityType::Osd).expect("it proves nothing"),
    }
}

fn accepted(target: EntityAddr, policy: Policy) -> ServerStart {
    ServerStart {
        peer_socket: "v2:10.0.0.1:41000/0".parse().expect("an address"),
        my_addrs: target.into(),
        policies: Arc::new(Policies::new(policy)),
        exchange: NoneServer.start(),
    }
}
