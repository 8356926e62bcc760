//! Real messengers, threads and all, over a network in memory, and what a test does with them. Nothing here depends on how
//! fast the machine is: what must happen is waited for.

use axon_messenger::{
    AddrVec, BackOff, BindSpec, Builder, Connection, Dispatcher, EntityType, Fault, Incoming, Message,
    Messenger, Received, Receiver, Reset, incoming,
};
use axon_transport::MemNetwork;
use std::time::{Duration, Instant};

/// How long something may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Long enough for something to happen that must not.
pub(crate) const MOMENT: Duration = Duration::from_millis(100);

/// Type of a message of these tests.
pub(crate) const PING: u16 = 0x70;

/// A network for all messengers of a test.
pub(crate) struct Hall {
    pub(crate) network: MemNetwork,
}

impl Hall {
    pub(crate) fn new() -> Self {
        Self { network: MemNetwork::new() }
    }

    /// A messenger that dials again soon.
    pub(crate) fn builder(&self, name: &str) -> Builder {
        let back_off = BackOff::new(Duration::from_millis(20), Duration::from_millis(200));
        Messenger::builder(name.parse().expect("an entity name"))
            .transport(std::sync::Arc::new(self.network.clone()))
            .back_off(back_off)
    }

    /// One that listens at a free port.
    pub(crate) fn server(&self, name: &str) -> Builder {
        self.builder(name).bind(at("127.0.0.1:0"))
    }
}

/// A messenger and what it has heard.
pub(crate) struct Guest {
    pub(crate) messenger: Messenger,
    heard: Receiver<Incoming>,
}

impl Guest {
    pub(crate) fn new(builder: Builder) -> Self {
        let (dispatcher, heard) = incoming();
        Self { messenger: start(builder, dispatcher), heard }
    }

    /// The connection to another, which is an OSD.
    pub(crate) fn connect(&self, other: &Messenger) -> Connection {
        self.messenger.connect(EntityType::Osd, &other.addrs()).expect("an address to dial")
    }

    /// The next news that `wanted` wants; what comes before is dropped.
    #[track_caller]
    pub(crate) fn hear<T>(&self, what: &str, mut wanted: impl FnMut(Incoming) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let news = self.heard.recv_timeout(left).unwrap_or_else(|error| panic!("no {what}: {error}"));
            if let Some(found) = wanted(news) {
                return found;
            }
        }
    }

    #[track_caller]
    pub(crate) fn hear_message(&self) -> (Connection, Message) {
        self.hear("message", |news| match news {
            Incoming::Message(connection, message) => Some((connection, message.into_message())),
            _ => None,
        })
    }

    #[track_caller]
    pub(crate) fn hear_accept(&self) -> Connection {
        self.hear("accept", |news| match news {
            Incoming::Accept(connection) => Some(connection),
            _ => None,
        })
    }

    #[track_caller]
    pub(crate) fn hear_refusal(&self) -> Fault {
        self.hear("refusal", |news| match news {
            Incoming::Refused(_, fault) => Some(fault),
            _ => None,
        })
    }

    #[track_caller]
    pub(crate) fn hear_reset(&self, of: &Connection) -> Reset {
        self.hear("reset", |news| match news {
            Incoming::Reset(connection, reset) if connection == *of => Some(reset),
            _ => None,
        })
    }

    /// Whether there is no news now.
    pub(crate) fn heard_nothing(&self) -> bool {
        self.heard.is_empty()
    }
}

/// A dispatcher that is a function.
pub(crate) struct Handler<F>(pub(crate) F);

impl<F: Fn(&Connection, Received) + Send + Sync + 'static> Dispatcher for Handler<F> {
    fn dispatch(&self, connection: &Connection, message: Received) {
        self.0(connection, message);
    }
}

/// The same, called by the worker that read the message.
pub(crate) struct FastHandler<F>(pub(crate) F);

impl<F: Fn(&Connection, Received) + Send + Sync + 'static> Dispatcher for FastHandler<F> {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        self.0(connection, message);
    }
}

/// Sends every message back.
pub(crate) fn echo() -> impl Dispatcher {
    Handler(|connection: &Connection, message: Received| {
        // A peer that is gone does without.
        let _ = connection.send(message.into_message());
    })
}

pub(crate) fn start(builder: Builder, dispatcher: impl Dispatcher) -> Messenger {
    builder.start(dispatcher).expect("the messenger starts")
}

pub(crate) fn at(addr: &str) -> BindSpec {
    addr.parse().expect("an address to listen at")
}

pub(crate) fn addrs(texts: &[&str]) -> AddrVec {
    AddrVec(texts.iter().map(|text| text.parse().expect("an address")).collect())
}

/// An empty message with this transaction id.
pub(crate) fn numbered(tid: u64) -> Message {
    let mut message = Message::new(PING, &b""[..]);
    message.header.tid = tid;
    message
}

/// The same with data.
pub(crate) fn filled(tid: u64, size: usize) -> Message {
    let mut message = numbered(tid);
    message.data = vec![tid as u8; size].into();
    message
}

/// Waits until `met`.
#[track_caller]
pub(crate) fn eventually(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < deadline, "still waiting: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
