//! The world: nodes, their connections, the sockets between them, and what may happen next.
//!
//! A world does nothing by itself. [`World::pending`] says what may happen and when it would; [`World::act`] lets one of
//! these things happen. Simulation takes the earliest, exploration takes each in turn.

mod app;
mod contest;
mod impostor;
mod letter;
mod links;
mod network;
mod peers;
mod process;

pub use impostor::Claim;
pub use letter::Letter;
pub use network::Cut;

use crate::coverage::Tally;
use crate::socket::{ACCEPTOR, DIALLER, Holder, Socket, Status};
use crate::{Label, Ledger, Node, Peer, PeerId, Random, Setup, Trace, Violation};
use axon_proto::Instant;
use axon_wire::FrameBuf;
use bytes::Bytes;

/// Something that may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// A dial comes to its end.
    Connect(usize),
    /// What that side of the socket wrote arrives, or its end.
    Deliver(usize, usize),
    /// The question of an accepted link comes before its session.
    Contend(usize),
    /// The deadline of an accepted link.
    WakeLink(usize),
    /// The deadline of a connection.
    Wake(PeerId),
    /// The message that waits is admitted.
    Admit(PeerId),
}

/// The world.
pub struct World {
    /// Virtual time.
    pub now: Instant,
    /// What it was made from; the weather may change.
    pub setup: Setup,
    /// Its processes.
    pub nodes: Vec<Node>,
    /// What was asked for and what became of it.
    pub ledger: Ledger,
    /// A recording.
    pub trace: Trace,
    /// The first rule that was broken.
    pub violation: Option<Violation>,
    /// Where all chance comes from.
    pub random: Random,
    /// Cuts to come.
    pub cuts: Vec<Cut>,
    /// What is held back on its way from one node to another, until [`World::release`].
    pub holds: Vec<(usize, usize, Label)>,
    /// What was written from node to node, if the trace is on.
    pub written: Vec<(usize, usize, Label)>,
    /// What went wrong so far.
    pub tally: Tally,
    /// Pairs of nodes, smaller first, between which nothing arrives.
    pub parted: Vec<(usize, usize)>,
    pub(crate) peers: Vec<Peer>,
    /// Those that are not over.
    pub(crate) alive: Vec<PeerId>,
    pub(crate) sockets: Vec<Socket>,
    /// Those somebody holds.
    pub(crate) live: Vec<usize>,
    scratch: FrameBuf,
    buffers: Vec<Bytes>,
}

impl World {
    /// A world at its beginning.
    pub fn new(setup: Setup, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut nodes = setup.nodes(&mut random);
        nodes.iter_mut().for_each(|node| node.start(node.addr, crate::cluster::EPOCH));
        Self {
            now: Instant(0),
            nodes,
            setup,
            ledger: Ledger::default(),
            trace: Trace::default(),
            violation: None,
            random,
            cuts: Vec::new(),
            holds: Vec::new(),
            written: Vec::new(),
            tally: Tally::default(),
            parted: Vec::new(),
            peers: Vec::new(),
            alive: Vec::new(),
            sockets: Vec::new(),
            live: Vec::new(),
            scratch: FrameBuf::with_chunk(1000),
            buffers: Vec::new(),
        }
    }

    /// A connection, over or not.
    pub fn peer(&self, peer: PeerId) -> &Peer {
        &self.peers[peer.0]
    }

    /// The connections that are not over.
    pub fn alive(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.alive.iter().map(|peer| (*peer, &self.peers[peer.0]))
    }

    /// Connections ever made, over or not.
    pub fn all_peers(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.peers.iter().enumerate().map(|(i, peer)| (PeerId(i), peer))
    }

    /// The newest connection of `node` with `other` that is not over.
    pub fn between(&self, node: usize, other: usize) -> Option<PeerId> {
        self.alive().filter(|(_, peer)| peer.node == node && peer.other == other).map(|(id, _)| id).last()
    }

    /// Sockets between two nodes of which both sides are held, whichever dialled.
    pub fn sockets_between(&self, a: usize, b: usize) -> usize {
        let joins = |index: &&usize| {
            let socket = &self.sockets[**index];
            let held = socket.sides.iter().all(|side| !matches!(side.holder, Holder::Nobody));
            held && (socket.nodes == [a, b] || socket.nodes == [b, a])
        };
        self.live.iter().filter(joins).count()
    }

    /// What may happen, and when it would.
    pub fn pending(&self, out: &mut Vec<(Instant, Action)>) {
        out.clear();
        for &index in &self.live {
            self.pending_on(index, out);
        }
        for &id in &self.alive {
            let peer = &self.peers[id.0];
            out.extend(peer.machine.deadline().map(|(at, _)| (at, Action::Wake(id))));
            out.extend(peer.admission.map(|at| (at, Action::Admit(id))));
        }
        if self.nodes.iter().any(|node| node.frozen_until > self.now) {
            out.iter_mut().for_each(|(at, action)| *at = (*at).max(self.thaw_of(*action)));
        }
    }

    /// When the process that has to do something can.
    fn thaw_of(&self, action: Action) -> Instant {
        let thaw = |node: usize| self.nodes[node].frozen_until;
        let of = |index: usize, side: usize| thaw(self.sockets[index].nodes[side]);
        match action {
            Action::Connect(index) => of(index, DIALLER).max(of(index, ACCEPTOR)),
            Action::Deliver(index, from) => of(index, 1 - from),
            Action::Contend(index) | Action::WakeLink(index) => of(index, ACCEPTOR),
            Action::Wake(id) | Action::Admit(id) => thaw(self.peers[id.0].node),
        }
    }

    fn pending_on(&self, index: usize, out: &mut Vec<(Instant, Action)>) {
        let socket = &self.sockets[index];
        match socket.status {
            Status::Dialling { due, .. } => out.extend(due.map(|at| (at, Action::Connect(index)))),
            Status::Open => {
                for from in 0..2 {
                    out.extend(socket.due(from).map(|at| (at, Action::Deliver(index, from))));
                }
                if let Some(question) = &socket.question {
                    out.push((question.at, Action::Contend(index)));
                } else if let Holder::Link(link) = &socket.sides[1].holder {
                    out.extend(link.deadline().map(|(at, _)| (at, Action::WakeLink(index))));
                }
            }
            Status::Dead => {}
        }
    }

    /// Lets one of the pending things happen.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::Connect(socket) => self.connect(socket),
            Action::Deliver(socket, from) => self.deliver(socket, from),
            Action::Contend(socket) => self.contend(socket),
            Action::WakeLink(socket) => self.wake_link(socket),
            Action::Wake(peer) => self.wake(peer),
            Action::Admit(peer) => self.admit(peer),
        }
        if !self.live.is_empty() && self.live.iter().any(|index| self.sockets[*index].is_abandoned()) {
            self.sweep();
        }
    }

    fn sweep(&mut self) {
        let sockets = &mut self.sockets;
        self.live.retain(|index| {
            let abandoned = sockets[*index].is_abandoned() || sockets[*index].status == Status::Dead;
            if abandoned {
                sockets[*index].status = Status::Dead;
                sockets[*index].sides.iter_mut().for_each(|side| side.pipe.drop_units());
            }
            !abandoned
        });
    }

    /// Lets the earliest pending thing happen, if it is due by `until`. Says whether there was one.
    pub fn step(&mut self, until: Instant, pending: &mut Vec<(Instant, Action)>) -> bool {
        self.pending(pending);
        let Some((at, action)) = pending.iter().min_by_key(|(at, _)| *at).copied() else { return false };
        if at > until {
            return false;
        }
        self.now = self.now.max(at);
        self.act(action);
        true
    }

    /// Lets everything happen that is due by `until`.
    pub fn run_until(&mut self, until: Instant) {
        let mut pending = Vec::new();
        while self.violation.is_none() && self.step(until, &mut pending) {}
        self.now = self.now.max(until);
    }

    pub(crate) fn fails(&mut self, outcome: Result<(), Violation>) {
        if let Err(violation) = outcome {
            self.trace.note(self.now, "!", format_args!("{violation}"));
            self.violation.get_or_insert(violation);
        }
    }
}
