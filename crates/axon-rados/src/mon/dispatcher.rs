//! The messenger's callbacks: those of monitors for the session, the others for the application.

use super::core::Core;
use super::error::Failure;
use super::session::{Session, is_ours};
use crate::msg::{MOSDMap, TypedMessage};
use axon_denc::EntityType;
use axon_messenger::{Connection, Dispatcher, Fault, Message, Received, Reset, State, Undelivered};
use std::sync::Arc;
use std::time::Instant;

/// An application that wants nothing but the monitors' answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ignore;

impl Dispatcher for Ignore {
    fn dispatch(&self, connection: &Connection, message: Received) {
        tracing::debug!(?connection, kind = message.header.kind, "message ignored");
    }
}

/// Hands the session what is the session's, and `rest` everything else.
pub(super) struct WithMon<D> {
    core: Arc<Core>,
    rest: D,
}

impl<D> WithMon<D> {
    pub(super) fn new(core: Arc<Core>, rest: D) -> Self {
        Self { core, rest }
    }

    /// Whether the message is the session's or that of whoever keeps the OSD map.
    fn take(&self, connection: &Connection, message: &Message) -> bool {
        if connection.peer_type() != EntityType::Mon {
            return false;
        }
        if connection.state() == State::Closed {
            return true; // the session has left it while this was on its way
        }
        if message.header.kind == MOSDMap::KIND && self.core.osd_maps.take(&self.core, connection, message) {
            return true;
        }
        self.core.with_link(connection, |session, link| session.message(link, message, Instant::now()))
            == Some(true)
    }

    fn failed(&self, connection: &Connection, fault: &Fault) -> bool {
        let failed = |session: &mut Session, link| {
            session.failed(link, Failure::Fault(fault.clone()), Instant::now());
        };
        self.core.with_link(connection, failed).is_some()
    }
}

impl<D: Dispatcher> Dispatcher for WithMon<D> {
    /// What monitors send never runs on the thread that reads: it may wait for the session's lock, and applying a map
    /// takes long.
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        let kind = message.header.kind;
        !is_ours(kind) && kind != MOSDMap::KIND && self.rest.can_fast_dispatch(message)
    }

    fn fast_dispatch(&self, connection: &Connection, message: Received) {
        self.rest.fast_dispatch(connection, message);
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        if !self.take(connection, &message) {
            self.rest.dispatch(connection, message);
        }
    }

    fn handle_fast_connect(&self, connection: &Connection) {
        self.rest.handle_fast_connect(connection);
    }

    fn handle_fast_accept(&self, connection: &Connection) {
        self.rest.handle_fast_accept(connection);
    }

    fn handle_fast_resumed(&self, connection: &Connection) {
        self.rest.handle_fast_resumed(connection);
    }

    fn handle_connect(&self, connection: &Connection) {
        let features = connection.features().unwrap_or_default();
        let global_id = connection.global_id().unwrap_or_default();
        let connected = |session: &mut Session, link| session.connected(link, features, global_id);
        let opened = self.core.with_link(connection, connected);
        if opened.is_none() {
            self.rest.handle_connect(connection);
        }
    }

    fn handle_accept(&self, connection: &Connection) {
        self.rest.handle_accept(connection);
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        if !self.failed(connection, &reset.fault) {
            self.rest.handle_reset(connection, reset);
        }
    }

    fn handle_refused(&self, connection: &Connection, fault: &Fault) {
        if !self.failed(connection, fault) {
            if let Fault::Auth(_) = fault {
                self.core.with(|_| ()); // a ticket may have to be renewed
            }
            self.rest.handle_refused(connection, fault);
        }
    }

    fn handle_remote_reset(&self, connection: &Connection, undelivered: Undelivered) {
        self.rest.handle_remote_reset(connection, undelivered);
    }
}
