//! What happens by itself as time passes.

use super::{ClusterMap, Objecter, OpId};
use std::time::Instant;

/// Places for requests that are always kept: those of as many as are in flight by default.
const KEPT_PLACES: usize = 1024;
/// The map of requests shrinks when it has this many times the places that are used.
const SPARSE: usize = 8;

impl<M: ClusterMap, T> Objecter<M, T> {
    /// Does what is due; returns when to come back.
    pub(crate) fn poke(&mut self, now: Instant) -> Option<Instant> {
        self.expire(now);
        self.sessions.end_pauses(now);
        self.ping_watches(now);
        self.advance_all(now);
        self.shrink();
        self.due = self.first_due(now);
        self.due
    }

    /// When [`Objecter::poke`] has something to do, or earlier: what has ended meanwhile may be all that was due then.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due
    }

    /// There is something to do at `at`. Asked for with every request, so no more than a comparison.
    pub(super) fn note_due(&mut self, at: Option<Instant>) {
        if at.is_some_and(|at| self.due.is_none_or(|due| at < due)) {
            self.due = at;
        }
    }

    /// Deadlines, requests that shall be tried again, pauses, signs of life.
    fn first_due(&self, now: Instant) -> Option<Instant> {
        let later = |at: &Instant| *at > now;
        let ops = self.ops.values().flat_map(|op| [op.patience.until, op.not_before.filter(later)]);
        let others = self.sessions.pause_ends().chain(self.lingers.dues());
        ops.flatten().chain(others).min()
    }

    /// Gives back what a burst of requests left: whoever looks at all requests looks at all places for them. Not so soon that
    /// what comes and goes all the time costs memory to be moved.
    fn shrink(&mut self) {
        let used = self.ops.len().max(KEPT_PLACES);
        if self.ops.capacity() / SPARSE > used {
            self.ops.shrink_to(2 * used);
        }
    }

    /// Ends the requests whose time is over, the one that should have been first first.
    fn expire(&mut self, now: Instant) {
        let until = |op: &super::Op<T>| op.patience.until.filter(|until| *until <= now);
        let mut over: Vec<(Instant, OpId)> =
            self.ops.values().filter_map(|op| Some((until(op)?, op.id))).collect();
        over.sort_unstable();
        for (_, id) in over {
            let tid = self.tid_of(id);
            if let Some(op) = self.ops.get(&tid) {
                let outcome = op.outcome_at_deadline(self.damage, now);
                self.end(tid, outcome, now);
            }
        }
        self.admit(now);
    }
}
