//! A file system client and its metadata server: the client dials, and resumes what broke.

use super::client_session::MClientSession;
use super::daemon_log::{DEBUG_MS, DaemonLog};
use super::our_log::OurLog;
use super::{PATIENCE, addrs, cut_for, cutting};
use crate::monitors::{config, eventually};
use axon_auth::Mode;
use axon_denc::{AddrVec, EntityAddr, EntityType, Features};
use axon_messenger::{Connection, Dispatcher, Message, Modes, Policy, Received, Reset, State, Undelivered};
use axon_rados::mon::MonClient;
use axon_rados::msg::TypedMessage;
use axon_testbed::Cluster;
use axon_transport::{Faulty, TcpTransport};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Renewals that may be unanswered: each new socket begins with all of them again.
const OPEN_RENEWALS: u64 = 100;
/// How often a session must be resumed.
const RESUMED: u64 = 5;

/// What came from the metadata server.
#[derive(Debug, Default)]
struct Seen {
    /// Sequence number in the session, op, number of the renewal.
    answers: Vec<(u64, u32, u64)>,
    lost: Vec<String>,
}

#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Seen>>);

impl Witness {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap()
    }

    fn has(&self, op: u32) -> bool {
        self.seen().answers.iter().any(|answer| answer.1 == op)
    }
}

impl Dispatcher for Witness {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        if connection.peer_type() == EntityType::Mds {
            let answer = MClientSession::decode(&message).unwrap();
            self.seen().answers.push((message.header.seq, answer.op, answer.seq));
        }
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        self.seen().lost.push(format!("reset of {connection:?}: {}", reset.fault));
    }

    fn handle_remote_reset(&self, connection: &Connection, undelivered: Undelivered) {
        self.seen().lost.push(format!("remote reset of {connection:?}: {undelivered:?}"));
    }
}

/// A client of a cluster's only metadata server.
struct Client {
    mon: MonClient,
    mds: Connection,
    witness: Witness,
    our_log: OurLog,
    transport: Faulty<TcpTransport>,
}

impl Client {
    /// Logs in; from then on sockets are cut.
    fn log_in(cluster: &Cluster, mode: Mode, seed: u64) -> Self {
        let witness = Witness::default();
        let transport = cutting(seed, 8_000);
        let our_log = OurLog::default();
        let logged = Arc::new(our_log.over(transport.clone()));
        let configure = |builder: axon_messenger::Builder| {
            let builder = builder.policy(EntityType::Mds, Policy::lossless_client());
            builder.modes(Modes::only(mode)).transport(logged)
        };
        let config = config(cluster, "client.admin");
        let mon = MonClient::connect_with(config, witness.clone(), configure).unwrap();
        let mds = mon.messenger().connect(EntityType::Mds, &mds_addrs(cluster)).unwrap();
        Self { mon, mds, witness, our_log, transport }
    }

    fn say(&self, op: u32, seq: u64) {
        let metadata = match op {
            MClientSession::REQUEST_OPEN => vec![("hostname".to_owned(), "here".to_owned())],
            _ => Vec::new(),
        };
        let message = MClientSession { op, seq, metadata };
        self.mds.send(message.encode(Features::ALL_REEF).unwrap()).unwrap();
    }

    fn open(&self) {
        self.say(MClientSession::REQUEST_OPEN, 0);
        eventually("an open session", PATIENCE, || self.witness.has(MClientSession::OPEN));
    }

    /// Renews all the time for a while, and until the session was resumed as often as wanted; returns how often.
    fn renew(&self, during: Duration) -> u64 {
        let start = Instant::now();
        let resumed = || self.mon.messenger().counters().reconnects;
        let goes_on = || start.elapsed() < during || start.elapsed() < PATIENCE && resumed() < RESUMED;
        let mut renewals = 0;
        while goes_on() {
            sleep(Duration::from_millis(5));
            // One answer is that to the opening.
            let open = renewals + 1 - self.witness.seen().answers.len() as u64;
            if open < OPEN_RENEWALS {
                renewals += 1;
                self.say(MClientSession::REQUEST_RENEW_CAPS, renewals);
            }
        }
        renewals
    }

    /// Every renewal was answered, and the wire is quiet.
    fn settle(&self, renewals: u64) {
        self.transport.calm();
        let answered = || self.witness.seen().answers.len() as u64 > renewals;
        let start = Instant::now();
        eventually("an answer to every renewal", PATIENCE, answered);
        println!("settled after {:?}", start.elapsed());
    }

    /// On a quiet wire: with its farewell the server makes the session lossy, and would not repeat it.
    fn close(&self) {
        self.say(MClientSession::REQUEST_CLOSE, 0);
        eventually("a closed session", PATIENCE, || self.witness.has(MClientSession::CLOSE));
    }

    fn name(&self) -> String {
        format!("client.{}", self.mon.global_id())
    }
}

fn mds_addrs(cluster: &Cluster) -> AddrVec {
    let map = cluster.ceph_json(&["fs", "dump"]).unwrap();
    let info = &map["filesystems"][0]["mdsmap"]["info"];
    let info = info.as_object().unwrap().values().next().unwrap();
    let addr = |kind: &str| {
        let all = info["addrs"]["addrvec"].as_array().unwrap();
        let addr = all.iter().find(|addr| addr["type"] == kind)?;
        let nonce = addr["nonce"].as_u64().unwrap() as u32;
        Some(EntityAddr::msgr2(addr["addr"].as_str().unwrap().parse().unwrap(), nonce))
    };
    addrs(addr("v2").unwrap(), addr("v1"))
}

/// The states of the sessions that the metadata server has.
fn sessions(cluster: &Cluster) -> Vec<String> {
    let list = cluster.ceph_json(&["tell", "mds.a", "session", "ls"]).unwrap();
    let list = list.as_array().unwrap().iter();
    list.map(|session| session["state"].as_str().unwrap().to_owned()).collect()
}

fn survives(cluster: &Cluster, mode: Mode, seed: u64) {
    let client = Client::log_in(cluster, mode, seed);
    client.open();
    let renewals = client.renew(cut_for() / 2);
    client.settle(renewals);
    assert_eq!(sessions(cluster), ["open"]);
    client.close();

    let seen = client.witness.seen();
    let on_mds: Vec<_> = seen.lost.iter().filter(|lost| lost.contains("mds")).collect();
    assert!(on_mds.is_empty(), "{on_mds:?}");
    let opened = (1, MClientSession::OPEN, 0);
    let renewed = (1..=renewals).map(|n| (n + 1, MClientSession::RENEW_CAPS, n));
    let closed = (renewals + 2, MClientSession::CLOSE, 0);
    let expected: Vec<_> = [opened].into_iter().chain(renewed).chain([closed]).collect();
    assert_eq!(seen.answers, expected);
    drop(seen);

    let counters = client.mon.messenger().counters();
    println!("{mode:?}: {} cuts, {renewals} renewals; {counters}", client.transport.cuts());
    println!("here: {:?}", client.our_log.faults());
    client.our_log.assert_clean();
    assert!(counters.reconnects >= RESUMED, "{counters}");
    eventually("the connection to be open", PATIENCE, || client.mds.state() == State::Open);
    assert_eq!(sessions(cluster), [""; 0]);
    let log = DaemonLog::of(cluster, "mds.a");
    let name = client.name();
    assert_eq!(log.cookies(&name).len(), 1, "sessions of {name}");
    let from_us = log.received(&name, "client_session(").map(|(seq, _)| seq);
    assert!(from_us.eq(1..=renewals + 2), "gaps or repetitions in the server's log");
}

#[test]
fn a_file_system_session_is_resumed() {
    let (option, value) = DEBUG_MS;
    let cluster = Cluster::builder().osds(1).mds().set(option, value).boot().unwrap();
    survives(&cluster, Mode::CRC, 11);
    survives(&cluster, Mode::SECURE, 12);
    let log = DaemonLog::of(&cluster, "mds.a");
    log.assert_clean();
    let [asked, granted] = ["handle_reconnect received", "send_reconnect_ok"].map(|event| log.count(event));
    println!("mds.a: {asked} times asked to resume, {granted} times it did");
    assert!(asked as u64 >= 2 * RESUMED && granted as u64 >= 2 * RESUMED);
}
