//! An accepted socket asks for a session: whose it is, and what becomes of it. As `contest.rs` in the messenger.

mod stakes;

use super::World;
use crate::node::index_of;
use crate::peer::{Named, target};
use crate::socket::{ACCEPTOR, Holder, Question};
use crate::{Counts, Peer, PeerId};
use axon_proto::{Arena, Connection, Contended, Ident, Link, Policy, Verdict};

fn registers(policy: &Policy) -> bool {
    policy.register_lossy_clients || !policy.lossy
}

impl World {
    /// The question of an accepted link comes before its session.
    pub(super) fn contend(&mut self, index: usize) {
        let Some(question) = self.sockets[index].question.take() else { return };
        let Question { ident, owner, .. } = question;
        // Who knows nobody decides at once; another worker may learn of the question later.
        let owner = owner.or_else(|| self.owner_of(index, &ident));
        self.ask(index, owner, &ident);
    }

    fn ask(&mut self, index: usize, owner: Option<PeerId>, ident: &Ident) {
        let node = self.sockets[index].nodes[ACCEPTOR];
        match (owner, ident) {
            (Some(peer), _) => self.confront(index, peer, ident),
            (None, Ident::Reconnect { .. }) => self.answer(index, Verdict::Reset { full: true }),
            (None, Ident::Client { .. }) => self.found(index, node, ident),
        }
    }

    /// The connection that decides about a question, as the registry knows it now.
    pub(super) fn owner_of(&self, index: usize, ident: &Ident) -> Option<PeerId> {
        let node = &self.nodes[self.sockets[index].nodes[ACCEPTOR]];
        registers(ident.policy()).then(|| node.registered(ident.addrs())).flatten()
    }

    /// Lets the session decide.
    fn confront(&mut self, index: usize, peer: PeerId, ident: &Ident) {
        let Some(link) = self.take_link(index) else { return };
        let stakes = self.stakes(index, peer, ident);
        let contended = self.offer(peer, link, ident);
        self.judge(&stakes, &contended);
        let name = Named(peer, &self.peers[peer.0]).to_string();
        match contended {
            Contended::Taken => {
                self.note_socket(index, format_args!("is taken over by {name}"));
                self.hang_up(peer);
                self.attach(index, peer);
                self.serve(peer);
            }
            Contended::Answered(link, said) => {
                self.note_socket(index, format_args!("is refused by {name}"));
                self.put_link(index, link);
                self.go_on(index, said);
                self.serve(peer); // it may have been told to hurry
            }
            Contended::Ended(link) => {
                self.note_socket(index, format_args!("begins anew after {name}"));
                self.put_link(index, link);
                self.serve(peer);
                self.begin_anew(index, peer, ident);
            }
        }
    }

    /// The session ended, or ends now: whoever comes next in the registry decides.
    fn begin_anew(&mut self, index: usize, ended: PeerId, ident: &Ident) {
        let node = self.sockets[index].nodes[ACCEPTOR];
        self.nodes[node].unregister(ended);
        let owner = self.owner_of(index, ident);
        self.ask(index, owner, ident);
    }

    /// Founds a connection whose first link is the socket's.
    fn found(&mut self, index: usize, node: usize, ident: &Ident) {
        let Some(link) = self.take_link(index) else { return };
        let policy = *ident.policy();
        let addrs = ident.addrs().clone();
        let Some(other) = index_of(&addrs.first()) else { return };
        let seed = self.nodes[node].draw();
        let config = self.nodes[node].config.clone();
        let machine = Connection::accept(config, policy, self.setup.back_off, seed);
        let registered = registers(&policy);
        let target = if policy.lossy { None } else { target(&policy, &addrs) };
        let peer = self.add_peer(Peer {
            machine,
            node,
            other,
            addrs: addrs.clone(),
            policy,
            target,
            socket: None,
            admission: None,
            counts: Counts::default(),
            partner: None,
            forgets: self.sockets[index].forgets,
            is_shared: false,
            over: false,
        });
        if registered {
            self.nodes[node].register(&addrs, peer);
        }
        match self.offer(peer, link, ident) {
            Contended::Taken => {
                self.attach(index, peer);
                self.serve(peer);
            }
            _ => self.fails(Err(crate::Violation::Unexpected("a new connection refuses its link".into()))),
        }
    }

    fn offer(&mut self, peer: PeerId, link: Link, ident: &Ident) -> Contended {
        let other = self.nodes[self.peers[peer.0].other].config.name.kind;
        let node = &mut self.nodes[self.peers[peer.0].node];
        let arena = Arena {
            peer: other,
            my_addrs: node.addr.into(),
            global_seq: node.next_global_seq(),
            cookie: node.draw(),
        };
        self.peers[peer.0].machine.contend(self.now, link, ident, &arena)
    }

    fn attach(&mut self, index: usize, peer: PeerId) {
        self.sockets[index].sides[ACCEPTOR].holder = Holder::Peer(peer);
        self.peers[peer.0].socket = Some(index);
    }

    pub(super) fn add_peer(&mut self, peer: Peer) -> PeerId {
        let id = PeerId(self.peers.len());
        self.peers.push(peer);
        self.alive.push(id);
        id
    }
}
