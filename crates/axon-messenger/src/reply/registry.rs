//! Which calls are in flight.

use super::{CallError, Expect, Outcome};
use crate::slot::Slot;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use axon_wire::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Connection and transaction id.
pub(super) type Call = (u64, u64);
type Reply = Arc<Slot<Outcome>>;

/// What a call waits for.
pub(super) struct Waiting {
    pub(super) expect: Expect,
    pub(super) deadline: Option<Duration>,
    pub(super) slot: Reply,
}

/// Workers complete calls of different connections at the same time.
const SHARDS: usize = 16;

#[derive(Default)]
pub(super) struct Registry {
    shards: [Mutex<Shard>; SHARDS],
    calls: AtomicUsize,
    /// Of them, those with a deadline.
    timed: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    /// Ordered, so that the calls of one connection are a range.
    calls: BTreeMap<Call, Waiting>,
    deadlines: BTreeSet<(Duration, Call)>,
}

impl Registry {
    // Relaxed throughout: what orders a call before its reply is the mailbox, the socket and the peer between them.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn insert(&self, call: Call, waiting: Waiting) {
        let mut shard = lock(self.shard(call.0));
        let before = self.take(&mut shard, call);
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(deadline) = waiting.deadline {
            self.timed.fetch_add(1, Ordering::Relaxed);
            shard.deadlines.insert((deadline, call));
        }
        shard.calls.insert(call, waiting);
        drop(shard);
        if let Some(before) = before {
            drop(before.put(Err(CallError::IdReused)));
        }
    }

    /// Takes out the call that `message` replies to.
    pub(super) fn claim(&self, call: Call, message: &Message) -> Option<Reply> {
        let mut shard = lock(self.shard(call.0));
        let waiting = shard.calls.get(&call)?;
        match waiting.expect {
            Expect::Kind(kind) if kind != message.header.kind => None,
            Expect::Kind(_) => self.take(&mut shard, call),
            Expect::Matching(is_reply) => {
                let slot = Arc::clone(&waiting.slot);
                drop(shard); // that is the application's code
                if is_reply(message) { self.take_this(call, &slot) } else { None }
            }
        }
    }

    /// Removes a call unless another one has taken its place.
    pub(super) fn forget(&self, call: Call, slot: &Reply) {
        if !self.is_empty() {
            self.take_this(call, slot);
        }
    }

    pub(super) fn remove_connection(&self, connection: u64) -> Vec<Reply> {
        let mut shard = lock(self.shard(connection));
        let calls = shard.calls.range((connection, 0)..=(connection, u64::MAX));
        let calls: Vec<Call> = calls.map(|(call, _)| *call).collect();
        calls.into_iter().filter_map(|call| self.take(&mut shard, call)).collect()
    }

    pub(super) fn remove_all(&self) -> Vec<Reply> {
        let mut removed = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            while let Some(call) = shard.calls.keys().next().copied() {
                removed.extend(self.take(&mut shard, call));
            }
        }
        removed
    }

    /// The calls with a deadline up to `now`, and the next deadline.
    pub(super) fn remove_overdue(&self, now: Duration) -> (Vec<Reply>, Option<Duration>) {
        let mut overdue = Vec::new();
        if self.timed.load(Ordering::Relaxed) == 0 {
            return (overdue, None);
        }
        let mut next: Option<Duration> = None;
        for shard in &self.shards {
            let mut shard = lock(shard);
            while let Some((deadline, call)) = shard.deadlines.first().copied() {
                if deadline > now {
                    next = Some(next.map_or(deadline, |next| next.min(deadline)));
                    break;
                }
                overdue.extend(self.take(&mut shard, call));
            }
        }
        (overdue, next)
    }

    fn shard(&self, connection: u64) -> &Mutex<Shard> {
        &self.shards[connection as usize % SHARDS]
    }

    /// Removes this very call.
    fn take_this(&self, call: Call, slot: &Reply) -> Option<Reply> {
        let mut shard = lock(self.shard(call.0));
        let is_this = shard.calls.get(&call).is_some_and(|waiting| Arc::ptr_eq(&waiting.slot, slot));
        if is_this { self.take(&mut shard, call) } else { None }
    }

    /// Removes a call and its deadline.
    fn take(&self, shard: &mut Shard, call: Call) -> Option<Reply> {
        let Waiting { deadline, slot, .. } = shard.calls.remove(&call)?;
        self.calls.fetch_sub(1, Ordering::Relaxed);
        if let Some(deadline) = deadline {
            self.timed.fetch_sub(1, Ordering::Relaxed);
            shard.deadlines.remove(&(deadline, call));
        }
        Some(slot)
    }
}
