//! Two honest sides agree in every way the protocol has for it.

use crate::world::{Chunks, Label, Scheme, Setup, Side, World, message};
use axon_auth::{AuthName, KeyType, Mode};
use axon_denc::{EntityName, EntityType, Features};
use axon_proto::{Input, Instant, Phase, State};
use axon_wire::{Message, Revision};
use core::time::Duration;
use expect_test::expect;

const SECOND: Duration = Duration::from_secs(1);

/// Every scheme, mode and revision that fit together.
fn ways() -> Vec<(String, Setup)> {
    let mut ways = Vec::new();
    for scheme in [&[Scheme::None][..], &Scheme::CEPHX].concat() {
        for mode in [Mode::CRC, Mode::SECURE] {
            if scheme == Scheme::None && mode == Mode::SECURE {
                continue;
            }
            let name = format!("{scheme:?} {mode:?}");
            ways.push((format!("{name} rev1"), Setup::new(scheme).mode(mode)));
            ways.push((format!("{name} rev0"), Setup::new(scheme).mode(mode).revision_0()));
        }
    }
    ways
}

/// Small, empty, odd and large: the large ones are read straight into their place.
fn bodies(first_tid: u64) -> Vec<Message> {
    let sizes = [(10, 0, 0), (0, 0, 0), (0, 7, 0), (33, 1, 2), (5, 0, 100_000), (70_000, 0, 0), (1, 2, 3)];
    let tids = first_tid..;
    tids.zip(sizes).map(|(tid, (front, middle, data))| message(tid, front, middle, data)).collect()
}

/// Opens a session, sends messages both ways and a keepalive each way, and checks what arrives.
fn converse(name: &str, setup: Setup) -> World {
    let mut world = World::open(setup);
    for (a, b) in bodies(1).into_iter().zip(bodies(101)) {
        world.send(Side::Client, a);
        world.send(Side::Server, b);
    }
    world.tell(Side::Client, Input::Keepalive);
    world.run(SECOND);
    check_messages(name, &world, Side::Server, bodies(1));
    check_messages(name, &world, Side::Client, bodies(101));
    world
}

fn check_messages(name: &str, world: &World, side: Side, expected: Vec<Message>) {
    let got = &world.seen[side as usize].messages;
    assert_eq!(got.len(), expected.len(), "{name}: messages at {side:?}");
    for ((got, mut expected), seq) in got.iter().zip(expected).zip(1..) {
        expected.header.seq = seq;
        expected.header.ack_seq = got.header.ack_seq;
        assert_eq!(*got, expected, "{name}: message {seq} at {side:?}");
    }
}

#[test]
fn every_way_in_whole_reads() {
    for (name, setup) in ways() {
        converse(&name, setup);
    }
}

#[test]
fn every_way_in_random_reads() {
    for (name, setup) in ways() {
        converse(&name, setup.chunks(Chunks::Random(name.len() as u64)));
    }
}

#[test]
fn every_way_byte_by_byte() {
    for (name, setup) in ways() {
        let mut world = World::open(setup.chunks(Chunks::Single));
        world.send(Side::Client, message(1, 20, 3, 50));
        world.send(Side::Server, message(2, 20, 3, 40_000));
        world.run(SECOND);
        assert_eq!(world.tids(Side::Server), [1], "{name}");
        assert_eq!(world.tids(Side::Client), [2], "{name}");
    }
}

#[test]
fn both_ends_know_the_same() {
    for (name, setup) in ways() {
        let (mode, rev1) = (setup.client.modes.all()[0], setup.client.offer_revision_1);
        let secure = mode == Mode::SECURE;
        let mut world = World::open(setup);
        let [client, server] = world.established.each_ref().map(|e| e.clone().expect("established"));
        let revision = if rev1 { Revision::One } else { Revision::Zero };
        for end in [&client, &server] {
            assert_eq!((end.mode, end.revision, end.lossy), (mode, revision, true), "{name}");
            assert_eq!(end.features, Features::ALL_REEF, "{name}");
            let phases: Vec<Phase> = end.timeline.phases.iter().map(|(phase, _)| *phase).collect();
            assert_eq!(
                phases,
                [Phase::Banner, Phase::Hello, Phase::Auth, Phase::Signature, Phase::Ident],
                "{name}"
            );
            assert!(end.timeline.phases.is_sorted_by_key(|(_, at)| *at), "{name}");
        }
        assert_eq!(client.global_id, server.global_id, "{name}");
        assert_eq!(client.my_addrs, server.peer_addrs, "{name}");
        assert_eq!(server.my_addrs, client.peer_addrs, "{name}");
        assert_eq!(
            server.peer,
            EntityName::new(EntityType::Client, client.global_id.cast_signed()),
            "{name}"
        );
        assert_eq!(client.peer, world.setup.server.name, "{name}");
        let identity = server.identity.expect("the server knows who it is");
        assert_eq!(identity.name, AuthName::new(EntityType::Client, "admin"), "{name}");
        assert_eq!(client.identity, None, "{name}");
        let sealed = world.units.iter().filter(|unit| unit.label == Label::Sealed).count();
        assert_eq!(sealed > 0, secure, "{name}: encrypted units");
        assert_eq!(world.client().state(), State::Open);
    }
}

/// The order of the frames, and that nobody waits longer than the protocol makes him.
#[test]
fn frames_cross_in_ceph_s_order() {
    let mut world = World::open(Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::CRC));
    let trace: String = world
        .units
        .iter()
        .map(|unit| {
            let at = unit.at.since(Instant(1_000_000_000)).as_millis();
            let what = match unit.label {
                Label::Frame(tag) => tag.as_str(),
                Label::Banner => "banner",
                Label::Sealed => "sealed",
            };
            format!("{at} ms {:?} {} {what}\n", unit.from, unit.nth)
        })
        .collect();
    expect![[r#"
        1 ms Client 0 banner
        1 ms Server 0 banner
        2 ms Server 1 HELLO
        2 ms Client 1 HELLO
        3 ms Client 2 AUTH_REQUEST
        4 ms Server 2 AUTH_REPLY_MORE
        5 ms Client 3 AUTH_REQUEST_MORE
        6 ms Server 3 AUTH_DONE
        6 ms Server 4 AUTH_SIGNATURE
        7 ms Client 4 AUTH_SIGNATURE
        7 ms Client 5 CLIENT_IDENT
        8 ms Server 5 SERVER_IDENT
    "#]]
    .assert_eq(&trace);
    expect![[r#"
          0.000 Client  dials
          0.008 Server  established with client.4101
          0.009 Client  established with osd.3
    "#]]
    .assert_eq(&world.log());
}
