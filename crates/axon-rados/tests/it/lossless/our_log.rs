//! What our own messenger's workers say of their sessions: the counterpart of a daemon's log.

use axon_transport::{Capabilities, Reactor, Transport};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Event, Level, Metadata, Subscriber};

/// What cut sockets lead to, and attempts at the same time that meet. Every other fault is one of the protocol.
const EXPECTED: [&str; 4] = [
    "the connection was reset",
    "the peer closed the connection",
    "the peer asked to wait",
    "a newer connection exists",
];

/// What a machine that stalls for long leads to as well, now and then.
const SELDOM: [&str; 2] = ["gave up: ready time-out", "gave up: keepalive unanswered"];
const A_FEW: usize = 3;

thread_local! {
    /// Ends the logging with its thread.
    static LOGGING: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// What one messenger's workers have said.
#[derive(Clone, Default)]
pub(super) struct OurLog(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    /// How often each fault was the reason for something.
    faults: BTreeMap<String, usize>,
    /// Warnings and errors.
    loud: Vec<String>,
}

impl OurLog {
    /// A transport for the messenger: its workers ask for their reactors on their own threads, which is how their words are
    /// told from those of others.
    pub(super) fn over<T: Transport>(&self, inner: T) -> Logged<T> {
        Logged { inner, log: self.clone() }
    }

    /// How often each fault was the reason for something.
    pub(super) fn faults(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap().faults.clone()
    }

    /// Fails if anything but the loss of sockets has happened.
    pub(super) fn assert_clean(&self) {
        assert_eq!(self.complaints(), [""; 0]);
    }

    fn complaints(&self) -> Vec<String> {
        let said = self.0.lock().unwrap();
        let faults = said.faults.iter().filter(|(fault, times)| !is_expected(fault, **times));
        faults.map(|(fault, _)| fault).chain(&said.loud).cloned().collect()
    }
}

fn is_expected(fault: &str, times: usize) -> bool {
    EXPECTED.contains(&fault) || SELDOM.contains(&fault) && times <= A_FEW
}

/// A transport whose workers are heard.
pub(super) struct Logged<T> {
    inner: T,
    log: OurLog,
}

impl<T: Transport> Transport for Logged<T> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn reactor(&self) -> io::Result<Box<dyn Reactor>> {
        LOGGING.set(Some(set_default(self.log.clone())));
        self.inner.reactor()
    }
}

impl Subscriber for OurLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::DEBUG && metadata.target().starts_with("axon_")
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut said = self.0.lock().unwrap();
        if let Some(fault) = words.fault {
            *said.faults.entry(fault).or_default() += 1;
        }
        // Slow machines have slow threads.
        if *event.metadata().level() <= Level::WARN && !words.message.contains("held up") {
            said.loud.push(words.message);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Of an event.
#[derive(Default)]
struct Words {
    fault: Option<String>,
    message: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "fault" => self.fault = Some(format!("{value:?}")),
            "message" => self.message = format!("{value:?}"),
            _ => {}
        }
    }
}

#[test]
fn faults_of_the_protocol_are_seen() {
    let log = OurLog::default();
    tracing::subscriber::with_default(log.clone(), || {
        tracing::debug!(target: "axon_messenger", fault = %EXPECTED[0], "a session lost its socket");
        tracing::warn!(target: "axon_messenger", "the worker was held up: does a handler of fast dispatch block?");
        tracing::error!(target: "elsewhere", "not ours");
    });
    log.assert_clean();
    tracing::subscriber::with_default(log.clone(), || {
        tracing::debug!(target: "axon_messenger", fault = %"unexpected Ack frame", "a session lost its socket");
        tracing::warn!(target: "axon_messenger", "something is wrong");
    });
    assert_eq!(log.complaints(), ["unexpected Ack frame", "something is wrong"]);
    assert_eq!(log.faults().len(), 2);
}
