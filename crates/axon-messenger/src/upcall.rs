//! Calls into the application. Its panics are its own: they are logged, and neither a worker nor the news behind them
//! is lost to them.

use crate::Connection;
use crate::dispatcher::{Dispatcher, Reset};
use crate::received::Received;
use axon_proto::{Fault, Undelivered};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the dispatch threads handle.
pub(crate) enum Item {
    Message(Connection, Received),
    Connect(Connection),
    Accept(Connection),
    /// The end of a session, after what it still had queued.
    Reset(Connection, Vec<Item>, Reset),
    Refused(Connection, Fault),
    /// The peer lost the session, after what the old one still had queued.
    RemoteReset(Connection, Vec<Item>, Undelivered),
}

impl Item {
    fn connection(&self) -> &Connection {
        match self {
            Self::Message(connection, _)
            | Self::Connect(connection)
            | Self::Accept(connection)
            | Self::Reset(connection, ..)
            | Self::RemoteReset(connection, ..)
            | Self::Refused(connection, _) => connection,
        }
    }
}

/// Hands an item to the application, unless it has marked the connection down; runs on the dispatch threads.
pub(crate) fn hand_to(dispatcher: &dyn Dispatcher, item: Item) {
    if item.connection().is_marked_down() {
        return;
    }
    match item {
        Item::Message(connection, received) => hand_message(dispatcher, &connection, received),
        Item::Connect(connection) => dispatcher.handle_connect(&connection),
        Item::Accept(connection) => dispatcher.handle_accept(&connection),
        Item::Reset(connection, before, reset) => {
            hand_all(dispatcher, &connection, before);
            dispatcher.handle_reset(&connection, reset);
        }
        Item::RemoteReset(connection, before, undelivered) => {
            hand_all(dispatcher, &connection, before);
            dispatcher.handle_remote_reset(&connection, undelivered);
        }
        Item::Refused(connection, fault) => dispatcher.handle_refused(&connection, &fault),
    }
}

fn hand_all(dispatcher: &dyn Dispatcher, connection: &Connection, items: Vec<Item>) {
    for item in items {
        guarded(connection, || hand_to(dispatcher, item));
    }
}

/// Messages to oneself were read by no worker: those that are safe for one come here.
fn hand_message(dispatcher: &dyn Dispatcher, connection: &Connection, received: Received) {
    if connection.is_loopback() && dispatcher.can_fast_dispatch(&received) {
        dispatcher.fast_dispatch(connection, received);
    } else {
        dispatcher.dispatch(connection, received);
    }
}

/// Calls the application from a worker, unless it has marked the connection down. `None` if it panicked.
pub(crate) fn guarded<T>(connection: &Connection, call: impl FnOnce() -> T) -> Option<T> {
    if connection.is_marked_down() {
        return None;
    }
    let outcome = catch_unwind(AssertUnwindSafe(call));
    if outcome.is_err() {
        tracing::error!(?connection, "a handler panicked; what it was called for is lost");
    }
    outcome.ok()
}
