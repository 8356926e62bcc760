//! Answers each request of a benchmark.

use axon_messenger::{Connection, Dispatcher, Fault, Message, Received, Reset};
use axon_proto::Disconnect;
use axon_rados::msg::{MOSDOp, MOSDOpReply, MOSDOpView, TypedMessage};
use axon_rados::osd::OsdFlags;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers each MOSDOp with an MOSDOpReply, on the thread that read it.
#[derive(Debug, Default)]
pub(crate) struct Responder {
    requests: AtomicU64,
    bytes: AtomicU64,
    sessions: AtomicU64,
}

/// What a responder did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Served {
    /// Requests answered.
    pub(crate) messages: u64,
    /// Bytes of data in them.
    pub(crate) bytes: u64,
    /// Sessions opened.
    pub(crate) connections: u64,
}

impl Responder {
    /// What it did so far.
    pub(crate) fn served(&self) -> Served {
        Served {
            messages: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            connections: self.sessions.load(Ordering::Relaxed),
        }
    }

    fn answer(&self, connection: &Connection, message: &Message) {
        let request = match MOSDOpView::parse(message) {
            Ok(request) => request,
            Err(error) => return give_up(connection, &error),
        };
        let reply = MOSDOpReply::answer(&request, 0, OsdFlags::ACK, 0);
        if let Err(error) = connection.send(reply) {
            // Of a client that does not read its replies no request may go unanswered in silence.
            return give_up(connection, &error);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(message.data.len() as u64, Ordering::Relaxed);
    }
}

fn give_up(connection: &Connection, why: &dyn std::error::Error) {
    tracing::warn!(?connection, %why, "closing the connection");
    connection.mark_down();
}

impl Dispatcher for Responder {
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        message.header.kind == MOSDOp::KIND
    }

    fn fast_dispatch(&self, connection: &Connection, message: Received) {
        self.answer(connection, &message);
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        tracing::debug!(?connection, kind = message.header.kind, "ignored a message that is no osd_op");
    }

    fn handle_fast_accept(&self, connection: &Connection) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        tracing::info!(?connection, "accepted");
    }

    /// Nobody listens where a peer was: its process has gone, and with it the session.
    fn handle_refused(&self, connection: &Connection, fault: &Fault) {
        if *fault == Fault::Disconnected(Disconnect::Refused) {
            tracing::info!(?connection, "gone");
            connection.mark_down();
        }
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        tracing::info!(?connection, fault = %reset.fault, "over");
    }
}
