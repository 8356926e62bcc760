//! Two sides find common ground in modes, methods and features, or find out why there is none.

use crate::fakes::Fake;
use crate::rig::{BANNER, Rig, client_against, client_config, example, server_config};
use crate::world::{Label, Scheme, Setup, Side, World};
use axon_auth::testing::TestClock;
use axon_auth::{AuthError, AuthName, KeyType, Method, Mode, NoneServer, Principal, TicketStore, Verifier};
use axon_denc::{EntityType, Features};
use axon_proto::{Disconnect, Fault, Modes, Policies, Policy, State};
use axon_wire::{AuthRequest, Control, Frame, Tag, WireError};
use core::time::Duration;
use expect_test::expect;

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
pub(crate) fn first_failure(setup: Setup) -> Fault {
    let mut world = World::new(setup);
    world.run(Duration::from_millis(50));
    assert_eq!(world.client().state(), State::Connecting);
    world.attempts()[0].clone()
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
    assert_eq!(first_failure(setup), Fault::Auth(AuthError::KeyRejected { name: admin }));
}

#[test]
fn a_monitor_that_only_knows_none_refuses_cephx() {
    let mut setup = Setup::new(Scheme::Key(KeyType::Aes));
    setup.server_auth = Box::new(NoneServer);
    let allowed = vec![Method::NONE];
    let refused = AuthError::MethodRefused { tried: Method::CEPHX, allowed };
    assert_eq!(first_failure(setup), Fault::Auth(refused));
}

#[test]
fn a_server_whose_keys_are_not_loaded_hangs_up() {
    let mut setup = Setup::new(Scheme::Ticket(KeyType::Aes));
    let surroundings = TestClock::at(1_700_000_000).surroundings(9);
    let empty = Verifier::new(EntityType::Osd, Default::default(), surroundings);
    setup.server_auth = Box::new(empty);
    assert_eq!(first_failure(setup), Fault::Disconnected(Disconnect::Closed));
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
fn what_a_server_requires_in_its_ident_is_checked() {
    let bit = Features(1 << 62);
    let fault = client_against(|ident| ident.features_required = bit);
    assert_eq!(fault, Some(Fault::WeLackFeatures(bit)));
    let fault = client_against(|ident| ident.features_supported = Features(0));
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
        (world.attempts()[0].to_string(), world.seen[Side::Server as usize].faults[0].to_string()),
        (
            "the peer requires the msgr2 features 0x1, which are not supported here".into(),
            "the peer lacks the msgr2 features 0x1".into()
        )
    );
}

#[test]
fn a_legacy_peer_is_recognised_at_once() {
    for mut rig in [Rig::client(client_config(), &Fake::new()), Rig::server(server_config(), &Fake::new())] {
        rig.say_bytes(b"ceph v027");
        assert_eq!(rig.fault, Some(Fault::Wire(WireError::LegacyPeer)));
    }
}

/// A banner may grow; its tail is signed like the rest.
#[test]
fn a_longer_banner_is_read_past() {
    let mut rig = Rig::client_in("awaiting the banner");
    let mut banner = BANNER.emit().to_vec();
    banner[8] += 4;
    banner.extend_from_slice(b"more");
    rig.say_bytes(&banner);
    rig.say(&example(Tag::Hello));
    assert_eq!(rig.link.state(), "awaiting the answer to AUTH_REQUEST");
}

/// A refused method, then a refused mode: both with the errno that Ceph's clients understand.
#[test]
fn refusals_carry_the_errno_of_ceph() {
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
