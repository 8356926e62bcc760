//! What only the kernel can do to a socket: for the back ends on its TCP.

use crate::harness::{PATIENCE, PORTS, Site, closed};
use axon_transport::{Completion, ListenOptions, SocketId, Transport};
use bytes::BytesMut;
use rustix::net::sockopt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::{Duration, Instant};

/// A site with one connection, whose other end is a plain socket.
fn plain_peer(transport: &dyn Transport) -> (Site, SocketId, TcpStream) {
    let mut site = Site::new(transport);
    let (_, addr) = site.listen();
    let peer = TcpStream::connect(addr).unwrap();
    let Completion::Accepted { socket, .. } = site.next() else {
        panic!("not accepted");
    };
    let socket = site.reactor.adopt(socket).unwrap();
    (site, socket, peer)
}

/// Closes `peer` so that the kernel sends a reset.
fn reset(peer: TcpStream) {
    sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
    drop(peer);
}

pub(crate) fn a_reset_while_receiving_is_an_error(transport: &dyn Transport) {
    let (mut site, socket, mut peer) = plain_peer(transport);
    site.reactor.receive(socket);
    peer.write_all(b"data").unwrap();
    assert_eq!(site.receive(socket, 4), b"data");
    reset(peer);
    let error = closed(site.next(), socket).unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

pub(crate) fn a_reset_while_paused_is_noticed(transport: &dyn Transport) {
    let (mut site, socket, peer) = plain_peer(transport);
    reset(peer);
    let error = closed(site.next(), socket).unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

pub(crate) fn a_reset_while_filling_is_an_error(transport: &dyn Transport) {
    let (mut site, socket, mut peer) = plain_peer(transport);
    site.reactor.receive_into(socket, BytesMut::with_capacity(100), 100);
    peer.write_all(b"the first part").unwrap();
    site.poll(Duration::from_millis(20));
    site.poll(Duration::from_millis(20));
    // The reset comes right behind the last bytes.
    peer.write_all(b"another").unwrap();
    reset(peer);
    let error = closed(site.next(), socket).unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

/// A paused socket is not told of an orderly end, nor may the end keep its reactor awake.
pub(crate) fn a_paused_socket_does_not_spin_on_the_end(transport: &dyn Transport) {
    let (mut site, socket, mut peer) = plain_peer(transport);
    peer.write_all(b"last words").unwrap();
    drop(peer);
    let before = site.reactor.counters().waits;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        site.poll(Duration::from_millis(10));
    }
    assert!(site.news.is_empty());
    let waits = site.reactor.counters().waits - before;
    assert!(waits < 30, "{waits} waits");
    site.reactor.receive(socket);
    assert_eq!(site.receive(socket, 10), b"last words");
    assert!(closed(site.next(), socket).is_none());
}

pub(crate) fn a_peer_that_stops_sending_is_an_orderly_end(transport: &dyn Transport) {
    let (mut site, socket, peer) = plain_peer(transport);
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    site.reactor.receive(socket);
    assert!(closed(site.next(), socket).is_none());
}

pub(crate) fn large_transfers_get_large_reads(transport: &dyn Transport) {
    let (mut site, socket, mut peer) = plain_peer(transport);
    let writer = std::thread::spawn(move || peer.write_all(&vec![9; 64 << 20]).unwrap());
    site.reactor.receive(socket);
    let mut heard = 0;
    while heard < 64 << 20 {
        heard += site.receive(socket, 1).len();
    }
    writer.join().unwrap();
    let counters = site.reactor.counters();
    let average = counters.bytes_in / counters.receives;
    assert!(average > 16 << 10, "{average} bytes per read");
}

/// How long a listener rests that has no descriptors.
const REST: Duration = Duration::from_millis(100);

const CHILD: &str = "AXON_CONFORMANCE_CHILD";

/// The limit of descriptors is the process's, so the test has a process of its own: this one, begun again.
pub(crate) fn a_listener_survives_the_lack_of_descriptors(transport: &dyn Transport) {
    if std::env::var_os(CHILD).is_some() {
        return without_descriptors(transport);
    }
    let test = format!("{}_sockets::a_listener_survives_the_lack_of_descriptors", transport.name());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{output:?}");
    assert!(text.contains("1 passed"), "{text}");
}

fn without_descriptors(transport: &dyn Transport) {
    const CLIENTS: usize = 8;
    const ROOM: usize = 3;
    let mut site = Site::new(transport);
    let (_, addr) = site.listen();
    let clients: Vec<_> = (0..CLIENTS).map(|_| TcpStream::connect(addr).unwrap()).collect();
    limit_descriptors(ROOM);

    // Those that fit are taken, then the listener rests: it neither dies nor spins.
    let mut taken = Vec::new();
    let (start, mut failures) = (Instant::now(), 0);
    while failures < 2 {
        assert!(start.elapsed() < PATIENCE, "{failures} failures");
        failures += collect(&mut site, &mut taken, Duration::from_millis(450));
    }
    assert_eq!(taken.len(), ROOM);
    let rests = start.elapsed().as_millis() / REST.as_millis();
    assert!(failures as u128 <= rests + 2, "{failures} failures in {rests} rests");
    let waits = site.reactor.counters().waits;
    assert!(u128::from(waits) < 30 + 4 * rests, "{waits} waits in {rests} rests");

    // Connecting fails, and says so at once.
    let error = site.reactor.connect(addr).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(24), "EMFILE");

    // With room again, the others come by themselves.
    taken.clear();
    let start = Instant::now();
    let mut later = 0;
    while later < CLIENTS - ROOM {
        assert!(start.elapsed() < PATIENCE, "{later} came");
        collect(&mut site, &mut taken, Duration::from_millis(50));
        later += taken.len();
        taken.clear();
    }
    drop(clients);
}

/// Polls for `time`; keeps accepted sockets, counts failures.
fn collect(site: &mut Site, taken: &mut Vec<Completion>, time: Duration) -> usize {
    let start = Instant::now();
    let mut failures = 0;
    while start.elapsed() < time {
        site.poll(time.saturating_sub(start.elapsed()));
        for completion in site.news.drain(..) {
            match completion {
                Completion::AcceptFailed { error, .. } => {
                    assert_eq!(error.raw_os_error(), Some(24), "EMFILE");
                    failures += 1;
                }
                accepted @ Completion::Accepted { .. } => taken.push(accepted),
                other => panic!("{other:?}"),
            }
        }
    }
    failures
}

fn limit_descriptors(room: usize) {
    let next = File::open("/dev/null").unwrap().as_raw_fd() as u64;
    let limit = Rlimit { current: Some(next + room as u64), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
}

pub(crate) fn an_ipv6_listener_leaves_the_port_to_ipv4(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    let mut has_both = || {
        let (_, addr) = site.listen_on((std::net::Ipv6Addr::UNSPECIFIED, 0).into());
        let twin = SocketAddr::from((std::net::Ipv4Addr::UNSPECIFIED, addr.port()));
        let twin = site.reactor.listen(twin, &ListenOptions::default());
        twin.is_ok_and(|(_, twin)| twin.port() == addr.port())
    };
    // Somebody else may have a port for IPv4 already.
    assert!((0..PORTS).any(|_| has_both()));
}
