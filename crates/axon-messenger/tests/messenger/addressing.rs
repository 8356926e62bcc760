//! Who is where: learned addresses, ranges of ports, several addresses, wrong ones.

use crate::probe::{News, Probe, numbered};
use crate::town::{Town, addrs, at, dial, socket_of, start, unused_addr, unused_ports};
use axon_messenger::{
    AddrType, AddrVec, ConnectError, EntityAddr, EntityType, Fault, Nonce, StartError, State, Timeouts,
};
use axon_proto::WakeReason;
use std::net::SocketAddr;
use std::time::Duration;

over_each! {
    fn an_unbound_client_learns_its_address(town) {
        let server = start(town.server("osd.3"), &Probe::new());
        let probe = Probe::new();
        let client = start(town.builder("client.7").nonce(Nonce::fixed(77)), &probe);
        let before = client.addrs().first();
        assert_eq!((before.kind, before.nonce, before.socket), (AddrType::Any, 77, None));
        probe.wait_connect(&dial(&client, &server));
        assert_eq!(client.addrs().to_string(), addrs(&["any:127.0.0.1:0/77"]).to_string());
    }

    fn the_first_free_port_of_a_range_is_taken(town) {
        let free = unused_ports(4);
        let (first, last) = (free.start, free.end - 1);
        let range = at(&format!("127.0.0.1:{first}-{last}"));
        let servers: Vec<_> = (0..4).map(|n| start(town.builder(&format!("osd.{n}")).bind(range), &Probe::new())).collect();
        let ports: Vec<u16> = servers.iter().map(|server| socket_of(server).port()).collect();
        assert_eq!(ports, Vec::from_iter(free));
        let full = town.builder("osd.9").bind(range).start(Probe::new()).unwrap_err();
        assert!(matches!(full, StartError::Bind { addr, .. } if addr.port() == last), "{full}");
        let mut servers = servers;
        drop(servers.remove(2));
        let again = start(town.builder("osd.9").bind(range), &Probe::new());
        assert_eq!(socket_of(&again).port(), last - 1);
    }

    fn several_addresses_of_both_families(town) {
        let probe = Probe::new();
        let server = start(town.server("osd.3").bind(at("[::1]:0")).workers(2), &probe);
        let all = server.addrs();
        assert_eq!(all.len(), 2);
        for (n, addr) in (0..).zip(all.iter()) {
            let at_client = Probe::new();
            let client = start(town.builder("client.7"), &at_client);
            let connection = client.connect(EntityType::Osd, &AddrVec(vec![*addr])).unwrap();
            at_client.wait_connect(&connection);
            assert_eq!(connection.peer_addrs(), all, "the peer tells all of them");
            assert_eq!(probe.wait_accepts(n + 1).last().unwrap().peer_addrs().first().ip(), addr.ip());
        }
    }

    fn the_next_address_is_tried_when_one_refuses(town) {
        let unused = EntityAddr::msgr2(unused_addr(), 5);
        let server = start(town.server("osd.3"), &Probe::new());
        let both = AddrVec(vec![unused, server.addrs().first()]);
        let probe = Probe::new();
        let client = start(town.builder("client.7"), &probe);
        let connection = client.connect(EntityType::Osd, &both).unwrap();
        probe.wait_connect(&connection);
        let log = probe.log();
        let refused: Vec<_> = log.iter().filter(|e| matches!(e.news, News::Refused(_))).collect();
        assert_eq!(refused.len(), 1, "{log:?}");
    }

    fn the_own_address_is_the_loopback(town) {
        let probe = Probe::new();
        let server = start(town.server("osd.3").bind(at("[::1]:0")), &probe);
        let all = server.addrs();
        let one = AddrVec(vec![all.iter().last().copied().unwrap()]);
        for mine in [&all, &one] {
            assert_eq!(server.connect(EntityType::Osd, mine).unwrap(), server.loopback());
        }
        let mut other = all.first();
        other.nonce = other.nonce.wrapping_add(1);
        assert_ne!(server.connect(EntityType::Osd, &AddrVec(vec![other])).unwrap(), server.loopback());
    }

    fn a_wrong_nonce_never_connects(town) {
        let at_server = Probe::new();
        let server = start(town.server("osd.3").nonce(Nonce::fixed(5)), &at_server);
        let probe = Probe::new();
        let client = start(town.builder("client.7"), &probe);
        let stale = AddrVec(vec![EntityAddr::msgr2(socket_of(&server), 4)]);
        let connection = client.connect(EntityType::Osd, &stale).unwrap();
        // The server closes without a word, as Ceph's do.
        let fault = probe.wait_refused(|_| true);
        assert!(matches!(fault, Fault::Disconnected(_)), "{fault}");
        assert_eq!(connection.state(), State::Connecting);
        assert!(at_server.log().is_empty());
    }

    fn the_wrong_type_of_daemon_is_told(town) {
        let server = start(town.server("mds.3"), &Probe::new());
        let probe = Probe::new();
        let client = start(town.builder("client.7"), &probe);
        dial(&client, &server);
        let fault = probe.wait_refused(|_| true);
        assert_eq!(fault, Fault::WrongPeerType { expected: EntityType::Osd, got: EntityType::Mds });
    }

    fn advertised_addresses_are_those_peers_are_told(town) {
        let probe = Probe::new();
        let bound = EntityAddr::msgr2(unused_addr(), 5);
        let public = addrs(&[&bound.to_string(), "v2:10.9.8.7:6800/5"]);
        let server = start(
            town.builder("osd.3").bind(bound.socket.unwrap()).nonce(Nonce::fixed(5)).advertise(public.clone()),
            &probe,
        );
        assert_eq!(server.addrs(), public);
        let at_client = Probe::new();
        let client = start(town.builder("client.7"), &at_client);
        let connection = client.connect(EntityType::Osd, &AddrVec(vec![bound])).unwrap();
        at_client.wait_connect(&connection);
        assert_eq!(connection.peer_addrs(), public);
    }
}

/// Over TCP only: listeners of the network in memory answer to exactly their address.
#[test]
fn a_server_bound_to_any_address_is_reached() {
    let town = Town::tcp();
    let server = start(town.builder("osd.3").bind(at("0.0.0.0:0")).nonce(Nonce::fixed(5)), &Probe::new());
    let target = addrs(&[&format!("v2:127.0.0.1:{}/5", socket_of(&server).port())]);
    let at_client = Probe::new();
    let client = start(town.builder("client.7"), &at_client);
    let connection = client.connect(EntityType::Osd, &target).unwrap();
    at_client.wait_connect(&connection);
    assert_eq!(connection.peer_addrs(), target);
}

#[test]
fn the_next_address_is_tried_when_one_does_not_answer() {
    let town = Town::mem();
    let silent: SocketAddr = "10.0.0.9:6800".parse().unwrap();
    town.network().set_unreachable(silent, true);
    let server = start(town.server("osd.3"), &Probe::new());
    let both = AddrVec(vec![EntityAddr::msgr2(silent, 1), server.addrs().first()]);
    let probe = Probe::new();
    let timeouts = Timeouts { ready: Duration::from_millis(100), ..Timeouts::default() };
    let client = start(town.builder("client.7").timeouts(timeouts), &probe);
    let connection = client.connect(EntityType::Osd, &both).unwrap();
    connection.send(numbered(1)).unwrap();
    assert_eq!(probe.wait_refused(|_| true), Fault::TimedOut(WakeReason::Ready));
    probe.wait_connect(&connection);
}

#[test]
fn addresses_of_the_first_protocol_cannot_be_dialled() {
    let client = start(Town::mem().builder("client.7"), &Probe::new());
    for unusable in [&["v1:127.0.0.1:6789/0"][..], &["v2:127.0.0.1:0/0"], &[]] {
        assert_eq!(client.connect(EntityType::Mon, &addrs(unusable)).unwrap_err(), ConnectError::NoAddress);
        assert_eq!(
            client.connect_anonymous(EntityType::Mon, &addrs(unusable)).unwrap_err(),
            ConnectError::NoAddress
        );
    }
}
