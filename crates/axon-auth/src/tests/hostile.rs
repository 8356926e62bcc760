//! Bytes from a peer never panic, and a truncated payload is never taken for a whole one.

use super::{KINDS, World, admin};
use crate::cephx::{
    Authenticate, Authorize, AuthorizeChallenge, AuthorizeReply, AuthorizerRef, RotatingSecrets,
    ServerChallenge, ServiceTicket, Services, TicketBlob, TicketInfo, rotating_request,
};
use crate::cipher::{KeyUsage, open_value, seal};
use crate::testing::SeededEntropy;
use crate::{
    AuthName, ClientAuth, ClientExchange, CryptoKey, Identity, KeyType, Keyring, Method, Mode, ServerAuth,
    ServerExchange, Step,
};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use axon_denc::{Decode, Decoder, EntityType};
use proptest::prelude::*;

/// The payloads of one exchange, in the order of the wire.
struct Transcript {
    request: Vec<u8>,
    more: Vec<u8>,
    answer: Vec<u8>,
    done: Vec<u8>,
}

fn transcript(client: &dyn ClientAuth, peer: EntityType, server: &dyn ServerAuth) -> Transcript {
    let mut client = client.start(peer).unwrap();
    let mut server = server.start();
    let request = client.request().unwrap().payload;
    let Ok(Step::More(more)) = ask(&mut *server, &request) else {
        panic!("no challenge");
    };
    let answer = client.more(&more).unwrap();
    let Ok(Step::Done { payload: done, .. }) = server.more(&answer) else {
        panic!("refused");
    };
    Transcript { request, more, answer, done }
}

fn ask(server: &mut dyn ServerExchange, payload: &[u8]) -> Result<Step, crate::AuthError> {
    server.request(EntityType::Client, Method::CEPHX, Mode::SECURE, payload)
}

/// A client that awaits the challenge, or with `more` given, AUTH_DONE.
fn started(world: &World, peer: EntityType, more: Option<&[u8]>) -> Box<dyn ClientExchange> {
    let mut client = world.client.start(peer).unwrap();
    client.request().unwrap();
    if let Some(more) = more {
        client.more(more).unwrap();
    }
    client
}

fn prefixes(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..payload.len()).map(|length| &payload[..length])
}

fn session(name: AuthName) -> Identity {
    Identity { name, global_id: 0, caps: vec![], allow_all: false }
}

#[test]
fn prefixes_of_a_monitor_exchange_are_refused() {
    for kind in KINDS {
        let world = World::new(kind);
        let whole = transcript(&world.client, EntityType::Mon, &world.monitor);
        for part in prefixes(&whole.request) {
            assert!(ask(&mut *world.monitor.start(), part).is_err());
        }
        for part in prefixes(&whole.answer) {
            let mut server = world.monitor.start();
            ask(&mut *server, &whole.request).unwrap();
            assert!(server.more(part).is_err());
        }
        for part in prefixes(&whole.more) {
            assert!(started(&world, EntityType::Mon, None).more(part).is_err());
        }
        for part in prefixes(&whole.done) {
            let mut client = started(&world, EntityType::Mon, Some(&whole.more));
            assert!(client.done(1, Mode::SECURE, part).is_err());
        }
        // None of these left anything behind.
        assert_eq!(world.client.tickets().method(), None);
    }
}

#[test]
fn prefixes_of_a_service_exchange_are_refused() {
    for kind in KINDS {
        let world = World::with_session(kind);
        let whole = transcript(&world.client, EntityType::Osd, &world.osd);
        for part in prefixes(&whole.request) {
            assert!(ask(&mut *world.osd.start(), part).is_err());
        }
        for part in prefixes(&whole.answer) {
            let mut server = world.osd.start();
            ask(&mut *server, &whole.request).unwrap();
            assert!(server.more(part).is_err());
        }
        for part in prefixes(&whole.more) {
            assert!(started(&world, EntityType::Osd, None).more(part).is_err());
        }
        for part in prefixes(&whole.done) {
            let mut client = started(&world, EntityType::Osd, Some(&whole.more));
            assert!(client.done(1, Mode::SECURE, part).is_err());
        }
    }
}

#[test]
fn prefixes_of_session_messages_are_refused() {
    for kind in KINDS {
        let world = World::with_session(kind);
        let now = world.clock.now();
        let tickets = world.client.tickets();
        let request = tickets.renewal_request(Services::CLUSTER, now, &mut SeededEntropy(5)).unwrap();
        for part in prefixes(&request) {
            assert!(world.monitor.answer(&session(admin()), part).is_err());
        }
        let reply = world.monitor.answer(&session(admin()), &request).unwrap();
        for part in prefixes(&reply) {
            assert!(tickets.apply_renewal(part, now).is_err());
        }
        let name = AuthName::new(EntityType::Osd, "0");
        let key = world.monitor.create(name.clone(), kind, &[]);
        let result = world.monitor.answer(&session(name), &rotating_request());
        for part in prefixes(&result.unwrap()) {
            assert!(RotatingSecrets::open(part, &key).is_err());
        }
    }
}

/// Decodes `bytes` as everything that may stand inside an envelope.
fn decode_everything(bytes: &[u8]) {
    let _ = ServerChallenge::from_bytes(bytes);
    let _ = Authenticate::from_bytes(bytes);
    let _ = AuthorizerRef::take(&mut Decoder::new(bytes));
    let _ = Authorize::from_bytes(bytes);
    let _ = AuthorizeChallenge::from_bytes(bytes);
    let _ = AuthorizeReply::from_bytes(bytes);
    let _ = TicketBlob::from_bytes(bytes);
    let _ = ServiceTicket::from_bytes(bytes);
    let _ = TicketInfo::from_bytes(bytes);
    let _ = RotatingSecrets::from_bytes(bytes);
    let _ = CryptoKey::from_bytes(bytes);
    let _ = AuthName::from_bytes(bytes);
}

fn key(kind: KeyType) -> CryptoKey {
    CryptoKey::new(kind, Default::default(), &vec![9; kind.secret_len()]).unwrap()
}

proptest! {
    #[test]
    fn servers_survive_anything(bytes: Vec<u8>, lead in 0u8..21) {
        let world = World::with_session(KeyType::Aes);
        let mut with_lead = vec![lead];
        with_lead.extend(&bytes);
        let whole = transcript(&world.client, EntityType::Osd, &world.osd);
        for servers in [&world.osd as &dyn ServerAuth, &world.monitor, &crate::NoneServer] {
            for payload in [&bytes, &with_lead] {
                for method in [Method::NONE, Method::CEPHX, Method(4)] {
                    let mut server = servers.start();
                    let _ = server.request(EntityType::Client, method, Mode::SECURE, payload);
                    let _ = server.more(payload);
                }
            }
        }
        let mut server = world.osd.start();
        ask(&mut *server, &whole.request).unwrap();
        prop_assert!(server.more(&bytes).is_err());
        let _ = world.monitor.answer(&session(admin()), &bytes);
    }

    #[test]
    fn clients_survive_anything(bytes: Vec<u8>) {
        let world = World::with_session(KeyType::Aes);
        for peer in [EntityType::Mon, EntityType::Osd] {
            let _ = started(&world, peer, None).more(&bytes);
            let more = match peer {
                EntityType::Mon => transcript(&world.client, peer, &world.monitor).more,
                _ => vec![],
            };
            if peer == EntityType::Mon {
                let mut client = started(&world, peer, Some(&more));
                prop_assert!(client.done(1, Mode::SECURE, &bytes).is_err());
            }
        }
        prop_assert!(world.client.tickets().apply_renewal(&bytes, world.clock.now()).is_err());
        prop_assert!(RotatingSecrets::open(&bytes, &world.key).is_err());
    }

    #[test]
    fn decoders_survive_anything(bytes: Vec<u8>) {
        decode_everything(&bytes);
        for kind in KINDS {
            let opened: Result<RotatingSecrets, _> =
                open_value(&key(kind), KeyUsage::RotatingSecrets, &bytes);
            prop_assert!(opened.is_err());
        }
    }

    /// Bytes that decrypt well but are nonsense inside.
    #[test]
    fn nonsense_in_an_envelope_is_survived(bytes: Vec<u8>) {
        for kind in KINDS {
            let sealed = seal(&key(kind), KeyUsage::TicketInfo, &mut SeededEntropy(1), bytes.as_slice());
            let _ = open_value::<TicketInfo>(&key(kind), KeyUsage::TicketInfo, &sealed.unwrap());
        }
    }

    #[test]
    fn texts_are_survived(text: String) {
        let _ = text.parse::<Keyring>();
        let _ = text.parse::<CryptoKey>();
        let _ = text.parse::<AuthName>();
        let _ = alloc::format!("[client.a]\nkey = {text}\n").parse::<Keyring>();
    }
}
