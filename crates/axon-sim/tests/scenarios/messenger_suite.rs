//! The scenarios of the C++ and of Crimson's unit tests that are about messengers rather than sessions: with real ones
//! (Ceph: `src/test/msgr/test_msgr.cc`, `src/test/crimson/test_messenger.cc`, `test_socket.cc`).

use crate::hall::{
    FastHandler, Guest, Hall, Handler, MOMENT, PATIENCE, PING, addrs, at, echo, eventually, filled, numbered,
    start,
};
use axon_auth::testing::{TestClock, ToyMonitor, converse};
use axon_auth::{
    AuthName, ClientAuth, KeyType, Method, Mode, Principal, RotatingStore, ServerAuth, TicketStore, Verifier,
};
use axon_messenger::{
    AddrVec, ConnectError, Connection, EntityType, Expect, Fault, Features, Incoming, Message, Nonce, Policy,
    Received, Rejection, StartError, State, incoming,
};
use axon_proto::Disconnect;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Messages go both ways; the server moves to another port; a connection is closed; a dead server is dialled; a messenger
/// talks to itself.
#[test]
fn simple_test() {
    let hall = Hall::new();
    let server = Guest::new(hall.builder("osd.3").bind(at("127.0.0.1:6800-6801")));
    let client = Guest::new(hall.builder("client.7"));
    let here = client.connect(&server.messenger);
    here.send(filled(1, 100)).unwrap();
    let (there, ping) = server.hear_message();
    assert_eq!((ping.header.tid, ping.data.len()), (1, 100));
    there.send(numbered(2)).unwrap();
    assert_eq!(client.hear_message().1.header.tid, 2);

    let before = server.messenger.addrs();
    drop(server);
    client.hear_reset(&here);
    assert_eq!(here.send(numbered(3)).unwrap_err().why, Rejection::Closed);
    let elsewhere = at("127.0.0.1:6800-6801");
    let port = before.first().port();
    let free: Vec<_> = elsewhere.candidates(&[port]).collect();
    let server = Guest::new(hall.builder("osd.3").bind(free[0]));
    assert_ne!(server.messenger.addrs().first().port(), port);
    let here = client.connect(&server.messenger);
    here.send(numbered(4)).unwrap();
    let (there, ping) = server.hear_message();
    assert_eq!((ping.header.tid, ping.header.seq), (4, 1), "another session");

    here.mark_down();
    assert_eq!((here.state(), there == here), (State::Closed, false));
    server.hear_reset(&there);
    let again = client.connect(&server.messenger);
    assert_ne!(again, here);
    again.send(numbered(5)).unwrap();
    assert_eq!(server.hear_message().1.header.tid, 5);

    let dead = client.messenger.connect(EntityType::Osd, &before).unwrap();
    dead.send(numbered(6)).unwrap();
    let refused = Fault::Disconnected(Disconnect::Refused);
    assert_eq!([(); 3].map(|()| client.hear_refusal()), [(); 3].map(|()| refused.clone()));
    assert_eq!(dead.state(), State::Connecting);

    let myself = server.messenger.loopback();
    assert_eq!(server.connect(&server.messenger), myself);
    (10..20).for_each(|tid| myself.send(numbered(tid)).unwrap());
    for tid in 10..20 {
        let (from, message) = server.hear_message();
        assert_eq!((from == myself, message.header.tid), (true, tid));
    }
}

/// A server with addresses of both protocols: who dials it by all of them and who dials it by the second alone gets
/// through; each vector of addresses is a peer of its own. The first protocol is not spoken.
#[test]
fn simple_msgr2_test() {
    let hall = Hall::new();
    let both = addrs(&["v2:10.0.0.1:3300/0", "v1:10.0.0.1:6789/0"]);
    let builder =
        hall.builder("osd.3").bind(at("10.0.0.1:3300")).nonce(Nonce::MONITOR).advertise(both.clone());
    let _server = start(builder, echo());
    let second = AddrVec(vec![both.first()]);
    let first = addrs(&["v1:10.0.0.1:6789/0"]);
    for dialled in [&both, &second] {
        let client = Guest::new(hall.builder("client.7"));
        let connection = client.messenger.connect(EntityType::Osd, dialled).unwrap();
        connection.send(numbered(1)).unwrap();
        assert_eq!(client.hear_message().0, connection);
        assert_eq!(connection.peer_addrs(), both, "the peer tells all of them");
        assert_eq!(client.messenger.connect(EntityType::Osd, dialled).unwrap(), connection);
        let other = if dialled == &both { &second } else { &both };
        assert_ne!(client.messenger.connect(EntityType::Osd, other).unwrap(), connection);
        let unspoken = client.messenger.connect(EntityType::Osd, &first);
        assert_eq!(unspoken.unwrap_err(), ConnectError::NoAddress);
    }
}

/// Who lacks a feature that the other end requires never gets through; with it, at once.
#[test]
fn feature_test() {
    let hall = Hall::new();
    let needed = Features::SERVER_TENTACLE;
    let strict = Policy::stateless_server().require(needed).support(Features::ALL_TENTACLE);
    let server = Guest::new(hall.server("osd.3").default_policy(strict));
    let missing = Features::ALL_REEF.missing(needed);
    let old = Guest::new(hall.builder("client.7").policy(EntityType::Osd, Policy::lossy_client()));
    let refused = old.connect(&server.messenger);
    refused.send(numbered(1)).unwrap();
    for _ in 0..3 {
        assert_eq!(old.hear_refusal(), Fault::WeLackFeatures(missing));
    }
    assert_eq!((refused.state(), refused.features()), (State::Connecting, None));
    assert!(server.heard_nothing());

    let able = Policy::lossy_client().support(Features::ALL_TENTACLE);
    let new = Guest::new(hall.builder("client.8").policy(EntityType::Osd, able));
    let connection = new.connect(&server.messenger);
    connection.send(numbered(2)).unwrap();
    assert_eq!(server.hear_message().1.header.tid, 2);
    assert!(connection.features().is_some_and(|features| features.contains(needed)));
}

/// Two anonymous connections to one server are apart: closing one leaves the other.
#[test]
fn anon_test() {
    let hall = Hall::new();
    let server = Guest::new(hall.server("osd.3"));
    let client = Guest::new(hall.builder("client.7"));
    let anonymous =
        || client.messenger.connect_anonymous(EntityType::Osd, &server.messenger.addrs()).unwrap();
    let [first, second] = [anonymous(), anonymous()];
    assert_ne!(first, second);
    first.send(numbered(1)).unwrap();
    second.send(numbered(2)).unwrap();
    let mut there = [server.hear_message(), server.hear_message()];
    there.sort_by_key(|(_, message)| message.header.tid);
    assert_ne!(there[0].0, there[1].0);
    first.mark_down();
    server.hear_reset(&there[0].0);
    second.send(numbered(3)).unwrap();
    let (from, message) = server.hear_message();
    assert_eq!((from == there[1].0, message.header.tid), (true, 3));
    assert_eq!((first.state(), second.state()), (State::Closed, State::Open));
}

/// A client with a ticket for OSDs, and an OSD that knows it.
fn cephx() -> (Arc<dyn ClientAuth>, Arc<Verifier>) {
    let clock = TestClock::at(1_700_000_000);
    let monitor = ToyMonitor::new(KeyType::Aes, clock.surroundings(1));
    let name = AuthName::new(EntityType::Client, "admin");
    let key = monitor.create(
        name.clone(),
        KeyType::Aes,
        &[(EntityType::Osd, "allow *"), (EntityType::Mon, "allow *")],
    );
    let client = Principal::new(name, TicketStore::default(), clock.surroundings(2))
        .with_key(key)
        .with_methods(&[Method::CEPHX]);
    let mut asks = client.start(EntityType::Mon).expect("a key");
    converse(&mut *asks, &mut *monitor.start(), EntityType::Client, Mode::SECURE).expect("tickets");
    let verifier = Verifier::new(EntityType::Osd, RotatingStore::default(), clock.surroundings(3));
    verifier.secrets().replace(monitor.secrets(EntityType::Osd));
    (Arc::new(client), Arc::new(verifier))
}

/// With cephx, and then with none.
#[test]
fn auth_test() {
    for with_cephx in [true, false] {
        let hall = Hall::new();
        let (mut server, mut client) = (hall.server("osd.3"), hall.builder("client.7"));
        if with_cephx {
            let (principal, verifier) = cephx();
            (server, client) = (server.server_auth(verifier), client.client_auth(principal));
        }
        let (server, client) = (Guest::new(server), Guest::new(client));
        let here = client.connect(&server.messenger);
        here.send(filled(1, 1000)).unwrap();
        let (there, message) = server.hear_message();
        assert_eq!(message.data, filled(1, 1000).data);
        let name = there.identity().map(|identity| identity.name.to_string());
        assert_eq!(name.as_deref(), Some(if with_cephx { "client.admin" } else { "client.7" }));
        there.send(numbered(2)).unwrap();
        assert_eq!(client.hear_message().1.header.tid, 2);
    }
}

/// Thirty thousand strings in front, with their lengths, as Ceph encodes them.
fn strings() -> Vec<u8> {
    let texts = (0..30_000).map(|n| format!("some text number {n:06}"));
    texts.flat_map(|text| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()).collect()
}

/// A message whose front is many strings, and one whose data is long.
#[test]
fn message_test() {
    let hall = Hall::new();
    let server = start(hall.server("osd.3"), echo());
    let client = Guest::new(hall.builder("client.7"));
    let connection = client.connect(&server);
    let front = strings();
    assert!(front.len() > 780_000, "{}", front.len());
    connection.send(Message::new(PING, front.clone())).unwrap();
    let (_, back) = client.hear_message();
    assert_eq!((back.front == front, back.data.len()), (true, 0));
    connection.send(filled(7, 800 << 10)).unwrap();
    let (_, back) = client.hear_message();
    assert_eq!((back.front.len(), back.data == filled(7, 800 << 10).data), (0, true));
}

/// A dispatcher closes all other connections whenever it is called. Nobody waits for anybody.
#[test]
fn markdown_test() {
    const ROUNDS: u64 = 1000;
    let hall = Hall::new();
    let (known, rounds) = (Mutex::new(HashMap::new()), Arc::new(AtomicU64::new(0)));
    let handled = rounds.clone();
    let server = start(
        hall.server("osd.3").workers(2).dispatch_threads(2),
        Handler(move |connection: &Connection, _: Received| {
            let mut known = known.lock().unwrap();
            known.insert(connection.id(), connection.clone());
            known.retain(|id, other| {
                let is_me = *id == connection.id();
                if !is_me {
                    other.mark_down();
                }
                is_me
            });
            handled.fetch_add(1, Ordering::Relaxed);
        }),
    );
    let clients: Vec<_> = (0..4).map(|n| Guest::new(hall.builder(&format!("client.{n}")))).collect();
    eventually("all rounds", || {
        for client in &clients {
            // A connection that was just closed takes nothing any more; the next round has another.
            let _ = client.connect(&server).send(numbered(1));
        }
        rounds.load(Ordering::Relaxed) >= ROUNDS
    });
    server.shutdown(PATIENCE);
}

/// Two clients, two servers: rounds of pings, now and then a keepalive between them.
#[test]
fn test_echo() {
    const ROUNDS: u64 = 300;
    let hall = Hall::new();
    let servers = ["osd.0", "osd.1"].map(|name| start(hall.server(name), echo()));
    let clients = ["client.0", "client.1"].map(|name| Guest::new(hall.builder(name)));
    let connections = clients.iter().flat_map(|client| servers.iter().map(|server| client.connect(server)));
    let connections: Vec<_> = connections.collect();
    thread::scope(|scope| {
        for connection in &connections {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    if round % 10 == 5 {
                        connection.keepalive();
                    }
                    let call = connection.call_within(filled(0, 100), Expect::Kind(PING), PATIENCE).unwrap();
                    assert_eq!(call.wait().unwrap().data.len(), 100);
                }
            });
        }
    });
    for connection in &connections {
        eventually("the answer to a keepalive", || connection.last_round_trip().is_some());
    }
    let received: u64 = servers.iter().map(|server| server.counters().messages_in).sum();
    assert_eq!(received, 4 * ROUNDS);
}

/// Either end shuts down while messages stream: it ends, and its dispatcher hears nothing more. (A handler on a dispatch
/// thread is waited for as long as the shutdown may take, and here that is no time.)
#[test]
fn test_preemptive_shutdown() {
    for _ in 0..10 {
        let hall = Hall::new();
        let calls = Arc::new(AtomicU64::new(0));
        let counted = || {
            let calls = calls.clone();
            FastHandler(move |connection: &Connection, message: Received| {
                calls.fetch_add(1, Ordering::Relaxed);
                let _ = connection.send(message.into_message());
            })
        };
        let server = start(hall.server("osd.3"), counted());
        let client = start(hall.builder("client.7"), echo());
        let connection = client.connect(EntityType::Osd, &server.addrs()).unwrap();
        (0..50).for_each(|tid| connection.send(numbered(tid)).unwrap());
        eventually("messages to stream", || calls.load(Ordering::Relaxed) > 100);
        server.shutdown(Duration::ZERO);
        let at_the_end = calls.load(Ordering::Relaxed);
        thread::sleep(MOMENT / 10);
        assert_eq!(calls.load(Ordering::Relaxed), at_the_end);
        client.shutdown(Duration::ZERO);
        assert_eq!(connection.send(numbered(1)).unwrap_err().why, Rejection::Closed);
    }
}

/// How many handlers are inside at the same time, and the most there ever were.
#[derive(Default)]
struct Crowd {
    inside: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Crowd {
    /// Stays until somebody else has been inside as well.
    fn visit(&self) {
        let mut inside = self.inside.lock().unwrap();
        inside.0 += 1;
        inside.1 = inside.1.max(inside.0);
        self.changed.notify_all();
        let alone = |(_, most): &mut (usize, usize)| *most < 2;
        inside = self.changed.wait_timeout_while(inside, PATIENCE, alone).unwrap().0;
        inside.0 -= 1;
    }
}

/// Handlers of different connections run at the same time; those of one connection one after the other. (Crimson ran those,
/// too, at the same time; here the order of a connection is part of what is promised.)
#[test]
fn test_concurrent_dispatch() {
    let hall = Hall::new();
    let (crowd, last) = (Arc::new(Crowd::default()), Arc::new(Mutex::new(HashMap::<u64, u64>::new())));
    let (visited, seen) = (crowd.clone(), last.clone());
    let server = start(
        hall.server("osd.3").dispatch_threads(4),
        Handler(move |connection: &Connection, message: Received| {
            visited.visit();
            let before = seen.lock().unwrap().insert(connection.id(), message.header.tid).unwrap_or(0);
            assert_eq!(message.header.tid, before + 1);
        }),
    );
    let client = Guest::new(hall.builder("client.7"));
    let anonymous = || client.messenger.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap();
    let connections: Vec<_> = (0..16).map(|_| anonymous()).collect();
    for tid in 1..=20 {
        connections.iter().for_each(|connection| connection.send(numbered(tid)).unwrap());
    }
    eventually("all messages", || {
        let last = last.lock().unwrap();
        last.len() == 16 && last.values().all(|tid| *tid == 20)
    });
    assert!(crowd.inside.lock().unwrap().1 >= 2);
}

/// Nobody listens; somebody listens already; a messenger ends while it accepts; an end that nobody expected.
#[test]
fn test_socket() {
    let hall = Hall::new();
    let client = Guest::new(hall.builder("client.7"));
    let nobody = client.messenger.connect(EntityType::Osd, &addrs(&["v2:10.0.0.1:6800/0"])).unwrap();
    assert_eq!(client.hear_refusal(), Fault::Disconnected(Disconnect::Refused));
    nobody.mark_down();

    let bind = |name| hall.builder(name).bind(at("10.0.0.1:6800")).nonce(Nonce::MONITOR);
    let server = Guest::new(bind("osd.3"));
    let taken = bind("osd.4").start(incoming().0).unwrap_err();
    assert!(matches!(taken, StartError::Bind { .. }), "{taken}");

    let here = client.connect(&server.messenger);
    eventually("the session", || here.state() == State::Open);
    let _ = server.hear_accept();
    for link in hall.network.links() {
        link.cut();
    }
    let reset = client.hear_reset(&here);
    assert!(matches!(reset.fault, Fault::Disconnected(_)), "{}", reset.fault);

    for _ in 0..20 {
        let here = client.connect(&server.messenger);
        let _ = server.hear_accept();
        here.mark_down();
    }
    let _dialling = client.connect(&server.messenger);
    server.messenger.shutdown(Duration::ZERO);
    let again = Guest::new(bind("osd.3"));
    let here = client.connect(&again.messenger);
    here.send(numbered(1)).unwrap();
    again.hear("the message", |news| matches!(news, Incoming::Message(..)).then_some(()));
}
