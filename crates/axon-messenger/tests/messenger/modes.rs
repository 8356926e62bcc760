//! AuthTest: who proves what, and which mode the two ends agree on. Never a weaker one than either asks for.

use crate::probe::{Probe, filled, pattern};
use crate::town::{Town, dial, start};
use axon_auth::testing::{TestClock, ToyMonitor};
use axon_auth::{
    AuthError, AuthName, KeyType, Method, Mode, Principal, RotatingStore, TicketStore, Verifier,
};
use axon_messenger::{AddrVec, EntityType, Fault, Framing, Messenger, Modes, State};
use axon_wire::Revision;
use std::sync::Arc;

/// A monitor, an OSD that trusts its tickets, and a client that has one.
struct Cluster {
    _mon: Messenger,
    osd: Messenger,
    client: Messenger,
    at_osd: Arc<Probe>,
    at_client: Arc<Probe>,
}

impl Cluster {
    fn new(town: &Town, osd_modes: Modes, client_modes: Modes) -> Self {
        let surroundings = TestClock::at(1_700_000_000).surroundings(1);
        let monitor = ToyMonitor::new(KeyType::Aes256k, surroundings.clone());
        let admin = AuthName::new(EntityType::Client, "admin");
        let caps = [(EntityType::Mon, "allow *"), (EntityType::Osd, "allow rw")];
        let key = monitor.create(admin.clone(), KeyType::Aes256k, &caps);
        let verifier = Verifier::new(EntityType::Osd, RotatingStore::default(), surroundings.clone());
        verifier.secrets().replace(monitor.secrets(EntityType::Osd));
        let principal = Principal::new(admin, TicketStore::default(), surroundings).with_key(key);

        let mon = start(town.server("mon.0").server_auth(Arc::new(monitor)), &Probe::new());
        let (at_osd, at_client) = (Probe::new(), Probe::new());
        let osd = start(town.server("osd.3").modes(osd_modes).server_auth(Arc::new(verifier)), &at_osd);
        let fetch = start(town.builder("client.?").client_auth(Arc::new(principal.clone())), &at_client);
        let to_mon = fetch.connect(EntityType::Mon, &mon.addrs()).unwrap();
        at_client.wait_connect(&to_mon);
        assert_eq!(to_mon.mode(), Some(Mode::SECURE), "monitors prefer it");
        assert_eq!(to_mon.global_id(), Some(4101));
        drop(fetch);
        at_client.clear();
        let client =
            start(town.builder("client.?").modes(client_modes).client_auth(Arc::new(principal)), &at_client);
        Self { _mon: mon, osd, client, at_osd, at_client }
    }

    /// Connects and checks that both ends agree on `mode` and understand each other.
    fn talks_in(&self, mode: Mode) {
        let here = dial(&self.client, &self.osd);
        here.send(filled(1, 100_000)).unwrap();
        assert_eq!(self.at_osd.wait_messages(1)[0].data, pattern(1, 100_000));
        let there = self.at_osd.wait_accept();
        assert_eq!((here.mode(), there.mode()), (Some(mode), Some(mode)));
        let identity = there.identity().unwrap();
        assert_eq!(identity.name.to_string(), "client.admin");
        assert_eq!(identity.caps, b"allow rw");
        assert_eq!((here.global_id(), there.global_id()), (Some(4101), Some(4101)));
        assert_eq!(there.peer_name().unwrap().num, 4101, "clients are numbered by the monitor");
        there.send(filled(2, 100)).unwrap();
        assert_eq!(self.at_client.wait_messages(1)[0].data, pattern(2, 100));
    }

    /// The attempt fails for this reason, and nothing is ever accepted.
    fn refuses(&self) -> Fault {
        let connection = dial(&self.client, &self.osd);
        let fault = self.at_client.wait_refused(|_| true);
        assert_eq!((connection.state(), connection.mode()), (State::Connecting, None));
        assert!(self.at_osd.log().is_empty());
        assert!(fault.is_permanent(), "{fault}");
        fault
    }
}

fn secure() -> Modes {
    Modes::only(Mode::SECURE)
}

fn crc() -> Modes {
    Modes::only(Mode::CRC)
}

over_each! {
    fn cephx_with_checksums(town) {
        Cluster::new(town, Modes::crc_preferred(), Modes::crc_preferred()).talks_in(Mode::CRC);
    }

    fn cephx_encrypted(town) {
        Cluster::new(town, Modes::crc_preferred(), Modes::secure_preferred()).talks_in(Mode::SECURE);
    }

    fn who_requires_encryption_gets_it(town) {
        Cluster::new(town, secure(), Modes::crc_preferred()).talks_in(Mode::SECURE);
        Cluster::new(town, Modes::crc_preferred(), secure()).talks_in(Mode::SECURE);
    }

    fn encryption_required_and_not_offered_is_refused(town) {
        let theirs = |fault: &Fault| match fault {
            Fault::NoCommonMode { ours, theirs } => (ours.clone(), theirs.clone()),
            other => panic!("{other}"),
        };
        let fault = Cluster::new(town, secure(), crc()).refuses();
        assert_eq!(theirs(&fault), (vec![Mode::CRC], vec![Mode::SECURE]));
        let fault = Cluster::new(town, crc(), secure()).refuses();
        assert_eq!(theirs(&fault), (vec![Mode::SECURE], vec![Mode::CRC]));
    }

    fn the_old_framing_is_spoken_where_it_is_allowed(town) {
        for (ours, theirs) in [(Framing::Revision0, Framing::Newest), (Framing::Newest, Framing::Revision0)] {
            let server = start(town.server("osd.3").framing(theirs), &Probe::echo());
            let probe = Probe::new();
            let client = start(town.builder("client.7").framing(ours), &probe);
            let connection = dial(&client, &server);
            connection.send(filled(1, 100_000)).unwrap();
            assert_eq!(probe.wait_messages(1)[0].data, pattern(1, 100_000));
            assert_eq!(connection.established().unwrap().revision, Revision::Zero);
        }
        let server = start(town.server("osd.3").framing(Framing::Revision1), &Probe::new());
        let probe = Probe::new();
        let client = start(town.builder("client.7").framing(Framing::Revision0), &probe);
        dial(&client, &server);
        let fault = probe.wait_refused(|_| true);
        assert!(fault.is_permanent(), "{fault}");
    }

    fn encryption_needs_keys(town) {
        let at_server = Probe::new();
        let server = start(town.server("osd.3"), &at_server);
        let probe = Probe::new();
        let client = start(town.builder("client.7").modes(secure()), &probe);
        dial(&client, &server);
        let fault = probe.wait_refused(|_| true);
        assert!(matches!(fault, Fault::NoCommonMode { .. }), "{fault}");
        assert!(at_server.log().is_empty());

        let server = start(town.server("osd.4").modes(secure()), &at_server);
        let probe = Probe::new();
        let client = start(town.builder("client.7"), &probe);
        dial(&client, &server);
        let fault = probe.wait_refused(|_| true);
        assert_eq!(fault, Fault::Auth(AuthError::ModeRefused { method: Method::NONE }));
        assert!(at_server.log().is_empty());
    }

    fn a_client_without_a_ticket_is_not_let_in(town) {
        let cluster = Cluster::new(town, Modes::crc_preferred(), Modes::crc_preferred());
        let probe = Probe::new();
        let stranger = start(town.builder("client.9"), &probe);
        dial(&stranger, &cluster.osd);
        let fault = probe.wait_refused(|_| true);
        let refused = AuthError::MethodRefused { tried: Method::NONE, allowed: vec![Method::CEPHX] };
        assert_eq!(fault, Fault::Auth(refused));
        assert!(cluster.at_osd.log().is_empty());
    }

    fn a_client_without_a_key_tells_why_it_cannot_connect(town) {
        let surroundings = TestClock::at(1_700_000_000).surroundings(1);
        let name = AuthName::new(EntityType::Client, "admin");
        let principal = Principal::new(name, TicketStore::default(), surroundings).with_methods(&[Method::CEPHX]);
        let server = start(town.server("osd.3"), &Probe::new());
        let probe = Probe::new();
        let client = start(town.builder("client.7").client_auth(Arc::new(principal)), &probe);
        client.connect(EntityType::Osd, &AddrVec(vec![server.addrs().first()])).unwrap();
        let fault = probe.wait_refused(|_| true);
        assert!(matches!(fault, Fault::Auth(_)), "{fault}");
    }
}
