//! Accepted links until their session is agreed.

use super::World;
use crate::coverage::Mishap;
use crate::socket::{ACCEPTOR, Holder, Question, Socket};
use axon_proto::{Demand, Link, LinkOutput, ServerStart, Verdict};
use std::time::Duration;

/// How long a question is under way to another worker at most.
const DEFERRED: Duration = Duration::from_millis(20);

impl World {
    /// `other` accepts a socket that `node` dialled.
    pub(super) fn accepted_link(&self, node: usize, other: usize) -> Link {
        let acceptor = &self.nodes[other];
        let start = ServerStart {
            peer_socket: self.nodes[node].addr.with_port(40_000).with_nonce(0),
            my_addrs: acceptor.addr.into(),
            policies: acceptor.policies.clone(),
            exchange: acceptor.auth.server.start(),
        };
        Link::accepted(acceptor.config.clone(), start, self.now)
    }

    /// Does what an accepted link wants done.
    pub(super) fn serve_link(&mut self, index: usize) {
        while let Some(output) = self.poll_link(index) {
            if !self.on_link_output(index, output) {
                return;
            }
        }
        self.flush_link(index);
    }

    fn poll_link(&mut self, index: usize) -> Option<LinkOutput> {
        let now = self.now;
        link_of(&mut self.sockets[index])?.poll(now)
    }

    /// Says whether the link goes on by itself.
    pub(super) fn on_link_output(&mut self, index: usize, output: LinkOutput) -> bool {
        match output {
            LinkOutput::Ident(ident) => {
                let defer = self.setup.weather.defer;
                let at = if self.random.chance(defer) { self.time_in(DEFERRED) } else { self.now };
                let at_once = at == self.now;
                if !at_once {
                    self.tally.note(Mishap::LateQuestion);
                }
                self.flush_link(index);
                let owner = self.owner_of(index, &ident);
                self.sockets[index].question = Some(Question { at, ident, owner });
                if at_once {
                    self.contend(index);
                }
                false
            }
            LinkOutput::Fault(fault) => {
                self.note_socket(index, format_args!("not accepted: {fault}"));
                self.flush_link(index);
                self.close(index, ACCEPTOR);
                false
            }
            _ => true,
        }
    }

    /// Writes what the link has to say, and reads on.
    fn flush_link(&mut self, index: usize) {
        let mut buffers = std::mem::take(&mut self.buffers);
        if let Some(link) = link_of(&mut self.sockets[index]) {
            link.take_pending(&mut buffers);
            let demand = link.demand();
            self.sockets[index].sides[ACCEPTOR].reading.follow(demand);
            self.write(index, ACCEPTOR, &mut buffers);
        }
        self.buffers = buffers;
    }

    pub(super) fn wake_link(&mut self, index: usize) {
        let now = self.now;
        if let Some(link) = link_of(&mut self.sockets[index]) {
            link.wake(now);
            self.serve_link(index);
        }
    }

    /// Answers the link's question without asking any session.
    pub(super) fn answer(&mut self, index: usize, verdict: Verdict) {
        let now = self.now;
        self.note_socket(index, format_args!("is answered {verdict:?}"));
        let said = link_of(&mut self.sockets[index]).and_then(|link| link.verdict(now, verdict));
        self.go_on(index, said);
    }

    /// The link goes on after what it `said`.
    pub(super) fn go_on(&mut self, index: usize, said: Option<LinkOutput>) {
        if said.is_none_or(|output| self.on_link_output(index, output)) {
            self.serve_link(index);
        }
    }

    /// Takes the link out of its socket.
    pub(super) fn take_link(&mut self, index: usize) -> Option<Link> {
        let side = &mut self.sockets[index].sides[ACCEPTOR];
        side.reading.follow(Demand::Nothing);
        match std::mem::replace(&mut side.holder, Holder::Nobody) {
            Holder::Link(link) => Some(*link),
            other => {
                side.holder = other;
                None
            }
        }
    }

    pub(super) fn put_link(&mut self, index: usize, link: Link) {
        self.sockets[index].sides[ACCEPTOR].holder = Holder::Link(Box::new(link));
    }
}

fn link_of(socket: &mut Socket) -> Option<&mut Link> {
    match &mut socket.sides[ACCEPTOR].holder {
        Holder::Link(link) => Some(link),
        _ => None,
    }
}
