//! What a connection is doing, for reports.

use super::super::Station;
use super::Peer;
use crate::dump::{Agreed, ConnectionDump, Origin, QueueDump, SessionDump};
use axon_proto::{Established, Progress};

impl Peer {
    /// What it is doing.
    pub(in crate::worker) fn dump(&self, station: &Station) -> ConnectionDump {
        let handle = &self.handle;
        ConnectionDump {
            id: handle.id(),
            worker: station.index,
            peer: handle.peer_name(),
            peer_type: handle.peer_type(),
            peer_addrs: handle.peer_addrs(),
            origin: if self.accepted { Origin::Accepted } else { Origin::Dialled },
            registered: self.registered.is_some(),
            state: self.machine.state(),
            link: self.machine.link_state(),
            policy: *self.machine.session().policy(),
            agreed: handle.established().as_deref().map(Agreed::from),
            session: self.session_dump(),
            queue: self.queue_dump(station),
            held_back: self.admission.held_back(),
            last_round_trip: handle.last_round_trip(),
        }
    }

    fn session_dump(&self) -> SessionDump {
        let session = self.machine.session();
        let ids = session.ids();
        SessionDump {
            client_cookie: ids.client_cookie,
            server_cookie: ids.server_cookie,
            connect_seq: ids.connect_seq,
            peer_global_seq: ids.peer_global_seq,
            out_seq: session.out_seq(),
            in_seq: session.in_seq(),
        }
    }

    fn queue_dump(&self, station: &Station) -> QueueDump {
        let session = self.machine.session();
        let budget = self.handle.send_budget();
        QueueDump {
            waiting: session.count(Progress::Waiting),
            again: session.count(Progress::Again),
            unacknowledged: session.count(Progress::Written),
            bytes: budget.in_use(),
            budget: budget.limit(),
            senders: budget.waiters(),
            unsent: self.unsent(station),
        }
    }
}

impl From<&Established> for Agreed {
    fn from(established: &Established) -> Self {
        Self {
            mode: established.mode,
            revision: established.revision,
            features: established.features,
            global_id: established.global_id,
            identity: established.identity.as_ref().map(|identity| identity.name.clone()),
        }
    }
}
