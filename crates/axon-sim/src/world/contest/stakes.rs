//! What a question of session must not do to the session it comes before.

use crate::socket::{DIALLER, Holder, Socket, Status};
use crate::{PeerId, Violation, World};
use axon_proto::{Contended, Ident, SessionState};

/// What is at stake when a question comes.
pub(super) struct Stakes {
    /// The session does not dial, and its peer asks for another with an attempt that is not older than what it saw.
    rests: bool,
    /// The session is open at both ends over another socket, and nobody holds the socket of the question any more.
    is_carried: bool,
}

impl World {
    /// What is at stake for `owner` when `ident` comes over socket `index`.
    pub(super) fn stakes(&self, index: usize, owner: PeerId, ident: &Ident) -> Stakes {
        let session = self.peers[owner.0].machine.session();
        let settled = matches!(session.state(), SessionState::Open | SessionState::Standby);
        let is_new = match ident {
            Ident::Client { global_seq, .. } => *global_seq >= session.ids().peer_global_seq,
            Ident::Reconnect { .. } => false,
        };
        let socket = &self.sockets[index];
        let is_peers = !matches!(socket.sides[DIALLER].holder, Holder::Impostor(_));
        let is_carried = self.is_given_up(socket) && self.is_carried(owner);
        Stakes { rests: settled && is_new && is_peers, is_carried }
    }

    /// Only who dials makes a peer wait, and nobody is confused by late attempts.
    pub(super) fn judge(&mut self, stakes: &Stakes, contended: &Contended) {
        let outcome = match contended {
            Contended::Answered(..) if stakes.rests => Err(Violation::TurnedAway),
            Contended::Taken if stakes.is_carried => Err(Violation::Robbed),
            _ => Ok(()),
        };
        self.fails(outcome);
    }

    /// Whether who dialled it holds it no more, and neither end has forgotten a session since: who has, may be taken for
    /// older than he was before.
    fn is_given_up(&self, socket: &Socket) -> bool {
        let [dialler, acceptor] = socket.nodes;
        let is_current = self.ledger.forgets(dialler, acceptor) == socket.forgets;
        matches!(socket.sides[DIALLER].holder, Holder::Nobody) && is_current
    }

    /// Whether the session of `peer` has a socket that works, and is open at both of its ends.
    fn is_carried(&self, peer: PeerId) -> bool {
        let Some(index) = self.peers[peer.0].socket else { return false };
        let socket = &self.sockets[index];
        let works = |side: &crate::socket::Side| {
            let Holder::Peer(holder) = side.holder else { return false };
            let open = self.peers[holder.0].machine.session().state() == SessionState::Open;
            open && side.pipe.end.is_none() && !side.pipe.is_broken && !side.pipe.swallows
        };
        socket.status == Status::Open && socket.sides.iter().all(works)
    }
}
