//! The messenger's callbacks.

use super::core::Core;
use crate::msg::{MOSDMap, TypedMessage};
use crate::objecter::is_ours;
use axon_denc::EntityType;
use axon_messenger::{Connection, Dispatcher, Message, Received, Reset};
use std::sync::Arc;

/// Hands the objecter what OSDs say.
pub(super) struct FromOsds(pub(super) Arc<Core>);

impl FromOsds {
    /// OSDs send maps to those whose map is older than theirs.
    fn maps(&self, connection: &Connection, message: &Message) {
        let epoch = self.0.maps(EntityType::Osd, &connection.peer_addrs(), MOSDMap::decode(message));
        if let Some(mon) = self.0.mon().filter(|_| epoch > 0) {
            mon.got_osdmap(epoch);
        }
    }
}

impl Dispatcher for FromOsds {
    /// Answers are handled where they are read: that takes a lock for a moment, and wakes who waits.
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        is_ours(message.header.kind)
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        match message.header.kind {
            MOSDMap::KIND if connection.peer_type() == EntityType::Osd => self.maps(connection, &message),
            _ => {
                let message = message.into_message();
                self.0.with_link(connection, |objecter, link, now| objecter.message(link, &message, now));
            }
        }
    }

    fn handle_fast_connect(&self, connection: &Connection) {
        let features = connection.features().unwrap_or_default();
        self.0.with_link(connection, |objecter, link, now| objecter.connected(link, features, now));
    }

    fn handle_reset(&self, connection: &Connection, _: Reset) {
        self.0.lost(connection);
    }
}
