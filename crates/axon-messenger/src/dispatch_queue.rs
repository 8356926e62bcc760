//! The threads that hand to the application what may not run on a worker.
//!
//! The queue is sharded by connection, one thread per shard: what one connection pushes within one class and priority
//! is handled in order and never by two threads at once; connections of different shards are handled in parallel.
//!
//! Within a shard, events go first, then strict messages from the highest priority down (connections of one priority
//! in turn), then the fair ones, which share by weight and size. Whatever is strict can starve what is fair: that is
//! what the sender asked for. Ceph: src/common/PrioritizedQueue.h, src/msg/DispatchQueue.cc.
//!
//! The queue has no bound of its own: each message in it holds its part of the receive budgets until it is handled.

use axon_wire::Message;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

mod backlog;
mod fair_share;
mod shard;
#[cfg(all(test, not(loom)))]
mod tests;

use backlog::Entry;
use shard::Shard;

/// How an item is ordered against the others of its shard. Priorities above [`Message::PRIORITY_HIGHEST`] count as
/// that one, so that a peer cannot make up thousands of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Ahead of all messages, in order of arrival.
    Event,
    /// After everything of a higher priority; connections of the same priority take turns.
    Strict(u16),
    /// After everything strict. Each connection at each priority gets a share of the bytes in proportion to the
    /// priority (0 counts as 1).
    Fair {
        /// The weight.
        priority: u16,
        /// Bytes; counts as 64 KiB at least, as each message costs something. Ceph: `ms_pq_min_cost`.
        cost: usize,
    },
}

impl Class {
    /// The class of a message: strict from [`Message::PRIORITY_LOW`] up.
    pub(crate) fn of(message: &Message) -> Self {
        match message.header.priority {
            priority if priority >= Message::PRIORITY_LOW => Self::Strict(priority),
            priority => Self::Fair { priority, cost: message.body_len() },
        }
    }
}

/// Sharded dispatch threads. Dropping it stops them after the item each is handling; what is queued is dropped.
pub(crate) struct DispatchQueue<T> {
    shards: Vec<Arc<Shard<T>>>,
}

/// A handler that runs for longer than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stuck {
    /// The name of its thread.
    pub thread: String,
    /// The connection whose item it handles.
    pub key: u64,
    /// How long it has been running.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "running_us", serialize_with = "crate::dump::serial::micros")
    )]
    pub running: Duration,
    /// Items that wait behind it.
    pub waiting: usize,
}

/// What dispatch threads did and have to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DispatchStats {
    /// Items waiting.
    pub queued: usize,
    /// Items a handler was called for, including the running ones.
    pub handled: u64,
    /// Handlers that panicked.
    pub panicked: u64,
    /// How long the oldest item has waited.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "oldest_us", serialize_with = "crate::dump::serial::optional_micros")
    )]
    pub oldest: Option<Duration>,
}

impl<T: Send + 'static> DispatchQueue<T> {
    /// A handler that runs longer than this is reported, unless [`DispatchQueue::report_after`] says otherwise.
    pub(crate) const REPORT_AFTER: Duration = Duration::from_secs(5);

    /// Starts one thread per shard (at least one), named `axon-dispatch-0` and so on; `name` is the messenger's, for
    /// reports. `handler` is called on these threads, never with a lock held. If it panics, that is logged and the
    /// thread goes on with the next item.
    ///
    /// # Errors
    /// The operating system's, if it cannot start a thread.
    pub(crate) fn start(
        name: &str,
        shards: usize,
        handler: Arc<dyn Fn(T) + Send + Sync>,
    ) -> io::Result<Self> {
        let mut queue = Self { shards: Vec::with_capacity(shards.max(1)) };
        for index in 0..shards.max(1) {
            let shard = Arc::new(Shard::new(name, format!("axon-dispatch-{index}"), Self::REPORT_AFTER));
            let (runner, handler) = (Arc::clone(&shard), Arc::clone(&handler));
            // If this fails, dropping `queue` ends the threads started so far.
            thread::Builder::new().name(shard.thread().to_owned()).spawn(move || runner.run(&*handler))?;
            queue.shards.push(shard);
        }
        Ok(queue)
    }

    /// Queues an item of connection `key`. A sleeping thread is woken, once per burst.
    ///
    /// # Errors
    /// Returns the item after `shutdown`.
    pub(crate) fn push(&self, key: u64, class: Class, item: T) -> Result<(), T> {
        self.shard(key).push(Entry { key, class, since: Instant::now(), item })
    }

    /// Takes out the messages queued for a connection, in the order they would have been handled per class. Its events
    /// stay: they tell the application what happened. A handler that runs already is not waited for.
    pub(crate) fn discard(&self, key: u64) -> Vec<T> {
        self.shard(key).discard(key)
    }

    /// Items queued, without those being handled.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// How long the oldest queued item has waited. Looks at every connection that has something queued: for reports.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        let oldest = self.shards.iter().filter_map(|shard| shard.oldest()).min()?;
        Some(oldest.elapsed())
    }

    /// What happened so far, for reports; costs like [`DispatchQueue::oldest`].
    pub(crate) fn stats(&self) -> DispatchStats {
        let counts = self.shards.iter().map(|shard| shard.counts());
        let (handled, panicked) = counts.fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
        DispatchStats { queued: self.len(), handled, panicked, oldest: self.oldest() }
    }

    /// Reports handlers that run for longer than `limit` from now on. There is no watchdog thread: it is noticed by
    /// whoever pushes behind such a handler, by [`DispatchQueue::stuck`], and when the handler returns at last. Each
    /// is logged once as a warning while it runs and once when it ends.
    pub(crate) fn report_after(&self, limit: Duration) {
        for shard in &self.shards {
            shard.report_after(limit);
        }
    }

    /// The handler that has been running longest, if that is longer than the limit.
    pub(crate) fn stuck(&self) -> Option<Stuck> {
        self.shards.iter().filter_map(|shard| shard.stuck()).max_by_key(|stuck| stuck.running)
    }

    /// Blocks until each shard had a moment with nothing queued and nothing running, at most until `deadline`;
    /// whether it got there. Pushing stays possible. Not for handlers: their own shard would never be idle.
    pub(crate) fn drain(&self, deadline: Instant) -> bool {
        self.shards.iter().all(|shard| shard.drain(deadline))
    }

    /// Ends the threads after the item each is handling, without waiting for them, and returns what was queued.
    /// Later pushes are returned. To handle what is queued first, [`DispatchQueue::drain`] before.
    pub(crate) fn shutdown(&self) -> Vec<T> {
        self.shards.iter().flat_map(|shard| shard.close()).collect()
    }

    /// Blocks until all threads have ended after `shutdown`, at most until `deadline`; whether they have. A handler
    /// that never returns keeps its thread.
    pub(crate) fn join(&self, deadline: Instant) -> bool {
        self.shards.iter().all(|shard| shard.join(deadline))
    }

    fn shard(&self, key: u64) -> &Shard<T> {
        // Fibonacci hashing: neighbouring connection ids go to different shards whatever their stride.
        let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        &self.shards[spread as usize % self.shards.len()]
    }
}

impl<T> Drop for DispatchQueue<T> {
    fn drop(&mut self) {
        for shard in &self.shards {
            drop(shard.close());
        }
    }
}

impl<T> fmt::Debug for DispatchQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.shards.iter().map(|shard| shard.thread())).finish()
    }
}
