//! A dispatcher that writes down what it is told, and does what a test wants.

use crate::town::PATIENCE;
use axon_messenger::{Connection, Dispatcher, Fault, Message, Received, Reset};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Something a dispatcher was told.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Message(Message),
    FastConnect,
    FastAccept,
    /// With the number under which the peer authenticated.
    FastResumed(u64),
    Connect,
    Accept,
    Refused(Fault),
    Reset {
        fault: Fault,
        not_sent: Vec<Message>,
    },
}

/// News, of whom, when, and on which thread.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) connection: Connection,
    pub(crate) news: News,
    pub(crate) at: Instant,
    pub(crate) thread: String,
}

type Handler = Box<dyn Fn(&Connection, Received) + Send + Sync>;

/// A dispatcher that writes down what it is told.
#[derive(Default)]
pub(crate) struct Probe {
    log: Mutex<Vec<Entry>>,
    changed: Condvar,
    fast: bool,
    handler: Option<Handler>,
}

impl Probe {
    /// Writes down everything, messages too, on the dispatch threads.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The same, with messages taken on the reading thread.
    pub(crate) fn fast() -> Arc<Self> {
        Arc::new(Self { fast: true, ..Self::default() })
    }

    /// Hands messages to `handler` instead of writing them down.
    pub(crate) fn with(handler: impl Fn(&Connection, Received) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { handler: Some(Box::new(handler)), ..Self::default() })
    }

    /// The same on the reading thread.
    pub(crate) fn fast_with(handler: impl Fn(&Connection, Received) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { fast: true, handler: Some(Box::new(handler)), ..Self::default() })
    }

    /// Returns every message to its sender, on the reading thread.
    pub(crate) fn echo() -> Arc<Self> {
        Self::fast_with(|connection, message| {
            // A peer that is gone, or that does not read its echoes, loses them.
            let _ = connection.send(message.into_message());
        })
    }

    /// Everything so far.
    pub(crate) fn log(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Forgets everything so far.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// What `find` finds in the log, sooner or later.
    ///
    /// # Panics
    /// If it never does.
    pub(crate) fn wait_for<T>(&self, what: &str, find: impl Fn(&[Entry]) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut log = self.lock();
        loop {
            if let Some(found) = find(&log) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no {what} in {} news, the last of which are {:?}",
                log.len(),
                tail(&log)
            );
            log = self.changed.wait_timeout(log, left).expect("no panic under the lock").0;
        }
    }

    /// Waits for `count` messages and returns all there are.
    pub(crate) fn wait_messages(&self, count: usize) -> Vec<Message> {
        self.wait_for(&format!("{count} messages"), |log| {
            let messages = messages(log);
            (messages.len() >= count).then_some(messages)
        })
    }

    /// Waits for the session of `connection`.
    pub(crate) fn wait_connect(&self, connection: &Connection) {
        self.wait_for("connect", |log| {
            let mine =
                |entry: &&Entry| entry.connection == *connection && matches!(entry.news, News::Connect);
            log.iter().find(mine).map(drop)
        });
    }

    /// Waits for an accepted session; the last one there is.
    pub(crate) fn wait_accept(&self) -> Connection {
        self.wait_accepts(1).pop().expect("one at least")
    }

    /// Waits for `count` accepted sessions.
    pub(crate) fn wait_accepts(&self, count: usize) -> Vec<Connection> {
        self.wait_for(&format!("{count} accepts"), |log| {
            let accepts = log.iter().filter(|entry| matches!(entry.news, News::Accept));
            let accepted: Vec<_> = accepts.map(|entry| entry.connection.clone()).collect();
            (accepted.len() >= count).then_some(accepted)
        })
    }

    /// Waits for the end of `connection`: why, and what was not sent.
    pub(crate) fn wait_reset(&self, connection: &Connection) -> (Fault, Vec<Message>) {
        self.wait_for("reset", |log| {
            log.iter().filter(|entry| entry.connection == *connection).find_map(|entry| match &entry.news {
                News::Reset { fault, not_sent } => Some((fault.clone(), not_sent.clone())),
                _ => None,
            })
        })
    }

    /// Waits for an attempt that failed for a reason that `matches`.
    pub(crate) fn wait_refused(&self, matches: impl Fn(&Fault) -> bool) -> Fault {
        self.wait_for("refusal", |log| {
            log.iter().find_map(|entry| match &entry.news {
                News::Refused(fault) if matches(fault) => Some(fault.clone()),
                _ => None,
            })
        })
    }

    /// Resets so far.
    pub(crate) fn resets(&self) -> usize {
        self.lock().iter().filter(|entry| matches!(entry.news, News::Reset { .. })).count()
    }

    fn note(&self, connection: &Connection, news: News) {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        self.lock().push(Entry { connection: connection.clone(), news, at: Instant::now(), thread });
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.log.lock().expect("no panic under the lock")
    }
}

impl Dispatcher for Probe {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        self.fast
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        match &self.handler {
            Some(handler) => handler(connection, message),
            None => self.note(connection, News::Message(message.into_message())),
        }
    }

    fn handle_fast_connect(&self, connection: &Connection) {
        self.note(connection, News::FastConnect);
    }

    fn handle_fast_accept(&self, connection: &Connection) {
        self.note(connection, News::FastAccept);
    }

    fn handle_fast_resumed(&self, connection: &Connection) {
        let number = connection.identity().expect("the peer dialled").global_id;
        self.note(connection, News::FastResumed(number));
    }

    fn handle_connect(&self, connection: &Connection) {
        self.note(connection, News::Connect);
    }

    fn handle_accept(&self, connection: &Connection) {
        self.note(connection, News::Accept);
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        self.note(connection, News::Reset { fault: reset.fault, not_sent: reset.undelivered.not_sent });
    }

    fn handle_refused(&self, connection: &Connection, fault: &Fault) {
        self.note(connection, News::Refused(fault.clone()));
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.news {
            News::Message(message) => write!(f, "Message(tid {})", message.header.tid)?,
            News::Reset { fault, not_sent } => write!(f, "Reset({fault}, {} not sent)", not_sent.len())?,
            news => write!(f, "{news:?}")?,
        }
        write!(f, " of {:?} on {}", self.connection, self.thread)
    }
}

fn messages(log: &[Entry]) -> Vec<Message> {
    let message = |entry: &Entry| match &entry.news {
        News::Message(message) => Some(message.clone()),
        _ => None,
    };
    log.iter().filter_map(message).collect()
}

fn tail(log: &[Entry]) -> &[Entry] {
    &log[log.len().saturating_sub(10)..]
}

/// Whether something stays as it is for a moment.
pub(crate) fn stays<T: PartialEq + fmt::Debug>(moment: Duration, look: impl Fn() -> T) -> bool {
    let before = look();
    std::thread::sleep(moment);
    look() == before
}

/// An empty message with this transaction id.
pub(crate) fn numbered(tid: u64) -> Message {
    let mut message = Message::new(0x70, &b""[..]);
    message.header.tid = tid;
    message
}

/// A message of which `size` bytes are in the data, and tell themselves apart.
pub(crate) fn filled(tid: u64, size: usize) -> Message {
    let mut message = numbered(tid);
    message.data = pattern(tid, size).into();
    message
}

/// Bytes that depend on `seed` and their place.
pub(crate) fn pattern(seed: u64, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 8);
    let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while bytes.len() < size {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
