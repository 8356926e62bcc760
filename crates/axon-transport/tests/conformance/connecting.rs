//! Listening and connecting.

use crate::harness::{Duo, PORTS, Site, closed, join, loopback, loopback6, received};
use axon_transport::{Completion, ListenOptions, Transport};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

pub(crate) fn a_connection_is_made_and_echoes(transport: &dyn Transport) {
    echo(&mut Duo::new(transport));
}

pub(crate) fn ipv6_works_as_ipv4_does(transport: &dyn Transport) {
    echo(&mut Duo::on(transport, loopback6()));
}

fn echo(duo: &mut Duo) {
    duo.server.reactor.receive(duo.there);
    duo.client.reactor.receive(duo.here);
    duo.client.send(duo.here, b"hello");
    let heard = duo.receive(5);
    duo.server.send(duo.there, &heard);
    let mut back = Vec::new();
    while back.len() < 5 {
        let next = duo.next_of_client();
        back.extend_from_slice(&received(next, duo.here));
    }
    assert_eq!(back, b"hello");
}

pub(crate) fn nobody_listens_is_refused(transport: &dyn Transport) {
    for addr in [loopback(), loopback6()] {
        let mut site = Site::new(transport);
        let (listener, addr) = site.listen_on(addr);
        site.reactor.unlisten(listener);
        let socket = site.reactor.connect(addr).unwrap();
        let error = closed(site.next(), socket).unwrap();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}

pub(crate) fn port_zero_picks_a_free_port(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    let ports: BTreeSet<u16> = (0..20).map(|_| site.listen().1.port()).collect();
    assert_eq!(ports.len(), 20);
    assert!(!ports.contains(&0));
}

pub(crate) fn a_taken_port_is_refused(transport: &dyn Transport) {
    let (mut one, mut other) = (Site::new(transport), Site::new(transport));
    let (_, addr) = one.listen();
    for site in [&mut one, &mut other] {
        let error = site.reactor.listen(addr, &ListenOptions::default());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}

pub(crate) fn a_shared_port_is_shared(transport: &dyn Transport) {
    let options = ListenOptions { reuse_port: true, ..ListenOptions::default() };
    let (mut one, mut other) = (Site::new(transport), Site::new(transport));
    let (_, addr) = one.reactor.listen(loopback(), &options).unwrap();
    assert_eq!(other.reactor.listen(addr, &options).unwrap().1, addr);

    let mut client = Site::new(transport);
    let ids: Vec<_> = (0..40).map(|_| client.reactor.connect(addr).unwrap()).collect();
    let start = std::time::Instant::now();
    while one.news.len() + other.news.len() < ids.len() {
        assert!(start.elapsed() < crate::harness::PATIENCE);
        client.poll(Duration::ZERO);
        one.poll(Duration::ZERO);
        other.poll(Duration::ZERO);
    }
    assert!(!one.news.is_empty() && !other.news.is_empty());
}

pub(crate) fn unlisten_frees_the_port(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    let mut again = || {
        let (listener, addr) = site.listen();
        site.reactor.unlisten(listener);
        site.reactor.unlisten(listener);
        let (again, same) = site.reactor.listen(addr, &ListenOptions::default()).ok()?;
        assert_eq!(same, addr);
        assert_ne!(again, listener);
        Some(addr)
    };
    // Somebody else may have taken a free port meanwhile.
    let addr = (0..PORTS).find_map(|_| again()).expect("a port that was freed");
    let mut client = Site::new(transport);
    join(&mut client, &mut site, addr);
}

pub(crate) fn both_ends_know_the_same_addresses(transport: &dyn Transport) {
    let (mut client, mut server) = (Site::new(transport), Site::new(transport));
    let (listener, addr) = server.listen();
    client.reactor.connect(addr).unwrap();
    let Completion::Connected { local, .. } = client.next() else {
        panic!("not connected");
    };
    let Completion::Accepted { listener: from, peer, .. } = server.next() else {
        panic!("not accepted");
    };
    assert_eq!(from, listener);
    assert_eq!(peer, local);
    assert_ne!(local, addr);
}

pub(crate) fn what_is_sent_before_the_connection_stands_arrives(transport: &dyn Transport) {
    let (mut client, mut server) = (Site::new(transport), Site::new(transport));
    let (_, addr) = server.listen();
    let here = client.reactor.connect(addr).unwrap();
    client.send(here, b"early ");
    client.send(here, b"bird");
    let connected = client.next();
    assert!(matches!(connected, Completion::Connected { .. }));
    while client.reactor.unsent(here) > 0 {
        client.poll(Duration::from_millis(1));
    }
    // With what a submission queue holds.
    client.poll(Duration::ZERO);
    let Completion::Accepted { socket, .. } = server.next() else {
        panic!("not accepted");
    };
    let there = server.reactor.adopt(socket).unwrap();
    server.reactor.receive(there);
    assert_eq!(server.receive(there, 10), b"early bird");
}

pub(crate) fn two_hundred_sockets_live_side_by_side(transport: &dyn Transport) {
    let (mut client, mut server) = (Site::new(transport), Site::new(transport));
    let (_, addr) = server.listen();
    let pairs: Vec<_> = (0..200).map(|_| join(&mut client, &mut server, addr)).collect();
    for (number, &(here, there)) in pairs.iter().enumerate() {
        server.reactor.receive(there);
        client.send(here, &(number as u32).to_le_bytes());
    }
    let mut heard = vec![Vec::new(); pairs.len()];
    while heard.iter().any(|bytes| bytes.len() < 4) {
        client.poll(Duration::ZERO);
        let Completion::Received { socket, data } = server.next() else {
            panic!("not received");
        };
        let number = pairs.iter().position(|pair| pair.1 == socket).unwrap();
        heard[number].extend_from_slice(&data);
    }
    for (number, bytes) in heard.iter().enumerate() {
        assert_eq!(bytes, &(number as u32).to_le_bytes());
    }
}
