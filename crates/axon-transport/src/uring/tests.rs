use super::lent::Use;
use super::operation::{Manner, Work};
use super::reactor::UringReactor;
use super::ring::Ring;
use crate::{Completion, ListenOptions, Reactor, SocketId};
use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A reactor, and what it reported that nobody looked at.
struct Site {
    reactor: UringReactor,
    news: VecDeque<Completion>,
}

impl Site {
    fn on(ring: Ring) -> Self {
        Self { reactor: UringReactor::on(ring, Instant::now()).unwrap(), news: VecDeque::new() }
    }

    fn poll(&mut self, timeout: Duration) {
        let mut completions = Vec::new();
        self.reactor.poll(Some(timeout), &mut completions).unwrap();
        self.news.extend(completions);
    }

    fn next(&mut self) -> Completion {
        let start = Instant::now();
        while self.news.is_empty() {
            assert!(start.elapsed() < PATIENCE, "nothing happens");
            self.poll(Duration::from_millis(100));
        }
        self.news.pop_front().unwrap()
    }

    /// A socket of the reactor, and its other end.
    fn plain_peer(&mut self) -> (SocketId, TcpStream) {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, addr) = self.reactor.listen(any, &ListenOptions::default()).unwrap();
        let peer = TcpStream::connect(addr).unwrap();
        let Completion::Accepted { socket, .. } = self.next() else { panic!("not accepted") };
        self.reactor.unlisten(listener);
        (self.reactor.adopt(socket).unwrap(), peer)
    }

    fn received(&mut self) -> (SocketId, BytesMut) {
        match self.next() {
            Completion::Received { socket, data } => (socket, data),
            other => panic!("{other:?}"),
        }
    }

    /// What the other end of a plain socket reads next, while the reactor has its turns.
    fn heard_by(&mut self, peer: &mut TcpStream, into: &mut [u8]) -> usize {
        peer.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let start = Instant::now();
        loop {
            self.poll(Duration::ZERO);
            match peer.read(into) {
                Ok(read) => return read,
                Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
            }
        }
    }

    fn receive_from(&mut self, socket: SocketId, wanted: usize) -> Vec<u8> {
        let mut heard = Vec::new();
        while heard.len() < wanted {
            let (from, data) = self.received();
            assert_eq!(from, socket);
            heard.extend_from_slice(&data);
        }
        heard
    }
}

/// Kernels before 6.15 take a whole buffer for each receive, whichever use this one allows.
#[test]
fn streams_are_whole_with_either_use_of_the_lent_buffers() {
    for using in [Use::Whole, Use::here()] {
        let mut site = Site::on(Ring::using(using).unwrap());
        let mut peers: Vec<_> = (0..40).map(|_| site.plain_peer()).collect();
        for round in 0..50_usize {
            for (number, (socket, peer)) in peers.iter_mut().enumerate() {
                site.reactor.receive(*socket);
                let length = 1 + (round * 7919 + number * 104_729) % 20_000;
                peer.write_all(&vec![(round + number) as u8; length]).unwrap();
                let heard = site.receive_from(*socket, length);
                assert!(heard.len() == length && heard.iter().all(|&byte| byte == (round + number) as u8));
            }
        }
    }
}

/// More sockets have something to receive than there are buffers at first.
#[test]
fn buffers_that_do_not_suffice_are_added() {
    let mut site = Site::on(Ring::using(Use::Whole).unwrap());
    let mut peers: Vec<_> = (0..40).map(|_| site.plain_peer()).collect();
    for (number, (socket, peer)) in peers.iter_mut().enumerate() {
        site.reactor.receive(*socket);
        peer.write_all(&[number as u8]).unwrap();
    }
    let mut kept: Vec<(SocketId, BytesMut)> = Vec::new();
    while kept.len() < peers.len() {
        kept.push(site.received());
    }
    for (socket, data) in kept {
        let number = peers.iter().position(|(known, _)| *known == socket).unwrap();
        assert_eq!(data[..], [number as u8]);
    }
}

#[test]
fn a_socket_without_a_place_in_the_table_works() {
    let mut ring = Ring::new().unwrap();
    ring.fill_table();
    let mut site = Site::on(ring);
    let (socket, mut peer) = site.plain_peer();
    site.reactor.receive(socket);
    peer.write_all(b"hello").unwrap();
    assert_eq!(site.receive_from(socket, 5), b"hello");
    site.reactor.send(socket, &mut vec![Bytes::from_static(b"and "), Bytes::from_static(b"back")]);
    let mut heard = [0; 8];
    let mut have = 0;
    while have < heard.len() {
        have += site.heard_by(&mut peer, &mut heard[have..]);
    }
    assert_eq!(&heard, b"and back");
    // Closing it closes the file: nobody else holds it.
    site.reactor.close(socket);
    assert_eq!(site.heard_by(&mut peer, &mut heard), 0);
}

/// Everything that can be in flight is; the kernel must let go of all of it before the memory is freed.
#[test]
fn a_ring_comes_to_rest_with_everything_in_flight() {
    let mut site = Site::on(Ring::new().unwrap());
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (_, addr) = site.reactor.listen(any, &ListenOptions::default()).unwrap();
    let (filling, mut to_fill) = site.plain_peer();
    let (lending, _lender) = site.plain_peer();
    let (sending, mut sink) = site.plain_peer();
    let (_watched, _idle) = site.plain_peer();
    site.reactor.receive_into(filling, BytesMut::with_capacity(1 << 20), 1 << 20);
    site.reactor.receive(lending);
    site.reactor.send(sending, &mut vec![Bytes::from(vec![1; 64 << 20])]);
    site.poll(Duration::ZERO);
    to_fill.write_all(&[7; 1000]).unwrap();
    site.poll(Duration::ZERO);
    site.reactor.connect(addr).unwrap();
    assert!(site.reactor.unsent(sending) > 0);
    assert!(site.reactor.ring_mut().in_flight() >= 6, "{}", site.reactor.ring_mut().in_flight());
    assert!(site.reactor.ring_mut().come_to_rest());
    assert_eq!(site.reactor.ring_mut().in_flight(), 0);
    let start = Instant::now();
    drop(site);
    assert!(start.elapsed() < Duration::from_secs(30));
    let mut rest = Vec::new();
    // A reset or the end; what matters is that it is closed.
    let _ = sink.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20);
}

/// More sends fail than there is room for completions: those whose completions wait in the kernel are no successes.
#[test]
fn failures_that_find_no_room_are_not_taken_for_successes() {
    const ROOM: u32 = 4;
    let mut ring = Ring::sized(Use::Whole, ROOM, ROOM).unwrap();
    let (near, far) = UnixStream::pair().unwrap();
    drop(far);
    let file = ring.insert(near.into());
    let owners = 0..u64::from(ROOM) * 5;
    for owner in owners.clone() {
        let mut list = ring.list();
        list.backlog.push(&mut vec![Bytes::from_static(b"into the void")]);
        ring.start(owner, &file, Work::Send(list, Manner::Prompt));
    }
    let mut failed = Vec::new();
    let start = Instant::now();
    while failed.len() < owners.clone().count() {
        assert!(start.elapsed() < PATIENCE, "{failed:?}");
        ring.enter(Duration::ZERO).unwrap();
        while let Some(arrival) = ring.next() {
            assert_eq!(arrival.outcome, Err(Errno::PIPE), "of {}", arrival.owner);
            failed.push(arrival.owner);
        }
    }
    failed.sort_unstable();
    assert!(failed.into_iter().eq(owners));
}
