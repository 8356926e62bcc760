//! Connections: does what their machines want done. As `peer.rs` in the messenger.

use super::World;
use crate::coverage::Mishap;
use crate::peer::Named;
use crate::socket::DIALLER;
use crate::{Fate, Peer, PeerId, Violation};
use axon_proto::{ClientStart, Event, Fault, Input, Output, SessionState, State, Undelivered};
use axon_wire::Message;

impl World {
    /// Does everything the machine of `peer` wants done.
    pub(super) fn serve(&mut self, id: PeerId) {
        loop {
            while let Some(output) = self.peers[id.0].machine.poll(self.now) {
                self.on_output(id, output);
            }
            if !self.transmit(id) {
                break;
            }
        }
        let peer = &mut self.peers[id.0];
        let (held, budget) = (peer.machine.held(), self.setup.budget);
        if held > budget {
            self.violation.get_or_insert(Violation::OverBudget { held, budget });
        }
        if let Some(index) = peer.socket
            && let Some(side) = self.sockets[index].side_of(id)
        {
            self.sockets[index].sides[side].reading.follow(peer.machine.demand());
        }
        if self.peers[id.0].over {
            self.forget(id);
        }
    }

    /// Writes what fits. Says whether the machine must be asked again.
    fn transmit(&mut self, id: PeerId) -> bool {
        let Some(index) = self.peers[id.0].socket else { return false };
        let Some(side) = self.sockets[index].side_of(id) else { return false };
        let room = self.room(index, side);
        if room == 0 {
            return false;
        }
        let mut buffers = std::mem::take(&mut self.buffers);
        self.peers[id.0].machine.transmit(room, &mut self.scratch, &mut buffers);
        let wrote = !buffers.is_empty();
        if wrote && !self.peers[id.0].machine.session().is_idle() {
            self.tally.note(Mishap::PartialWrite);
        }
        self.write(index, side, &mut buffers);
        self.buffers = buffers;
        wrote
    }

    fn on_output(&mut self, id: PeerId, output: Output) {
        match output {
            Output::Dial => {
                if self.peers[id.0].policy.server {
                    self.fails(Err(Violation::ServerDials));
                }
                self.peers[id.0].counts.dials += 1;
                self.dial(id);
            }
            Output::Hangup => self.hang_up(id),
            Output::GlobalSeq(seen) => {
                let node = &mut self.nodes[self.peers[id.0].node];
                node.global_seq = node.global_seq.max(seen);
            }
            Output::Admission(_) => {
                let most = self.setup.weather.admission;
                let at = self.time_in(most);
                if at > self.now {
                    self.tally.note(Mishap::SlowAdmission);
                }
                self.peers[id.0].admission = Some(at);
            }
            Output::Deliver(message) => self.on_message(id, &message),
            Output::Discarded => {}
            Output::Event(event) => self.on_event(id, event),
        }
    }

    fn on_event(&mut self, id: PeerId, event: Event) {
        self.note_event(id, &event);
        let counts = &mut self.peers[id.0].counts;
        match event {
            Event::Established(_) => {
                counts.established += 1;
                self.on_established(id);
            }
            Event::Resumed(_) => counts.resumed += 1,
            Event::Interrupted(_) => {
                counts.interrupted += 1;
                self.check_promptness(id);
            }
            Event::AttemptFailed(fault) => {
                counts.failed += 1;
                if fault == Fault::ToldToWait {
                    self.check_pause(id);
                }
            }
            Event::KeepaliveAck(_) => {}
            Event::RemoteReset(undelivered) => {
                counts.remote_resets += 1;
                self.check_reset(id);
                self.take_back(id, &undelivered);
            }
            Event::Reset { undelivered, .. } => {
                counts.resets += 1;
                self.check_reset(id);
                self.take_back(id, &undelivered);
                let lossy = self.peers[id.0].machine.session().policy().lossy;
                if lossy {
                    self.ledger.give_up(id, Fate::LossyReset);
                }
                self.peers[id.0].over = true;
            }
        }
    }

    fn check_reset(&mut self, id: PeerId) {
        let peer = &self.peers[id.0];
        if !peer.policy.lossy && !self.may_end(peer) {
            self.fails(Err(Violation::NeedlessReset));
        }
    }

    /// Whether the session of `peer` may end: one of its ends forgot it. Or its other end never had it, since that gave
    /// up the dial, and one of them came without the memory by which it would have turned a late question away.
    pub(crate) fn may_end(&self, peer: &Peer) -> bool {
        let forgets = self.ledger.forgets(peer.node, peer.other);
        forgets > peer.forgets || (forgets > 0 && !peer.is_shared)
    }

    /// Whose policy notices a peer that lost the session must have been told before its messages go to another.
    fn check_told(&mut self, receiver: PeerId, tid: u64) {
        let Some(sender) = self.ledger.entries().get((tid as usize).wrapping_sub(1)).map(|entry| entry.peer)
        else {
            return;
        };
        let resets = self.peers[sender.0].counts.remote_resets;
        let known = self.peers[sender.0].partner.replace((receiver, resets));
        let checks = self.peers[sender.0].policy.resetcheck;
        if let Some((partner, told)) = known
            && partner != receiver
            && told == resets
            && checks
        {
            self.fails(Err(Violation::NotTold(tid)));
        }
    }

    fn check_promptness(&mut self, id: PeerId) {
        let session = self.peers[id.0].machine.session();
        let may_rest = session.policy().standby && session.is_idle();
        match session.state() {
            SessionState::Standby => {}
            SessionState::Dialling if may_rest => self.fails(Err(Violation::Restless)),
            SessionState::Dialling => {}
            _ => self.fails(Err(Violation::Dawdles)),
        }
    }

    fn check_pause(&mut self, id: PeerId) {
        let soon = self.now + self.setup.back_off.initial;
        let peer = &self.peers[id.0];
        let waits = peer.machine.session().state() == SessionState::Waiting;
        if waits && peer.machine.deadline().is_none_or(|(at, _)| at > soon) {
            self.fails(Err(Violation::WaitsLong));
        }
    }

    /// The session is as old as the dial it was agreed on: who dialled may have forgotten it since. Who dialled is the
    /// last to have it.
    fn on_established(&mut self, id: PeerId) {
        let Some(index) = self.peers[id.0].socket else { return };
        let socket = &self.sockets[index];
        let (forgets, is_dialler) = (socket.forgets, socket.side_of(id) == Some(DIALLER));
        let peer = &mut self.peers[id.0];
        (peer.forgets, peer.is_shared) = (forgets, is_dialler);
        if is_dialler {
            self.share(id);
        }
    }

    /// The other end has the session, too.
    fn share(&mut self, id: PeerId) {
        let name = |peer: &Peer| peer.machine.session().ids().client_cookie;
        let peer = &self.peers[id.0];
        let (ends, cookie) = ((peer.other, peer.node), name(peer));
        for end in &self.alive {
            let end = &mut self.peers[end.0];
            end.is_shared |= (end.node, end.other) == ends && name(end) == cookie;
        }
    }

    fn take_back(&mut self, id: PeerId, undelivered: &Undelivered) {
        let exact = !self.setup.secure;
        let unknown = undelivered.unknown.iter().map(|message| (message, Fate::Unknown));
        let not_sent = undelivered.not_sent.iter().map(|message| (message, Fate::NotSent));
        for (message, fate) in unknown.chain(not_sent) {
            let outcome = self.ledger.came_back(message.header.tid, id, fate, exact);
            self.fails(outcome.and_then(|()| self.ledger.check_whole(message)));
        }
    }

    fn on_message(&mut self, id: PeerId, message: &Message) {
        if !self.check_origin(message) {
            return;
        }
        let (node, tid) = (self.peers[id.0].node, message.header.tid);
        self.note_peer(id, format_args!("delivers {tid}"));
        let outcome = self.ledger.deliver(tid, id, node);
        self.fails(outcome.and_then(|()| self.ledger.check_whole(message)));
        self.check_told(id, tid);
        self.reply(id, message);
    }

    /// The socket of this connection's dial is there.
    pub(super) fn connected(&mut self, id: PeerId) {
        let peer = &mut self.peers[id.0];
        let Some(target) = peer.target else { return };
        let kind = self.nodes[peer.other].name.kind;
        let node = &mut self.nodes[peer.node];
        let input = match node.auth.client.start(kind) {
            Err(error) => Input::Unauthenticated(error),
            Ok(exchange) => Input::Connected(Box::new(ClientStart {
                target,
                peer: kind,
                my_addrs: node.addr.into(),
                policy: peer.policy,
                global_seq: node.next_global_seq(),
                cookies: [node.draw(), node.draw()],
                resume: None,
                exchange,
            })),
        };
        peer.machine.handle(self.now, input);
        self.serve(id);
    }

    /// Lets go of the socket of `id`.
    pub(super) fn hang_up(&mut self, id: PeerId) {
        self.peers[id.0].admission = None;
        let Some(index) = self.peers[id.0].socket.take() else { return };
        if let Some(side) = self.sockets[index].side_of(id) {
            self.close(index, side);
        }
    }

    pub(super) fn wake(&mut self, id: PeerId) {
        self.peers[id.0].machine.handle(self.now, Input::Wake);
        self.serve(id);
    }

    pub(super) fn admit(&mut self, id: PeerId) {
        self.peers[id.0].admission = None;
        self.peers[id.0].machine.handle(self.now, Input::Admitted);
        self.serve(id);
    }

    /// Cleans up after the end of a connection.
    fn forget(&mut self, id: PeerId) {
        if self.peers[id.0].machine.state() != State::Closed {
            let what = format!("{} was reset and goes on", Named(id, &self.peers[id.0]));
            self.fails(Err(Violation::Unexpected(what)));
        }
        self.hang_up(id);
        self.nodes[self.peers[id.0].node].unregister(id);
        self.alive.retain(|alive| *alive != id);
    }

    /// The application closes a connection.
    pub fn mark_down(&mut self, id: PeerId) {
        self.note_peer(id, format_args!("is marked down"));
        self.tally.note(Mishap::MarkDown);
        self.peers[id.0].machine.handle(self.now, Input::MarkDown);
        self.peers[id.0].over = true;
        self.ledger.give_up(id, Fate::MarkedDown);
        let (node, other) = (self.peers[id.0].node, self.peers[id.0].other);
        self.ledger.forget(node, other);
        if !self.peers[id.0].policy.resetcheck {
            self.ledger.excuse(other, node);
        }
        self.serve(id);
    }

    pub(super) fn note_peer(&mut self, id: PeerId, what: std::fmt::Arguments<'_>) {
        if self.trace.is_on() {
            let name = Named(id, &self.peers[id.0]).to_string();
            self.trace.note(self.now, name, what);
        }
    }

    fn note_event(&mut self, id: PeerId, event: &Event) {
        if !self.trace.is_on() {
            return;
        }
        let tids = |messages: &[Message]| messages.iter().map(|m| m.header.tid).collect::<Vec<_>>();
        let back =
            |u: &Undelivered| format!("unknown {:?}, not sent {:?}", tids(&u.unknown), tids(&u.not_sent));
        let what = match event {
            Event::Established(e) => {
                format!("established, cookies {:x} {:x}", e.client_cookie, e.server_cookie)
            }
            Event::Interrupted(fault) => format!("interrupted: {fault}"),
            Event::Resumed(_) => "resumed".into(),
            Event::RemoteReset(u) => format!("the peer lost the session: {}", back(u)),
            Event::AttemptFailed(fault) => format!("attempt failed: {fault}"),
            Event::Reset { fault, undelivered } => format!("reset: {fault}: {}", back(undelivered)),
            Event::KeepaliveAck(after) => format!("keepalive answered after {after:?}"),
        };
        let state = self.peers[id.0].machine.session().state();
        let ids = *self.peers[id.0].machine.session().ids();
        self.note_peer(
            id,
            format_args!("{what}; {state:?} cs {} pgs {}", ids.connect_seq, ids.peer_global_seq),
        );
    }
}
