//! Another entity that authenticates under its own name and claims the address of a node, to get at its session.
//!
//! What it does is one step of the world: it dials, asks, and goes away again when it is refused. It is no node and draws
//! nothing from the world's chance.

use super::World;
use crate::peer::Named;
use crate::socket::{ACCEPTOR, DIALLER, Holder, Socket};
use crate::{PeerId, Violation};
use axon_proto::{ClientStart, Instant, Link, LinkOutput, Resume};
use axon_wire::Message;

/// Type of a message that no application sent.
const FORGED: u16 = 43;

/// By how much an impostor counts its attempt above those of the session's owner.
const AHEAD: u64 = 1_000_000;

/// How an impostor asks for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// CLIENT_IDENT, with a cookie of its own.
    Begin,
    /// SESSION_RECONNECT, with the session's cookies.
    Resume,
}

impl Claim {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Begin, Self::Resume];
}

impl World {
    /// Whether `node` can be dialled and has a session with `owner` that may be claimed like that. Who claims an address
    /// that nobody has a session with is no impostor to anybody.
    pub fn is_claimable(&self, node: usize, owner: usize, claim: Claim) -> bool {
        let Some(id) = self.between(node, owner) else { return false };
        let peer = &self.peers[id.0];
        let is_found = self.nodes[node].registered(&peer.addrs) == Some(id);
        let has_name = peer.machine.session().ids().server_cookie != 0;
        self.nodes[node].listens() && is_found && (claim == Claim::Begin || has_name)
    }

    /// An impostor claims the session that `node` has with `owner`. Not in secure worlds, where it has no ticket.
    pub fn impose(&mut self, node: usize, owner: usize, claim: Claim) {
        let Some(id) = self.between(node, owner) else { return };
        let before = self.standing(id);
        let Some(link) = self.impostor(id, claim) else { return };
        let index = self.sockets.len();
        let socket = Socket::imposed([self.nodes.len(), node], link, !self.setup.checksums);
        self.sockets.push(Socket { forgets: self.ledger.forgets(node, owner), ..socket });
        self.live.push(index);
        let claimed = Named(id, &self.peers[id.0]).to_string();
        self.note_socket(index, format_args!("is an impostor's, who claims {claimed}"));
        let accepted = self.accepted_link(owner, node);
        self.put_link(index, accepted);
        self.serve_link(index);
        self.serve_impostor(index);
        while let Some((at, from)) = self.next_of_impostor(index) {
            self.now = self.now.max(at);
            self.deliver(index, from);
        }
        self.sweep();
        if !self.standing(id).goes_on_from(&before) {
            self.fails(Err(Violation::Usurped));
        }
    }

    /// The dial of an impostor, who knows all of the session that there is to know.
    fn impostor(&mut self, id: PeerId, claim: Claim) -> Option<Link> {
        let peer = &self.peers[id.0];
        let (session, ids) = (peer.machine.session(), *peer.machine.session().ids());
        let node = &self.nodes[peer.node];
        let mut impostor = self.setup.impostor();
        let cookies = [impostor.draw(), impostor.draw()];
        let resume = Resume {
            server_cookie: ids.server_cookie,
            connect_seq: ids.connect_seq + 1,
            in_seq: session.sent(),
        };
        let (first, resume) = match claim {
            Claim::Begin => (cookies[0], None),
            Claim::Resume => (ids.client_cookie, Some(resume)),
        };
        let start = ClientStart {
            target: node.addr,
            peer: node.name.kind,
            my_addrs: peer.addrs.clone(),
            policy: self.nodes[peer.other].policies.get(node.name.kind),
            global_seq: ids.peer_global_seq.max(self.nodes[peer.other].global_seq) + AHEAD,
            cookies: [first, cookies[1]],
            resume,
            exchange: impostor.auth.client.start(node.name.kind).ok()?,
        };
        Some(Link::dialled(impostor.config, start, self.now))
    }

    fn next_of_impostor(&self, index: usize) -> Option<(Instant, usize)> {
        let socket = &self.sockets[index];
        let is_held = matches!(socket.sides[DIALLER].holder, Holder::Impostor(_));
        let due = |from: usize| socket.due(from).map(|at| (at, from));
        [DIALLER, ACCEPTOR].into_iter().find_map(due).filter(|_| is_held && self.violation.is_none())
    }

    /// Does what the impostor's link wants done.
    pub(super) fn serve_impostor(&mut self, index: usize) {
        while let Some(output) = self.poll_impostor(index) {
            match output {
                LinkOutput::Established(_) | LinkOutput::Resumed(_) => self.forge(index),
                LinkOutput::Message(message) => self.fails(Err(Violation::Leaked(message.header.tid))),
                LinkOutput::Fault(fault) => {
                    self.note_socket(index, format_args!("the impostor gives up: {fault}"));
                    return self.close(index, DIALLER);
                }
                _ => {}
            }
        }
        self.write_impostor(index, None);
    }

    fn poll_impostor(&mut self, index: usize) -> Option<LinkOutput> {
        let now = self.now;
        impostor_of(&mut self.sockets[index])?.poll(now)
    }

    /// The impostor has a session: it says something in it, in the owner's place.
    fn forge(&mut self, index: usize) {
        let Holder::Peer(victim) = self.sockets[index].sides[ACCEPTOR].holder else { return };
        let mut message = Message::new(FORGED, &b"forged"[..]);
        message.header.seq = self.peers[victim.0].machine.session().in_seq() + 1;
        message.header.tid = u64::MAX;
        self.write_impostor(index, Some(&message));
    }

    fn write_impostor(&mut self, index: usize, message: Option<&Message>) {
        let mut buffers = std::mem::take(&mut self.buffers);
        if let Some(link) = impostor_of(&mut self.sockets[index]) {
            link.take_pending(&mut buffers);
            if let Some(message) = message {
                link.message(message, &mut self.scratch);
                self.scratch.drain_into(&mut buffers);
            }
            let demand = link.demand();
            self.sockets[index].sides[DIALLER].reading.follow(demand);
            self.write(index, DIALLER, &mut buffers);
        }
        self.buffers = buffers;
    }

    /// Nothing that an impostor wrote may be delivered.
    pub(super) fn check_origin(&mut self, message: &Message) -> bool {
        let is_forged = message.header.kind == FORGED;
        if is_forged {
            self.fails(Err(Violation::Forged));
        }
        !is_forged
    }

    fn standing(&self, id: PeerId) -> Standing {
        let peer = &self.peers[id.0];
        let ids = peer.machine.session().ids();
        Standing {
            cookies: [ids.client_cookie, ids.server_cookie],
            peer_global_seq: ids.peer_global_seq,
            losses: peer.counts.resets + peer.counts.remote_resets,
            held: peer.machine.held(),
            socket: peer.socket,
            over: peer.over,
        }
    }
}

/// What an impostor must not change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    cookies: [u64; 2],
    peer_global_seq: u64,
    losses: u32,
    held: usize,
    socket: Option<usize>,
    over: bool,
}

impl Standing {
    /// A session that rested may have been dialled.
    fn goes_on_from(self, before: &Self) -> bool {
        let socket = before.socket.or(self.socket);
        self == Self { socket, ..*before }
    }
}

fn impostor_of(socket: &mut Socket) -> Option<&mut Link> {
    match &mut socket.sides[DIALLER].holder {
        Holder::Impostor(link) => Some(link),
        _ => None,
    }
}
