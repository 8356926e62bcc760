//! What a world starts from.

use super::Chunks;
use axon_auth::testing::{TestClock, ToyMonitor, converse};
use axon_auth::{
    AuthName, ClientAuth, KeyType, Method, Mode, NoneClient, NoneServer, Principal, RotatingStore,
    ServerAuth, TicketStore, Verifier,
};
use axon_denc::{AddrType, AddrVec, EntityAddr, EntityName, EntityType};
use axon_proto::{BackOff, Config, Modes, Policies, Policy};
use axon_wire::default_provider;
use core::time::Duration;

/// How the client proves who it is, and the server's type with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Method none, to an OSD.
    None,
    /// cephx with a key, to a monitor.
    Key(KeyType),
    /// cephx with a ticket, to an OSD.
    Ticket(KeyType),
}

impl Scheme {
    /// All that prove something.
    pub(crate) const CEPHX: [Scheme; 4] = [
        Scheme::Key(KeyType::Aes),
        Scheme::Key(KeyType::Aes256k),
        Scheme::Ticket(KeyType::Aes),
        Scheme::Ticket(KeyType::Aes256k),
    ];
}

/// The two sides before they meet. Change what the test is about.
pub(crate) struct Setup {
    pub(crate) client: Config,
    pub(crate) server: Config,
    pub(crate) client_policy: Policy,
    pub(crate) server_policies: Policies,
    pub(crate) client_addrs: AddrVec,
    pub(crate) server_addrs: AddrVec,
    /// Whom the client dials.
    pub(crate) target: EntityAddr,
    /// Of what type it expects the server to be.
    pub(crate) expected: EntityType,
    pub(crate) client_auth: Box<dyn ClientAuth>,
    pub(crate) server_auth: Box<dyn ServerAuth>,
    pub(crate) back_off: BackOff,
    pub(crate) seed: u64,
    pub(crate) chunks: Chunks,
    /// How long bytes and dials take.
    pub(crate) latency: Duration,
}

/// The address that clients of tests are seen under.
pub(crate) const CLIENT_SOCKET: &str = "v2:10.0.0.1:41000/0";

pub(crate) fn addr(text: &str) -> EntityAddr {
    text.parse().expect("an address")
}

impl Setup {
    pub(crate) fn new(scheme: Scheme) -> Self {
        let (client_auth, server_auth) = auth(scheme);
        let kind = if matches!(scheme, Scheme::Key(_)) { EntityType::Mon } else { EntityType::Osd };
        let target = addr("v2:10.0.0.2:6800/5");
        let config = |name| Config::new(name, default_provider());
        Self {
            client: config(EntityName::new(EntityType::Client, -1)),
            server: config(EntityName::new(kind, 3)),
            client_policy: Policy::lossy_client(),
            server_policies: Policies::new(Policy::stateless_server()),
            client_addrs: EntityAddr { kind: AddrType::Any, nonce: 7, socket: None }.into(),
            server_addrs: target.into(),
            target,
            expected: kind,
            client_auth,
            server_auth,
            back_off: BackOff::default(),
            seed: 1,
            chunks: Chunks::Whole,
            latency: Duration::from_millis(1),
        }
    }

    /// Both sides accept this mode only.
    pub(crate) fn mode(mut self, mode: Mode) -> Self {
        for config in [&mut self.client, &mut self.server] {
            config.modes = Modes::only(mode);
            config.mon_modes = Modes::only(mode);
        }
        self
    }

    /// Neither side offers msgr2.1.
    pub(crate) fn revision_0(mut self) -> Self {
        self.client.offer_revision_1 = false;
        self.server.offer_revision_1 = false;
        self
    }

    /// How bytes arrive.
    pub(crate) fn chunks(mut self, chunks: Chunks) -> Self {
        self.chunks = chunks;
        self
    }

    /// Both sides.
    pub(crate) fn configure(mut self, mut change: impl FnMut(&mut Config)) -> Self {
        change(&mut self.client);
        change(&mut self.server);
        self
    }
}

fn auth(scheme: Scheme) -> (Box<dyn ClientAuth>, Box<dyn ServerAuth>) {
    match scheme {
        Scheme::None => {
            let name = AuthName::new(EntityType::Client, "admin");
            (Box::new(NoneClient::new(name, 4100)), Box::new(NoneServer))
        }
        Scheme::Key(kind) => {
            let (principal, monitor) = cluster(kind);
            (Box::new(principal), Box::new(monitor))
        }
        Scheme::Ticket(kind) => {
            let (principal, monitor) = cluster(kind);
            log_in(&principal, &monitor);
            let surroundings = TestClock::at(NOW).surroundings(3);
            let osd = Verifier::new(EntityType::Osd, RotatingStore::default(), surroundings);
            osd.secrets().replace(monitor.secrets(EntityType::Osd));
            (Box::new(principal), Box::new(osd))
        }
    }
}

const NOW: u64 = 1_700_000_000;

/// A monitor that knows `client.admin`, and that client.
pub(crate) fn cluster(kind: KeyType) -> (Principal, ToyMonitor) {
    let surroundings = TestClock::at(NOW).surroundings(1);
    let monitor = ToyMonitor::new(kind, surroundings.clone());
    let admin = AuthName::new(EntityType::Client, "admin");
    let caps = [(EntityType::Mon, "allow *"), (EntityType::Osd, "allow *")];
    let key = monitor.create(admin.clone(), kind, &caps);
    let principal = Principal::new(admin, TicketStore::default(), surroundings)
        .with_key(key)
        .with_methods(&[Method::CEPHX]);
    (principal, monitor)
}

/// Fetches the client's tickets.
fn log_in(principal: &Principal, monitor: &ToyMonitor) {
    let mut client = principal.start(EntityType::Mon).expect("a key");
    let mut server = monitor.start();
    converse(&mut *client, &mut *server, EntityType::Client, Mode::SECURE).expect("tickets");
}
