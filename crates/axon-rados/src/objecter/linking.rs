//! News of connections.

use super::op::Phase;
use super::{Action, ClusterMap, LinkId, Objecter};
use axon_denc::Features;
use std::time::Instant;

impl<M: ClusterMap, T> Objecter<M, T> {
    /// A connection is open: what waited for it goes, in the order in which it was begun.
    pub(crate) fn connected(&mut self, link: LinkId, features: Features, now: Instant) {
        if self.sessions.connected(link, features).is_some() {
            self.advance_all(now);
        }
    }

    /// A connection ended: what was sent on it is sent again on the next one.
    pub(crate) fn failed(&mut self, link: LinkId, now: Instant) {
        self.end_session(link, false, now);
    }

    /// Something that makes no sense came over a connection.
    pub(super) fn nonsense(&mut self, link: LinkId, now: Instant) {
        self.actions.push_back(Action::Close(link));
        self.end_session(link, true, now);
    }

    fn end_session(&mut self, link: LinkId, nonsense: bool, now: Instant) {
        let Some(osd) = self.sessions.ended(link, nonsense, now) else { return };
        for op in self.ops.values_mut().filter(|op| op.phase == Phase::Sent(osd)) {
            op.unsend();
        }
        self.sessions.end_pauses(now);
        self.note_due(self.sessions.pause_ends().min());
        self.recheck_lingers(false, now);
        self.advance_all(now);
    }
}
