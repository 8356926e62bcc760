//! Messages and news as a queue, for applications that would rather loop than implement a dispatcher.

use crate::dispatcher::{Dispatcher, Reset};
use crate::receiver::{Feed, Receiver, receiver};
use crate::{Connection, Received};
use axon_proto::{Fault, Undelivered};

/// Something a dispatcher would have been called for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// A message.
    Message(Connection, Received),
    /// A session this side dialled is open.
    Connect(Connection),
    /// A session somebody else dialled is open.
    Accept(Connection),
    /// A session is over.
    Reset(Connection, Reset),
    /// An attempt to connect failed; more follow.
    Refused(Connection, Fault),
    /// The peer lost the session's state.
    RemoteReset(Connection, Undelivered),
}

/// The dispatcher to start a messenger with, and the queue to read from: by `recv().await` under any runtime, or by
/// `recv_blocking`. Messages go straight from the reading thread into the queue.
pub fn incoming() -> (impl Dispatcher, Receiver<Incoming>) {
    let (feed, receiver) = receiver();
    (Queued(feed), receiver)
}

struct Queued(Feed<Incoming>);

impl Queued {
    /// A queue whose reader is gone drops what comes, as an application without interest would.
    fn push(&self, incoming: Incoming) {
        drop(self.0.push(incoming));
    }
}

impl Dispatcher for Queued {
    fn can_fast_dispatch(&self, _: &axon_wire::Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        self.push(Incoming::Message(connection.clone(), message));
    }

    fn handle_fast_connect(&self, connection: &Connection) {
        self.push(Incoming::Connect(connection.clone()));
    }

    fn handle_fast_accept(&self, connection: &Connection) {
        self.push(Incoming::Accept(connection.clone()));
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        self.push(Incoming::Reset(connection.clone(), reset));
    }

    fn handle_refused(&self, connection: &Connection, fault: &Fault) {
        self.push(Incoming::Refused(connection.clone(), fault.clone()));
    }

    fn handle_remote_reset(&self, connection: &Connection, undelivered: Undelivered) {
        self.push(Incoming::RemoteReset(connection.clone(), undelivered));
    }
}
