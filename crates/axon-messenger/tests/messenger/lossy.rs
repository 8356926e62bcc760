//! Lossy sessions: what breaks is over, both ends are told, and what was not sent comes back.
//!
//! StatelessTest, AnonTest, FeatureTest and the lossy cases of crimson's suite.

use crate::probe::{Probe, filled, numbered, stays};
use crate::raw::{Claim, RawClient};
use crate::town::{MOMENT, PATIENCE, Town, dial, start, unused_addr, wait_until};
use axon_messenger::{AddrVec, EntityAddr, EntityType, Fault, Features, Nonce, Policy, Rejection, State};
use axon_proto::Disconnect;
use axon_transport::Direction;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

over_each! {
    /// lossy_connected_fault, lossy_accepted_fault
    fn the_end_of_one_side_resets_the_other(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, _) = pair.connected();
        drop(pair.server);
        let (fault, not_sent) = pair.at_client.wait_reset(&here);
        assert!(matches!(fault, Fault::Disconnected(Disconnect::Closed | Disconnect::Reset)), "{fault}");
        assert_eq!((not_sent.len(), here.state()), (0, State::Closed));
        assert_eq!(here.fault(), Some(&fault));
        assert_eq!(here.send(numbered(1)).unwrap_err().why, Rejection::Closed);
        pair.at_client.clear();
        assert!(stays(MOMENT, || pair.at_client.log().len()), "no retry once established");
        assert_eq!(pair.client.connections(), 0);
    }

    /// StatelessTest
    fn each_connection_is_a_new_session(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        for round in 1..=3 {
            let connection = pair.connect();
            connection.send(numbered(round)).unwrap();
            let arrived = pair.at_server.wait_messages(round as usize);
            assert_eq!(arrived.last().unwrap().header.seq, 1, "counters restart");
            let there = pair.at_server.wait_accepts(round as usize).pop().unwrap();
            if round == 2 { there.mark_down() } else { connection.mark_down() }
            wait_until("the end of both", || pair.client.connections() + pair.server.connections() == 0);
        }
    }

    /// AnonTest
    fn anonymous_connections_are_distinct(town) {
        let pair = town.pair(&Probe::echo(), &Probe::new());
        let anonymous = || pair.client.connect_anonymous(EntityType::Osd, &pair.server.addrs()).unwrap();
        let (first, second) = (anonymous(), anonymous());
        assert_ne!(first, second);
        first.send(numbered(1)).unwrap();
        second.send(numbered(2)).unwrap();
        pair.at_client.wait_messages(2);
        assert_ne!(pair.connect(), first, "registered ones are others");
        first.mark_down();
        second.send(numbered(3)).unwrap();
        pair.at_client.wait_messages(3);
        assert_eq!((second.state(), pair.at_client.resets()), (State::Open, 0));
    }

    fn a_newer_connection_of_the_same_address_replaces_the_older(town) {
        let probe = Probe::new();
        let policy = Policy::stateless_registered_server();
        let server = start(town.server("osd.3").default_policy(policy), &probe);
        let client = |probe| start(town.builder("client.7").nonce(Nonce::fixed(5)), probe);
        let old_probe = Probe::new();
        let old_client = client(&old_probe);
        let old = dial(&old_client, &server);
        old_probe.wait_connect(&old);
        let old_there = probe.wait_accept();
        assert_eq!(old_there.peer_addrs().to_string(), old_client.addrs().to_string());

        // Another process with the same address, started later: its global_seq is larger after a few attempts at most.
        let new_probe = Probe::new();
        let new_client = client(&new_probe);
        let new = dial(&new_client, &server);
        new.send(numbered(9)).unwrap();
        new_probe.wait_connect(&new);
        let (fault, _) = probe.wait_reset(&old_there);
        assert_eq!(fault, Fault::Replaced);
        old_probe.wait_reset(&old);
        assert_eq!(probe.wait_messages(1)[0].header.tid, 9);
        wait_until("one to be left", || server.connections() == 1);
        assert_eq!(probe.resets(), 1);
    }

    fn a_stateless_server_keeps_connections_of_the_same_address_apart(town) {
        let probe = Probe::new();
        let server = start(town.server("osd.3"), &probe);
        let clients = [Probe::new(), Probe::new()].map(|probe| {
            (start(town.builder("client.7").nonce(Nonce::fixed(5)), &probe), probe)
        });
        for (client, probe) in &clients {
            probe.wait_connect(&dial(client, &server));
        }
        assert_eq!(probe.wait_accepts(2).len(), 2);
        assert!(stays(MOMENT, || probe.resets()) && probe.resets() == 0);
        assert_eq!(server.connections(), 2);
    }

    /// FeatureTest
    fn a_client_that_lacks_a_required_feature_never_connects(town) {
        let needed = Features::SERVER_TENTACLE;
        let policy = Policy::stateless_server().require(needed).support(Features::ALL_TENTACLE);
        let at_server = Probe::new();
        let server = start(town.server("osd.3").default_policy(policy), &at_server);
        let lacking = Probe::new();
        let client = start(town.builder("client.7"), &lacking);
        let connection = dial(&client, &server);
        let fault = lacking.wait_refused(|_| true);
        let missing = Features::ALL_REEF.missing(needed);
        assert_eq!(fault, Fault::WeLackFeatures(missing));
        assert!(fault.is_permanent());
        assert_eq!(connection.state(), State::Connecting);

        let able = Probe::new();
        let policy = Policy::lossy_client().support(Features::ALL_TENTACLE);
        let client = start(town.builder("client.8").default_policy(policy), &able);
        let connection = dial(&client, &server);
        able.wait_connect(&connection);
        assert!(connection.features().unwrap().contains(needed));
        assert_eq!(at_server.wait_accepts(1).len(), 1);
    }

    fn a_client_may_require_features_too(town) {
        let server = start(town.server("osd.3"), &Probe::new());
        let probe = Probe::new();
        let policy = Policy::lossy_client().support(Features::ALL_TENTACLE).require(Features::SERVER_TENTACLE);
        let client = start(town.builder("client.7").default_policy(policy), &probe);
        dial(&client, &server);
        let fault = probe.wait_refused(|_| true);
        assert_eq!(fault, Fault::PeerLacksFeatures(Features::ALL_REEF.missing(Features::SERVER_TENTACLE)));
    }

    fn messages_wait_while_connecting(town) {
        let target = AddrVec(vec![EntityAddr::msgr2(unused_addr(), 5)]);
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = client.connect(EntityType::Osd, &target).unwrap();
        for tid in 0..100 {
            connection.send(numbered(tid)).unwrap();
        }
        let probe = Probe::new();
        let nonce = Nonce::fixed(target.first().nonce);
        let _server = start(town.builder("osd.3").bind(target.first().socket.unwrap()).nonce(nonce), &probe);
        let tids: Vec<u64> = probe.wait_messages(100).iter().map(|m| m.header.tid).collect();
        assert_eq!(tids, Vec::from_iter(0..100));
    }

    fn messages_before_the_end_arrive(town) {
        // The receiver works slowly and has little budget, so that the end overtakes most of the messages.
        let (seen, count) = counter();
        let at_server = Probe::with(move |_, _| {
            std::thread::sleep(Duration::from_millis(1));
            count.fetch_add(1, Ordering::Relaxed);
        });
        let server = start(town.server("osd.3").receive_budget(EntityType::Client, 4, 0), &at_server);
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = dial(&client, &server);
        for tid in 0..200 {
            connection.send(filled(tid, 1000)).unwrap();
        }
        client.shutdown(Duration::from_secs(20));
        wait_until("all messages", || seen.load(Ordering::Relaxed) == 200);
    }
}

#[test]
fn a_cut_resets_both_ends_and_unsent_messages_come_back() {
    let town = Town::mem();
    let pair = town.pair(&Probe::new(), &Probe::new());
    let (here, there) = pair.connected();
    let link = town.network().links().pop().unwrap();
    link.stall(Direction::ToServer);
    // The first is more than may be in flight: it is written, the others wait.
    for tid in 1..=10 {
        here.send(filled(tid, 2 << 20)).unwrap();
    }
    wait_until("the first to be written", || here.queued_bytes() < 9 * ((2 << 20) + 1024));
    link.cut();
    let (fault, not_sent) = pair.at_client.wait_reset(&here);
    assert_eq!(fault, Fault::Disconnected(Disconnect::Reset));
    let tids: Vec<u64> = not_sent.iter().map(|m| m.header.tid).collect();
    assert_eq!(tids, Vec::from_iter(2..=10));
    assert!(not_sent.iter().all(|m| m.data.len() == 2 << 20));
    let (fault, _) = pair.at_server.wait_reset(&there);
    assert_eq!(fault, Fault::Disconnected(Disconnect::Reset));
    wait_until("the budget to be given back", || here.queued_bytes() == 0);
}

#[test]
fn what_arrived_before_a_cut_is_delivered() {
    let town = Town::mem();
    let (seen, count) = counter();
    let at_server = Probe::with(move |_, _| {
        std::thread::sleep(Duration::from_millis(2));
        count.fetch_add(1, Ordering::Relaxed);
    });
    let server = start(town.server("osd.3").receive_budget(EntityType::Client, 1, 0), &at_server);
    let at_client = Probe::new();
    let client = start(town.builder("client.7"), &at_client);
    let connection = dial(&client, &server);
    at_client.wait_connect(&connection);
    let link = town.network().links().pop().unwrap();
    for tid in 0..50 {
        connection.send(numbered(tid)).unwrap();
    }
    wait_until("all to be read", || connection.queued_bytes() + link.in_flight(Direction::ToServer) == 0);
    link.cut();
    at_server.wait_reset(&at_server.wait_accept());
    assert_eq!(seen.load(Ordering::Relaxed), 50);
}

#[test]
fn all_accepted_messages_come_back_with_the_one_reset() {
    for round in 0..20 {
        let town = Town::mem();
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, _) = pair.connected();
        let link = town.network().links().pop().unwrap();
        link.stall(Direction::ToServer);
        here.send(filled(0, 2 << 20)).unwrap();
        wait_until("the first to be written", || here.queued_bytes() == 0);
        // Whatever is accepted from here on is not written.
        let senders = [0, 1, 2, 3].map(|_| {
            let sender = here.clone();
            std::thread::spawn(move || {
                (1..).take_while(|tid| sender.send(numbered(*tid)).map_err(drop).is_ok()).count()
            })
        });
        std::thread::sleep(Duration::from_micros(300 * round));
        link.cut();
        let accepted: usize = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
        let (_, came_back) = pair.at_client.wait_reset(&here);
        assert_eq!(came_back.len(), accepted);
        assert!(stays(MOMENT / 10, || pair.at_client.resets()) && pair.at_client.resets() == 1);
    }
}

#[test]
fn attempts_that_break_are_repeated() {
    // lossy_early_connect_fault: each handshake breaks after a while, until none does.
    let faults = axon_transport::Faults {
        seed: 3,
        cuts_per_mille: 900,
        cut_after: 1..=200, // no handshake is shorter
        ..axon_transport::Faults::default()
    };
    let network = axon_transport::Faulty::new(axon_transport::TcpTransport::new(), faults);
    let town = Town::over(network.clone());
    let pair = town.pair(&Probe::new(), &Probe::new());
    let connection = pair.connect();
    connection.send(numbered(1)).unwrap();
    wait_until("a few cuts", || network.cuts() >= 3);
    network.calm();
    pair.at_client.wait_connect(&connection);
    assert_eq!(pair.at_server.wait_messages(1).len(), 1);
    assert_eq!(pair.at_client.resets(), 0);
    pair.at_client.wait_refused(|fault| matches!(fault, Fault::Disconnected(_)));
}

#[test]
fn a_stale_attempt_is_dropped() {
    let town = Town::tcp();
    let probe = Probe::new();
    let policy = Policy::stateless_registered_server();
    let server = start(town.server("osd.3").default_policy(policy), &probe);
    let target = server.addrs().first();
    let claim = |global_seq| Claim { global_seq, ..Claim::client(7) };

    let (mut current, _) = RawClient::dial(target, claim(50)).unwrap();
    let accepted = probe.wait_accept();
    assert!(RawClient::dial(target, claim(49)).is_err(), "closed without a word");
    assert_eq!((accepted.state(), probe.resets()), (State::Open, 0));
    current.send(numbered(1)).unwrap();
    probe.wait_messages(1);

    let (mut newer, _) = RawClient::dial(target, claim(51)).unwrap();
    assert_eq!(probe.wait_reset(&accepted).0, Fault::Replaced);
    assert!(current.is_closed_within(Duration::from_secs(10)));
    newer.send(numbered(2)).unwrap();
    assert_eq!(probe.wait_messages(2)[1].header.tid, 2);

    // Of other addresses nothing is older or newer.
    let _other = RawClient::dial(target, Claim { global_seq: 1, ..Claim::client(8) }).unwrap();
    assert_eq!(probe.wait_accepts(3).len(), 3);
    assert_eq!(probe.resets(), 1);
}

#[test]
fn one_of_many_simultaneous_attempts_survives() {
    let town = Town::tcp();
    let probe = Probe::new();
    let policy = Policy::stateless_registered_server();
    let server = start(town.server("osd.3").default_policy(policy).workers(4), &probe);
    let target = server.addrs().first();
    const ATTEMPTS: u64 = 8;
    for round in 0..40 {
        let together = Arc::new(Barrier::new(ATTEMPTS as usize));
        let attempts: Vec<_> = (0..ATTEMPTS)
            .map(|n| {
                let claim = Claim { global_seq: round * ATTEMPTS + n + 1, ..Claim::client(7) };
                let together = together.clone();
                let wait = move || {
                    together.wait();
                };
                std::thread::spawn(move || RawClient::dial_after(target, claim, wait))
            })
            .collect();
        let ends: Vec<_> = attempts.into_iter().map(|attempt| attempt.join().unwrap()).collect();
        wait_until("one to be left", || server.connections() == 1);
        let mut let_in: Vec<_> = ends.into_iter().flatten().map(|(client, _)| client).collect();
        let mut newest = let_in.pop().expect("one was let in");
        assert!(let_in.iter_mut().all(|older| older.is_closed_within(PATIENCE)));
        assert!(!newest.is_closed_within(MOMENT / 10), "the newest of those let in");
    }
}

/// A number to read, and the same to write.
fn counter() -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let counter = Arc::new(AtomicUsize::new(0));
    (counter.clone(), counter)
}
