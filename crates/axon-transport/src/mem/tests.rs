use super::*;
use crate::{Completion, ListenOptions, SocketId};
use bytes::{Bytes, BytesMut};
use std::net::Ipv4Addr;
use std::time::Instant;

const PORT: u16 = 6800;

/// A network with one connection, both ends on one reactor and receiving.
struct Town {
    network: MemNetwork,
    reactor: Box<dyn Reactor>,
    here: SocketId,
    there: SocketId,
}

fn address() -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, 1), PORT).into()
}

impl Town {
    fn new(options: MemOptions) -> Self {
        let network = MemNetwork::with_options(options);
        let mut reactor = network.reactor().unwrap();
        reactor.listen(address(), &ListenOptions::default()).unwrap();
        let here = reactor.connect(address()).unwrap();
        let mut there = None;
        network.advance(Duration::from_secs(1));
        for completion in poll(&mut *reactor) {
            if let Completion::Accepted { socket, .. } = completion {
                there = Some(reactor.adopt(socket).unwrap());
            }
        }
        let there = there.unwrap();
        reactor.receive(here);
        reactor.receive(there);
        Self { network, reactor, here, there }
    }

    fn send(&mut self, bytes: &'static [u8]) {
        self.reactor.send(self.here, &mut vec![Bytes::from_static(bytes)]);
    }

    fn link(&self) -> MemLink {
        self.network.links().remove(0)
    }

    /// What happened, as text: sizes received, ends with their errors.
    fn news(&mut self) -> Vec<String> {
        let (here, there) = (self.here, self.there);
        let name = |socket| match socket {
            id if id == here => "here",
            id if id == there => "there",
            _ => "other",
        };
        let news = poll(&mut *self.reactor).into_iter();
        news.map(|completion| match completion {
            Completion::Received { socket, data } => format!("{} got {}", name(socket), data.len()),
            Completion::Closed { socket, error } => {
                format!("{} closed {:?}", name(socket), error.map(|error| error.kind()))
            }
            Completion::Drained { socket } => format!("{} drained", name(socket)),
            other => panic!("{other:?}"),
        })
        .collect()
    }
}

fn stopped() -> MemOptions {
    MemOptions { virtual_time: true, ..MemOptions::default() }
}

fn poll(reactor: &mut dyn Reactor) -> Vec<Completion> {
    let mut completions = Vec::new();
    loop {
        let before = completions.len();
        reactor.poll(Some(Duration::ZERO), &mut completions).unwrap();
        if completions.len() == before {
            return completions;
        }
    }
}

#[test]
fn a_cut_is_an_error_at_both_ends_and_loses_what_is_on_its_way() {
    let mut town = Town::new(stopped());
    town.send(b"lost");
    assert_eq!(town.link().in_flight(Direction::ToServer), 4);
    town.link().cut();
    let mut news = town.news();
    news.sort();
    assert_eq!(news, ["here closed Some(ConnectionReset)", "there closed Some(ConnectionReset)"]);
    assert!(town.network.links().is_empty());
}

#[test]
fn a_cut_reaches_a_paused_socket() {
    let mut town = Town::new(stopped());
    town.reactor.pause(town.there);
    town.link().cut();
    assert_eq!(town.news().len(), 2);
}

#[test]
fn a_stalled_direction_delivers_nothing_and_says_nothing() {
    let mut town = Town::new(stopped());
    town.link().stall(Direction::ToServer);
    town.send(b"later");
    assert!(town.news().is_empty());
    // The other direction works: the connection is half open.
    let mut words = vec![Bytes::from_static(b"hello")];
    town.reactor.send(town.there, &mut words);
    assert_eq!(town.news(), ["here got 5"]);
    // Not even the departure of the sender is heard.
    town.reactor.close(town.here);
    assert!(town.news().is_empty());
    town.link().resume(Direction::ToServer);
    assert_eq!(town.news(), ["there got 5", "there closed None"]);
}

#[test]
fn a_stalled_pipe_fills_up_and_pushes_back() {
    let mut town = Town::new(MemOptions { capacity: 10, ..stopped() });
    town.link().stall(Direction::ToServer);
    town.send(b"0123456789abcdef");
    assert_eq!(town.reactor.unsent(town.here), 6);
    town.link().resume(Direction::ToServer);
    assert_eq!(town.news(), ["there got 10", "here drained", "there got 6"]);
}

#[test]
fn an_unreachable_address_answers_nothing() {
    let mut town = Town::new(stopped());
    town.network.set_unreachable(address(), true);
    let silent = town.reactor.connect(address()).unwrap();
    town.network.advance(Duration::from_secs(3600));
    assert!(town.news().is_empty());
    town.reactor.close(silent);
    town.network.set_unreachable(address(), false);
    town.reactor.connect(address()).unwrap();
    assert_eq!(poll(&mut *town.reactor).len(), 2);
}

#[test]
fn virtual_time_brings_what_is_due() {
    let ms = Duration::from_millis;
    let mut town = Town::new(MemOptions { latency: ms(10)..=ms(10), ..stopped() });
    let start = town.reactor.now();
    town.send(b"slow");
    town.network.advance(ms(9));
    assert!(town.news().is_empty());
    town.network.advance(ms(1));
    assert_eq!(town.reactor.now() - start, ms(10));
    assert_eq!(town.news(), ["there got 4"]);
    town.reactor.close(town.here);
    assert!(town.news().is_empty());
    town.network.advance(ms(10));
    assert_eq!(town.news(), ["there closed None"]);
}

#[test]
fn advancing_ends_the_sleep_of_another_thread() {
    let network = MemNetwork::with_virtual_time();
    let there = network.clone();
    let sleeper = std::thread::spawn(move || {
        let mut reactor = there.reactor().unwrap();
        let timeout = Some(Duration::from_secs(1000));
        reactor.poll(timeout, &mut Vec::new()).unwrap();
        reactor.now()
    });
    while !sleeper.is_finished() {
        assert!(network.now() < Duration::from_secs(1_000_000));
        network.advance(Duration::from_secs(300));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(sleeper.join().unwrap() >= Duration::from_secs(1000));
}

#[test]
fn real_time_is_not_moved() {
    let network = MemNetwork::new();
    assert!(!network.advance(Duration::from_secs(1000)));
    assert!(network.now() < Duration::from_secs(1000));
    // Latency is waited for.
    let ms = Duration::from_millis;
    let latency = ms(5)..=ms(5);
    let network = MemNetwork::with_options(MemOptions { latency, ..MemOptions::default() });
    let mut reactor = network.reactor().unwrap();
    reactor.connect(address()).unwrap();
    let start = Instant::now();
    let mut completions = Vec::new();
    reactor.poll(Some(Duration::from_secs(60)), &mut completions).unwrap();
    assert!(matches!(completions[..], [Completion::Closed { .. }]));
    assert!((ms(4)..ms(30_000)).contains(&start.elapsed()));
}

#[test]
fn the_seed_decides_how_bytes_arrive() {
    let run = |seed| {
        let mut town = Town::new(MemOptions {
            seed,
            piece: 1..=50,
            latency: Duration::ZERO..=Duration::from_millis(7),
            capacity: 300,
            ..stopped()
        });
        let mut story = Vec::new();
        for _ in 0..20 {
            town.send(&[7; 500]);
            town.network.advance(Duration::from_millis(3));
            story.extend(town.news());
        }
        story
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_full_backlog_refuses() {
    let network = MemNetwork::with_virtual_time();
    let (mut server, mut client) = (network.reactor().unwrap(), network.reactor().unwrap());
    let options = ListenOptions { backlog: 2, ..ListenOptions::default() };
    server.listen(address(), &options).unwrap();
    for _ in 0..3 {
        client.connect(address()).unwrap();
    }
    let refused = poll(&mut *client);
    let refused = refused.iter().filter(|news| matches!(news, Completion::Closed { .. }));
    assert_eq!(refused.count(), 1);
    drop(server);
    // Those who waited are told that nobody will come.
    assert_eq!(poll(&mut *client).len(), 2);
}

#[test]
fn networks_do_not_mix() {
    let (one, other) = (MemNetwork::new(), MemNetwork::new());
    let mut town = Town::new(stopped());
    let socket = town.reactor.detach(town.here).unwrap();
    let error = one.reactor().unwrap().adopt(socket).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let mut reactor = other.reactor().unwrap();
    reactor.connect(address()).unwrap();
    assert!(matches!(poll(&mut *reactor)[..], [Completion::Closed { .. }]));
    reactor.receive_into(town.here, BytesMut::new(), 5);
}
