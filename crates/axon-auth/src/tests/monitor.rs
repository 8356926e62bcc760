//! A client and a monitor.

use super::{KINDS, MODES, World, admin, talk};
use crate::cephx::{CONNECTION_SECRET_LEN, Services};
use crate::testing::Failure;
use crate::{
    AuthError, AuthName, ClientAuth, CryptoKey, KeyType, Method, Mode, NoneClient, NoneServer, Principal,
    ServerAuth, Step, TicketStore,
};
use alloc::string::ToString;
use alloc::vec;
use axon_denc::EntityType;
use core::time::Duration;

#[test]
fn both_ends_agree() {
    for kind in KINDS {
        for mode in MODES {
            let world = World::new(kind);
            let outcome = world.to_monitor(mode).unwrap();
            assert_eq!(outcome.client.session_key, outcome.server.session_key);
            let session_key = outcome.client.session_key.unwrap();
            assert_eq!(session_key.len(), kind.secret_len());
            assert_eq!(outcome.client.connection_secret, outcome.server.connection_secret);
            let secret = outcome.client.connection_secret.map(|s| s.len());
            let expected = (mode == Mode::SECURE).then_some(CONNECTION_SECRET_LEN);
            assert_eq!(secret, expected, "{kind} {mode:?}");
            assert_eq!(outcome.identity.name, admin());
            assert_eq!(outcome.identity.global_id, outcome.client.global_id);
            assert_eq!(outcome.identity.caps, b"allow *");
        }
    }
}

#[test]
fn the_store_holds_a_ticket_for_each_service_with_caps() {
    let world = World::with_session(KeyType::Aes256k);
    let now = world.clock.now();
    let tickets = world.client.tickets();
    assert_eq!(tickets.method(), Some(Method::CEPHX));
    for service in [EntityType::Auth, EntityType::Mon, EntityType::Osd] {
        tickets.with(|t| assert!(t.usable(service, now).is_ok(), "{service}"));
    }
    let service = EntityType::Mds;
    let missing = tickets.with(|t| t.usable(service, now).map(|_| ()));
    assert_eq!(missing, Err(AuthError::NoTicket { service }));
}

/// The session key is of the weaker of the client's and the service's type.
#[test]
fn a_session_key_is_as_weak_as_the_weaker_end() {
    for (client, cluster, expected) in
        [(KeyType::Aes256k, KeyType::Aes, 16), (KeyType::Aes, KeyType::Aes256k, 16)]
    {
        let mut world = World::new(cluster);
        let key = world.monitor.create(admin(), client, &[(EntityType::Mon, "allow r")]);
        world.client = world.client.with_key(key);
        let outcome = world.to_monitor(Mode::SECURE).unwrap();
        assert_eq!(outcome.client.session_key.unwrap().len(), expected);
    }
}

#[test]
fn the_global_id_is_kept_while_the_ticket_is_good() {
    for kind in KINDS {
        let world = World::new(kind);
        let first = world.to_monitor(Mode::SECURE).unwrap().client.global_id;
        world.clock.advance(Duration::from_secs(71 * 3600));
        let second = world.to_monitor(Mode::CRC).unwrap().client.global_id;
        assert_eq!(first, second, "{kind}");
        world.clock.advance(Duration::from_secs(73 * 3600));
        let third = world.to_monitor(Mode::SECURE).unwrap().client.global_id;
        assert_ne!(first, third, "{kind}");
    }
}

/// The new AUTH ticket comes encrypted under the old session key, and is the one used next.
#[test]
fn a_reclaimed_session_can_be_reclaimed_again() {
    let world = World::with_session(KeyType::Aes);
    let id = world.client.tickets().global_id();
    for _ in 0..3 {
        assert_eq!(world.to_monitor(Mode::SECURE).unwrap().client.global_id, id);
    }
}

#[test]
fn a_refused_reclaim_starts_afresh() {
    let world = World::with_session(KeyType::Aes);
    let global_id = world.client.tickets().global_id();
    for _ in 0..3 {
        world.monitor.rotate(EntityType::Auth);
    }
    let name = admin();
    let failure = world.to_monitor(Mode::SECURE).unwrap_err();
    let client = AuthError::ReclaimRefused { name: name.clone(), global_id };
    let server = AuthError::BadReclaim { name, global_id };
    assert_eq!(failure, failed(server, client));
    let fresh = world.to_monitor(Mode::SECURE).unwrap();
    assert_ne!(fresh.client.global_id, global_id);
}

/// Tickets name the global id, so those of an earlier id are of no use.
#[test]
fn another_global_id_ends_the_tickets_of_the_first() {
    let world = World::with_session(KeyType::Aes);
    let tickets = world.client.tickets();
    tickets.with(|t| assert!(t.get(EntityType::Osd).is_some()));
    tickets.forget(EntityType::Auth);
    let caps = [(EntityType::Mon, "allow r")];
    let key = world.monitor.create(admin(), KeyType::Aes, &caps);
    let client = world.client.clone().with_key(key);
    talk(&client, EntityType::Mon, &world.monitor, Mode::CRC).unwrap();
    tickets.with(|t| assert!(t.get(EntityType::Osd).is_none()));
}

/// AUTH_DONE does not depend on the client's challenge, so it may be an old one; only its signature shows that it is not.
#[test]
fn what_is_not_confirmed_changes_nothing() {
    let world = World::new(KeyType::Aes256k);
    let tickets = world.client.tickets();
    let mut client = world.client.start(EntityType::Mon).unwrap();
    let mut server = world.monitor.start();
    let request = client.request().unwrap();
    let Ok(Step::More(challenge)) =
        server.request(EntityType::Client, request.method, Mode::CRC, &request.payload)
    else {
        panic!("no challenge");
    };
    let Ok(Step::Done { payload, agreed, .. }) = server.more(&client.more(&challenge).unwrap()) else {
        panic!("refused");
    };
    client.done(agreed.global_id, Mode::CRC, &payload).unwrap();
    assert_eq!((tickets.method(), tickets.global_id()), (None, 0));

    let mut again = world.client.start(EntityType::Mon).unwrap();
    again.request().unwrap();
    again.more(&challenge).unwrap();
    again.done(77, Mode::CRC, &payload).unwrap();
    drop(again);
    client.confirmed();
    assert_eq!((tickets.method(), tickets.global_id()), (Some(Method::CEPHX), agreed.global_id));

    let keyless = world.client.clone().with_methods(&[Method::NONE]);
    let mut claim = keyless.start(EntityType::Mon).unwrap();
    claim.request().unwrap();
    claim.done(77, Mode::CRC, &[]).unwrap();
    assert_eq!(tickets.global_id(), agreed.global_id);
    claim.confirmed();
    assert_eq!((tickets.method(), tickets.global_id()), (Some(Method::NONE), 77));
}

/// Another entity's valid ticket does not lend its global id.
#[test]
fn a_global_id_cannot_be_stolen() {
    let world = World::with_session(KeyType::Aes256k);
    let thief = AuthName::new(EntityType::Client, "thief");
    let caps = [(EntityType::Mon, "allow r")];
    let key = world.monitor.create(thief.clone(), KeyType::Aes256k, &caps);
    let tickets = world.client.tickets().clone();
    let global_id = tickets.global_id();
    let thief = Principal::new(thief, tickets, world.surroundings.clone()).with_key(key);
    let failure = talk(&thief, EntityType::Mon, &world.monitor, Mode::CRC).unwrap_err();
    let name = thief.name().clone();
    assert_eq!(failure.server, Some(AuthError::BadReclaim { name, global_id }));
}

#[test]
fn a_wrong_key_is_rejected() {
    for kind in KINDS {
        let mut world = World::new(kind);
        let wrong = vec![7; kind.secret_len()];
        let wrong = CryptoKey::new(kind, Duration::ZERO, &wrong).unwrap();
        world.client = world.client.with_key(wrong);
        let name = admin();
        assert_eq!(
            world.to_monitor(Mode::SECURE).unwrap_err(),
            failed(AuthError::BadProof { name: name.clone() }, AuthError::KeyRejected { name })
        );
        assert_eq!(world.client.tickets().method(), None);
    }
}

#[test]
fn an_unknown_entity_is_rejected() {
    let world = World::new(KeyType::Aes);
    world.monitor.delete(&admin());
    let name = admin();
    let failure = world.to_monitor(Mode::CRC).unwrap_err();
    let server = AuthError::UnknownEntity { name: name.clone() };
    let client = AuthError::KeyRejected { name };
    assert!(client.to_string().contains("ceph auth get client.admin"));
    assert_eq!(failure, failed(server, client));
}

#[test]
fn an_entity_without_mon_caps_is_rejected() {
    let mut world = World::new(KeyType::Aes);
    let key = world.monitor.create(admin(), KeyType::Aes, &[]);
    world.client = world.client.with_key(key);
    let name = admin();
    let failure = world.to_monitor(Mode::CRC).unwrap_err();
    assert_eq!(failure.server, Some(AuthError::NoMonCaps { name }));
}

#[test]
fn without_a_key_cephx_is_not_tried() {
    let world = World::new(KeyType::Aes);
    let keyless = Principal::new(admin(), TicketStore::default(), world.surroundings.clone());
    let failure = talk(&keyless, EntityType::Mon, &world.monitor, Mode::CRC).unwrap_err();
    let refused = AuthError::MethodRefused { tried: Method::NONE, allowed: vec![Method::CEPHX] };
    assert!(refused.to_string().contains("allows cephx:"), "{refused}");
    assert_eq!(failure.client, Some(refused));

    let strict = keyless.with_methods(&[Method::CEPHX]);
    let name = admin();
    let error = strict.start(EntityType::Mon).err();
    assert_eq!(error, Some(AuthError::NoKey { name }));
}

#[test]
fn the_next_allowed_method_is_tried() {
    let world = World::new(KeyType::Aes);
    world.monitor.allow(&[Method::NONE]);
    let outcome = world.to_monitor(Mode::CRC).unwrap();
    assert!(outcome.client.session_key.is_none());
    assert_eq!(outcome.client.global_id, outcome.identity.global_id);
    assert_eq!(world.client.tickets().method(), Some(Method::NONE));

    // Daemons are then shown the same method, and the id that the monitor gave.
    let osd = talk(&world.client, EntityType::Osd, &NoneServer, Mode::CRC).unwrap();
    assert_eq!(osd.identity.global_id, outcome.client.global_id);
}

#[test]
fn none_is_not_tried_where_the_configuration_forbids_it() {
    let mut world = World::new(KeyType::Aes);
    world.monitor.allow(&[Method::NONE]);
    world.client = world.client.with_methods(&[Method::CEPHX]);
    let failure = world.to_monitor(Mode::CRC).unwrap_err();
    let refused = AuthError::MethodRefused { tried: Method::CEPHX, allowed: vec![Method::NONE] };
    assert_eq!(failure.client, Some(refused));
}

#[test]
fn without_authentication_no_monitor_is_needed_first() {
    let world = World::new(KeyType::Aes);
    let keyless = Principal::new(admin(), TicketStore::default(), world.surroundings.clone());
    let outcome = talk(&keyless, EntityType::Osd, &NoneServer, Mode::CRC).unwrap();
    assert_eq!(outcome.identity.name, admin());
    // But who could have tickets is not downgraded before a monitor said so.
    let service = EntityType::Osd;
    let error = world.client.start(service).err();
    assert_eq!(error, Some(AuthError::NoMonSession { service }));
}

#[test]
fn none_cannot_be_secure() {
    let client = NoneClient::new(admin(), 0);
    let failure = talk(&client, EntityType::Mon, &NoneServer, Mode::SECURE).unwrap_err();
    let refused = AuthError::ModeRefused { method: Method::NONE };
    assert_eq!(failure, failed(AuthError::SecureWithoutKeys, refused));

    // Nor does the client believe a server that says so.
    let mut exchange = client.start(EntityType::Mon).unwrap();
    exchange.request().unwrap();
    let done = exchange.done(1, Mode::SECURE, &[]);
    assert_eq!(done.err(), Some(AuthError::SecureWithoutKeys));
}

#[test]
fn a_server_without_authentication_accepts_an_empty_claim() {
    let mut server = NoneServer.start();
    let step = server.request(EntityType::Client, Method::NONE, Mode::CRC, &[]);
    let crate::Step::Done { identity, .. } = step.unwrap() else {
        panic!("not done");
    };
    assert_eq!(identity.name.to_string(), "client.");
}

#[test]
fn the_client_keeps_the_order() {
    let world = World::new(KeyType::Aes);
    let out_of_turn = |error: Option<AuthError>, state| {
        let matches = matches!(error, Some(AuthError::OutOfTurn { state: s, .. }) if s == state);
        assert!(matches, "{error:?} in {state}");
    };
    let mut client = world.client.start(EntityType::Mon).unwrap();
    out_of_turn(client.more(&[]).err(), "Idle");
    client.request().unwrap();
    out_of_turn(client.done(1, Mode::CRC, &[]).err(), "AwaitChallenge");
    let mut challenge = vec![1];
    challenge.extend([9; 8]);
    client.more(&challenge).unwrap();
    out_of_turn(client.more(&challenge).err(), "AwaitDone");
    assert!(client.done(1, Mode::CRC, &[]).is_err());
    out_of_turn(client.done(1, Mode::CRC, &[]).err(), "Ended");
}

#[test]
fn failures_of_requests_are_reported_with_their_status() {
    let world = World::new(KeyType::Aes);
    let mut client = world.client.start(EntityType::Mon).unwrap();
    client.request().unwrap();
    client.more(&[1; 9]).unwrap();
    let refused = [0x00, 0x01, 0xf3, 0xff, 0xff, 0xff];
    let error = client.done(1, Mode::CRC, &refused).unwrap_err();
    assert_eq!(error, AuthError::RequestFailed { status: -13 });
}

#[test]
fn refusals_name_the_cause() {
    let tried = Method::CEPHX;
    let rejected = || AuthError::KeyRejected { name: admin() };
    // Real monitors send the list empty at times.
    let cases = [
        (-95, &[tried][..], AuthError::ModeRefused { method: tried }),
        (-95, &[], AuthError::NothingAllowed { tried }),
        (-95, &[Method(4)], AuthError::MethodRefused { tried, allowed: vec![Method(4)] }),
        (-13, &[tried], rejected()),
        (-13, &[], rejected()),
        (-1, &[tried], rejected()),
        (-5, &[tried], AuthError::Refused { method: tried, errno: -5 }),
    ];
    for (errno, allowed, expected) in cases {
        let world = World::new(KeyType::Aes);
        let mut client = world.client.start(EntityType::Mon).unwrap();
        client.request().unwrap();
        let error = client.bad_method(tried, errno, allowed);
        assert_eq!(error.unwrap_err(), expected);
    }
}

#[test]
fn a_greeting_has_the_reference_layout() {
    let world = World::new(KeyType::Aes);
    let request = world.client.start(EntityType::Mon).unwrap().request().unwrap();
    let expected = b"\x0a\x08\0\0\0\x05\0\0\0admin\0\0\0\0\0\0\0\0";
    assert_eq!(request.payload, expected);
    assert_eq!(Services::CLUSTER.bits(), 0x17);
}

fn failed(server: AuthError, client: AuthError) -> Failure {
    Failure { server: Some(server), client: Some(client) }
}
