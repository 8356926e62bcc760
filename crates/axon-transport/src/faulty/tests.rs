use super::*;
use crate::{Completion, ListenOptions, MemNetwork, SocketId};
use bytes::Bytes;
use std::net::{Ipv4Addr, SocketAddr};

fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 3300).into()
}

/// A faulty network with a listener.
struct Town {
    faulty: Faulty<MemNetwork>,
    reactor: Box<dyn Reactor>,
}

impl Town {
    fn new(faults: Faults) -> Self {
        let faulty = Faulty::new(MemNetwork::with_virtual_time(), faults);
        let mut reactor = faulty.reactor().unwrap();
        reactor.listen(address(), &ListenOptions::default()).unwrap();
        Self { faulty, reactor }
    }

    fn poll(&mut self) -> Vec<Completion> {
        let mut completions = Vec::new();
        self.reactor.poll(Some(Duration::ZERO), &mut completions).unwrap();
        completions
    }

    /// Connects; `None` if that was refused. Both ends receive.
    fn join(&mut self) -> Option<(SocketId, SocketId)> {
        let here = self.reactor.connect(address()).unwrap();
        let mut there = None;
        let mut answer = None;
        for _ in 0..10 {
            for completion in self.poll() {
                match completion {
                    Completion::Accepted { socket, .. } => {
                        there = Some(self.reactor.adopt(socket).unwrap());
                    }
                    Completion::Connected { .. } => answer = Some(true),
                    Completion::Closed { .. } => answer = answer.or(Some(false)),
                    other => panic!("{other:?}"),
                }
            }
        }
        let there = there.unwrap();
        self.reactor.receive(here);
        self.reactor.receive(there);
        answer.unwrap().then_some((here, there))
    }

    /// Sends `bytes` and returns the sizes in which they came, and the errors with which both ends ended.
    fn transfer(&mut self, bytes: usize) -> (Vec<usize>, Vec<Option<io::ErrorKind>>) {
        let (here, there) = self.join().unwrap();
        let mut message = vec![Bytes::from(vec![5; bytes])];
        self.reactor.send(here, &mut message);
        let (mut sizes, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..2000 {
            for completion in self.poll() {
                match completion {
                    Completion::Received { socket, data } => {
                        assert_eq!(socket, there);
                        sizes.push(data.len());
                    }
                    Completion::Closed { error, .. } => {
                        ends.push(error.map(|error| error.kind()));
                    }
                    Completion::Drained { .. } => (),
                    other => panic!("{other:?}"),
                }
            }
        }
        (sizes, ends)
    }
}

#[test]
fn without_faults_nothing_happens() {
    let mut town = Town::new(Faults::default());
    let (sizes, ends) = town.transfer(1000);
    assert_eq!((sizes, ends), (vec![1000], vec![]));
}

#[test]
fn bytes_come_in_pieces_and_none_is_lost() {
    let mut town = Town::new(Faults { piece: 1..=20, ..Faults::default() });
    let (sizes, ends) = town.transfer(5000);
    assert_eq!(sizes.iter().sum::<usize>(), 5000);
    assert!(sizes.iter().all(|&size| size <= 20));
    assert!(sizes.iter().collect::<std::collections::BTreeSet<_>>().len() > 10);
    assert!(ends.is_empty());
}

#[test]
fn a_cut_comes_after_exactly_so_many_bytes() {
    for limit in [0, 1, 777, 4999] {
        let mut town = Town::new(Faults {
            piece: 1..=100,
            cuts_per_mille: 1000,
            cut_after: limit..=limit,
            ..Faults::default()
        });
        // With a limit of zero not even the connection comes to be.
        let here = town.reactor.connect(address()).unwrap();
        let mut message = vec![Bytes::from(vec![5; 5000])];
        town.reactor.send(here, &mut message);
        let mut end = None;
        let mut arrived = None;
        let mut heard = 0;
        for _ in 0..2000 {
            for completion in town.poll() {
                match completion {
                    Completion::Accepted { socket, .. } => arrived = Some(socket),
                    Completion::Closed { socket, error } if socket == here => {
                        end = error.map(|error| error.kind());
                    }
                    _ => (),
                }
            }
        }
        assert_eq!(end, Some(io::ErrorKind::ConnectionReset), "{limit}");
        assert_eq!(town.faulty.cuts(), 1);
        // Only now does the other side look: it is doomed as well, after as many bytes.
        let there = town.reactor.adopt(arrived.unwrap()).unwrap();
        town.reactor.receive(there);
        for _ in 0..2000 {
            for completion in town.poll() {
                if let Completion::Received { data, .. } = completion {
                    heard += data.len() as u64;
                }
            }
        }
        assert_eq!(heard, limit);
        assert_eq!(town.faulty.cuts(), 2);
    }
}

#[test]
fn some_sockets_are_cut_and_some_attempts_refused() {
    let mut town = Town::new(Faults {
        seed: 11,
        cuts_per_mille: 300,
        cut_after: 10..=20,
        refusals_per_mille: 300,
        ..Faults::default()
    });
    let mut joined = 0;
    for _ in 0..200 {
        if let Some((here, there)) = town.join() {
            joined += 1;
            town.reactor.send(here, &mut vec![Bytes::from_static(&[1; 30])]);
            for _ in 0..5 {
                town.poll();
            }
            town.reactor.close(here);
            town.reactor.close(there);
        }
    }
    let (cuts, refusals) = (town.faulty.cuts(), town.faulty.refusals());
    assert_eq!(joined + refusals, 200);
    assert!((30..90).contains(&refusals), "{refusals}");
    // Either end of a connection may be the one.
    assert!((30..110).contains(&cuts), "{cuts}");

    town.faulty.calm();
    for _ in 0..50 {
        let (here, there) = town.join().unwrap();
        town.reactor.send(here, &mut vec![Bytes::from_static(&[1; 30])]);
        for _ in 0..5 {
            town.poll();
        }
        town.reactor.close(here);
        town.reactor.close(there);
    }
    assert_eq!(town.faulty.cuts(), cuts);
}

#[test]
fn a_delay_is_kept() {
    let ms = Duration::from_millis;
    let mut town = Town::new(Faults { delay: ms(10)..=ms(10), ..Faults::default() });
    let (here, there) = town.join().unwrap();
    town.reactor.send(here, &mut vec![Bytes::from_static(b"slow")]);
    for _ in 0..9 {
        let news = town.poll();
        let is_drained = |news: &Completion| matches!(news, Completion::Drained { .. });
        assert!(news.iter().all(is_drained), "{news:?}");
        town.faulty.inner().advance(ms(1));
    }
    town.faulty.inner().advance(ms(1));
    match &town.poll()[..] {
        [Completion::Received { socket, data }] => {
            assert_eq!((*socket, &data[..]), (there, &b"slow"[..]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_seed_decides() {
    let run = |seed| {
        let faults =
            Faults { seed, piece: 1..=50, cuts_per_mille: 500, cut_after: 0..=10_000, ..Faults::default() };
        Town::new(faults).transfer(3000)
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
