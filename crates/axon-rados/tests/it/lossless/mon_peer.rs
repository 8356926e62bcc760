//! A second monitor that is ours: asks the first one, and answers it well enough for it to call elections.

use super::probe::MMonProbe;
use super::{addrs, testbed_mode};
use axon_auth::{AuthName, CryptoKey, Mode, Principal, RotatingStore, TicketStore, Verifier};
use axon_denc::{EntityAddr, EntityType, Features};
use axon_messenger::{
    Connection, Dispatcher, Message, Messenger, Modes, Nonce, Policy, Received, Reset, Undelivered,
};
use axon_rados::mon::system_surroundings;
use axon_rados::msg::TypedMessage;
use axon_testbed::Cluster;
use axon_transport::Transport;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

/// A message of an election.
pub(super) const MON_ELECTION: u16 = 65;

/// What the second monitor has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Sequence numbers in the order of arrival, of one session.
    pub(super) seqs: Vec<u64>,
    /// How many messages of each type.
    pub(super) kinds: BTreeMap<u16, usize>,
    /// Answers to our questions.
    pub(super) answers: usize,
    /// Sessions that were lost, by us or by the peer.
    pub(super) lost: Vec<String>,
    /// The real monitor's map, as it says itself.
    monmap: Vec<u8>,
}

/// Counts, and answers what it is asked. All on the thread that reads, in the order of arrival.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Seen>>);

impl Witness {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap()
    }

    /// The answer of a monitor that knows nothing yet but has the same map.
    fn answer(&self, question: &MMonProbe) -> Option<Message> {
        let monmap = self.seen().monmap.clone();
        let answer = MMonProbe { op: MMonProbe::REPLY, name: "b".into(), monmap, ..question.clone() };
        (!answer.monmap.is_empty()).then(|| answer.encode(Features::ALL_REEF).unwrap())
    }
}

impl Dispatcher for Witness {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        let mut seen = self.seen();
        seen.seqs.push(message.header.seq);
        *seen.kinds.entry(message.header.kind).or_default() += 1;
        let Ok(probe) = MMonProbe::decode(&message) else { return };
        if probe.op == MMonProbe::REPLY {
            seen.answers += 1;
            seen.monmap = probe.monmap;
            return;
        }
        drop(seen);
        if let Some(answer) = self.answer(&probe) {
            connection.send(answer).unwrap();
        }
    }

    fn handle_reset(&self, _: &Connection, reset: Reset) {
        self.seen().lost.push(format!("reset: {}", reset.fault));
    }

    fn handle_remote_reset(&self, _: &Connection, undelivered: Undelivered) {
        self.seen().lost.push(format!("remote reset: {undelivered:?}"));
    }
}

/// The second monitor of a cluster's map, `mon.b`.
pub(super) struct MonPeer {
    pub(super) messenger: Messenger,
    pub(super) real: Connection,
    witness: Witness,
    /// A question without its name.
    question: MMonProbe,
    /// Questions asked.
    pub(super) asked: usize,
}

impl MonPeer {
    /// Starts at `addr`, and dials the cluster's only real monitor.
    pub(super) fn start(
        cluster: &Cluster,
        addr: SocketAddr,
        mode: Mode,
        transport: impl Transport + 'static,
    ) -> Self {
        let shared: CryptoKey = cluster.key("mon.").unwrap().parse().unwrap();
        let name = AuthName::new(EntityType::Mon, "b");
        let principal = Principal::new(name, TicketStore::default(), system_surroundings());
        let verifier = Verifier::new(EntityType::Mon, RotatingStore::default(), system_surroundings());
        let witness = Witness::default();
        let messenger = Messenger::builder("mon.1".parse().unwrap())
            .nonce(Nonce::MONITOR)
            .bind(addr)
            .policy(EntityType::Mon, Policy::lossless_peer_reuse())
            .client_auth(Arc::new(principal.with_mon_secret(shared.clone())))
            .server_auth(Arc::new(verifier.with_mon_secret(shared)))
            .modes(Modes::only(mode))
            .transport(Arc::new(transport))
            .start(witness.clone())
            .unwrap();
        let real = &cluster.monitors()[0];
        let real = addrs(EntityAddr::msgr2(real.v2, 0), real.v1.map(|v1| EntityAddr::msgr2(v1, 0)));
        let real = messenger.connect(EntityType::Mon, &real).unwrap();
        Self { messenger, real, witness, question: question(cluster), asked: 0 }
    }

    /// Asks the real monitor what it knows; it answers each question once.
    pub(super) fn ask(&mut self) {
        let question = MMonProbe { name: format!("q{}", self.asked), ..self.question.clone() };
        self.real.send(question.encode(Features::ALL_REEF).unwrap()).unwrap();
        self.asked += 1;
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.witness.seen()
    }
}

/// Boots a cluster whose monitor map has a real `mon.a`, which breaks sockets and dawdles by itself, too, and `mon.b` at
/// `addr`.
pub(super) fn boot(addr: SocketAddr, mode: Mode) -> Cluster {
    let (option, value) = super::daemon_log::DEBUG_MS;
    let plan = Cluster::builder().mode(testbed_mode(mode)).foreign_monitor("b", addr);
    // Quick to ask again, and to give an election up: it asks us, too.
    let plan = plan.set("mon_probe_timeout", "0.5").set("mon_election_timeout", "0.5");
    let plan = plan.set("ms_inject_socket_failures", "300").set("ms_inject_internal_delays", "0.01");
    plan.set(option, value).boot().unwrap()
}

fn question(cluster: &Cluster) -> MMonProbe {
    let hex = cluster.fsid().replace('-', "");
    let fsid = std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap());
    MMonProbe {
        fsid,
        op: MMonProbe::PROBE,
        release: MMonProbe::PACIFIC,
        leader: MMonProbe::NOBODY,
        ..MMonProbe::default()
    }
}
