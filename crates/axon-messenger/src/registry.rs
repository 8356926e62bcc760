//! Which connection belongs to which peer address, and what an incoming attempt means for it.

use crate::Connection;
use axon_denc::AddrVec;
use axon_proto::{
    Existing, Fault, Ident, IdentVerdict, IncomingIdent, Policy, State, Verdict, decide_client_ident,
};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// The registered connections of a messenger.
#[derive(Default)]
pub(crate) struct Registry {
    by_addrs: Mutex<HashMap<AddrVec, Entry>>,
}

struct Entry {
    connection: Connection,
    /// The newest attempt of the peer that was accepted; zero for connections this side dialled.
    peer_global_seq: u64,
}

fn registers(policy: &Policy) -> bool {
    policy.register_lossy_clients || !policy.lossy
}

impl Entry {
    fn is_alive(&self) -> bool {
        self.connection.state() != State::Closed
    }

    /// The connection as the arbitration sees it. Registered sessions are lossy so far, which decides.
    fn snapshot(&self) -> Existing {
        Existing {
            closed: !self.is_alive(),
            replacing: false,
            lossy: true,
            server: false,
            settled: self.connection.state() == State::Open,
            client_cookie: 0,
            server_cookie: 0,
            peer_global_seq: self.peer_global_seq,
            connect_seq: 0,
        }
    }
}

impl Registry {
    /// The connection known under `addrs`, or the one that `create` makes.
    pub(crate) fn find_or_insert(&self, addrs: &AddrVec, create: impl FnOnce() -> Connection) -> Connection {
        let mut by_addrs = self.lock();
        if let Some(entry) = by_addrs.get(addrs).filter(|entry| entry.is_alive()) {
            return entry.connection.clone();
        }
        let connection = create();
        let entry = Entry { connection: connection.clone(), peer_global_seq: 0 };
        by_addrs.insert(addrs.clone(), entry);
        connection
    }

    /// Judges an incoming attempt. A connection that has to give way is told so.
    pub(crate) fn judge(&self, ident: &Ident, next_global_seq: impl FnOnce() -> u64) -> Verdict {
        let Ident::Client { addrs, policy, global_seq, cookie, .. } = ident else {
            // No session outlives its socket yet, so there is none to resume.
            return Verdict::Reset { full: true };
        };
        let incoming = IncomingIdent {
            global_seq: *global_seq,
            cookie: *cookie,
            registered: registers(policy),
            resetcheck: policy.resetcheck,
            peer_to_mine: Ordering::Less,
        };
        let by_addrs = self.lock();
        let existing = by_addrs.get(addrs);
        match decide_client_ident(existing.map(Entry::snapshot).as_ref(), &incoming) {
            IdentVerdict::Begin => {}
            IdentVerdict::Stale => return Verdict::Drop,
            IdentVerdict::Wait { .. } => return Verdict::Wait,
            // A lossy session has nothing that a new socket could go on with.
            IdentVerdict::Replace | IdentVerdict::Reuse { .. } => {
                existing.iter().for_each(|e| e.connection.fail(Fault::Replaced));
            }
        }
        Verdict::Accept { global_seq: next_global_seq(), cookie: 0 }
    }

    /// Registers an accepted connection, in place of an older one. Workers judge attempts of one peer at the same
    /// time: whichever of them is older gives way here, should it not have before.
    pub(crate) fn accepted(
        &self,
        addrs: &AddrVec,
        policy: &Policy,
        peer_global_seq: u64,
        connection: &Connection,
    ) {
        if !registers(policy) {
            return;
        }
        let mut by_addrs = self.lock();
        match by_addrs.get(addrs) {
            Some(newer) if newer.is_alive() && newer.peer_global_seq > peer_global_seq => {
                return connection.fail(Fault::Stale);
            }
            Some(older) => older.connection.fail(Fault::Replaced),
            None => {}
        }
        by_addrs.insert(addrs.clone(), Entry { connection: connection.clone(), peer_global_seq });
    }

    /// Forgets a connection that is over.
    pub(crate) fn remove(&self, addrs: &AddrVec, connection: &Connection) {
        let mut by_addrs = self.lock();
        if by_addrs.get(addrs).is_some_and(|entry| entry.connection == *connection) {
            by_addrs.remove(addrs);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AddrVec, Entry>> {
        self.by_addrs.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
