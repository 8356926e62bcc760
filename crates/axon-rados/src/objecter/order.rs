//! Requests that keep their place among writes of the same object.
//!
//! OSDs let reads overtake writes that wait for recovery unless they are told not to, and forget those that were told when
//! the pool becomes full: such a read waits for room with the write that it follows, as long as there is one.

use super::op::{Op, Phase};
use super::{ClusterMap, Objecter, OpId, Request, Waiting};
use crate::osd::OsdFlags;
use std::time::Instant;

impl<M: ClusterMap, T> Objecter<M, T> {
    /// Marks a request that is begun if it has to keep its place, and the application has not marked it.
    pub(super) fn order(&mut self, id: OpId, request: &mut Request) {
        if !request.flags.contains(OsdFlags::RWORDERED) && self.follows_a_write(id, request) {
            request.flags = request.flags.with(OsdFlags::RWORDERED);
            self.followers.insert(id);
        }
    }

    /// Whether a request keeps its place among writes: what the application marked does; what was marked here, as long as it
    /// follows a write, or is with an OSD, marked.
    pub(super) fn keeps_its_place(&self, op: &Op<T>) -> bool {
        let marked_here = || self.followers.contains(&op.id);
        let follows = || matches!(op.phase, Phase::Sent(_)) || self.follows_a_write(op.id, &op.request);
        let is_marked = op.request.flags.contains(OsdFlags::RWORDERED);
        op.request.is_write() || is_marked && (!marked_here() || follows())
    }

    /// Takes the mark off a request that is about to be sent if the writes before it are over.
    pub(super) fn reorder(&mut self, tid: u64) {
        if self.followers.is_empty() {
            return;
        }
        let Some(op) = self.ops.get(&tid).filter(|op| self.followers.contains(&op.id)) else { return };
        if self.keeps_its_place(op) {
            return;
        }
        self.followers.remove(&op.id);
        if let Some(op) = self.ops.get_mut(&tid) {
            op.request.flags = op.request.flags.without(OsdFlags::RWORDERED);
        }
    }

    /// A request ended: reads that waited for room behind it need not any more.
    pub(super) fn release_followers(&mut self, ended: &Request, now: Instant) {
        if !ended.is_write() || self.followers.is_empty() {
            return;
        }
        let waits = |op: &Op<T>| {
            matches!(op.phase, Phase::Waits(Waiting::PoolFull(_) | Waiting::ClusterFull))
                && op.request.has_object_of(ended)
        };
        let tids = self.followers.iter().map(|id| self.tid_of(*id));
        let waiting: Vec<_> = tids.filter(|tid| self.ops.get(tid).is_some_and(|op| waits(op))).collect();
        waiting.into_iter().for_each(|tid| self.advance(tid, now));
    }

    /// Whether it is a read of something that is being written. Watches do not change what is read, and notifications and
    /// their answers read nothing.
    fn follows_a_write(&self, id: OpId, request: &Request) -> bool {
        if self.writes == 0 || request.is_write() || request.is_of_watchers() {
            return false;
        }
        let is_before = |op: &Op<T>| op.id < id && op.request.has_object_of(request);
        self.ops.values().any(|op| op.request.is_write() && !op.is_of_a_watch() && is_before(op))
    }
}
