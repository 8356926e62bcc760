//! What applications do.

use super::World;
use crate::coverage::Mishap;
use crate::peer::target;
use crate::{Counts, Peer, PeerId, Violation};
use axon_denc::AddrVec;
use axon_proto::{Connection, Input, State, cost};
use axon_wire::Message;

/// Type of a message that wants to be answered.
const REQUEST: u16 = 41;
/// Type of any other.
const ONE_WAY: u16 = 42;

/// What an application sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// Its priority.
    pub priority: u16,
    /// Bytes of data.
    pub size: usize,
    /// Whether the receiver answers it.
    pub request: bool,
}

impl Letter {
    /// A small one of default priority that is not answered.
    pub const PLAIN: Self = Self { priority: Message::PRIORITY_DEFAULT, size: 3, request: false };
}

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
        let kind = if letter.request { REQUEST } else { ONE_WAY };
        let mut message = Message::new(kind, &b"front"[..]);
        message.header.priority = letter.priority;
        message.data = vec![0xda; letter.size].into();
        let peer = &self.peers[id.0];
        if peer.state() == State::Closed {
            return None;
        }
        if peer.machine.held() + cost(&message) > self.setup.budget {
            self.tally.note(Mishap::BudgetFull);
            return None;
        }
        let (node, other) = (peer.node, peer.other);
        let tid = self.ledger.accept(id, node, other, letter.priority, cost(&message));
        message.header.tid = tid;
        self.note_peer(id, format_args!("sends {tid}, priority {}", letter.priority));
        self.peers[id.0].machine.handle(self.now, Input::Send(message));
        self.serve(id);
        Some(tid)
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
        let mut reply = Message::new(ONE_WAY, &b"reply"[..]);
        reply.header.priority = message.header.priority;
        let peer = &self.peers[id.0];
        if peer.state() == State::Closed || peer.machine.held() + cost(&reply) > self.setup.budget {
            return;
        }
        let (node, other) = (peer.node, peer.other);
        let tid = self.ledger.accept(id, node, other, reply.header.priority, cost(&reply));
        reply.header.tid = tid;
        self.note_peer(id, format_args!("replies {tid}"));
        self.peers[id.0].machine.handle(self.now, Input::Send(reply));
    }

    pub(super) fn check_body(&mut self, message: &Message) {
        if message.data.iter().any(|byte| *byte != 0xda) {
            self.fails(Err(Violation::Unexpected(format!("message {} was altered", message.header.tid))));
        }
    }
}
