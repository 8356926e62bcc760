//! What must hold where nothing happens by itself any more.

use super::choice::Explored;
use crate::{Violation, letter};
use axon_proto::{SessionState, cost};

impl Explored<'_> {
    /// Nothing happens by itself any more: everybody must be content.
    pub(super) fn check_quiet(&self) -> Result<(), Violation> {
        for (id, peer) in self.see().alive() {
            let state = peer.machine.session().state();
            let rests = matches!(state, SessionState::Open | SessionState::Standby);
            // A server that lost its client keeps what it has to say until that comes back.
            let abandoned = peer.policy.server && self.see().between(peer.other, peer.node).is_none();
            let settled = rests && peer.machine.is_drained();
            if !(abandoned || settled) {
                let what = format!("connection {} of node {} is {state:?}", id.0, peer.node);
                return Err(Violation::Stuck { what });
            }
            let held = peer.machine.held();
            self.see().ledger.check_budget(id, held)?;
            let exactly = peer.machine.session().messages().map(|(_, message)| cost(message)).sum();
            if held != exactly {
                return Err(Violation::Budget { held, least: exactly, most: exactly });
            }
        }
        self.check_ends()?;
        match self.see().ledger.unresolved() {
            Some(tid) if !self.is_kept(tid) => Err(Violation::Lost(tid)),
            _ => Ok(()),
        }
    }

    /// Whoever is open is so with the other end, on the only socket.
    fn check_ends(&self) -> Result<(), Violation> {
        let open =
            self.see().alive().filter(|(_, peer)| peer.machine.session().state() == SessionState::Open);
        let open: Vec<usize> = open.map(|(_, peer)| peer.node).collect();
        let sockets = self.see().sockets_between(0, 1);
        match (&open[..], sockets) {
            ([], 0) | ([0, 1] | [1, 0], 1) => Ok(()),
            ([node], _) => Err(Violation::OpenAlone(letter(*node))),
            _ => Err(Violation::Sockets(sockets)),
        }
    }

    /// Whether a server still holds it for a client that has not come back.
    fn is_kept(&self, tid: u64) -> bool {
        let peer = self.see().ledger.entries()[tid as usize - 1].peer;
        let mut held = self.see().peer(peer).machine.session().messages();
        self.see().peer(peer).policy.server && held.any(|(_, message)| message.header.tid == tid)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Choice, Small};
    use super::*;
    use crate::{Kind, Peer, PeerId};
    use axon_proto::State;

    /// Takes what happens by itself, one after the other.
    #[test]
    fn who_is_open_alone_is_not_content() {
        let small = Small { messages: [1, 1], ..Small::new(Kind::Peer) };
        let mut explored = Explored::new(&small);
        explored.take(Choice::Send(0));
        let mut alone = 0;
        while let Some(choice) = explored.choices().into_iter().find(|choice| choice.happens_by_itself()) {
            explored.take(choice);
            let open = |(_, peer): &(PeerId, &Peer)| peer.state() == State::Open;
            if explored.see().alive().filter(open).count() == 1 {
                assert_eq!(explored.check_ends(), Err(Violation::OpenAlone('b')));
                alone += 1;
            }
        }
        assert_ne!(alone, 0, "the acceptor is open first");
        assert_eq!(explored.check_quiet(), Ok(()));
    }
}
