//! Two honest sides agree in every way the protocol has for it, or find out why they cannot.

use crate::world::{Chunks, Label, Scheme, Setup, Side, World, addr, message};
use axon_auth::testing::TestClock;
use axon_auth::{AuthName, KeyType, Method, Mode, NoneServer, Principal, TicketStore};
use axon_denc::{AddrVec, EntityName, EntityType, Features};
use axon_proto::{Fault, Instant, Modes, Phase, Policies, Policy, State};
use axon_wire::{Frame, Revision, Tag};
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
fn bodies(first_tid: u64) -> Vec<axon_wire::Message> {
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
    world.tell(Side::Client, axon_proto::Input::Keepalive);
    world.run(SECOND);
    check_messages(name, &world, Side::Server, bodies(1));
    check_messages(name, &world, Side::Client, bodies(101));
    world
}

fn check_messages(name: &str, world: &World, side: Side, expected: Vec<axon_wire::Message>) {
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

#[test]
fn the_first_common_preference_of_the_client_is_taken() {
    let setup = |client: Modes, server: Modes| {
        let mut setup = Setup::new(Scheme::Ticket(KeyType::Aes));
        setup.client.modes = client;
        setup.server.modes = server;
        setup
    };
    let agreed = |client, server| World::open(setup(client, server)).established[0].clone().unwrap().mode;
    assert_eq!(agreed(Modes::crc_preferred(), Modes::secure_preferred()), Mode::CRC);
    assert_eq!(agreed(Modes::secure_preferred(), Modes::crc_preferred()), Mode::SECURE);
    assert_eq!(agreed(Modes::crc_preferred(), Modes::only(Mode::SECURE)), Mode::SECURE);
    assert_eq!(agreed(Modes::only(Mode::SECURE), Modes::crc_preferred()), Mode::SECURE);
}

/// The first fault of the client's first attempt.
fn first_failure(setup: Setup) -> Fault {
    let mut world = World::new(setup);
    world.run(Duration::from_millis(50));
    assert_eq!(world.client().state(), State::Connecting);
    attempts(&world).first().expect("a failed attempt").clone()
}

fn attempts(world: &World) -> Vec<Fault> {
    let failed = |event: &axon_proto::Event| match event {
        axon_proto::Event::AttemptFailed(fault) => Some(fault.clone()),
        _ => None,
    };
    world.seen[Side::Client as usize].events.iter().filter_map(failed).collect()
}

#[test]
fn without_a_common_mode_the_client_says_so() {
    let mut setup = Setup::new(Scheme::Ticket(KeyType::Aes));
    setup.client.modes = Modes::only(Mode::SECURE);
    setup.server.modes = Modes::only(Mode::CRC);
    let expected = Fault::NoCommonMode { ours: vec![Mode::SECURE], theirs: vec![Mode::CRC] };
    assert_eq!(first_failure(setup), expected);
}

#[test]
fn secure_alone_is_not_offered_with_method_none() {
    let fault = first_failure(Setup::new(Scheme::None).mode(Mode::SECURE));
    assert_eq!(fault, Fault::NoCommonMode { ours: vec![Mode::SECURE], theirs: vec![Mode::CRC] });
}

#[test]
fn a_refused_method_is_followed_by_another_on_the_same_socket() {
    let mut setup = Setup::new(Scheme::Key(KeyType::Aes)).mode(Mode::CRC);
    let (principal, monitor) = crate::world::cluster(KeyType::Aes);
    monitor.allow(&[Method::NONE]);
    setup.client_auth = Box::new(principal.with_methods(&[Method::CEPHX, Method::NONE]));
    setup.server_auth = Box::new(monitor);
    let mut world = World::open(setup);
    let tags: Vec<Tag> = world
        .units
        .iter()
        .filter_map(|unit| match unit.label {
            Label::Frame(tag @ (Tag::AuthRequest | Tag::AuthBadMethod | Tag::AuthDone)) => Some(tag),
            _ => None,
        })
        .collect();
    assert_eq!(tags, [Tag::AuthRequest, Tag::AuthBadMethod, Tag::AuthRequest, Tag::AuthDone]);
    expect![[r#"
          0.000 Client  dials
          0.008 Server  established with client.4101
          0.009 Client  established with mon.3
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn a_wrong_key_is_told_by_name() {
    let mut setup = Setup::new(Scheme::Key(KeyType::Aes));
    let surroundings = TestClock::at(1_700_000_000).surroundings(9);
    let (_, other) = crate::world::cluster(KeyType::Aes);
    let admin = AuthName::new(EntityType::Client, "admin");
    let key = other.create(admin.clone(), KeyType::Aes, &[]);
    let principal = Principal::new(admin.clone(), TicketStore::default(), surroundings).with_key(key);
    setup.client_auth = Box::new(principal.with_methods(&[Method::CEPHX]));
    assert_eq!(first_failure(setup), Fault::Auth(axon_auth::AuthError::KeyRejected { name: admin }));
}

#[test]
fn a_monitor_that_only_knows_none_refuses_cephx() {
    let mut setup = Setup::new(Scheme::Key(KeyType::Aes));
    setup.server_auth = Box::new(NoneServer);
    let allowed = vec![Method::NONE];
    let refused = axon_auth::AuthError::MethodRefused { tried: Method::CEPHX, allowed };
    assert_eq!(first_failure(setup), Fault::Auth(refused));
}

#[test]
fn a_server_whose_keys_are_not_loaded_hangs_up() {
    let mut setup = Setup::new(Scheme::Ticket(KeyType::Aes));
    let surroundings = TestClock::at(1_700_000_000).surroundings(9);
    let empty = axon_auth::Verifier::new(EntityType::Osd, Default::default(), surroundings);
    setup.server_auth = Box::new(empty);
    assert_eq!(first_failure(setup), Fault::Disconnected(axon_proto::Disconnect::Closed));
}

#[test]
fn features_a_server_requires_are_asked_for() {
    let mut setup = Setup::new(Scheme::None);
    let squid = Features(1 << 49);
    setup.server_policies = Policies::new(Policy::stateless_server().require(squid));
    assert_eq!(first_failure(setup), Fault::WeLackFeatures(squid));
}

#[test]
fn features_a_client_requires_are_checked() {
    let mut setup = Setup::new(Scheme::None);
    let squid = Features(1 << 49);
    setup.client_policy = Policy::lossy_client().require(squid);
    assert_eq!(first_failure(setup), Fault::PeerLacksFeatures(squid));
}

/// The server of this test tells nobody what it lacks before its ident, as Ceph's connector does not look either.
#[test]
fn features_are_those_of_both() {
    let mut setup = Setup::new(Scheme::None);
    let (a, b, c) = (Features(1), Features(2), Features(4));
    setup.client_policy = Policy::lossy_client().support(Features(a.0 | b.0));
    setup.server_policies = Policies::new(Policy::stateless_server().support(Features(b.0 | c.0)));
    let world = World::open(setup);
    for established in world.established.iter().flatten() {
        assert_eq!(established.features, Features(b.0 | Features::MSG_ADDR2.0));
    }
}

#[test]
fn a_client_learns_its_address() {
    let mut world = World::open(Setup::new(Scheme::None));
    let seen: AddrVec = addr("any:10.0.0.1:0/7").into();
    assert_eq!(world.established[0].as_ref().unwrap().my_addrs, seen);
    assert_eq!(world.established[1].as_ref().unwrap().peer_addrs, seen);
    assert_eq!(world.client().state(), State::Open);
}

#[test]
fn a_daemon_bound_to_every_ip_learns_it_and_keeps_its_port() {
    let mut setup = Setup::new(Scheme::None);
    setup.client_addrs = addr("v2:0.0.0.0:6810/9").into();
    let world = World::open(setup);
    let expected: AddrVec = addr("v2:10.0.0.1:6810/9").into();
    assert_eq!(world.established[1].as_ref().unwrap().peer_addrs, expected);
}

#[test]
fn a_server_bound_to_every_ip_answers_by_the_one_that_was_dialled() {
    let mut setup = Setup::new(Scheme::None);
    setup.server_addrs = addr("v2:0.0.0.0:6800/5").into();
    let world = World::open(setup);
    assert_eq!(world.established[0].as_ref().unwrap().peer_addrs, addr("v2:10.0.0.2:6800/5").into());
}

#[test]
fn a_client_without_any_address_is_refused() {
    let mut setup = Setup::new(Scheme::None);
    setup.client_addrs = AddrVec::new();
    let mut world = World::new(setup);
    world.run(Duration::from_millis(20));
    assert_eq!(world.seen[Side::Server as usize].faults, [Fault::BlankAddress]);
}

#[test]
fn another_type_of_daemon_at_the_address() {
    let mut setup = Setup::new(Scheme::None);
    setup.expected = EntityType::Mds;
    let fault = Fault::WrongPeerType { expected: EntityType::Mds, got: EntityType::Osd };
    assert_eq!(first_failure(setup), fault);
}

#[test]
fn another_incarnation_at_the_address() {
    let mut setup = Setup::new(Scheme::None);
    setup.server_addrs = addr("v2:10.0.0.2:6800/6").into();
    let target = setup.target;
    let mut world = World::new(setup);
    world.run(Duration::from_millis(20));
    assert_eq!(world.seen[Side::Server as usize].faults, [Fault::NotMe { target }]);
    assert_eq!(attempts(&world), [Fault::Disconnected(axon_proto::Disconnect::Closed)]);
}

/// A server that does not check the target, as after SESSION_RECONNECT, is found out by its own addresses.
#[test]
fn a_server_that_names_other_addresses() {
    let mut setup = Setup::new(Scheme::None);
    setup.target = addr("v2:10.0.0.2:6800/5");
    let elsewhere: AddrVec = addr("v2:10.0.0.9:6800/5").into();
    let fault = crate::rig::client_against(|ident| ident.addrs = elsewhere.clone());
    assert_eq!(fault, Some(Fault::WrongAddress { target: setup.target, actual: elsewhere }));
}

#[test]
fn what_a_server_requires_in_its_ident_is_checked() {
    let bit = Features(1 << 62);
    let fault = crate::rig::client_against(|ident| ident.features_required = bit);
    assert_eq!(fault, Some(Fault::WeLackFeatures(bit)));
    let fault = crate::rig::client_against(|ident| ident.features_supported = Features(0));
    assert_eq!(fault, Some(Fault::PeerLacksFeatures(Features::MSG_ADDR2)));
}

#[test]
fn a_new_framing_can_be_insisted_on() {
    let mut setup = Setup::new(Scheme::None);
    setup.client.offer_revision_1 = false;
    setup.server.require_revision_1 = true;
    let mut world = World::new(setup);
    world.run(Duration::from_millis(20));
    assert_eq!(
        (attempts(&world)[0].to_string(), world.seen[Side::Server as usize].faults[0].to_string()),
        (
            "the peer requires the msgr2 features 0x1, which are not supported here".into(),
            "the peer lacks the msgr2 features 0x1".into()
        )
    );
}

#[test]
fn a_legacy_peer_is_recognised_at_once() {
    use crate::fakes::Fake;
    use crate::rig::{Rig, client_config, server_config};
    for mut rig in [Rig::client(client_config(), &Fake::new()), Rig::server(server_config(), &Fake::new())] {
        rig.say_bytes(b"ceph v027");
        assert_eq!(rig.fault, Some(Fault::Wire(axon_wire::WireError::LegacyPeer)));
    }
}

/// A banner may grow; its tail is signed like the rest.
#[test]
fn a_longer_banner_is_read_past() {
    use crate::rig::{BANNER, Rig, example};
    let mut rig = Rig::client_in("awaiting the banner");
    let mut banner = BANNER.emit().to_vec();
    banner[8] += 4;
    banner.extend_from_slice(b"more");
    rig.say_bytes(&banner);
    rig.say(&example(Tag::Hello));
    assert_eq!(rig.link.state(), "awaiting the answer to AUTH_REQUEST");
}

/// The acceptor stays on the socket after every refusal, and takes another ident.
#[test]
fn refusals_of_a_session_keep_the_socket() {
    use crate::rig::{Rig, example};
    use axon_proto::Verdict;
    let refusals = [
        (Verdict::Reset { full: true }, Tag::SessionReset),
        (Verdict::Retry { connect_seq: 3 }, Tag::SessionRetry),
        (Verdict::RetryGlobal { global_seq: 3 }, Tag::SessionRetryGlobal),
        (Verdict::Wait, Tag::Wait),
    ];
    for (verdict, answer) in refusals {
        for ident in [Tag::ClientIdent, Tag::SessionReconnect] {
            let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
            rig.heard();
            rig.say(&example(ident));
            assert!(rig.link.verdict(rig.now, verdict).is_none());
            assert_eq!(rig.heard_tags(), [answer]);
            rig.say(&example(Tag::ClientIdent));
            rig.accept();
            assert_eq!(rig.link.state(), "open");
        }
    }
}

#[test]
fn a_reconnect_cannot_be_accepted_without_a_session() {
    use crate::rig::{Rig, example};
    use axon_proto::Verdict;
    for (ident, verdict) in [
        (Tag::SessionReconnect, Verdict::Accept { global_seq: 1, cookie: 0 }),
        (Tag::SessionReconnect, Verdict::Drop),
        (Tag::ClientIdent, Verdict::Drop),
    ] {
        let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
        rig.say(&example(ident));
        assert!(rig.link.verdict(rig.now, verdict).is_none());
        rig.say_bytes(&[]);
        assert_eq!(rig.fault, Some(Fault::Stale));
    }
}

/// What came with the ident is read after the verdict, not lost and not before.
#[test]
fn nothing_is_read_while_a_verdict_is_awaited() {
    use crate::rig::{Rig, example};
    let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
    let mut bytes = rig.write(&example(Tag::ClientIdent));
    bytes.extend(rig.write(&example(Tag::Message)));
    rig.say_bytes(&bytes);
    assert_eq!(rig.link.state(), "deciding about a session");
    assert!(matches!(rig.link.demand(), axon_proto::Demand::Nothing));
    assert!(rig.messages.is_empty());
    rig.accept();
    assert_eq!(rig.messages.len(), 1);
}

/// A verdict that nobody asked for changes nothing.
#[test]
fn a_verdict_out_of_turn_is_ignored() {
    use crate::rig::Rig;
    use axon_proto::Verdict;
    for mut rig in [Rig::server_in("open"), Rig::server_in("awaiting CLIENT_IDENT"), Rig::client_in("open")] {
        let state = rig.link.state();
        assert!(rig.link.verdict(rig.now, Verdict::Wait).is_none());
        assert_eq!(rig.link.state(), state);
    }
}

/// A refused method, then a refused mode: both with the errno that Ceph's clients understand.
#[test]
fn refusals_carry_the_errno_of_ceph() {
    use crate::fakes::Fake;
    use crate::rig::{BANNER, Rig, example, server_config};
    use axon_wire::{AuthRequest, Control};
    let refusal = |method: Method, mode: Mode| {
        let mut rig = Rig::server(server_config(), &Fake::new());
        rig.say_bytes(&BANNER.emit());
        rig.say(&example(Tag::Hello));
        rig.heard();
        let request = AuthRequest { method: method.0, preferred_modes: vec![mode.0], payload: Vec::new() };
        rig.say(&Frame::Control(request.into()));
        match &rig.heard()[..] {
            [Frame::Control(Control::AuthBadMethod(bad))] => (bad.method, bad.result),
            other => panic!("{other:?}"),
        }
    };
    const EOPNOTSUPP: i32 = -95;
    assert_eq!(refusal(Method::CEPHX, Mode(7)), (2, EOPNOTSUPP));
    assert_eq!(refusal(Method(4), Mode(7)), (4, EOPNOTSUPP));
    assert_eq!(refusal(Method(4), Mode::CRC), (4, EOPNOTSUPP));
}
