//! What applications do.

use super::World;
use super::letter::{Letter, REQUEST};
use crate::coverage::Mishap;
use crate::peer::target;
use crate::{Counts, Peer, PeerId};
use axon_denc::AddrVec;
use axon_proto::{Connection, Input, State, cost};
use axon_wire::Message;

impl World {
    /// The connection of `node` to `other`, which is made if that may be.
    pub fn connect_to(&mut self, node: usize, other: usize) -> Option<PeerId> {
        let addrs: AddrVec = self.nodes[node].known[other].into();
        let policy = self.nodes[node].policies.get(self.nodes[other].name.kind);
        if policy.server {
            return self.between(node, other);
        }
        if let Some(known) = self.nodes[node].registered(&addrs) {
            return Some(known);
        }
        let target = target(&policy, &addrs)?;
        let seed = self.nodes[node].draw();
        let machine = Connection::dial(self.nodes[node].config.clone(), policy, self.setup.back_off, seed);
        let id = self.add_peer(Peer {
            machine,
            node,
            other,
            addrs: addrs.clone(),
            policy,
            target: Some(target),
            socket: None,
            admission: None,
            counts: Counts::default(),
            partner: None,
            forgets: self.ledger.forgets(node, other),
            is_shared: false,
            over: false,
        });
        self.nodes[node].register(&addrs, id);
        self.serve(id);
        Some(id)
    }

    /// `node` sends to `other`; the transaction id, unless it has no connection and may not make one, or its budget
    /// is used up.
    pub fn send(&mut self, node: usize, other: usize, letter: Letter) -> Option<u64> {
        if !self.is_awake(node) {
            return None;
        }
        let id = self.connect_to(node, other)?;
        self.send_on(id, letter)
    }

    /// Sends on a connection.
    pub fn send_on(&mut self, id: PeerId, letter: Letter) -> Option<u64> {
        if self.peers[id.0].state() == State::Closed {
            return None;
        }
        let Some(message) = self.accept_letter(id, letter) else {
            self.tally.note(Mishap::BudgetFull);
            return None;
        };
        let tid = message.header.tid;
        self.note_peer(id, format_args!("sends {tid}, priority {}", letter.priority));
        self.peers[id.0].machine.handle(self.now, Input::Send(message));
        self.serve(id);
        Some(tid)
    }

    /// The message of a letter, if there is budget for it.
    fn accept_letter(&mut self, id: PeerId, letter: Letter) -> Option<Message> {
        let message = letter.message(self.ledger.next_tid());
        let peer = &self.peers[id.0];
        if peer.machine.held() + cost(&message) > self.setup.budget {
            return None;
        }
        self.ledger.accept(id, peer.node, peer.other, letter, cost(&message));
        Some(message)
    }

    /// Asks the peer for a sign of life.
    pub fn keepalive(&mut self, id: PeerId) {
        self.peers[id.0].machine.handle(self.now, Input::Keepalive);
        self.serve(id);
    }

    /// Whoever gets a request answers it on the same connection, out of the driver's hands.
    pub(super) fn reply(&mut self, id: PeerId, message: &Message) {
        if message.header.kind != REQUEST {
            return;
        }
        if self.peers[id.0].state() == State::Closed {
            return;
        }
        let letter = Letter { priority: message.header.priority, size: 0, request: false };
        if let Some(reply) = self.accept_letter(id, letter) {
            self.note_peer(id, format_args!("replies {}", reply.header.tid));
            self.peers[id.0].machine.handle(self.now, Input::Send(reply));
        }
    }
}
