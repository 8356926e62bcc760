//! The mailbox of a worker: other threads push, the worker pops, and a sleeping worker is woken once per burst.
//!
//! # Why no wake-up is lost
//!
//! A producer first makes its item visible, then looks at `asleep`. The consumer first sets `asleep`, then looks at
//! the queue. Between the two steps of each stands a sequentially consistent fence. Of two such fences one comes
//! first in the single order all threads agree on:
//!
//! ```text
//!   producer                         consumer
//!   P1  queue.push(item)             C1  asleep = true
//!   --  fence                        --  fence
//!   P2  asleep ? wake                C2  queue empty ? sleep
//! ```
//!
//! If the producer's fence is first, C2 sees the item of P1 and the consumer does not sleep. If the consumer's is
//! first, P2 sees the flag of C1 and wakes. Both may happen, which costs one needless look at the queue; neither
//! cannot. Weaker orderings do not do: a store followed by a load of another location may otherwise be
//! seen in the other order by the other side (the model under `cfg(loom)` fails without the fences).
//!
//! # Why there is at most one wake-up per burst
//!
//! The flag is cleared by an atomic exchange, so that of all producers that see it set exactly one wakes; the next
//! wake-up needs the consumer to set the flag again, which it does only when it found the queue empty.

use crate::sync::atomic::{AtomicBool, Ordering, fence};
use axon_transport::Waker;
use std::fmt;
use std::sync::Arc;

#[cfg(not(loom))]
use crossbeam_queue::SegQueue as Queue;
#[cfg(loom)]
use model::Queue;

#[cfg(loom)]
mod model;

/// The producers' end: any thread may push. Cloning is cheap.
pub(crate) struct Mailbox<T>(Arc<Shared<T>>);

/// The consumer's end: one worker thread pops.
pub(crate) struct Inbox<T>(Arc<Shared<T>>);

struct Shared<T> {
    queue: Queue<T>,
    asleep: AtomicBool,
    waker: Waker,
}

/// A new mailbox whose consumer sleeps in a `poll` that `waker` ends. The consumer counts as awake.
///
/// Unbounded: what goes in is bounded by the budgets of the messages, and by one command per call of a user.
pub(crate) fn mailbox<T>(waker: Waker) -> (Mailbox<T>, Inbox<T>) {
    let shared = Arc::new(Shared { queue: Queue::new(), asleep: AtomicBool::new(false), waker });
    (Mailbox(Arc::clone(&shared)), Inbox(shared))
}

impl<T> Mailbox<T> {
    /// Appends `item`, in order with this thread's earlier pushes, and wakes the consumer if it sleeps.
    pub(crate) fn push(&self, item: T) {
        self.0.queue.push(item);
        fence(Ordering::SeqCst);
        // The plain load keeps a busy consumer's cache line shared; only a sleeper costs the exchange.
        if self.0.asleep.load(Ordering::Relaxed) && self.0.claim_wake() {
            self.0.waker.wake();
        }
    }
}

impl<T> Mailbox<T> {
    /// Which mailbox it is; never 0.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether nothing is there right now, on the consumer's own thread.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.queue.is_empty()
    }

    /// Whether the consumer sleeps, or is about to, and nobody has woken it. It may have changed by the time it is looked at.
    pub(crate) fn is_asleep(&self) -> bool {
        self.0.asleep.load(Ordering::Relaxed)
    }
}

impl<T> Inbox<T> {
    /// Which mailbox it is; see [`Mailbox::id`].
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Wakes the consumer if it sleeps: for somebody in its place.
    pub(crate) fn wake(&self) {
        if self.0.claim_wake() {
            self.0.waker.wake();
        }
    }

    /// The next item, or `None` when there is none right now.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.0.queue.pop()
    }

    /// Items pushed and not yet popped; more may come at any time.
    pub(crate) fn len(&self) -> usize {
        self.0.queue.len()
    }

    /// Whether nothing is there right now; cheaper than [`Inbox::len`].
    pub(crate) fn is_empty(&self) -> bool {
        self.0.queue.is_empty()
    }

    /// Declares that the consumer is about to sleep. `true`: it may, every later push wakes it. `false`: something was
    /// pushed meanwhile, the consumer counts as awake and should pop.
    ///
    /// Call it when `pop` returned `None`, directly before the blocking `poll`, and [`Inbox::awake`] after it.
    #[must_use = "sleeping after `false` delays what is queued"]
    pub(crate) fn prepare_sleep(&mut self) -> bool {
        self.0.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let empty = self.0.queue.is_empty();
        if !empty {
            self.awake();
        }
        empty
    }

    /// Declares that the consumer is awake and will pop until it finds nothing: pushes stop waking it.
    pub(crate) fn awake(&mut self) {
        self.0.asleep.store(false, Ordering::Relaxed);
    }
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("Mailbox", f)
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("Inbox", f)
    }
}

impl<T> Shared<T> {
    /// Whether the caller is the one producer who wakes the consumer from this sleep.
    fn claim_wake(&self) -> bool {
        self.asleep.compare_exchange(true, false, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("queued", &self.queue.len())
            .field("asleep", &self.asleep.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
