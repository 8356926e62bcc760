//! What a stranger can make a link hold.

use super::*;
use crate::{Policies, Policy};
use axon_auth::{AuthName, ClientAuth, NoneClient, NoneServer, ServerAuth};
use axon_denc::{EntityAddr, EntityName, EntityType};
use axon_wire::{
    AuthReplyMore, AuthRequest, Banner, FrameWriter, Hello, Limits, Msgr2Features, Preamble, Tag,
    default_provider,
};

/// The most a link may hold for a peer that has not authenticated: the recording of what it said, in a vector that may
/// be twice as large as what is in it, a frame, and a portion of the driver's. What this side answers is small.
const BOUND: usize = 2 * crate::transcript::LIMIT + Limits::HANDSHAKE.control as usize + PORTION;

/// What a driver reads at most at once.
const PORTION: usize = 64 << 10;

fn addr(text: &str) -> EntityAddr {
    text.parse().unwrap()
}

fn accepted() -> Link {
    let config = Config::new(EntityName::new(EntityType::Osd, 1), default_provider());
    let start = ServerStart {
        peer_socket: addr("v2:10.0.0.1:41000/0"),
        my_addrs: addr("v2:10.0.0.2:6800/5").into(),
        policies: Arc::new(Policies::new(Policy::stateless_server())),
        exchange: NoneServer.start(),
    };
    Link::accepted(Arc::new(config), start, Instant(0))
}

fn dialled() -> Link {
    let config = Config::new(EntityName::new(EntityType::Client, -1), default_provider());
    let auth = NoneClient::new(AuthName::new(EntityType::Client, "admin"), 1);
    let start = ClientStart {
        target: addr("v2:10.0.0.2:6800/5"),
        peer: EntityType::Osd,
        my_addrs: addr("v2:10.0.0.1:0/5").into(),
        policy: Policy::lossy_client(),
        global_seq: 1,
        cookies: [1, 2],
        resume: None,
        exchange: auth.start(EntityType::Osd).unwrap(),
    };
    Link::dialled(Arc::new(config), start, Instant(0))
}

/// A frame as bytes.
fn frame(control: impl Into<Control>) -> Vec<u8> {
    let mut out = FrameBuf::new();
    FrameWriter::new(default_provider()).control(&control.into(), &mut out).unwrap();
    let mut parts = Vec::new();
    out.drain_into(&mut parts);
    parts.concat()
}

fn greeting() -> Vec<u8> {
    let banner = Banner { supported: Msgr2Features::REVISION_1, required: Msgr2Features::NONE };
    let hello = Hello { entity_type: EntityType::Osd, peer_addr: addr("v2:10.0.0.1:41000/0") };
    [&banner.emit()[..], &frame(hello)].concat()
}

impl Link {
    fn held(&self) -> usize {
        self.receive.held() + self.send.held()
    }
}

/// Feeds the greeting and then `bytes` over and over, in portions, until the link breaks or wants no more; returns the
/// most that it ever held. Nothing it writes is ever taken.
fn most_held(mut link: Link, bytes: &[u8], portion: usize) -> usize {
    let stream: Vec<u8> = [&greeting()[..], &bytes.repeat(1 + (2 << 20) / bytes.len())].concat();
    let (mut most, mut rest) = (0, &stream[..]);
    while !rest.is_empty() {
        match link.demand() {
            Demand::Nothing => break,
            Demand::Any => {
                let data = rest.split_off(..portion.min(rest.len())).unwrap();
                link.received(Instant(0), BytesMut::from(data));
            }
            Demand::Exactly { mut destination, length } => {
                most = most.max(link.held() + destination.capacity());
                let Some(data) = rest.split_off(..length) else { break };
                destination.extend_from_slice(data);
                link.filled(Instant(0), destination);
            }
        }
        while link.poll(Instant(0)).is_some() {}
        most = most.max(link.held());
    }
    most
}

/// The start of a frame of the greatest length that strangers may announce, without the rest.
fn promise() -> Vec<u8> {
    let preamble = Preamble::new(Tag::AuthRequest, [Limits::HANDSHAKE.control, 0, 0, 0]);
    preamble.emit(default_provider()).to_vec()
}

#[test]
fn a_stranger_makes_a_link_hold_little() {
    let large = alloc::vec![0; 60 << 10];
    let refused = AuthRequest { method: 9, preferred_modes: alloc::vec![1; 64], payload: Vec::new() };
    let attacks = [
        ("noise", alloc::vec![7; 1000]),
        ("nothing but a promise", promise()),
        ("refused methods", frame(refused.clone())),
        ("large refused methods", frame(AuthRequest { payload: large.clone(), ..refused })),
        ("large questions", frame(AuthReplyMore { payload: large })),
        ("greetings", greeting()),
    ];
    for (name, bytes) in attacks {
        for portion in [1000, PORTION] {
            for link in [accepted(), dialled()] {
                let most = most_held(link, &bytes, portion);
                assert!(most <= BOUND, "{name} in portions of {portion}: {most} of {BOUND}");
            }
        }
    }
}

/// Announcing is free, so it must not cost the other side anything.
#[test]
fn a_promise_is_not_paid_for_in_advance() {
    let mut link = accepted();
    link.received(Instant(0), BytesMut::from(&greeting()[..]));
    while link.poll(Instant(0)).is_some() {}
    let before = link.held();
    link.received(Instant(0), BytesMut::from(&promise()[..]));
    assert!(link.poll(Instant(0)).is_none());
    assert!(link.held() <= before + 1024, "{} after {before}", link.held());
}

/// A link that has read everything gives the driver's memory back.
#[test]
fn an_idle_link_holds_nothing_for_what_may_come() {
    let mut link = accepted();
    drop(link.receive.take_transcript());
    let mut data = BytesMut::with_capacity(PORTION);
    data.extend_from_slice(&greeting());
    link.received(Instant(0), data);
    assert!(link.receive.held() > PORTION / 2);
    while link.poll(Instant(0)).is_some() {}
    assert!(matches!(link.demand(), Demand::Any));
    assert_eq!(link.receive.held(), 0);
}
