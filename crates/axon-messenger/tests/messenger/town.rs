//! Where messengers live: a transport, and messengers with short time-outs.

use crate::probe::Probe;
use axon_messenger::{AddrVec, BackOff, BindSpec, Builder, Connection, EntityType, Messenger};
use axon_transport::{MemNetwork, TcpTransport, Transport, UringTransport};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long something may take that must happen. Generous: the machines that run this are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Long enough for something to happen that must not.
pub(crate) const MOMENT: Duration = Duration::from_millis(100);

/// A transport for all messengers of a test.
pub(crate) struct Town {
    transport: Arc<dyn Transport>,
    mem: Option<MemNetwork>,
}

impl Town {
    /// Real sockets on loopback.
    pub(crate) fn tcp() -> Self {
        Self { transport: Arc::new(TcpTransport::new()), mem: None }
    }

    /// The same over io_uring. Fails where the kernel refuses it.
    pub(crate) fn uring() -> Self {
        Self::over(UringTransport::new().unwrap_or_else(|error| panic!("{error}")))
    }

    /// A network in memory.
    pub(crate) fn mem() -> Self {
        let network = MemNetwork::new();
        Self { transport: Arc::new(network.clone()), mem: Some(network) }
    }

    /// Some other transport.
    pub(crate) fn over(transport: impl Transport) -> Self {
        Self { transport: Arc::new(transport), mem: None }
    }

    /// The network in memory.
    pub(crate) fn network(&self) -> &MemNetwork {
        self.mem.as_ref().expect("a town in memory")
    }

    /// A messenger over this town's transport that retries quickly.
    pub(crate) fn builder(&self, name: &str) -> Builder {
        let name = name.parse().expect("an entity name");
        Messenger::builder(name)
            .transport(self.transport.clone())
            .back_off(BackOff::new(Duration::from_millis(20), Duration::from_millis(200)))
    }

    /// The same, listening on a free port of the loopback address.
    pub(crate) fn server(&self, name: &str) -> Builder {
        self.builder(name).bind(any_port())
    }

    /// An OSD that listens and a client, with nothing between them yet.
    pub(crate) fn pair(&self, server: &Arc<Probe>, client: &Arc<Probe>) -> Pair {
        let server_messenger = start(self.server("osd.3"), server);
        let client_messenger = start(self.builder("client.7"), client);
        Pair {
            server: server_messenger,
            client: client_messenger,
            at_server: server.clone(),
            at_client: client.clone(),
        }
    }
}

/// Two messengers.
pub(crate) struct Pair {
    pub(crate) server: Messenger,
    pub(crate) client: Messenger,
    pub(crate) at_server: Arc<Probe>,
    pub(crate) at_client: Arc<Probe>,
}

impl Pair {
    /// The client's connection to the server.
    pub(crate) fn connect(&self) -> Connection {
        dial(&self.client, &self.server)
    }

    /// The same connection at both ends, once its session is open.
    pub(crate) fn connected(&self) -> (Connection, Connection) {
        let here = self.connect();
        self.at_client.wait_connect(&here);
        let there = self.at_server.wait_accept();
        (here, there)
    }
}

/// Starts a messenger with a probe as its dispatcher.
pub(crate) fn start(builder: Builder, probe: &Arc<Probe>) -> Messenger {
    builder.start(probe.clone()).expect("the messenger starts")
}

/// A connection to an OSD.
pub(crate) fn dial(from: &Messenger, to: &Messenger) -> Connection {
    from.connect(EntityType::Osd, &to.addrs()).expect("an address to dial")
}

/// The first address of a messenger that listens.
pub(crate) fn socket_of(messenger: &Messenger) -> SocketAddr {
    messenger.addrs().first().socket.expect("a bound address")
}

/// A free port on the loopback address.
pub(crate) fn any_port() -> BindSpec {
    at("127.0.0.1:0")
}

/// So many ports of the loopback address in a row that nobody listens at, and that nobody else in this process gets.
///
/// They are below those the kernel gives to sockets that ask for any, and below those of `axon_testbed`: a port of a
/// listener that is gone would be taken by another test's socket now and then.
pub(crate) fn unused_ports(count: u16) -> Range<u16> {
    const PORTS: Range<u32> = 10_000..20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let span = PORTS.end - PORTS.start - u32::from(count);
    let drawn = |_| {
        let next = std::process::id().wrapping_mul(97) + NEXT.fetch_add(count.into(), Ordering::Relaxed);
        let first = (PORTS.start + next % span) as u16;
        first..first + count
    };
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (0..1000).map(drawn).find(|ports| ports.clone().all(is_free)).expect("ports that nobody uses")
}

/// An address of the loopback interface that nobody listens at, and that stays free for who asked.
pub(crate) fn unused_addr() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, unused_ports(1).start).into()
}

/// Exactly this address.
pub(crate) fn at(addr: &str) -> BindSpec {
    addr.parse().expect("an address to listen at")
}

/// A vector of addresses, by their text.
pub(crate) fn addrs(texts: &[&str]) -> AddrVec {
    AddrVec(texts.iter().map(|text| text.parse().expect("an address")).collect())
}

/// Waits until `met`.
///
/// # Panics
/// If that takes too long.
pub(crate) fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < deadline, "still waiting: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Declares tests that run over TCP, with epoll and with io_uring, and over the network in memory.
macro_rules! over_each {
    ($($(#[$meta:meta])* fn $name:ident($town:ident) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn scenario($town: &$crate::town::Town) $body

            #[test]
            fn tcp() {
                scenario(&$crate::town::Town::tcp());
            }

            #[test]
            fn uring() {
                scenario(&$crate::town::Town::uring());
            }

            #[test]
            fn mem() {
                scenario(&$crate::town::Town::mem());
            }
        }
    )*};
}
