//! Axon through its own interface, for what the program `axon` has no command for: streams, and a server for loads that
//! mix sizes and priorities.
//!
//! Streams are messages with nothing but data, sent from the application's thread with back-pressure and counted on the
//! worker that reads them.

use super::recorder::Recorder;
use super::{DriveError, Job, REPLY, Report, announce};
use axon_messenger::{
    AddrVec, Builder, Connection, Dispatcher, EntityName, EntityType, Message, Messenger, Nonce, Policy,
    Received,
};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The type of all messages: no dispatcher here looks at it.
pub(crate) const KIND: u16 = 1000;
/// What a connection may have queued: some of the largest messages.
const SEND_BUDGET: usize = 64 << 20;
/// How long a worker that is to spin does so: longer than it ever waits.
const SPIN: Duration = Duration::from_secs(1);
/// A receiver that takes nothing for so long is dead.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until killed.
pub(super) fn serve(addr: SocketAddr, job: &Job) -> Result<(), DriveError> {
    let builder = spinning(Messenger::builder(EntityName::new(EntityType::Osd, 0)), job)
        .default_policy(Policy::stateless_server())
        .bind(addr)
        .nonce(Nonce::MONITOR)
        .send_budget(SEND_BUDGET);
    let messenger = match job.stream {
        true => builder.start(Source(Bytes::from(vec![0; job.size]))),
        false => builder.start(Answerer),
    };
    let _running = messenger.map_err(failed("starting a messenger"))?;
    announce(addr)?;
    loop {
        thread::park();
    }
}

/// Takes the stream of one connection.
pub(super) fn load(addr: SocketAddr, job: &Job) -> Result<Report, DriveError> {
    let (over, result) = channel();
    let drain = Drain { recorder: Mutex::new(job.recorder()), over };
    let messenger = spinning(client(), job).start(drain).map_err(failed("starting a messenger"))?;
    let _connection = messenger.connect(EntityType::Osd, &peer(addr)?).map_err(failed("connecting"))?;
    result.recv().map_err(|_| DriveError::Gone)
}

/// A client without keys.
pub(crate) fn client() -> Builder {
    Messenger::builder(EntityName::new(EntityType::Client, -1))
        .default_policy(Policy::lossy_client())
        .send_budget(SEND_BUDGET)
}

/// The address of a server whose nonce is 0.
pub(crate) fn peer(addr: SocketAddr) -> Result<AddrVec, DriveError> {
    format!("v2:{addr}/0").parse().map_err(failed("an address"))
}

/// An error with what was being done.
pub(crate) fn failed<E: ToString>(function: &'static str) -> impl FnOnce(E) -> DriveError {
    move |error| DriveError::Call { function, reason: error.to_string() }
}

fn spinning(builder: Builder, job: &Job) -> Builder {
    if job.spin { builder.spin(SPIN) } else { builder }
}

/// Answers each message with a small one.
struct Answerer;

impl Dispatcher for Answerer {
    fn can_fast_dispatch(&self, _message: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        let mut reply = Message::new(KIND, Bytes::from_static(&[0; REPLY]));
        reply.header.tid = message.header.tid;
        reply.header.priority = message.header.priority;
        if connection.send(reply).is_err() {
            connection.mark_down();
        }
    }
}

/// Sends the same data to whoever connects, as fast as it is taken.
struct Source(Bytes);

impl Dispatcher for Source {
    fn dispatch(&self, _connection: &Connection, _message: Received) {}

    fn handle_accept(&self, connection: &Connection) {
        let (connection, data) = (connection.clone(), self.0.clone());
        thread::spawn(move || {
            let message = || Message { data: data.clone(), ..Message::new(KIND, Bytes::new()) };
            while connection.send_timeout(message(), PATIENCE).is_ok() {}
        });
    }
}

/// Counts what comes.
struct Drain {
    recorder: Mutex<Recorder>,
    over: Sender<Report>,
}

impl Dispatcher for Drain {
    fn can_fast_dispatch(&self, _message: &Message) -> bool {
        true
    }

    fn dispatch(&self, _connection: &Connection, _message: Received) {
        let now = Instant::now();
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        recorder.arrived(1, now);
        if recorder.is_over(now) {
            // Only the first of these is waited for.
            let _ = self.over.send(recorder.report());
        }
    }
}
