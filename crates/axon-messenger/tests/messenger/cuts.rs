//! Lossless sessions under load while their sockets are cut, one by one and all at once, from before the first handshake
//! on: what is sent arrives once, in order and undamaged, in both directions, and nobody hears of a reset.

use crate::probe::pattern;
use crate::town::{PATIENCE, Town, dial, wait_until};
use axon_messenger::{
    BackOff, Builder, Connection, Dispatcher, EntityName, EntityType, Message, Messenger, Policy, Received,
    Reset, Undelivered,
};
use axon_transport::{Cuttable, MemNetwork, TcpTransport, Transport, UringTransport};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const SESSIONS: u16 = 6;
/// Cuts after which a run ends: enough for each session to break some dozens of times.
const CUTS: u64 = 400;
/// So many of them at least met sessions that were open: on a slow machine many meet handshakes.
const RECONNECTS: u64 = CUTS / 10;
/// How long those may take.
const WITHIN: Duration = Duration::from_secs(120);
/// Every so many cuts, all sockets go at once.
const SWIZZLE: u64 = 25;

/// One side's account. Sessions are told apart by the kind of their messages, as both sides number them alike.
#[derive(Default)]
struct Ledger {
    arrived: Mutex<HashMap<u16, u64>>,
    accepted: Mutex<HashMap<EntityName, Connection>>,
    violations: Mutex<Vec<String>>,
}

impl Ledger {
    fn arrived(&self, session: u16) -> u64 {
        self.arrived.lock().unwrap().get(&session).copied().unwrap_or(0)
    }

    fn violated(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    fn take(&self, message: &Message) {
        let (session, tid) = (message.header.kind, message.header.tid);
        let mut arrived = self.arrived.lock().unwrap();
        let next = arrived.entry(session).or_default();
        if tid != *next {
            self.violated(format!("session {session}: {tid} came instead of {next}"));
        }
        if message.data != pattern(tid, size(tid)) {
            self.violated(format!("session {session}: {tid} is damaged"));
        }
        *next = tid + 1;
    }
}

impl Dispatcher for Ledger {
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        message.header.kind.is_multiple_of(2)
    }

    fn dispatch(&self, _: &Connection, message: Received) {
        self.take(&message);
    }

    fn handle_fast_accept(&self, connection: &Connection) {
        let name = connection.peer_name().expect("the session is open");
        let before = self.accepted.lock().unwrap().insert(name, connection.clone());
        if before.is_some_and(|before| before != *connection) {
            self.violated(format!("{name} was accepted as another connection"));
        }
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        self.violated(format!("{connection:?} was reset: {}", reset.fault));
    }

    fn handle_remote_reset(&self, connection: &Connection, _: Undelivered) {
        self.violated(format!("the peer of {connection:?} lost the session"));
    }
}

fn size(tid: u64) -> usize {
    if tid.is_multiple_of(7) { 0 } else { (tid * tid * 977 % 30_000) as usize }
}

fn message(session: u16, tid: u64) -> Message {
    let mut message = Message::new(session, &b"front"[..]);
    message.header.tid = tid;
    message.data = pattern(tid, size(tid)).into();
    message
}

/// How the two sides of a session behave.
#[derive(Clone, Copy)]
enum Kind {
    Clients,
    Peers(fn() -> Policy),
}

impl Kind {
    fn far(self, builder: Builder) -> Builder {
        match self {
            Self::Clients => builder.default_policy(Policy::stateful_server()),
            Self::Peers(policy) => builder.default_policy(policy()),
        }
    }

    fn near(self, town: &Town, index: u16) -> Builder {
        match self {
            Self::Clients => {
                town.builder(&format!("client.{}", index + 1)).default_policy(Policy::lossless_client())
            }
            Self::Peers(policy) => town.server(&format!("osd.{}", index + 1)).default_policy(policy()),
        }
    }
}

/// Sessions between one messenger and several, and what is known of them.
struct Stage {
    far: Messenger,
    near: Vec<Messenger>,
    at_far: Arc<Ledger>,
    at_near: Arc<Ledger>,
}

impl Stage {
    fn new(town: &Town, kind: Kind) -> Self {
        let (at_far, at_near) = (Arc::new(Ledger::default()), Arc::new(Ledger::default()));
        let start = |builder: Builder, ledger: &Arc<Ledger>| {
            // A small budget, so that senders wait for acknowledgements.
            let quick = BackOff::new(Duration::from_millis(2), Duration::from_millis(50));
            builder.send_budget(200_000).back_off(quick).start(ledger.clone()).unwrap()
        };
        let far = start(kind.far(town.server("osd.0")).workers(2), &at_far);
        let near = (0..SESSIONS).map(|index| start(kind.near(town, index), &at_near)).collect();
        Self { far, near, at_far, at_near }
    }

    /// The two ends of each session, the near one first. That has sent its first message: a peer that was cut off and has
    /// nothing to say waits for the other.
    fn connect(&self) -> Vec<[Connection; 2]> {
        let here: Vec<_> = self.near.iter().map(|near| dial(near, &self.far)).collect();
        for (session, here) in (0..).zip(&here) {
            here.send(message(session, 0)).unwrap();
        }
        let there = |name: EntityName| self.at_far.accepted.lock().unwrap().get(&name).cloned();
        wait_until("all to be accepted", || self.near.iter().all(|near| there(near.name()).is_some()));
        here.into_iter().zip(&self.near).map(|(here, near)| [here, there(near.name()).unwrap()]).collect()
    }

    fn reconnects(&self) -> u64 {
        self.near.iter().map(|near| near.counters().reconnects).sum()
    }

    fn violations(&self) -> Vec<String> {
        let of = |ledger: &Ledger| ledger.violations.lock().unwrap().clone();
        [of(&self.at_near), of(&self.at_far)].concat()
    }
}

/// Cuts until there were enough that sessions survived, or it takes too long.
fn cut<T: Transport>(network: &Cuttable<T>, stage: &Stage) {
    let start = Instant::now();
    while (network.cuts() < CUTS || stage.reconnects() < RECONNECTS) && start.elapsed() < WITHIN {
        thread::sleep(Duration::from_micros(1500));
        if network.cuts() % SWIZZLE == SWIZZLE - 1 {
            network.cut_all();
        } else {
            network.cut_one_of(2 * usize::from(SESSIONS));
        }
    }
}

/// Sends from both ends until it is over; returns how many messages each has sent.
fn send(is_over: &AtomicBool, session: u16, ends: &[Connection; 2]) -> [u64; 2] {
    let mut sent = [1, 0];
    while !is_over.load(Ordering::Relaxed) {
        for (end, sent) in ends.iter().zip(&mut sent) {
            end.send_timeout(message(session, *sent), 2 * PATIENCE).unwrap();
            *sent += 1;
        }
    }
    sent
}

fn run<T: Transport + Clone>(inner: T, kind: Kind) {
    let network = Cuttable::new(inner, 1);
    let stage = Stage::new(&Town::over(network.clone()), kind);
    let is_over = AtomicBool::new(false);
    let (sessions, sent) = thread::scope(|scope| {
        let knife = scope.spawn(|| cut(&network, &stage));
        let sessions = stage.connect();
        let send_on = |(session, ends): (u16, [Connection; 2])| {
            let is_over = &is_over;
            scope.spawn(move || send(is_over, session, &ends))
        };
        let senders: Vec<_> = (0..).zip(sessions.clone()).map(send_on).collect();
        knife.join().unwrap();
        is_over.store(true, Ordering::Relaxed);
        let sent: Vec<[u64; 2]> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
        (sessions, sent)
    });

    let have_come = || {
        (0..).zip(&sent).all(|(session, [near, far])| {
            stage.at_far.arrived(session) >= *near && stage.at_near.arrived(session) >= *far
        })
    };
    wait_until("all to be handled", || have_come() || !stage.violations().is_empty());
    assert_eq!(stage.violations(), Vec::<String>::new());
    wait_until("all to be acknowledged", || sessions.iter().flatten().all(|end| end.queued_bytes() == 0));
    let (sent, cuts) = (sent.iter().flatten().sum::<u64>(), network.cuts());
    let reconnects = stage.reconnects();
    println!("{sent} messages, {cuts} cuts, {reconnects} reconnects");
    assert!(cuts >= CUTS && reconnects >= RECONNECTS, "{cuts} cuts, {reconnects} reconnects");
}

/// Declares a test per transport.
macro_rules! under_cuts {
    ($($name:ident: $kind:expr;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn tcp() {
                run(TcpTransport::new(), $kind);
            }

            #[test]
            fn uring() {
                run(UringTransport::new().unwrap_or_else(|error| panic!("{error}")), $kind);
            }

            #[test]
            fn mem() {
                run(MemNetwork::new(), $kind);
            }
        }
    )+};
}

under_cuts! {
    lossless_clients: Kind::Clients;
    lossless_peers: Kind::Peers(Policy::lossless_peer);
    lossless_peers_that_notice_restarts: Kind::Peers(Policy::lossless_peer_reuse);
}

/// An answer given by a fast handler carries the acknowledgement of what it answers: one write a message, no more.
#[test]
fn answers_carry_acknowledgements() {
    const ROUNDS: u64 = 500;
    struct Echo;
    impl Dispatcher for Echo {
        fn can_fast_dispatch(&self, _: &Message) -> bool {
            true
        }

        fn dispatch(&self, connection: &Connection, message: Received) {
            if message.header.tid < ROUNDS {
                let mut answer = Message::new(1, &b"answer"[..]);
                answer.header.tid = message.header.tid + 1;
                connection.send(answer).unwrap();
            }
        }
    }
    let town = Town::tcp();
    let far = Kind::Clients.far(town.server("osd.0")).start(Echo).unwrap();
    let near = Kind::Clients.near(&town, 0).start(Echo).unwrap();
    let connection = near.connect(EntityType::Osd, &far.addrs()).unwrap();
    connection.send(Message::new(1, &b"first"[..])).unwrap();
    wait_until("the last", || near.counters().messages_in + far.counters().messages_in == ROUNDS + 1);
    for messenger in [&near, &far] {
        let counters = messenger.counters();
        let (messages, writes) = (counters.messages_out, counters.write_batches);
        assert!(writes < messages + 20, "{writes} writes for {messages} messages");
    }
}
