//! An accepted socket asks for a session: finds out whose it is, and lets its owner decide.
//!
//! ```text
//!   nobody knows the peer ──────────► a new connection, here
//!   the session is this worker's ───► it decides
//!   the session is another's ───────► the socket moves there, link and all, and asks again
//! ```
//!
//! Only the owner of a session looks at its state, so there is nothing to lock and nothing half done to be seen.

use super::accepting::Accepting;
use super::command::{Command, Contender};
use super::peer::{Contest, Peer};
use super::{Endpoint, Worker};
use crate::Connection;
use crate::registry::Claim;
use axon_proto::{Ident, Verdict};
use std::sync::atomic::Ordering;

impl Worker {
    /// The endpoint in `slot` asks for a session.
    pub(super) fn contend(&mut self, slot: usize, ident: &Ident) {
        if let Some(accepting) = self.take_accepting(slot) {
            self.find_owner(accepting, ident, None);
        }
    }

    /// A socket came from the worker that accepted it, for a session of this one.
    pub(super) fn take_contender(&mut self, handle: Connection, contender: Contender) {
        let Contender { mut accepting, socket, ident } = contender;
        let Ok(socket) = self.station.reactor.adopt(socket) else {
            return self.station.forget_load();
        };
        accepting.moved(socket);
        self.confront(accepting, handle, &ident);
    }

    fn find_owner(&mut self, mut accepting: Accepting, ident: &Ident, over: Option<&Connection>) {
        let shared = self.station.shared.clone();
        let create = || self.handle_for(ident);
        match shared.registry.claim(ident, over, create) {
            Claim::New(handle) => self.found(accepting, handle, ident),
            Claim::Existing(handle) => self.go_to_owner(accepting, handle, ident),
            Claim::Nobody => {
                accepting.answer(self.station.now, Verdict::Reset { full: true });
                self.put_back(accepting);
            }
        }
    }

    fn go_to_owner(&mut self, mut accepting: Accepting, handle: Connection, ident: &Ident) {
        let opened = handle.0.slot.load(Ordering::Relaxed) != usize::MAX;
        match handle.worker() {
            Some(owner) if owner == self.station.index && opened => self.confront(accepting, handle, ident),
            Some(owner) => self.forward(accepting, owner, handle, ident),
            None => {
                // Somebody claims to be this very messenger.
                accepting.answer(self.station.now, Verdict::Drop);
                self.put_back(accepting);
            }
        }
    }

    /// Sends the socket to the owner; also to this worker itself, behind the command that opens the connection.
    fn forward(&mut self, accepting: Accepting, owner: usize, handle: Connection, ident: &Ident) {
        let Some(socket) = self.station.reactor.detach(accepting.socket()) else {
            return self.station.forget_load();
        };
        let workers = &self.station.shared.workers;
        workers[self.station.index].load.fetch_sub(1, Ordering::Relaxed);
        workers[owner].load.fetch_add(1, Ordering::Relaxed);
        let contender = Contender { accepting, socket, ident: Box::new(ident.clone()) };
        workers[owner].mailbox.push(Command::Contend(handle, Box::new(contender)));
    }

    /// Lets the session decide.
    fn confront(&mut self, accepting: Accepting, handle: Connection, ident: &Ident) {
        let slot = handle.0.slot.load(Ordering::Relaxed);
        let Some(Endpoint::Peer(peer)) = self.endpoints.get_mut(slot) else {
            return self.find_owner(accepting, ident, Some(&handle));
        };
        if peer.handle != handle {
            return self.find_owner(accepting, ident, Some(&handle));
        }
        let contest = peer.contend(accepting, ident, &mut self.station);
        self.station.touch(slot);
        match contest {
            Contest::Taken => self.station.forget_load(),
            Contest::Answered(accepting) => self.put_back(accepting),
            // The session ended, or ends now: who comes next?
            Contest::Ended(accepting) => self.find_owner(accepting, ident, Some(&handle)),
        }
    }

    /// Founds a connection whose first link is the socket's.
    fn found(&mut self, accepting: Accepting, handle: Connection, ident: &Ident) {
        let mut peer = Peer::accepting(&self.station, handle, ident);
        let entry = self.endpoints.vacant_entry();
        let slot = entry.key();
        peer.handle.0.slot.store(slot, Ordering::Relaxed);
        peer.contend(accepting, ident, &mut self.station);
        entry.insert(Endpoint::Peer(Box::new(peer)));
        self.station.touch(slot);
    }

    fn handle_for(&self, ident: &Ident) -> Connection {
        Connection::remote(&self.station.shared, self.station.index, ident.peer_type(), ident.addrs().clone())
    }

    /// Takes an accepted socket out of its slot.
    fn take_accepting(&mut self, slot: usize) -> Option<Accepting> {
        match self.endpoints.try_remove(slot)? {
            Endpoint::Accepting(accepting) => {
                self.station.accepting.remove(slot);
                self.station.sockets.remove(&accepting.socket());
                Some(*accepting)
            }
            Endpoint::Peer(peer) => {
                self.endpoints.insert(Endpoint::Peer(peer));
                None
            }
        }
    }

    /// The handshake goes on.
    fn put_back(&mut self, accepting: Accepting) {
        let socket = accepting.socket();
        let slot = self.endpoints.insert(Endpoint::Accepting(Box::new(accepting)));
        self.station.sockets.insert(socket, slot);
        self.station.accepting.push(slot);
        self.station.touch(slot);
    }
}
