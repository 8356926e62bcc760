//! Sockets: how bytes travel, and how they do not.

use super::World;
use crate::PeerId;
use crate::coverage::Mishap;
use crate::label::{Label, message_ids};
use crate::node::index_of;
use crate::peer::letter;
use crate::pipe::{Edge, Pipe};
use crate::socket::{ACCEPTOR, DIALLER, Holder, Reading, Side, Socket, Status};
use axon_proto::{Disconnect, Input, Instant, SessionState};
use axon_wire::Tag;
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// A socket breaks at a named place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The node that writes.
    pub from: usize,
    /// The node that reads.
    pub to: usize,
    /// What it writes.
    pub label: Label,
    /// Before or after that.
    pub edge: Edge,
    /// How many such places go unharmed first.
    pub skip: u32,
}

/// The mode in an AUTH_DONE frame in the clear.
const AUTH_DONE_MODE: usize = 40;

/// What comes late comes within this time.
const LATE: Duration = Duration::from_secs(3);

/// A delay that is counted.
const SLOW: Duration = Duration::from_millis(100);

/// A dial that hangs is answered after all within this time, if ever.
const LONG: Duration = Duration::from_secs(30);

impl World {
    /// A time of the network's choosing.
    pub(super) fn latency(&mut self) -> Duration {
        let (least, most) = self.setup.weather.latency;
        let time = if least == most { least } else { self.random.time(least, most) };
        if time > SLOW {
            self.tally.note(Mishap::Slow);
        }
        time
    }

    /// Connection `peer` dials.
    pub(super) fn dial(&mut self, peer: PeerId) {
        let (node, target) = (self.peers[peer.0].node, self.peers[peer.0].target);
        let Some(other) = target.and_then(|addr| index_of(&addr)) else { return };
        let status = self.fate_of_dial(node, other);
        if self.is_dialled_by(other, node) {
            self.tally.note(Mishap::Simultaneous);
        }
        let index = self.sockets.len();
        let socket = Socket::dialling([node, other], peer, status, !self.setup.checksums);
        self.sockets.push(Socket { forgets: self.ledger.forgets(node, other), ..socket });
        self.live.push(index);
        self.peers[peer.0].socket = Some(index);
        self.note_socket(index, format_args!("is dialled"));
    }

    /// Whether a dial or handshake of `node` with `other` is under way.
    fn is_dialled_by(&self, node: usize, other: usize) -> bool {
        self.live.iter().map(|index| &self.sockets[*index]).any(|socket| {
            let [dialler, acceptor] = &socket.sides;
            let is_young = !matches!(acceptor.holder, Holder::Peer(_));
            socket.nodes == [node, other] && is_young && matches!(dialler.holder, Holder::Peer(_))
        })
    }

    fn fate_of_dial(&mut self, node: usize, other: usize) -> Status {
        let soon = self.now + self.latency();
        if self.parted.contains(&(node.min(other), node.max(other))) {
            self.tally.note(Mishap::Unreachable);
            let due = self.random.chance(500).then_some(soon);
            return Status::Dialling { due, outcome: Err(Disconnect::Unreachable) };
        }
        let weather = &self.setup.weather;
        let (refuse, stall) = (weather.refuse, weather.stall);
        if self.random.chance(stall) {
            let late = self.now + self.random.time(Duration::from_secs(1), LONG);
            let due = self.random.chance(700).then_some(late);
            self.tally.note(if due.is_some() { Mishap::StalledLong } else { Mishap::StalledForEver });
            return Status::Dialling { due, outcome: Ok(()) };
        }
        let refused = !self.nodes[other].up || self.random.chance(refuse);
        let outcome = if refused { Err(Disconnect::Refused) } else { Ok(()) };
        Status::Dialling { due: Some(soon), outcome }
    }

    /// The dial of a socket comes to its end.
    pub(super) fn connect(&mut self, index: usize) {
        let socket = &mut self.sockets[index];
        let [node, other] = socket.nodes;
        let Status::Dialling { outcome, .. } = std::mem::replace(&mut socket.status, Status::Open) else {
            return;
        };
        let outcome = if self.nodes[other].up { outcome } else { Err(Disconnect::Refused) };
        let peer = match socket.sides[DIALLER].holder {
            Holder::Peer(peer) => Some(peer),
            _ => None,
        };
        match (outcome, peer) {
            (Ok(()), peer) => {
                self.note_socket(index, format_args!("is connected"));
                self.accept(index, node, other);
                if let Some(peer) = peer {
                    self.connected(peer);
                }
            }
            (Err(cause), Some(peer)) => {
                self.note_socket(index, format_args!("fails: {cause}"));
                if cause == Disconnect::Refused {
                    self.tally.note(Mishap::Refused);
                }
                self.sockets[index].sides[DIALLER].holder = Holder::Nobody;
                self.peers[peer.0].socket = None;
                self.peers[peer.0].machine.handle(self.now, Input::Disconnected(cause));
                self.serve(peer);
            }
            (Err(_), None) => {}
        }
    }

    /// What `side` of a socket wrote.
    pub(super) fn write(&mut self, index: usize, side: usize, buffers: &mut Vec<Bytes>) {
        for buffer in buffers.drain(..) {
            self.sockets[index].sides[side].tap.push(&buffer);
        }
        while let Some((label, bytes)) = self.sockets[index].sides[side].tap.next() {
            self.put(index, side, label, bytes);
        }
    }

    fn put(&mut self, index: usize, side: usize, label: Label, bytes: Bytes) {
        match label {
            Label::Frame(Tag::Message) => {
                let tid = message_ids(&bytes).map_or(0, |(_, tid)| tid);
                self.ledger.written(tid);
            }
            Label::Frame(Tag::AuthDone) if bytes.get(AUTH_DONE_MODE) == Some(&2) => {
                self.sockets[index].sides.iter_mut().for_each(|side| side.tap.seal());
            }
            Label::Frame(Tag::ClientIdent | Tag::SessionReconnect) => {
                self.sockets[index].sides[side].asked = Some(bytes.clone());
            }
            _ => {}
        }
        let socket = &self.sockets[index];
        let (from, to) = (socket.nodes[side], socket.nodes[1 - side]);
        if self.trace.is_on() {
            self.written.push((from, to, label));
        }
        let to_nobody = matches!(socket.sides[1 - side].holder, Holder::Nobody);
        if socket.sides[side].pipe.swallows || (to_nobody && socket.sides[1 - side].pipe.swallows) {
            return self.learn_of_silence(index, side);
        }
        if to_nobody || socket.sides[side].pipe.is_broken {
            return;
        }
        let cut = self.cut_here(from, to, label);
        if cut == Some(Edge::Late) {
            return self.put_late(index, side, label, bytes);
        }
        let held = self.holds.contains(&(from, to, label));
        let at = if held { Pipe::NEVER } else { self.now + self.latency() };
        self.sockets[index].sides[side].pipe.write(label, bytes, at, cut);
    }

    /// It arrives when its writer has long given up.
    fn put_late(&mut self, index: usize, side: usize, label: Label, bytes: Bytes) {
        self.tally.note_cut(label, side, Edge::Late);
        let at = self.time_in(LATE);
        self.sockets[index].sides[side].pipe.write(label, bytes, at, None);
        self.sever(index, side);
    }

    fn cut_here(&mut self, from: usize, to: usize, label: Label) -> Option<Edge> {
        let named = |cut: &Cut| cut.from == from && cut.to == to && cut.label == label;
        let at = self.cuts.iter().position(named)?;
        if self.cuts[at].skip > 0 {
            self.cuts[at].skip -= 1;
            return None;
        }
        Some(self.cuts.remove(at).edge)
    }

    /// Whoever writes into a dead link learns so after a long time.
    fn learn_of_silence(&mut self, index: usize, side: usize) {
        let late = self.now + self.random.time(Duration::from_secs(3), LONG);
        let pipe = &mut self.sockets[index].sides[1 - side].pipe;
        pipe.end.get_or_insert((late, Disconnect::Unreachable));
    }

    /// What `from` wrote arrives, or its end.
    pub(super) fn deliver(&mut self, index: usize, from: usize) {
        let pipe = &self.sockets[index].sides[from].pipe;
        if pipe.breaks_here() {
            if let Some(label) = pipe.units.front().map(|unit| unit.label) {
                self.tally.note_cut(label, from, Edge::Before);
            }
            return self.cut(index);
        }
        if pipe.units.is_empty() {
            return self.deliver_end(index, from);
        }
        let was_full = self.room(index, from) == 0;
        let cut = self.deliver_bytes(index, from);
        if cut {
            self.cut(index);
        } else if was_full && let Holder::Peer(writer) = self.sockets[index].sides[from].holder {
            self.serve(writer);
        }
    }

    /// Delivers a portion; says whether the socket breaks after it.
    fn deliver_bytes(&mut self, index: usize, from: usize) -> bool {
        let split = self.setup.weather.split;
        let front = self.sockets[index].sides[from].pipe.units.front().map_or(0, |unit| unit.bytes.len());
        let portion =
            if self.random.chance(split) { self.random.between(1, front.max(1)) } else { usize::MAX };
        let socket = &mut self.sockets[index];
        let most = match &socket.sides[1 - from].reading {
            Reading::Into(_, missing) => portion.min(*missing),
            _ => portion,
        };
        let Some((bytes, whole, cut)) = socket.sides[from].pipe.read(most) else { return false };
        match whole {
            Some(label) => self.note_arrival(index, from, label, &bytes),
            None => self.tally.note(Mishap::PartialRead),
        }
        let cut = cut == Some(Edge::After);
        if cut && let Some(label) = whole {
            self.tally.note_cut(label, from, Edge::After);
        }
        self.read(index, 1 - from, bytes);
        cut
    }

    /// `side` of a socket reads.
    fn read(&mut self, index: usize, side: usize, bytes: Bytes) {
        let reader = &mut self.sockets[index].sides[side];
        let (data, filled) = match std::mem::replace(&mut reader.reading, Reading::Nothing) {
            Reading::Into(mut destination, missing) => {
                destination.extend_from_slice(&bytes);
                if missing > bytes.len() {
                    reader.reading = Reading::Into(destination, missing - bytes.len());
                    return;
                }
                (destination, true)
            }
            other => {
                reader.reading = other;
                (BytesMut::from(&bytes[..]), false)
            }
        };
        match &mut reader.holder {
            Holder::Peer(peer) => {
                let peer = *peer;
                let input = if filled { Input::Filled(data) } else { Input::Received(data) };
                self.peers[peer.0].machine.handle(self.now, input);
                self.serve(peer);
            }
            Holder::Link(link) => {
                if filled {
                    link.filled(self.now, data)
                } else {
                    link.received(self.now, data)
                }
                self.serve_link(index);
            }
            Holder::Impostor(link) => {
                if filled {
                    link.filled(self.now, data)
                } else {
                    link.received(self.now, data)
                }
                self.serve_impostor(index);
            }
            Holder::Nobody => {}
        }
    }

    fn deliver_end(&mut self, index: usize, from: usize) {
        let Some((_, cause)) = self.sockets[index].sides[from].pipe.end.take() else { return };
        let side = 1 - from;
        self.note_socket(index, format_args!("{} learns: {cause}", letter(self.sockets[index].nodes[side])));
        match std::mem::replace(&mut self.sockets[index].sides[side].holder, Holder::Nobody) {
            Holder::Peer(peer) => {
                self.peers[peer.0].socket = None;
                self.peers[peer.0].machine.handle(self.now, Input::Disconnected(cause));
                let rude = !self.sockets[index].sides[from].pipe.is_severed;
                self.closed(index, side, rude);
                self.serve(peer);
            }
            Holder::Link(mut link) => {
                link.disconnected(cause);
                self.sockets[index].sides[side].holder = Holder::Link(link);
                self.serve_link(index);
            }
            Holder::Impostor(_) | Holder::Nobody => {}
        }
    }

    /// `side` of a socket closes it.
    pub(super) fn close(&mut self, index: usize, side: usize) {
        self.sockets[index].sides[side].holder = Holder::Nobody;
        let rude = self.setup.weather.rude;
        let rude = self.random.chance(rude);
        self.closed(index, side, rude);
    }

    /// Nobody holds `side` any more: the other side will learn.
    fn closed(&mut self, index: usize, side: usize, rude: bool) {
        let at = self.now + self.latency();
        let socket = &mut self.sockets[index];
        if socket.status != Status::Open {
            // The dial goes on without anybody who waits for it; it is answered or not.
            socket.sides[side].pipe.end = Some((at, Disconnect::Closed));
            return;
        }
        socket.sides[1 - side].pipe.drop_units();
        let pipe = &mut socket.sides[side].pipe;
        if pipe.swallows {
            // The other side's operating system finds out in the end.
            return self.learn_of_silence(index, 1 - side);
        }
        if rude {
            if !pipe.units.is_empty() {
                self.tally.note(Mishap::Rude);
            }
            pipe.drop_units();
        }
        let cause = if rude { Disconnect::Reset } else { Disconnect::Closed };
        let at = at.max(pipe.last());
        pipe.end.get_or_insert((at, cause));
    }

    /// Breaks a socket for both ends; each learns of it in its own time.
    pub fn cut(&mut self, index: usize) {
        self.note_socket(index, format_args!("is cut"));
        self.tally.note(self.stage_of(index));
        if let Status::Dialling { due, outcome } = &mut self.sockets[index].status {
            *due = Some(self.now);
            *outcome = Err(Disconnect::Unreachable);
            return;
        }
        for side in 0..2 {
            let at = self.now + self.latency();
            let pipe = &mut self.sockets[index].sides[side].pipe;
            pipe.drop_units();
            pipe.end = Some((at, Disconnect::Reset));
            pipe.is_broken = true;
        }
    }

    fn stage_of(&self, index: usize) -> Mishap {
        let socket = &self.sockets[index];
        let carries = |side: &Side| match side.holder {
            Holder::Peer(peer) => self.peers[peer.0].machine.session().state() == SessionState::Open,
            _ => false,
        };
        match socket.status {
            Status::Dialling { .. } => Mishap::CutDial,
            _ if socket.sides.iter().any(carries) => Mishap::CutSession,
            _ => Mishap::CutHandshake,
        }
    }

    /// Breaks a socket for `side` alone: what that has written still arrives, and then its end.
    pub fn sever(&mut self, index: usize, side: usize) {
        if self.sockets[index].status != Status::Open {
            return;
        }
        self.note_socket(index, format_args!("breaks for {}", letter(self.sockets[index].nodes[side])));
        self.tally.note(Mishap::Severed);
        let at = self.now + self.latency();
        let pipe = &mut self.sockets[index].sides[1 - side].pipe;
        pipe.drop_units();
        pipe.end = Some((at, Disconnect::Reset));
        (pipe.is_broken, pipe.is_severed) = (true, true);
    }

    /// From now on, what `side` writes vanishes.
    pub fn swallow(&mut self, index: usize, side: usize) {
        if self.sockets[index].status == Status::Open {
            self.note_socket(
                index,
                format_args!("swallows what {} writes", letter(self.sockets[index].nodes[side])),
            );
            self.sockets[index].sides[side].pipe.swallows = true;
            let both = self.sockets[index].sides.iter().all(|side| side.pipe.swallows);
            self.tally.note(if both { Mishap::HalfOpenBothWays } else { Mishap::HalfOpenOneWay });
        }
    }

    /// Lets go of what `node` wrote and was held back.
    pub fn release_from(&mut self, node: usize) {
        self.trace.note(self.now, letter(node), format_args!("what it wrote is let go"));
        self.holds.retain(|(from, ..)| *from != node);
        for index in &self.live {
            let socket = &mut self.sockets[*index];
            let mine = socket.sides.iter_mut().zip(socket.nodes).filter(|(_, owner)| *owner == node);
            mine.for_each(|(side, _)| side.pipe.release(self.now));
        }
    }

    /// Lets go of all that was held back; nothing is from now on.
    pub fn release(&mut self) {
        self.trace.note(self.now, "*", format_args!("what was held back is let go"));
        self.holds.clear();
        for index in &self.live {
            self.sockets[*index].sides.iter_mut().for_each(|side| side.pipe.release(self.now));
        }
    }

    /// Parts two nodes: what is under way is lost, and for `silently` nobody is told.
    pub fn part(&mut self, a: usize, b: usize, silently: bool) {
        self.tally.note(Mishap::Parted);
        self.parted.push((a.min(b), a.max(b)));
        for index in self.live.clone() {
            let nodes = self.sockets[index].nodes;
            if nodes != [a, b] && nodes != [b, a] {
                continue;
            }
            if silently && self.sockets[index].status == Status::Open {
                self.swallow(index, DIALLER);
                self.swallow(index, ACCEPTOR);
            } else {
                self.cut(index);
            }
        }
    }

    /// Joins two nodes again.
    pub fn join(&mut self, a: usize, b: usize) {
        self.parted.retain(|pair| *pair != (a.min(b), a.max(b)));
    }

    /// Sockets that somebody holds.
    pub fn live_sockets(&self) -> &[usize] {
        &self.live
    }

    /// The nodes that a socket joins; the first dialled.
    pub fn ends_of(&self, index: usize) -> [usize; 2] {
        self.sockets[index].nodes
    }

    /// Bytes that `side` may write.
    pub(super) fn room(&self, index: usize, side: usize) -> usize {
        let unread = self.sockets[index].sides[side].pipe.unread();
        self.setup.weather.capacity.saturating_sub(unread)
    }

    pub(super) fn note_socket(&mut self, index: usize, what: std::fmt::Arguments<'_>) {
        if self.trace.is_on() {
            let [a, b] = self.sockets[index].nodes.map(letter);
            self.trace.note(self.now, format_args!("{a}{b}#{index}"), what);
        }
    }

    fn note_arrival(&mut self, index: usize, from: usize, label: Label, bytes: &[u8]) {
        if !self.trace.is_on() {
            return;
        }
        let arrow = if from == DIALLER { '>' } else { '<' };
        match (label, message_ids(bytes)) {
            (Label::Frame(Tag::Message), Some((seq, tid))) => {
                self.note_socket(index, format_args!("{arrow} {label} {tid} seq {seq}"));
            }
            _ => self.note_socket(index, format_args!("{arrow} {label}")),
        }
    }

    /// When the last byte of a side arrives.
    pub(super) fn accept(&mut self, index: usize, node: usize, other: usize) {
        let link = self.accepted_link(node, other);
        self.sockets[index].sides[ACCEPTOR].holder = Holder::Link(Box::new(link));
        self.serve_link(index);
    }

    pub(super) fn time_in(&mut self, most: Duration) -> Instant {
        self.now + self.random.time(Duration::ZERO, most)
    }
}
