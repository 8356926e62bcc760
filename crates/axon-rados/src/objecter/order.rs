//! Requests that keep their place among writes of the same object.
//!
//! OSDs let reads overtake writes that wait for recovery unless they are told not to, and forget those that were told when
//! the pool becomes full: such a read waits for room with the write that it follows, as long as there is one.

use super::op::{Op, Phase};
use super::{ClusterMap, Objecter, OpId, Request, Waiting};
use crate::osd::OsdFlags;
use rustc_hash::FxHasher;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::time::Instant;

/// What a request has to do with others of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing; or the application has marked it.
    Free,
    /// Reads that are begun later keep their places behind it.
    Write(ObjectHash),
    /// A read that was marked here, as it follows a write.
    Follower(ObjectHash),
}

/// The hash of an object's name and locator: few requests that have it in common are on different objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectHash(u64);

/// Writes under way, and the reads that were marked because they follow one; by object, and the oldest first.
#[derive(Debug, Default)]
pub(super) struct Orders {
    writes: BTreeSet<(ObjectHash, OpId)>,
    followers: BTreeSet<(ObjectHash, OpId)>,
}

impl ObjectHash {
    fn of(request: &Request) -> Self {
        let mut hasher = FxHasher::default();
        (&request.object, &request.locator).hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Orders {
    /// A request begins.
    fn add(&mut self, id: OpId, order: Order) {
        match order {
            Order::Free => {}
            Order::Write(object) => drop(self.writes.insert((object, id))),
            Order::Follower(object) => drop(self.followers.insert((object, id))),
        }
    }

    /// A request is over, or free now.
    pub(super) fn remove(&mut self, id: OpId, order: Order) {
        match order {
            Order::Free => {}
            Order::Write(object) => drop(self.writes.remove(&(object, id))),
            Order::Follower(object) => drop(self.followers.remove(&(object, id))),
        }
    }

    /// The writes that may be of the same object and were begun before `id`.
    fn writes_before(&self, object: ObjectHash, id: OpId) -> impl Iterator<Item = OpId> {
        self.writes.range((object, OpId(0))..(object, id)).map(|(_, id)| *id)
    }

    /// The marked reads that may be of the same object.
    fn followers(&self, object: ObjectHash) -> impl Iterator<Item = OpId> {
        self.followers.range((object, OpId(0))..=(object, OpId(u64::MAX))).map(|(_, id)| *id)
    }
}

impl<M: ClusterMap, T> Objecter<M, T> {
    /// Finds a request that is begun its place, and marks it if it has to keep it and the application has not marked it.
    pub(super) fn order(&mut self, id: OpId, request: &mut Request) -> Order {
        let order = self.find_order(id, request);
        if matches!(order, Order::Follower(_)) {
            request.flags = request.flags.with(OsdFlags::RWORDERED);
        }
        self.orders.add(id, order);
        order
    }

    /// Watches do not change what is read, and notifications and their answers read nothing.
    fn find_order(&self, id: OpId, request: &Request) -> Order {
        if request.is_write() {
            return if request.is_of_a_watch() { Order::Free } else { Order::Write(ObjectHash::of(request)) };
        }
        let may_follow = !self.orders.writes.is_empty() && !request.flags.contains(OsdFlags::RWORDERED);
        if !may_follow || request.is_of_watchers() {
            return Order::Free;
        }
        let object = ObjectHash::of(request);
        if self.follows_a_write(object, id, request) { Order::Follower(object) } else { Order::Free }
    }

    /// Whether a request keeps its place among writes: what the application marked does; what was marked here, as long as it
    /// follows a write, or is with an OSD, marked.
    pub(super) fn keeps_its_place(&self, op: &Op<T>) -> bool {
        match op.order {
            Order::Free => op.request.is_write() || op.request.flags.contains(OsdFlags::RWORDERED),
            Order::Write(_) => true,
            Order::Follower(object) => {
                matches!(op.phase, Phase::Sent(_)) || self.follows_a_write(object, op.id, &op.request)
            }
        }
    }

    /// Takes the mark off a request that is about to be sent if the writes before it are over.
    pub(super) fn reorder(&mut self, tid: u64) {
        let Some(op) = self.ops.get(&tid) else { return };
        if !matches!(op.order, Order::Follower(_)) || self.keeps_its_place(op) {
            return;
        }
        if let Some(op) = self.ops.get_mut(&tid) {
            op.request.flags = op.request.flags.without(OsdFlags::RWORDERED);
            self.orders.remove(op.id, std::mem::replace(&mut op.order, Order::Free));
        }
    }

    /// The reads that wait for room behind a request, and need not once it has ended.
    pub(super) fn waiting_behind(&self, op: &Op<T>) -> Vec<OpId> {
        let Order::Write(object) = op.order else { return Vec::new() };
        let waits = |id: &OpId| {
            self.ops.get(&self.tid_of(*id)).is_some_and(|read| {
                matches!(read.phase, Phase::Waits(Waiting::PoolFull(_) | Waiting::ClusterFull))
                    && read.request.has_object_of(&op.request)
            })
        };
        self.orders.followers(object).filter(waits).collect()
    }

    /// Takes the next step with each of some requests.
    pub(super) fn release(&mut self, waiting: Vec<OpId>, now: Instant) {
        for id in waiting {
            self.advance(self.tid_of(id), now);
        }
    }

    /// Whether a write of the object was begun before a read of it, and is not over.
    fn follows_a_write(&self, object: ObjectHash, id: OpId, read: &Request) -> bool {
        let is_of_object = |write: OpId| {
            self.ops.get(&self.tid_of(write)).is_some_and(|write| write.request.has_object_of(read))
        };
        self.orders.writes_before(object, id).any(is_of_object)
    }
}
