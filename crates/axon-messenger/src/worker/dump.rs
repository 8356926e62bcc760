//! Says what every endpoint is doing, a portion per turn, so that messages do not wait for reports.

use super::{Command, Endpoint, Worker};
use crate::dump::{Answer, Findings};
use std::sync::mpsc::Sender;

/// Endpoints looked at per turn: less than a tenth of a millisecond.
const PORTION: usize = 64;

/// One dump's way through the endpoints of a worker.
pub(crate) struct Tour {
    worker: usize,
    /// The slot to look at next.
    next: usize,
    found: Findings,
    answer: Sender<Answer>,
}

impl Tour {
    /// From the first slot of `worker` on.
    pub(crate) fn new(worker: usize, answer: Sender<Answer>) -> Self {
        Self { worker, next: 0, found: Findings::default(), answer }
    }
}

impl Worker {
    /// Takes every tour that has been asked for a step further. One that is not over comes back through the mailbox, which
    /// keeps the worker awake.
    pub(super) fn go_on_tours(&mut self) {
        for mut tour in std::mem::take(&mut self.tours) {
            let end = tour.next.saturating_add(PORTION).min(self.endpoints.capacity());
            for slot in tour.next..end {
                self.look_at(slot, &mut tour.found);
            }
            tour.next = end;
            if end < self.endpoints.capacity() {
                self.station.shared.workers[self.station.index].mailbox.push(Command::Dump(Box::new(tour)));
            } else {
                self.finish(tour);
            }
        }
    }

    fn look_at(&self, slot: usize, found: &mut Findings) {
        match self.endpoints.get(slot) {
            Some(Endpoint::Peer(peer)) => found.connections.push(peer.dump(&self.station)),
            Some(Endpoint::Accepting(accepting)) => found.accepting.push(accepting.dump(&self.station)),
            None => {}
        }
    }

    fn finish(&self, mut tour: Tour) {
        tour.found.listening = self.listeners.values().copied().collect();
        tour.found.backlog = self.inbox.len();
        // Who asked may have lost patience.
        let _ = tour.answer.send(Answer::Found(tour.worker, tour.found));
    }
}
