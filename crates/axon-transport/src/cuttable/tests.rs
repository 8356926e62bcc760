use super::*;
use crate::{Completion, ListenOptions, MemNetwork, SocketId, TcpTransport};
use bytes::Bytes;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Connections to a listener in the same reactor.
struct Town<T> {
    cuttable: Cuttable<T>,
    reactor: Box<dyn Reactor>,
    addr: SocketAddr,
}

/// One connection.
#[derive(Debug, Clone, Copy)]
struct Pair {
    here: SocketId,
    there: SocketId,
}

impl<T: Transport> Town<T> {
    fn new(inner: T, seed: u64) -> Self {
        let cuttable = Cuttable::new(inner, seed);
        let mut reactor = cuttable.reactor().unwrap();
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let (_, addr) = reactor.listen(any, &ListenOptions::default()).unwrap();
        Self { cuttable, reactor, addr }
    }

    fn poll(&mut self) -> Vec<Completion> {
        let mut completions = Vec::new();
        self.reactor.poll(Some(Duration::from_millis(10)), &mut completions).unwrap();
        completions
    }

    /// A connection whose ends both receive.
    fn join(&mut self) -> Pair {
        let here = self.reactor.connect(self.addr).unwrap();
        let (mut there, mut connected) = (None, false);
        let start = Instant::now();
        while there.is_none() || !connected {
            assert!(start.elapsed() < Duration::from_secs(60), "no connection");
            for completion in self.poll() {
                match completion {
                    Completion::Accepted { socket, .. } => {
                        there = Some(self.reactor.adopt(socket).unwrap());
                    }
                    Completion::Connected { .. } => connected = true,
                    other => panic!("{other:?}"),
                }
            }
        }
        let there = there.unwrap();
        self.reactor.receive(here);
        self.reactor.receive(there);
        Pair { here, there }
    }

    /// The sockets that end within a while, at least `count`.
    fn ends(&mut self, count: usize) -> Vec<(SocketId, Option<io::ErrorKind>)> {
        let mut ends = Vec::new();
        let start = Instant::now();
        while ends.len() < count {
            assert!(start.elapsed() < Duration::from_secs(60), "{ends:?}");
            for completion in self.poll() {
                if let Completion::Closed { socket, error } = completion {
                    ends.push((socket, error.map(|error| error.kind())));
                }
            }
        }
        ends
    }
}

fn both_ends_of_a_cut_connection_end(inner: impl Transport) {
    let mut town = Town::new(inner, 1);
    let pair = town.join();
    assert_eq!(town.cuttable.live(), 2);
    assert!(town.cuttable.cut_one());
    let ends = town.ends(2);
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().any(|end| end.1 == Some(io::ErrorKind::ConnectionReset)), "{ends:?}");
    let mut sockets: Vec<_> = ends.iter().map(|end| end.0).collect();
    sockets.sort_unstable();
    let mut expected = [pair.here, pair.there];
    expected.sort_unstable();
    assert_eq!(sockets, expected);
    assert_eq!((town.cuttable.cuts(), town.cuttable.live()), (1, 0));
    assert!(!town.cuttable.cut_one(), "nothing is left");
}

#[test]
fn both_ends_of_a_cut_tcp_connection_end() {
    both_ends_of_a_cut_connection_end(TcpTransport::new());
}

#[test]
fn both_ends_of_a_cut_mem_connection_end() {
    both_ends_of_a_cut_connection_end(MemNetwork::new());
}

#[test]
fn a_cut_ends_a_sleep_and_comes_from_another_thread() {
    let mut town = Town::new(TcpTransport::new(), 1);
    town.join();
    let knife = town.cuttable.clone();
    let cutter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(knife.cut_all(), 2);
    });
    let mut completions = Vec::new();
    let start = Instant::now();
    while completions.is_empty() {
        town.reactor.poll(Some(Duration::from_secs(60)), &mut completions).unwrap();
        assert!(start.elapsed() < Duration::from_secs(30), "slept through the cut");
    }
    cutter.join().unwrap();
}

#[test]
fn all_are_cut_at_once_and_each_is_told_once() {
    let mut town = Town::new(MemNetwork::new(), 1);
    let pairs: Vec<_> = (0..10).map(|_| town.join()).collect();
    assert_eq!(town.cuttable.cut_all(), 20);
    let mut ends = town.ends(20);
    assert!(town.poll().is_empty(), "no completion follows the last");
    ends.sort_unstable();
    ends.dedup_by_key(|end| end.0);
    assert_eq!(ends.len(), 20);
    assert!(pairs.iter().all(|pair| ends.iter().any(|end| end.0 == pair.here)));
    assert_eq!((town.cuttable.cuts(), town.cuttable.live()), (20, 0));
}

#[test]
fn what_was_on_its_way_is_lost_and_the_dead_id_is_harmless() {
    let mut town = Town::new(MemNetwork::new(), 1);
    let pair = town.join();
    town.reactor.send(pair.here, &mut vec![Bytes::from_static(b"too late")]);
    town.cuttable.cut_all();
    let completions = town.poll();
    let ended = completions.iter().filter(|news| matches!(news, Completion::Closed { .. })).count();
    assert_eq!((completions.len(), ended), (2, 2), "{completions:?}");
    town.reactor.send(pair.here, &mut vec![Bytes::from_static(b"nobody")]);
    town.reactor.close(pair.here);
    assert!(town.reactor.detach(pair.there).is_none());
    assert_eq!(town.cuttable.cuts(), 2);
}

#[test]
fn a_socket_that_ended_before_its_cut_is_not_counted() {
    let mut town = Town::new(MemNetwork::new(), 1);
    let pair = town.join();
    town.cuttable.cut_all();
    town.reactor.close(pair.here);
    town.reactor.close(pair.there);
    assert!(town.poll().is_empty());
    assert_eq!(town.cuttable.cuts(), 0);
}

#[test]
fn a_socket_between_reactors_is_safe_and_live_again_after() {
    let mut town = Town::new(MemNetwork::new(), 1);
    let pair = town.join();
    let moving = town.reactor.detach(pair.here).unwrap();
    assert_eq!(town.cuttable.live(), 1);
    let mut other = town.cuttable.reactor().unwrap();
    let moved = other.adopt(moving).unwrap();
    assert_eq!(town.cuttable.live(), 2);
    town.cuttable.cut_all();
    let mut completions = Vec::new();
    other.poll(Some(Duration::from_secs(60)), &mut completions).unwrap();
    match &completions[..] {
        [Completion::Closed { socket, error: Some(_) }] => assert_eq!(*socket, moved),
        news => panic!("{news:?}"),
    }
}

#[test]
fn a_dropped_reactor_leaves_nothing_to_cut() {
    let mut town = Town::new(MemNetwork::new(), 1);
    town.join();
    let Town { cuttable, reactor, .. } = town;
    drop(reactor);
    assert_eq!((cuttable.live(), cuttable.cut_all()), (0, 0));
}

#[test]
fn the_seed_decides_who_is_cut() {
    let victims = |seed| -> Vec<SocketId> {
        let mut town = Town::new(MemNetwork::new(), seed);
        for _ in 0..8 {
            town.join();
        }
        let cut = |town: &mut Town<MemNetwork>| {
            assert!(town.cuttable.cut_one());
            town.ends(2)[0].0
        };
        (0..4).map(|_| cut(&mut town)).collect()
    };
    assert_eq!(victims(7), victims(7));
    assert_ne!(victims(7), victims(8));
}

#[test]
fn empty_places_are_drawn_too() {
    let mut town = Town::new(MemNetwork::new(), 1);
    for _ in 0..10 {
        town.join();
    }
    let hits = (0..20).filter(|_| town.cuttable.cut_one_of(1000)).count();
    assert!(hits < 10, "20 of 1000 places are taken, and {hits} of 20 draws found one");
    assert_eq!(town.cuttable.live(), 20 - hits);
    assert!(town.cuttable.cut_one_of(1), "there are never fewer places than sockets");
}
