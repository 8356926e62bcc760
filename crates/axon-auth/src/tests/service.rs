//! A client and a service.

use super::{KINDS, MODES, World, admin, talk};
use crate::cephx::{AuthorizerExchange, AuthorizerRef, CONNECTION_SECRET_LEN, Services};
use crate::testing::converse;
use crate::{
    AuthError, AuthName, ClientAuth, CryptoKey, KeyType, MAX_PAYLOAD, MAX_ROUNDS, Method, Mode, Principal,
    RotatingStore, ServerAuth, ServerExchange, Step, TicketStore, Verifier,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use alloc::{format, vec};
use axon_denc::{Decoder, EntityType};
use core::time::Duration;

/// An attempt at the OSD up to the client's answer to the challenge, which the OSD has not seen yet.
struct Recorded {
    server: Box<dyn ServerExchange>,
    request: Vec<u8>,
    answer: Vec<u8>,
}

fn record(world: &World) -> Recorded {
    let mut client = world.client.start(EntityType::Osd).unwrap();
    let mut server = world.osd.start();
    let request = client.request().unwrap().payload;
    let challenge = challenge(&mut *server, &request).unwrap();
    let answer = client.more(&challenge).unwrap();
    Recorded { server, request, answer }
}

fn challenge(server: &mut dyn ServerExchange, request: &[u8]) -> Result<Vec<u8>, AuthError> {
    match server.request(EntityType::Client, Method::CEPHX, Mode::SECURE, request)? {
        Step::More(challenge) => Ok(challenge),
        Step::Done { .. } => panic!("accepted without a challenge"),
    }
}

#[test]
fn both_ends_agree() {
    for kind in KINDS {
        for mode in MODES {
            let world = World::with_session(kind);
            let outcome = world.to_osd(mode).unwrap();
            assert_eq!(outcome.client.session_key, outcome.server.session_key);
            assert_eq!(outcome.client.connection_secret, outcome.server.connection_secret);
            let secret = outcome.client.connection_secret.map(|s| s.len());
            let expected = (mode == Mode::SECURE).then_some(CONNECTION_SECRET_LEN);
            assert_eq!(secret, expected, "{kind} {mode:?}");
            assert_eq!(outcome.identity.name, admin());
            assert_eq!(outcome.identity.global_id, outcome.client.global_id);
            assert_eq!(outcome.identity.caps, b"allow rw pool=p");
            assert!(!outcome.identity.allow_all);
        }
    }
}

#[test]
fn each_connection_has_its_own_secret() {
    let world = World::with_session(KeyType::Aes256k);
    let secret = || world.to_osd(Mode::SECURE).unwrap().client.connection_secret;
    assert_ne!(secret(), secret());
}

#[test]
fn a_replayed_authorizer_is_refused() {
    for kind in KINDS {
        let world = World::with_session(kind);
        let mut recorded = record(&world);
        assert!(recorded.server.more(&recorded.answer).is_ok());

        // The same again, to a new attempt: its challenge is another one.
        let mut server = world.osd.start();
        challenge(&mut *server, &recorded.request).unwrap();
        let replayed = server.more(&recorded.answer).unwrap_err();
        assert_eq!(replayed, AuthError::ChallengeUnanswered);
        assert_eq!(replayed.errno(), -13);

        // The answer as a first authorizer only earns another challenge.
        let mut server = world.osd.start();
        challenge(&mut *server, &recorded.answer).unwrap();
        assert!(server.more(&recorded.answer).is_err());
    }
}

#[test]
fn the_challenge_cannot_be_left_unanswered() {
    let world = World::with_session(KeyType::Aes);
    let mut recorded = record(&world);
    let again = recorded.server.more(&recorded.request).unwrap_err();
    assert_eq!(again, AuthError::ChallengeUnanswered);
    // And a failed answer ends the attempt.
    let late = recorded.server.more(&recorded.answer).unwrap_err();
    assert!(matches!(late, AuthError::OutOfTurn { .. }));
}

#[test]
fn an_answer_needs_a_challenge() {
    let world = World::with_session(KeyType::Aes);
    let recorded = record(&world);
    let error = world.osd.start().more(&recorded.answer).unwrap_err();
    assert!(matches!(error, AuthError::OutOfTurn { .. }));
}

#[test]
fn an_answer_serves_once() {
    let world = World::with_session(KeyType::Aes);
    let mut recorded = record(&world);
    assert!(recorded.server.more(&recorded.answer).is_ok());
    assert!(recorded.server.more(&recorded.answer).is_err());
}

/// aes256k notices each changed bit of what is encrypted; the fields around it are checked against it.
#[test]
fn a_tampered_authorizer_is_refused() {
    let world = World::with_session(KeyType::Aes256k);
    let recorded = record(&world);
    // Versions are not looked at: the first byte of the authorizer (as long as it means one) and of the ticket blob.
    let ignored = [0, 13];
    for at in (0..recorded.request.len()).filter(|at| !ignored.contains(at)) {
        for bit in 0..8 {
            let mut changed = recorded.request.clone();
            changed[at] ^= 1 << bit;
            let result = challenge(&mut *world.osd.start(), &changed);
            assert!(result.is_err(), "byte {at} bit {bit}");
        }
    }
}

/// aes does not authenticate, so a change may go unnoticed; but who the client is cannot be changed blindly.
#[test]
fn a_tampered_aes_authorizer_changes_nobody() {
    let world = World::with_session(KeyType::Aes);
    for at in 0..record(&world).answer.len() {
        let mut recorded = record(&world);
        recorded.answer[at] ^= 0x10;
        if let Ok(Step::Done { identity, .. }) = recorded.server.more(&recorded.answer) {
            assert_eq!(identity.name, admin(), "byte {at}");
            assert_eq!(identity.global_id, world.client.tickets().global_id());
        }
    }
}

#[test]
fn the_first_block_of_an_aes_ticket_is_guarded_by_its_magic() {
    let world = World::with_session(KeyType::Aes);
    let recorded = record(&world);
    let blob_at = 13 + 1 + 8 + 4;
    for at in blob_at..blob_at + 16 {
        let mut changed = recorded.request.clone();
        changed[at] ^= 1;
        assert!(challenge(&mut *world.osd.start(), &changed).is_err());
    }
}

#[test]
fn a_ticket_for_another_service_is_refused() {
    let world = World::with_session(KeyType::Aes);
    let mds = Verifier::new(EntityType::Mds, world.osd.secrets().clone(), world.surroundings.clone());
    let failure = talk(&world.client, EntityType::Osd, &mds, Mode::CRC).unwrap_err();
    let expected = AuthError::WrongService { expected: EntityType::Mds, got: EntityType::Osd };
    assert_eq!(failure.server, Some(expected));
}

#[test]
fn another_global_id_is_refused() {
    let world = World::with_session(KeyType::Aes);
    let mut recorded = record(&world);
    recorded.request[1] ^= 1;
    let error = challenge(&mut *recorded.server, &recorded.request).unwrap_err();
    assert!(matches!(error, AuthError::GlobalIdMismatch { .. }));
}

#[test]
fn a_refused_ticket_is_due_and_still_shown_to_others() {
    let world = World::with_session(KeyType::Aes);
    let stranger = crate::testing::ToyMonitor::new(KeyType::Aes, world.surroundings.clone());
    world.osd.secrets().replace(stranger.secrets(EntityType::Osd));
    let failure = world.to_osd(Mode::CRC).unwrap_err();
    let service = EntityType::Osd;
    assert_eq!(failure.client, Some(AuthError::TicketRefused { service }));
    let renew = world.client.tickets().needs_renewal(service.into(), world.clock.now());
    assert!(renew.contains(service));
    world.osd.secrets().replace(world.monitor.secrets(service));
    assert!(world.to_osd(Mode::CRC).is_ok());
}

#[test]
fn refusals_make_tickets_due_once_in_ten_seconds() {
    let world = World::with_session(KeyType::Aes);
    let service = EntityType::Osd;
    let refuse = || {
        let mut client = world.client.start(service).unwrap();
        client.request().unwrap();
        let refused = client.bad_method(Method::CEPHX, -13, &[Method::CEPHX]);
        assert_eq!(refused.unwrap_err(), AuthError::TicketRefused { service });
    };
    let is_due = || world.client.tickets().needs_renewal(service.into(), world.clock.now()).contains(service);
    let renew = || world.to_monitor(Mode::CRC).unwrap();
    assert!(!is_due());
    refuse();
    assert!(is_due(), "at once");
    renew();
    assert!(!is_due());
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(4));
        refuse();
        assert!(!is_due(), "a new ticket did not help");
    }
    world.clock.advance(Duration::from_secs(2));
    assert!(is_due(), "ten seconds after the first refusal");
    renew();
    world.clock.advance(Duration::from_secs(11));
    refuse();
    assert!(is_due(), "refusals that are far apart");
}

/// Another connection may have renewed the ticket while this attempt was under way.
#[test]
fn a_refusal_spares_a_newer_ticket() {
    let world = World::with_session(KeyType::Aes);
    let service = EntityType::Osd;
    let mut client = world.client.start(service).unwrap();
    client.request().unwrap();
    world.to_monitor(Mode::CRC).unwrap();
    let refused = client.bad_method(Method::CEPHX, -13, &[Method::CEPHX]);
    assert_eq!(refused.unwrap_err(), AuthError::TicketRefused { service });
    assert!(world.to_osd(Mode::CRC).is_ok());
}

#[test]
fn without_secrets_the_connection_is_dropped() {
    let mut world = World::with_session(KeyType::Aes);
    world.osd = Verifier::new(EntityType::Osd, RotatingStore::default(), world.surroundings.clone());
    let failure = world.to_osd(Mode::CRC).unwrap_err();
    assert_eq!(failure.server, Some(AuthError::NotReady));
    assert_eq!(failure.client, None);
    assert_eq!(AuthError::NotReady.errno(), -16);
    assert!(AuthError::NotReady.drops_connection());
}

#[test]
fn a_ticket_outlives_one_rotation() {
    let world = World::with_session(KeyType::Aes);
    let rotate = || {
        world.monitor.rotate(EntityType::Osd);
        let secrets = world.monitor.secrets(EntityType::Osd);
        world.osd.secrets().replace(secrets);
    };
    rotate();
    assert!(world.to_osd(Mode::CRC).is_ok());
    rotate();
    let failure = world.to_osd(Mode::CRC).unwrap_err();
    assert!(matches!(failure.server, Some(AuthError::UnknownSecret { .. })));
}

/// Where keys do not rotate, a ticket ends one lifetime after it expired.
#[test]
fn an_expired_ticket_is_refused_even_without_rotation() {
    let world = World::with_session(KeyType::Aes);
    let mut recorded = record(&world);
    world.clock.advance(Duration::from_secs(2 * 3600 - 1));
    assert!(challenge(&mut *recorded.server, &recorded.request).is_ok());
    world.clock.advance(Duration::from_secs(1));
    let error = challenge(&mut *recorded.server, &recorded.request).unwrap_err();
    assert_eq!(error, AuthError::ExpiredTicket { name: admin() });
}

#[test]
fn a_client_does_not_show_an_expired_ticket() {
    let world = World::with_session(KeyType::Aes);
    world.clock.advance(Duration::from_secs(3600));
    let service = EntityType::Osd;
    let error = world.client.start(service).err();
    assert_eq!(error, Some(AuthError::TicketExpired { service }));
}

#[test]
fn a_client_needs_a_session_and_a_ticket() {
    let world = World::new(KeyType::Aes);
    let service = EntityType::Osd;
    let error = world.client.start(service).err();
    assert_eq!(error, Some(AuthError::NoMonSession { service }));
    world.to_monitor(Mode::CRC).unwrap();
    let service = EntityType::Mds;
    let error = world.client.start(service).err();
    assert_eq!(error, Some(AuthError::NoTicket { service }));
}

/// A server that knows the session key but not the nonce of this attempt: a replayed reply.
#[test]
fn a_replayed_reply_is_refused() {
    for kind in KINDS {
        let world = World::with_session(kind);
        let mut recorded = record(&world);
        let Ok(Step::Done { payload, .. }) = recorded.server.more(&recorded.answer) else {
            panic!("refused");
        };
        let mut client = world.client.start(EntityType::Osd).unwrap();
        let request = client.request().unwrap();
        let challenge = challenge(&mut *world.osd.start(), &request.payload).unwrap();
        client.more(&challenge).unwrap();
        let error = client.done(1, Mode::SECURE, &payload).unwrap_err();
        let service = EntityType::Osd;
        assert_eq!(error, AuthError::ServerUnproven { service });
    }
}

#[test]
fn secure_mode_needs_its_secret() {
    let world = World::with_session(KeyType::Aes);
    let mut client = world.client.start(EntityType::Osd).unwrap();
    let mut server = world.osd.start();
    let request = client.request().unwrap().payload;
    let step = server.request(EntityType::Client, Method::CEPHX, Mode::CRC, &request);
    let Ok(Step::More(challenge)) = step else {
        panic!("no challenge");
    };
    let answer = client.more(&challenge).unwrap();
    let Ok(Step::Done { payload, .. }) = server.more(&answer) else {
        panic!("not done");
    };
    let error = client.done(1, Mode::SECURE, &payload).unwrap_err();
    assert_eq!(error, AuthError::NoConnectionSecret { length: 0 });
}

#[test]
fn methods_are_a_matter_of_policy() {
    let world = World::with_session(KeyType::Aes);
    let none = crate::NoneClient::new(admin(), 7);
    let failure = talk(&none, EntityType::Osd, &world.osd, Mode::CRC).unwrap_err();
    let method = Method::NONE;
    assert_eq!(failure.server, Some(AuthError::MethodNotAllowed { method }));
    assert_eq!(failure.server.unwrap().errno(), -95);

    let lenient = world.osd.clone().with_methods(&[Method::CEPHX, method]);
    let outcome = talk(&none, EntityType::Osd, &lenient, Mode::CRC).unwrap();
    assert_eq!(outcome.identity.global_id, 7);
    assert!(talk(&world.client, EntityType::Osd, &lenient, Mode::SECURE).is_ok());
}

#[test]
fn a_daemon_is_not_a_monitor() {
    let world = World::new(KeyType::Aes);
    let greeting = world.client.start(EntityType::Mon).unwrap().request().unwrap();
    let error = challenge(&mut *world.osd.start(), &greeting.payload).unwrap_err();
    assert_eq!(error, AuthError::NotAMonitor);
}

#[test]
fn attempts_end() {
    let world = World::with_session(KeyType::Aes);
    let recorded = record(&world);
    let mut server = world.osd.start();
    for _ in 0..MAX_ROUNDS {
        challenge(&mut *server, &recorded.request).unwrap();
    }
    let error = challenge(&mut *server, &recorded.request).unwrap_err();
    assert_eq!(error, AuthError::TooManyRounds { limit: MAX_ROUNDS });
    assert!(error.drops_connection());
}

#[test]
fn payloads_are_bounded() {
    let world = World::with_session(KeyType::Aes);
    let long = vec![1; MAX_PAYLOAD + 1];
    let too_long = AuthError::PayloadTooLong { length: MAX_PAYLOAD + 1, limit: MAX_PAYLOAD };
    let error = challenge(&mut *world.osd.start(), &long).unwrap_err();
    assert_eq!(error, too_long);
    assert_eq!(record(&world).server.more(&long).unwrap_err(), too_long);
}

#[test]
fn monitors_believe_the_key_they_share() {
    for kind in KINDS {
        let world = World::new(kind);
        let shared = CryptoKey::new(kind, Duration::ZERO, &vec![3; kind.secret_len()]).unwrap();
        let name = AuthName::new(EntityType::Mon, "");
        let dialler = Principal::new(name.clone(), TicketStore::default(), world.surroundings.clone())
            .with_mon_secret(shared.clone());
        let mon = Verifier::new(EntityType::Mon, RotatingStore::default(), world.surroundings.clone());

        // Not everybody who is asked takes part in this.
        let failure = talk(&dialler, EntityType::Mon, &mon, Mode::SECURE).unwrap_err();
        assert_eq!(failure.server, Some(AuthError::NotReady));

        let mon = mon.with_mon_secret(shared);
        let outcome = talk(&dialler, EntityType::Mon, &mon, Mode::SECURE).unwrap();
        assert_eq!(outcome.identity.name, name);
        assert!(outcome.identity.allow_all);
        assert_eq!(outcome.client.session_key, outcome.server.session_key);

        let other = CryptoKey::new(kind, Duration::ZERO, &vec![4; kind.secret_len()]).unwrap();
        let stranger = dialler.with_mon_secret(other);
        let failure = talk(&stranger, EntityType::Mon, &mon, Mode::SECURE).unwrap_err();
        assert!(matches!(failure.server, Some(AuthError::Undecryptable { .. })));
    }
}

/// A monitor also serves clients with tickets; the shared key is for its peers' tickets alone.
#[test]
fn a_monitor_believes_tickets_as_well() {
    let world = World::with_session(KeyType::Aes);
    let store = RotatingStore::default();
    store.replace(world.monitor.secrets(EntityType::Mon));
    let mon = Verifier::new(EntityType::Mon, store, world.surroundings.clone());
    let mon = mon.with_mon_secret(world.key.clone());
    let tickets = world.client.tickets();
    let mut client = AuthorizerExchange::from_store(EntityType::Mon, tickets, &world.surroundings).unwrap();
    let outcome = converse(&mut client, &mut *mon.start(), EntityType::Client, Mode::CRC).unwrap();
    assert_eq!(outcome.identity.name, admin());
}

#[test]
fn the_client_keeps_the_order() {
    let world = World::with_session(KeyType::Aes);
    let ended = AuthError::OutOfTurn { state: "Ended", got: "AUTH_REPLY_MORE" };
    let mut client = world.client.start(EntityType::Osd).unwrap();
    let request = client.request().unwrap();
    assert!(client.request().is_err());
    assert!(client.done(1, Mode::CRC, &[]).is_err());
    assert!(client.more(b"nonsense").is_err());
    // A failure is final: a good challenge comes too late.
    let challenge = challenge(&mut *world.osd.start(), &request.payload).unwrap();
    assert_eq!(client.more(&challenge).unwrap_err(), ended);
}

#[test]
fn an_authorizer_has_the_reference_layout() {
    let world = World::with_session(KeyType::Aes);
    let payload = record(&world).request;
    let tickets = world.client.tickets();
    let blob = tickets.with(|t| t.get(EntityType::Osd).unwrap().blob.clone());
    assert_eq!(payload[0], 1);
    assert_eq!(payload[1..9], tickets.global_id().to_le_bytes());
    assert_eq!(payload[9..13], [4, 0, 0, 0]);
    assert_eq!(payload[13], 1);
    assert_eq!(payload[14..22], blob.secret_id.to_le_bytes());
    assert_eq!(payload[22..26], (blob.blob.len() as u32).to_le_bytes());
    let mut input = Decoder::new(&payload);
    let authorizer = AuthorizerRef::take(&mut input).unwrap();
    assert!(input.is_empty());
    assert_eq!(authorizer.ticket, blob);
    // Version, nonce, flag and challenge behind the envelope's nine bytes: 27, padded to 32.
    assert_eq!(authorizer.sealed.len(), 32);
    assert_eq!(format!("{:?}", Services::from(EntityType::Osd)), "{Osd}");
}
