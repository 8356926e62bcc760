//! Renewal of tickets and of rotating secrets over a monitor session.

use super::{KINDS, START, World};
use crate::cephx::{ExpiringKey, RotatingSecrets, Services, rotating_request};
use crate::testing::SeededEntropy;
use crate::{AuthError, AuthName, CryptoKey, Identity, KeyType, Mode};
use alloc::vec;
use axon_denc::EntityType;
use core::time::Duration;

fn session(name: AuthName) -> Identity {
    Identity { name, global_id: 0, caps: vec![], allow_all: false }
}

#[test]
fn tickets_are_due_a_quarter_before_they_expire() {
    let world = World::with_session(KeyType::Aes);
    let tickets = world.client.tickets();
    let wanted = Services::from(EntityType::Osd) | EntityType::Auth;
    let due = |minutes: u64| {
        let now = Duration::from_secs(START + minutes * 60);
        tickets.needs_renewal(wanted, now)
    };
    assert_eq!(due(44), Services::NONE);
    assert_eq!(due(45), EntityType::Osd.into());
    assert_eq!(due(53 * 60), EntityType::Osd.into());
    assert_eq!(due(54 * 60), wanted);
    // What was never given is always due.
    assert_eq!(tickets.needs_renewal(EntityType::Mds.into(), world.clock.now()), EntityType::Mds.into());
}

#[test]
fn tickets_are_renewed_over_the_session() {
    for kind in KINDS {
        let world = World::with_session(kind);
        world.clock.advance(Duration::from_secs(3700));
        let now = world.clock.now();
        let tickets = world.client.tickets();
        let wanted = Services::from(EntityType::Osd) | EntityType::Mon;
        assert_eq!(tickets.needs_renewal(wanted, now), wanted);

        let request = tickets.renewal_request(wanted, now, &mut SeededEntropy(5)).unwrap();
        let name = world.client.name().clone();
        let reply = world.monitor.answer(&session(name), &request).unwrap();
        assert_eq!(tickets.apply_renewal(&reply, now), Ok(wanted));
        assert_eq!(tickets.needs_renewal(wanted, now), Services::NONE);
        assert!(world.to_osd(Mode::SECURE).is_ok());
    }
}

#[test]
fn renewal_needs_an_auth_ticket() {
    let world = World::new(KeyType::Aes);
    let now = world.clock.now();
    let tickets = world.client.tickets();
    let service = EntityType::Auth;
    let request = tickets.renewal_request(Services::CLUSTER, now, &mut SeededEntropy(5));
    assert_eq!(request, Err(AuthError::NoMonSession { service }));
    world.to_monitor(Mode::CRC).unwrap();
    let late = now + Duration::from_secs(72 * 3600);
    let request = tickets.renewal_request(Services::CLUSTER, late, &mut SeededEntropy(5));
    assert_eq!(request, Err(AuthError::TicketExpired { service }));
}

#[test]
fn a_refused_renewal_changes_nothing() {
    let world = World::with_session(KeyType::Aes);
    let now = world.clock.now();
    let tickets = world.client.tickets();
    let refused = [0x00, 0x02, 0xf3, 0xff, 0xff, 0xff];
    let status = AuthError::RequestFailed { status: -13 };
    assert_eq!(tickets.apply_renewal(&refused, now), Err(status));
    let other = [0x00, 0x04, 0, 0, 0, 0];
    let wrong = AuthError::WrongResponse { expected: 0x0200, got: 0x0400 };
    assert_eq!(tickets.apply_renewal(&other, now), Err(wrong));
    assert!(world.to_osd(Mode::SECURE).is_ok());
}

#[test]
fn a_daemon_fetches_its_secrets_with_its_own_key() {
    for kind in KINDS {
        let world = World::with_session(kind);
        let name = AuthName::new(EntityType::Osd, "0");
        let key = world.monitor.create(name.clone(), kind, &[]);
        let request = rotating_request();
        assert_eq!(request, [0x00, 0x04]);
        let result = world.monitor.answer(&session(name), &request).unwrap();
        let secrets = RotatingSecrets::open(&result, &key).unwrap();
        assert_eq!(secrets, world.monitor.secrets(EntityType::Osd));
        world.osd.secrets().replace(secrets);
        assert!(world.to_osd(Mode::SECURE).is_ok());

        let foreign = RotatingSecrets::open(&result, &world.key);
        assert!(matches!(foreign, Err(AuthError::Undecryptable { .. })));
    }
}

#[test]
fn secrets_are_fetched_before_the_current_one_expires() {
    let world = World::new(KeyType::Aes);
    let secrets = world.monitor.secrets(EntityType::Osd);
    // Made with terms that end now, in an hour, and in two: the second is current.
    let (id, current) = secrets.current().unwrap();
    assert_eq!((id, secrets.max_version()), (2, 3));
    let before = |seconds| current.expires - Duration::from_secs(seconds);
    assert!(!secrets.need_new_secrets(before(31)));
    assert!(secrets.need_new_secrets(before(30)));
    assert!(RotatingSecrets::default().need_new_secrets(Duration::ZERO));
}

#[test]
fn short_terms_and_missing_secrets_shorten_the_wait() {
    let key = CryptoKey::new(KeyType::Aes, Duration::ZERO, &[1; 16]).unwrap();
    let mut secrets = RotatingSecrets::default();
    for minute in 1..=3 {
        assert!(secrets.need_new_secrets(Duration::ZERO), "{} secrets", minute - 1);
        let expires = Duration::from_secs(minute * 60);
        secrets.add(ExpiringKey { key: key.clone(), expires });
    }
    // The current one ends after two minutes; a quarter of the term of one minute before that is early enough.
    assert!(!secrets.need_new_secrets(Duration::from_secs(104)));
    assert!(secrets.need_new_secrets(Duration::from_secs(105)));
}

/// A number in a request is no proof: nobody has to be let in to send one.
#[test]
fn numbers_of_secrets_that_nobody_has_are_asked_for_ever_more_seldom() {
    let world = World::with_session(KeyType::Aes);
    let store = world.osd.secrets();
    let (newest, start) = (store.with(|secrets| secrets.max_version()), world.clock.now());
    for far in [u64::MAX, newest + 4] {
        store.secret(far).unwrap_err();
        assert!(!store.take_need(start), "{far}");
    }
    let same = || store.replace(world.monitor.secrets(EntityType::Osd));
    let mut asked = vec![];
    for second in 0..120 {
        store.secret(newest + 1).unwrap_err();
        if store.take_need(start + Duration::from_secs(second)) {
            asked.push(second);
            same();
        }
    }
    assert_eq!(asked, [0, 2, 6, 14, 30, 60, 90]);
    // A newer one after all.
    world.monitor.rotate(EntityType::Osd);
    same();
    store.secret(newest + 2).unwrap_err();
    assert!(store.take_need(start + Duration::from_secs(121)));
}

#[test]
fn secrets_are_asked_for_once_a_second() {
    let world = World::with_session(KeyType::Aes);
    let store = world.osd.secrets();
    let now = world.clock.now();
    assert!(!store.take_need(now));

    // A ticket made with a secret that only the monitor knows yet.
    world.monitor.rotate(EntityType::Osd);
    world.monitor.rotate(EntityType::Osd);
    world.to_monitor(Mode::CRC).unwrap();
    let behind = world.monitor.secrets(EntityType::Osd);
    assert_eq!(behind.current().unwrap().0, 4);
    let failure = world.to_osd(Mode::CRC).unwrap_err();
    let unknown = AuthError::UnknownSecret { id: 4 };
    assert_eq!(failure.server, Some(unknown));

    assert!(store.take_need(now));
    assert!(!store.take_need(now));
    assert!(store.take_need(now + Duration::from_secs(1)));
    store.replace(behind);
    assert!(!store.take_need(now + Duration::from_secs(9)));
    world.to_monitor(Mode::CRC).unwrap();
    assert!(world.to_osd(Mode::CRC).is_ok());
}
