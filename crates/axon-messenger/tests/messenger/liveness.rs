//! Who is still there: keepalives, TimeoutTest, peers that are silent.

use crate::probe::{Probe, numbered};
use crate::town::{Town, dial, start, wait_until};
use axon_messenger::{EntityType, Fault, State, Timeouts};
use axon_proto::WakeReason;
use axon_transport::Direction;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How often something is tried that a machine that stalls for a second may spoil: a fault would spoil it each time.
const ATTEMPTS: usize = 3;

/// Time-outs that do not fire in a test.
fn calm() -> Timeouts {
    Timeouts { ready: ms(60_000), idle: None, keepalive: None, keepalive_ack: ms(60_000) }
}

/// Asks the first time when a test has long cut its link.
fn asking() -> Timeouts {
    Timeouts { keepalive: Some(ms(2000)), keepalive_ack: ms(300), ..calm() }
}

over_each! {
    fn a_keepalive_measures_the_round_trip(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, there) = pair.connected();
        assert_eq!(here.last_round_trip(), None);
        for connection in [here, there] {
            connection.keepalive();
            wait_until("the answer", || connection.last_round_trip().is_some());
            assert!(connection.last_round_trip().unwrap() < ms(5000));
        }
    }

    /// TimeoutTest
    fn an_idle_connection_is_dropped(town) {
        let timeouts = Timeouts { idle: Some(ms(100)), ..calm() };
        let probe = Probe::new();
        let server = start(town.server("osd.3").timeouts(timeouts), &probe);
        let at_client = Probe::new();
        let client = start(town.builder("client.7").timeouts(calm()), &at_client);
        let connection = dial(&client, &server);
        at_client.wait_connect(&connection);
        let (fault, _) = probe.wait_reset(&probe.wait_accept());
        assert_eq!(fault, Fault::TimedOut(WakeReason::Idle));
        at_client.wait_reset(&connection);
    }

    fn keepalives_keep_a_connection_from_being_idle(town) {
        let stays_open = || {
            let timeouts = Timeouts { idle: Some(ms(1000)), ..calm() };
            let probe = Probe::new();
            let server = start(town.server("osd.3").timeouts(timeouts), &probe);
            let timeouts = Timeouts { keepalive: Some(ms(50)), ..calm() };
            let at_client = Probe::new();
            let client = start(town.builder("client.7").timeouts(timeouts), &at_client);
            let connection = dial(&client, &server);
            at_client.wait_connect(&connection);
            std::thread::sleep(ms(2000));
            (connection.state(), probe.resets()) == (State::Open, 0)
        };
        assert!((0..ATTEMPTS).any(|_| stays_open()));
    }
}

#[test]
fn a_dead_peer_is_found_within_the_keepalive_time_outs() {
    let town = Town::mem();
    let server = start(town.server("osd.3").timeouts(calm()), &Probe::new());
    let probe = Probe::new();
    let client = start(town.builder("client.7").timeouts(asking()), &probe);
    let connection = dial(&client, &server);
    probe.wait_connect(&connection);
    let pulled = Instant::now();
    let link = town.network().links().pop().unwrap();
    link.stall(Direction::ToServer);
    link.stall(Direction::ToClient);
    let (fault, _) = probe.wait_reset(&connection);
    assert_eq!(fault, Fault::TimedOut(WakeReason::KeepaliveAck));
    assert!(pulled.elapsed() >= asking().keepalive_ack, "{:?}", pulled.elapsed());
}

#[test]
fn a_half_open_connection_is_found_too() {
    let town = Town::mem();
    let server = start(town.server("osd.3").timeouts(calm()), &Probe::echo());
    let probe = Probe::new();
    let client = start(town.builder("client.7").timeouts(asking()), &probe);
    let connection = dial(&client, &server);
    probe.wait_connect(&connection);
    town.network().links().pop().unwrap().stall(Direction::ToClient);
    connection.send(numbered(1)).unwrap();
    assert_eq!(probe.wait_reset(&connection).0, Fault::TimedOut(WakeReason::KeepaliveAck));
}

#[test]
fn a_peer_that_accepts_and_says_nothing_is_given_up() {
    let town = Town::tcp();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = crate::town::addrs(&[&format!("v2:{}/0", silent.local_addr().unwrap())]);
    let probe = Probe::new();
    let timeouts = Timeouts { ready: ms(150), ..calm() };
    let client = start(town.builder("client.7").timeouts(timeouts), &probe);
    let begun = Instant::now();
    client.connect(EntityType::Osd, &target).unwrap();
    assert_eq!(probe.wait_refused(|_| true), Fault::TimedOut(WakeReason::Ready));
    assert!(begun.elapsed() >= ms(150));
    drop(silent);
}

/// While a message waits for its budget, nothing behind it is read, keepalives and their answers included. The side that
/// holds its peer back knows the reason and does not take the silence for death; the peer cannot know it, so that its
/// time-out must be longer than the application takes.
#[test]
fn keepalives_are_not_answered_while_a_message_waits() {
    let town = Town::tcp();
    let probe = Probe::new();
    let (holding, release, _) = holding();
    let server =
        start(town.server("osd.3").timeouts(calm()).receive_budget(EntityType::Client, 1, 0), &holding);
    let client = start(town.builder("client.7").timeouts(calm()), &probe);
    let connection = dial(&client, &server);
    connection.send(numbered(1)).unwrap();
    connection.send(numbered(2)).unwrap();
    wait_until("a wait for the budget", || server.counters().throttle_waits == 1);
    connection.keepalive();
    std::thread::sleep(ms(1000)); // the worker may send it late
    assert_eq!(connection.last_round_trip(), None);
    release.send(()).unwrap();
    wait_until("the answer", || connection.last_round_trip().is_some());
    assert!(connection.last_round_trip().unwrap() >= ms(150));
}

/// A dispatcher that holds each message until it is told to go on or nobody can tell it any more, and how many it got.
fn holding() -> (Arc<Probe>, Sender<()>, Arc<AtomicUsize>) {
    let (release, wait) = channel();
    let wait = Mutex::new(wait);
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let probe = Probe::with(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        wait.lock().unwrap().recv().unwrap_or(());
    });
    (probe, release, seen)
}

#[test]
fn who_is_held_back_does_not_take_its_peer_for_dead() {
    let town = Town::tcp();
    let timeouts = Timeouts { keepalive: Some(ms(50)), keepalive_ack: ms(1000), ..calm() };
    let stays_open = || {
        let (holding, release, seen) = holding();
        let server = town.server("osd.3").timeouts(timeouts).receive_budget(EntityType::Client, 1, 0);
        let server = start(server, &holding);
        let probe = Probe::new();
        let client = start(town.builder("client.7").timeouts(timeouts), &probe);
        let connection = dial(&client, &server);
        connection.send(numbered(1)).unwrap();
        connection.send(numbered(2)).unwrap();
        wait_until("a wait for the budget", || server.counters().throttle_waits == 1 || probe.resets() > 0);
        std::thread::sleep(ms(2500));
        let open = (connection.state(), probe.resets()) == (State::Open, 0);
        release.send(()).unwrap();
        wait_until("the second", || seen.load(Ordering::Relaxed) == 2 || probe.resets() > 0);
        drop(release);
        open && seen.load(Ordering::Relaxed) == 2
    };
    assert!((0..ATTEMPTS).any(|_| stays_open()));
}

#[test]
fn who_holds_a_peer_back_does_not_take_it_for_dead() {
    let town = Town::tcp();
    let timeouts =
        Timeouts { keepalive: Some(ms(100)), keepalive_ack: ms(1000), idle: Some(ms(1000)), ..calm() };
    let stays_open = || {
        let (holding, release, seen) = holding();
        let server = start(town.server("osd.3").timeouts(calm()), &Probe::echo());
        let client = town.builder("client.7").timeouts(timeouts).receive_budget(EntityType::Osd, 1, 0);
        let client = start(client, &holding);
        let connection = dial(&client, &server);
        connection.send(numbered(1)).unwrap();
        connection.send(numbered(2)).unwrap();
        wait_until("a wait for the budget", || client.counters().throttle_waits == 1 || holding.resets() > 0);
        std::thread::sleep(ms(2500));
        let open = || (connection.state(), holding.resets()) == (State::Open, 0);
        let was_open = open();
        release.send(()).unwrap();
        wait_until("the second", || seen.load(Ordering::Relaxed) == 2 || holding.resets() > 0);
        std::thread::sleep(ms(100));
        let is_open = open();
        drop(release);
        was_open && is_open
    };
    assert!((0..ATTEMPTS).any(|_| stays_open()));
}
