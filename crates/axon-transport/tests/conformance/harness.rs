//! Two reactors on one thread, and words to say what they should do.

use axon_transport::{
    Completion, Faults, Faulty, ListenOptions, ListenerId, MemNetwork, MemOptions, Reactor, SocketId,
    Transport,
};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// The back end over io_uring. Where the kernel refuses it, its tests fail and say why.
#[cfg(feature = "uring")]
pub(crate) fn uring() -> axon_transport::UringTransport {
    axon_transport::UringTransport::new().unwrap_or_else(|error| panic!("{error}"))
}

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough for something unwanted to happen.
pub(crate) const QUIET: Duration = Duration::from_millis(50);

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(crate) fn loopback6() -> SocketAddr {
    (Ipv6Addr::LOCALHOST, 0).into()
}

/// A network in which everything comes late and in pieces.
pub(crate) fn ragged() -> MemNetwork {
    MemNetwork::with_options(MemOptions {
        capacity: 1_000_003,
        piece: 1..=100_000,
        latency: Duration::ZERO..=Duration::from_micros(100),
        seed: 0x7a66ed,
        ..MemOptions::default()
    })
}

/// Faults that nobody above may notice: no cuts.
pub(crate) fn faulty<T: Transport>(inner: T) -> Faulty<T> {
    let faults = Faults {
        seed: 0xfa017,
        piece: 1..=200_000,
        delay: Duration::ZERO..=Duration::from_micros(50),
        ..Faults::default()
    };
    Faulty::new(inner, faults)
}

/// A reactor and what it reported that nobody looked at yet.
pub(crate) struct Site {
    pub(crate) reactor: Box<dyn Reactor>,
    pub(crate) news: VecDeque<Completion>,
    /// How often a socket was drained. Kept apart: whether the device takes a message at once is its own affair.
    pub(crate) drained: usize,
    buffer: Vec<Completion>,
}

impl Site {
    pub(crate) fn new(transport: &dyn Transport) -> Self {
        Self { reactor: transport.reactor().unwrap(), news: VecDeque::new(), drained: 0, buffer: Vec::new() }
    }

    pub(crate) fn poll(&mut self, timeout: Duration) {
        self.reactor.poll(Some(timeout), &mut self.buffer).unwrap();
        for completion in self.buffer.drain(..) {
            match completion {
                Completion::Drained { .. } => self.drained += 1,
                other => self.news.push_back(other),
            }
        }
    }

    /// The next completion. For a site whose other side needs no polling.
    pub(crate) fn next(&mut self) -> Completion {
        let start = Instant::now();
        while self.news.is_empty() {
            assert!(start.elapsed() < PATIENCE, "nothing happens");
            self.poll(Duration::from_secs(1));
        }
        self.news.pop_front().unwrap()
    }

    pub(crate) fn listen(&mut self) -> (ListenerId, SocketAddr) {
        self.listen_on(loopback())
    }

    pub(crate) fn listen_on(&mut self, addr: SocketAddr) -> (ListenerId, SocketAddr) {
        self.reactor.listen(addr, &ListenOptions::default()).unwrap()
    }

    pub(crate) fn send(&mut self, socket: SocketId, bytes: &[u8]) {
        self.reactor.send(socket, &mut vec![Bytes::copy_from_slice(bytes)]);
    }

    /// Receives until `wanted` bytes are there. The socket must be receiving.
    pub(crate) fn receive(&mut self, socket: SocketId, wanted: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < wanted {
            all.extend_from_slice(&received(self.next(), socket));
        }
        all
    }
}

/// How many ports are tried where others may have taken one.
pub(crate) const PORTS: usize = 20;

/// Two sites, a connection between them.
pub(crate) struct Duo {
    pub(crate) client: Site,
    pub(crate) server: Site,
    pub(crate) here: SocketId,
    pub(crate) there: SocketId,
}

impl Duo {
    pub(crate) fn new(transport: &dyn Transport) -> Self {
        Self::on(transport, loopback())
    }

    pub(crate) fn on(transport: &dyn Transport, addr: SocketAddr) -> Self {
        let mut client = Site::new(transport);
        let mut server = Site::new(transport);
        let (_, addr) = server.listen_on(addr);
        let (here, there) = join(&mut client, &mut server, addr);
        Self { client, server, here, there }
    }

    /// Lets both sides work until `done`.
    pub(crate) fn until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "nothing happens");
            self.client.poll(Duration::ZERO);
            self.server.poll(Duration::from_micros(100));
        }
    }

    /// Lets both sides work for a while.
    pub(crate) fn rest(&mut self) {
        let start = Instant::now();
        self.until(|_| start.elapsed() > QUIET);
    }

    pub(crate) fn next_of_server(&mut self) -> Completion {
        self.until(|duo| !duo.server.news.is_empty());
        self.server.news.pop_front().unwrap()
    }

    pub(crate) fn next_of_client(&mut self) -> Completion {
        self.until(|duo| !duo.client.news.is_empty());
        self.client.news.pop_front().unwrap()
    }

    /// Receives at the server until `wanted` bytes are there. The socket must be receiving.
    pub(crate) fn receive(&mut self, wanted: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < wanted {
            let next = self.next_of_server();
            all.extend_from_slice(&received(next, self.there));
        }
        all
    }
}

/// Connects `client` to `server`, which listens on `addr`.
pub(crate) fn join(client: &mut Site, server: &mut Site, addr: SocketAddr) -> (SocketId, SocketId) {
    let here = client.reactor.connect(addr).unwrap();
    let start = Instant::now();
    while client.news.is_empty() || server.news.is_empty() {
        assert!(start.elapsed() < PATIENCE, "no connection");
        client.poll(Duration::from_micros(100));
        server.poll(Duration::from_micros(100));
    }
    match client.news.pop_front().unwrap() {
        Completion::Connected { socket, .. } => assert_eq!(socket, here),
        other => panic!("{other:?}"),
    }
    let there = match server.news.pop_front().unwrap() {
        Completion::Accepted { socket, .. } => server.reactor.adopt(socket).unwrap(),
        other => panic!("{other:?}"),
    };
    (here, there)
}

pub(crate) fn received(completion: Completion, from: SocketId) -> BytesMut {
    match completion {
        Completion::Received { socket, data } => {
            assert_eq!(socket, from);
            assert!(!data.is_empty());
            data
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn filled(completion: Completion, from: SocketId) -> BytesMut {
    match completion {
        Completion::Filled { socket, data } => {
            assert_eq!(socket, from);
            data
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn closed(completion: Completion, id: SocketId) -> Option<std::io::Error> {
    match completion {
        Completion::Closed { socket, error } => {
            assert_eq!(socket, id);
            error
        }
        other => panic!("{other:?}"),
    }
}

/// A stream in which each place is told from its neighbours. Its period is prime to all sizes used.
pub(crate) struct Pattern {
    bytes: Bytes,
}

const PERIOD: usize = 65_521;

impl Pattern {
    pub(crate) fn new() -> Self {
        let period = (0..PERIOD).map(|place| ((place * 2_654_435_761) >> 8) as u8);
        Self { bytes: period.cycle().take(PERIOD * 18).collect() }
    }

    /// The `length` bytes from `offset`, at most 1 MiB.
    pub(crate) fn at(&self, offset: usize, length: usize) -> Bytes {
        let start = offset % PERIOD;
        self.bytes.slice(start..start + length)
    }

    pub(crate) fn check(&self, offset: usize, data: &[u8]) {
        for (index, part) in data.chunks(PERIOD * 16).enumerate() {
            let offset = offset + index * PERIOD * 16;
            assert!(self.at(offset, part.len()) == part, "damaged near {offset}");
        }
    }
}

/// A small generator of test sizes (xorshift).
pub(crate) struct Sizes(pub(crate) u64);

impl Sizes {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
