//! Many connections: no thread for each.

use crate::child::{allow_descriptors, alone, status};
use crate::probe::{Probe, numbered};
use crate::town::{Town, start, wait_until};
use axon_messenger::EntityType;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const CONNECTIONS: usize = 1000;

fn a_thousand_connections(town: &Town) {
    allow_descriptors(2500);
    let server = start(town.server("osd.3").workers(2), &Probe::echo());
    let echoes = Arc::new(AtomicUsize::new(0));
    let count = echoes.clone();
    let at_client = Probe::fast_with(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let client = start(town.builder("client.7").workers(2), &at_client);
    let threads = status("Threads");
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap())
        .collect();
    for tid in 0..10 {
        for connection in &connections {
            connection.send(numbered(tid)).unwrap();
        }
    }
    wait_until("all echoes", || echoes.load(Ordering::Relaxed) == 10 * CONNECTIONS);
    assert_eq!(status("Threads"), threads);
    assert_eq!((client.connections(), server.connections()), (CONNECTIONS, CONNECTIONS));
    assert_eq!(
        connections.iter().map(axon_messenger::Connection::id).collect::<HashSet<_>>().len(),
        CONNECTIONS
    );
    connections.iter().for_each(axon_messenger::Connection::mark_down);
    wait_until("none to be left", || client.connections() + server.connections() == 0);
}

#[test]
fn a_thousand_connections_over_tcp() {
    alone("scale::a_thousand_connections_over_tcp", || a_thousand_connections(&Town::tcp()));
}

#[test]
fn a_thousand_connections_over_uring() {
    alone("scale::a_thousand_connections_over_uring", || a_thousand_connections(&Town::uring()));
}

#[test]
fn a_thousand_connections_over_mem() {
    alone("scale::a_thousand_connections_over_mem", || a_thousand_connections(&Town::mem()));
}

#[test]
fn idle_connections_take_little_memory() {
    alone("scale::idle_connections_take_little_memory", || {
        allow_descriptors(2500);
        let town = Town::tcp();
        let server = start(town.server("osd.3"), &Probe::new());
        let client = start(town.builder("client.7"), &Probe::new());
        let open = |many: usize| {
            let connect = |_| client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap();
            let connections: Vec<_> = (0..many).map(connect).collect();
            wait_until("all to be open", || {
                connections.iter().all(|connection| connection.established().is_some())
            });
            connections
        };
        let _warm = open(100);
        let before = status("VmRSS");
        let _many = open(1000);
        let each = status("VmRSS").saturating_sub(before) as f64 / 1000.0;
        println!("{each:.1} KiB for both ends of an idle connection, its log entries included");
        assert!(each < 40.0, "{each:.1} KiB for both ends of a connection");
    });
}
