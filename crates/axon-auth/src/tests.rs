//! Both sides against each other, and each side against hostile bytes.

mod golden;
mod hostile;
mod monitor;
mod renewal;
mod secrecy;
mod service;

use crate::testing::{TestClock, ToyMonitor, converse};
use crate::{
    AuthName, ClientAuth, CryptoKey, KeyType, Mode, Principal, RotatingStore, ServerAuth, Surroundings,
    TicketStore, Verifier,
};
use axon_denc::EntityType;

const START: u64 = 1_700_000_000;
const KINDS: [KeyType; 2] = [KeyType::Aes, KeyType::Aes256k];
const MODES: [Mode; 2] = [Mode::CRC, Mode::SECURE];

/// A monitor, a client with the key of `client.admin`, and an OSD.
struct World {
    clock: TestClock,
    surroundings: Surroundings,
    monitor: ToyMonitor,
    key: CryptoKey,
    client: Principal,
    osd: Verifier,
}

fn admin() -> AuthName {
    AuthName::new(EntityType::Client, "admin")
}

impl World {
    fn new(kind: KeyType) -> Self {
        let clock = TestClock::at(START);
        let surroundings = clock.surroundings(1);
        let monitor = ToyMonitor::new(kind, surroundings.clone());
        let caps = [(EntityType::Mon, "allow *"), (EntityType::Osd, "allow rw pool=p")];
        let key = monitor.create(admin(), kind, &caps);
        let client =
            Principal::new(admin(), TicketStore::default(), surroundings.clone()).with_key(key.clone());
        let osd = Verifier::new(EntityType::Osd, RotatingStore::default(), surroundings.clone());
        osd.secrets().replace(monitor.secrets(EntityType::Osd));
        Self { clock, surroundings, monitor, key, client, osd }
    }

    /// The same, with the client's session with the monitor established.
    fn with_session(kind: KeyType) -> Self {
        let world = Self::new(kind);
        world.to_monitor(Mode::SECURE).unwrap();
        world
    }

    fn to_monitor(&self, mode: Mode) -> Result<crate::testing::Outcome, crate::testing::Failure> {
        talk(&self.client, EntityType::Mon, &self.monitor, mode)
    }

    fn to_osd(&self, mode: Mode) -> Result<crate::testing::Outcome, crate::testing::Failure> {
        talk(&self.client, EntityType::Osd, &self.osd, mode)
    }
}

/// One attempt of `client` with a server of type `peer`.
fn talk(
    client: &dyn ClientAuth,
    peer: EntityType,
    server: &dyn ServerAuth,
    mode: Mode,
) -> Result<crate::testing::Outcome, crate::testing::Failure> {
    let mut client = client.start(peer).unwrap();
    converse(&mut *client, &mut *server.start(), EntityType::Client, mode)
}
