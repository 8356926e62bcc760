//! Processes end and start.

use super::World;
use crate::cluster::EPOCH;
use crate::coverage::Mishap;
use crate::node::address;
use crate::peer::letter;
use crate::socket::Holder;
use crate::{Fate, PeerId};
use axon_proto::Instant;

impl World {
    /// The process of `node` ends at once: its sessions are gone, its sockets are reset.
    pub fn crash(&mut self, node: usize) {
        self.trace.note(self.now, letter(node), format_args!("crashes"));
        self.tally.note(Mishap::Crash);
        self.nodes[node].up = false;
        self.nodes[node].frozen_until = self.now;
        let mine: Vec<PeerId> =
            self.alive().filter(|(_, peer)| peer.node == node).map(|(id, _)| id).collect();
        for id in mine {
            self.ledger.give_up(id, Fate::Crashed);
            self.hang_up(id);
            self.peers[id.0].over = true;
            self.nodes[node].unregister(id);
            self.alive.retain(|alive| *alive != id);
        }
        for index in self.live.clone() {
            for side in 0..2 {
                let socket = &self.sockets[index];
                if socket.nodes[side] == node && !matches!(socket.sides[side].holder, Holder::Nobody) {
                    self.sockets[index].question = None;
                    self.close(index, side);
                }
            }
        }
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            self.ledger.forget(node, other);
            if !self.nodes[node].policies.get(self.nodes[other].name.kind).resetcheck {
                self.ledger.excuse(other, node);
            }
        }
        self.sweep();
    }

    /// The process of `node` starts, under the same address or with another nonce.
    pub fn start(&mut self, node: usize, new_nonce: bool) {
        let old = self.nodes[node].addr;
        let nonce = if new_nonce { old.nonce + 1000 } else { old.nonce };
        let addr = address(node, nonce, self.nodes[node].listens());
        let wall_clock = EPOCH + self.now.0 / 1_000_000_000;
        let before = self.nodes[node].global_seq;
        self.nodes[node].start(addr, wall_clock);
        self.tally.note(if new_nonce { Mishap::NewNonce } else { Mishap::SameNonce });
        if self.nodes[node].global_seq < before {
            self.tally.note(Mishap::ClockBack);
        } else if self.nodes[node].clock_error > 0 {
            self.tally.note(Mishap::ClockAhead);
        }
        self.nodes[node].known[node] = addr;
        self.trace.note(self.now, letter(node), format_args!("starts as {addr}"));
    }

    /// The process of `node` stands still: what arrives waits, and when it goes on, its clock has jumped.
    pub fn freeze(&mut self, node: usize, until: Instant) {
        if self.nodes[node].up {
            self.trace.note(self.now, letter(node), format_args!("stands still"));
            self.tally.note(Mishap::Frozen);
            self.nodes[node].frozen_until = until;
        }
    }

    /// The wall clock of `node` jumps; its process reads it when it starts.
    pub fn jump_clock(&mut self, node: usize, seconds: i64) {
        self.nodes[node].clock_error += seconds;
    }

    /// Whether the process of `node` runs and does not stand still.
    pub fn is_awake(&self, node: usize) -> bool {
        self.nodes[node].up && self.nodes[node].frozen_until <= self.now
    }

    /// `node` learns where `other` is now, and gives up connections to where it was.
    pub fn learn(&mut self, node: usize, other: usize) {
        if !self.is_awake(node) || !self.nodes[other].up {
            return;
        }
        let now = self.nodes[other].addr;
        self.nodes[node].known[other] = now;
        let stale: Vec<PeerId> = self
            .alive()
            .filter(|(_, peer)| peer.node == node && peer.other == other && !peer.addrs.contains(&now))
            .map(|(id, _)| id)
            .collect();
        for id in stale {
            self.mark_down(id);
        }
    }
}
