//! Which connection belongs to which peer address.

use crate::Connection;
use axon_denc::AddrVec;
use axon_proto::{Ident, Policy, State};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// The registered connections of a messenger.
#[derive(Default)]
pub(crate) struct Registry {
    by_addrs: Mutex<HashMap<AddrVec, Connection>>,
}

/// Whom an incoming attempt concerns.
pub(crate) enum Claim {
    /// Nobody else: the new connection is its own, and perhaps registered from now on.
    New(Connection),
    /// The connection that exists with the same peer; its owner decides.
    Existing(Connection),
    /// Nobody: the session to be resumed is not known here.
    Nobody,
}

/// Whether peers with this policy are looked up by their address.
pub(crate) fn registers(policy: &Policy) -> bool {
    policy.register_lossy_clients || !policy.lossy
}

impl Registry {
    /// The connection known under `addrs`, or the one that `create` makes.
    pub(crate) fn find_or_insert(&self, addrs: &AddrVec, create: impl FnOnce() -> Connection) -> Connection {
        let mut by_addrs = self.lock();
        if let Some(connection) = by_addrs.get(addrs).filter(|known| is_alive(known)) {
            return connection.clone();
        }
        let connection = create();
        by_addrs.insert(addrs.clone(), connection.clone());
        connection
    }

    /// Whom `ident` concerns; a new connection is registered at once, so that of two attempts at the same time the
    /// second finds the first. `over` is a connection that counts as closed already.
    pub(crate) fn claim(
        &self,
        ident: &Ident,
        over: Option<&Connection>,
        create: impl FnOnce() -> Connection,
    ) -> Claim {
        if !registers(ident.policy()) {
            return match ident {
                Ident::Client { .. } => Claim::New(create()),
                Ident::Reconnect { .. } => Claim::Nobody,
            };
        }
        let mut by_addrs = self.lock();
        let known = by_addrs.get(ident.addrs()).filter(|known| is_alive(known) && Some(*known) != over);
        match (known, ident) {
            (Some(existing), _) => Claim::Existing(existing.clone()),
            (None, Ident::Reconnect { .. }) => Claim::Nobody,
            (None, Ident::Client { addrs, .. }) => {
                let connection = create();
                by_addrs.insert(addrs.clone(), connection.clone());
                Claim::New(connection)
            }
        }
    }

    /// Forgets a connection that is over.
    pub(crate) fn remove(&self, addrs: &AddrVec, connection: &Connection) {
        let mut by_addrs = self.lock();
        if by_addrs.get(addrs) == Some(connection) {
            by_addrs.remove(addrs);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AddrVec, Connection>> {
        self.by_addrs.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn is_alive(connection: &Connection) -> bool {
    connection.state() != State::Closed
}
