//! How the nodes of a world prove who they are.

use axon_auth::testing::{TestClock, ToyMonitor, converse};
use axon_auth::{
    AuthName, ClientAuth, KeyType, Method, Mode, NoneClient, NoneServer, Principal, RotatingStore,
    ServerAuth, TicketStore, Verifier,
};
use axon_denc::{EntityName, EntityType};
use std::sync::Arc;

/// Both halves of a node's authentication.
#[derive(Clone)]
pub(crate) struct Auth {
    pub(crate) client: Arc<dyn ClientAuth>,
    pub(crate) server: Arc<dyn ServerAuth>,
}

/// Wall-clock seconds when worlds begin.
pub(crate) const EPOCH: u64 = 1_700_000_000;

impl Auth {
    /// Names are believed.
    pub(crate) fn none(name: EntityName) -> Self {
        let name = AuthName::new(name.kind, name.num.to_string());
        Self { client: Arc::new(NoneClient::new(name, 4100)), server: Arc::new(NoneServer) }
    }

    /// Tickets of one monitor for all of `names`.
    pub(crate) fn cephx(names: &[EntityName]) -> Vec<Self> {
        let clock = TestClock::at(EPOCH);
        let monitor = ToyMonitor::new(KeyType::Aes, clock.surroundings(1));
        names.iter().enumerate().map(|(i, name)| Self::ticketed(&monitor, &clock, i as u64, *name)).collect()
    }

    fn ticketed(monitor: &ToyMonitor, clock: &TestClock, seed: u64, name: EntityName) -> Self {
        let auth_name = AuthName::new(name.kind, name.num.to_string());
        let caps = [EntityType::Mon, EntityType::Osd, EntityType::Mds].map(|kind| (kind, "allow *"));
        let key = monitor.create(auth_name.clone(), KeyType::Aes, &caps);
        let surroundings = |half| clock.surroundings(2 + 2 * seed + half);
        let client = Principal::new(auth_name, TicketStore::default(), surroundings(0))
            .with_key(key)
            .with_methods(&[Method::CEPHX]);
        let mut asks = client.start(EntityType::Mon).expect("a key");
        converse(&mut *asks, &mut *monitor.start(), name.kind, Mode::SECURE).expect("tickets");
        let server = Verifier::new(name.kind, RotatingStore::default(), surroundings(1));
        server.secrets().replace(monitor.secrets(name.kind));
        Self { client: Arc::new(client), server: Arc::new(server) }
    }
}
