//! Conversations recorded with real daemons, replayed byte for byte: the same randomness must give the same payloads,
//! and the same payloads the same secrets.

use super::admin;
use crate::cephx::{AuthorizerExchange, RotatingSecrets, Services, Ticket, TicketBlob};
use crate::testing::{TestClock, hex};
use crate::{
    ClientAuth, ClientExchange, CryptoKey, Entropy, KeyType, Method, Mode, Principal, RotatingStore,
    ServerAuth, Step, Surroundings, TicketStore, Verifier,
};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;
use axon_denc::EntityType;
use core::time::Duration;

const RECORDS: [(KeyType, Record); 2] = [
    (KeyType::Aes, Record(include_str!("golden/pacific.txt"))),
    (KeyType::Aes256k, Record(include_str!("golden/tentacle.txt"))),
];
const MODES: [(&str, Mode); 2] = [("crc", Mode::CRC), ("secure", Mode::SECURE)];

/// A file of conversations.
#[derive(Clone, Copy)]
struct Record(&'static str);

impl Record {
    fn section(self, name: &str) -> Section {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        let values = lines.filter_map(|line| {
            let (section, rest) = line.split_once(' ')?;
            (section == name).then(|| rest.split_once(' ')).flatten()
        });
        Section(values.collect())
    }
}

struct Section(Vec<(&'static str, &'static str)>);

impl Section {
    fn text(&self, name: &str) -> &'static str {
        let found = self.0.iter().find(|(n, _)| *n == name);
        found.unwrap_or_else(|| panic!("the record has no {name}")).1
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name))
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap()
    }

    fn key(&self, name: &str) -> CryptoKey {
        self.text(name).parse().unwrap()
    }

    /// The randomness that was drawn, and a clock at `now`.
    fn surroundings(&self, now: u64) -> Surroundings {
        let clock = TestClock::at(now);
        let drawn = self.bytes("entropy");
        let entropy = move || Box::new(Replay(drawn.clone().into())) as Box<dyn Entropy>;
        Surroundings::new(move || clock.now(), entropy)
    }

    /// Plays the server to `client`, and checks what it says and gets.
    fn replay_client(&self, client: &mut dyn ClientExchange, mode: Mode) -> Vec<u8> {
        assert_eq!(client.request().unwrap().payload, self.bytes("request"));
        assert_eq!(client.more(&self.bytes("more")).unwrap(), self.bytes("answer"));
        let done = client.done(self.number("global_id"), mode, &self.bytes("done"));
        let agreed = done.unwrap();
        client.confirmed();
        let secret = agreed.connection_secret.map(|s| s.to_vec());
        assert_eq!(secret.unwrap_or_default(), self.bytes("connection_secret"));
        assert_eq!(agreed.global_id, self.number("global_id"));
        agreed.session_key.unwrap().to_vec()
    }

    /// Plays the client to `verifier`, and checks what it says and believes.
    fn replay_server(&self, verifier: &Verifier, peer: EntityType, mode: Mode) {
        let mut server = verifier.start();
        let step = server.request(peer, Method::CEPHX, mode, &self.bytes("request"));
        assert!(matches!(step, Ok(Step::More(more)) if more == self.bytes("more")));
        let Ok(Step::Done { payload, identity, .. }) = server.more(&self.bytes("answer")) else {
            panic!("refused");
        };
        assert_eq!(payload, self.bytes("done"));
        assert_eq!(identity.global_id, self.number("global_id"));
        assert_eq!(identity.caps, self.bytes("caps"));
    }
}

/// Hands out recorded randomness; running out of it is a failure.
struct Replay(VecDeque<u8>);

impl Entropy for Replay {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            *byte = self.0.pop_front().expect("no more was drawn than recorded");
        }
    }
}

#[test]
fn a_client_authenticates_to_a_real_monitor() {
    for (kind, record) in RECORDS {
        for (name, mode) in MODES {
            let said = record.section(&format!("monitor-{name}"));
            let client = Principal::new(admin(), TicketStore::default(), said.surroundings(0));
            let client = client.with_key(said.key("key"));
            let mut exchange = client.start(EntityType::Mon).unwrap();
            let session_key = said.replay_client(&mut *exchange, mode);
            assert_eq!(session_key, said.bytes("session_key"));

            let tickets = client.tickets();
            let wanted = Services::CLUSTER | EntityType::Auth;
            assert_eq!(tickets.needs_renewal(wanted, Duration::ZERO), Services::NONE);
            tickets.with(|t| assert_eq!(t.get(EntityType::Osd).unwrap().session_key.kind(), kind));
            let hour = Duration::from_secs(3600);
            assert_eq!(tickets.needs_renewal(wanted, hour), Services::CLUSTER);
            let renewed = tickets.apply_renewal(&said.bytes("renewal"), hour);
            assert_eq!(renewed, Ok(Services::CLUSTER));
            assert_eq!(tickets.needs_renewal(wanted, hour), Services::NONE);
        }
    }
}

#[test]
fn a_client_shows_its_ticket_to_a_real_osd() {
    for (kind, record) in RECORDS {
        for (name, mode) in MODES {
            let said = record.section(&format!("osd-{name}"));
            let blob = TicketBlob { secret_id: said.number("secret_id"), blob: said.bytes("blob") };
            let hour = Duration::from_secs(3600);
            let ticket = Ticket::new(said.key("session"), blob, hour, Duration::ZERO);
            let (service, global_id) = (EntityType::Osd, said.number("global_id"));
            let mut exchange = AuthorizerExchange::new(service, global_id, ticket, &said.surroundings(0));
            let session_key = said.replay_client(&mut exchange, mode);
            assert_eq!(session_key.len(), kind.secret_len());
        }
    }
}

#[test]
fn a_service_believes_a_real_client() {
    for (kind, record) in RECORDS {
        let fetched = record.section("rotating");
        let secrets = RotatingSecrets::open(&fetched.bytes("result"), &fetched.key("key")).unwrap();
        assert_eq!(secrets.current().unwrap().1.key.kind(), kind);
        for (name, mode) in MODES {
            let said = record.section(&format!("serve-{name}"));
            let store = RotatingStore::default();
            store.replace(secrets.clone());
            let osd = Verifier::new(EntityType::Osd, store, said.surroundings(said.number("now")));
            said.replay_server(&osd, EntityType::Client, mode);
        }
    }
}

#[test]
fn a_monitor_believes_a_real_monitor() {
    for (_, record) in RECORDS {
        let said = record.section("peer");
        let surroundings = said.surroundings(said.number("now"));
        let mon = Verifier::new(EntityType::Mon, RotatingStore::default(), surroundings);
        let mon = mon.with_mon_secret(said.key("key"));
        said.replay_server(&mon, EntityType::Mon, Mode::SECURE);
    }
}
