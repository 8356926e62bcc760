//! The mailbox of a worker: other threads push, the worker pops, and a sleeping worker is woken once per burst.
//!
//! # Why no wake-up is lost
//!
//! A producer first makes its item visible, then looks at the state of the consumer. The consumer first says that it is
//! asleep, then looks at the queue. Between the two steps of each stands a sequentially consistent fence. Of two such fences one comes
//! first in the single order all threads agree on:
//!
//! ```text
//!   producer                         consumer
//!   P1  queue.push(item)             C1  consumer = ASLEEP
//!   --  fence                        --  fence
//!   P2  consumer ASLEEP ? wake       C2  queue empty ? sleep
//! ```
//!
//! If the producer's fence is first, C2 sees the item of P1 and the consumer does not sleep. If the consumer's is
//! first, P2 sees what C1 said and wakes. Both may happen, which costs one needless look at the queue; neither
//! cannot. Weaker orderings do not do: a store followed by a load of another location may otherwise be
//! seen in the other order by the other side (the model under `cfg(loom)` fails without the fences).
//!
//! # Why there is at most one wake-up per burst
//!
//! Who wakes makes ASLEEP to AWAKE by an atomic exchange, so that of all producers that see it exactly one wakes; the next
//! wake-up needs the consumer to say ASLEEP again, which it does only when it found the queue empty.
//!
//! # Why nothing is left in a closed mailbox
//!
//! Items may hold what holds the mailbox, and budgets that others wait for. When the consumer is dropped, it says GONE where
//! it said ASLEEP, and empties the queue after its fence; a producer that sees that empties the queue itself. So, as
//! above, either the consumer sees the item or the producer its end.

use crate::sync::atomic::{AtomicU8, AtomicUsize, Ordering, fence};
use axon_transport::Waker;
use std::fmt;
use std::sync::Arc;

#[cfg(not(loom))]
use crossbeam_queue::SegQueue as Queue;
#[cfg(loom)]
use model::Queue;

#[cfg(loom)]
mod model;

/// The consumer pops until it finds nothing.
const AWAKE: u8 = 0;
/// The consumer sleeps, or is about to, and nobody has woken it.
const ASLEEP: u8 = 1;
/// The consumer is no more.
const GONE: u8 = 2;

/// The producers' end: any thread may push. Cloning is cheap.
pub(crate) struct Mailbox<T>(Arc<Shared<T>>);

/// The consumer's end: one worker thread pops.
pub(crate) struct Inbox<T>(Arc<Shared<T>>);

struct Shared<T> {
    queue: Queue<T>,
    consumer: AtomicU8,
    waker: Waker,
    /// Takes what nobody will pop any more.
    discard: fn(T),
    /// Requests to empty the queue that are not met yet.
    clearings: AtomicUsize,
}

/// A new mailbox whose consumer sleeps in a `poll` that `waker` ends. The consumer counts as awake. What is in there when
/// the [`Inbox`] is dropped goes to `discard`, and so does what comes later.
///
/// Unbounded: what goes in is bounded by the budgets of the messages, and by one command per call of a user.
pub(crate) fn mailbox<T>(waker: Waker, discard: fn(T)) -> (Mailbox<T>, Inbox<T>) {
    let (consumer, clearings) = (AtomicU8::new(AWAKE), AtomicUsize::new(0));
    let shared = Arc::new(Shared { queue: Queue::new(), consumer, waker, discard, clearings });
    (Mailbox(Arc::clone(&shared)), Inbox(shared))
}

impl<T> Mailbox<T> {
    /// Appends `item`, in order with this thread's earlier pushes, and wakes the consumer if it sleeps.
    pub(crate) fn push(&self, item: T) {
        self.0.queue.push(item);
        fence(Ordering::SeqCst);
        // The plain load keeps a busy consumer's cache line shared; only a sleeper costs the exchange.
        match self.0.consumer.load(Ordering::Relaxed) {
            AWAKE => {}
            GONE => self.0.clear(),
            _ if self.0.claim_wake() => self.0.waker.wake(),
            _ => {}
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
        self.0.consumer.load(Ordering::Relaxed) == ASLEEP
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
        self.0.consumer.store(ASLEEP, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let empty = self.0.queue.is_empty();
        if !empty {
            self.awake();
        }
        empty
    }

    /// Declares that the consumer is awake and will pop until it finds nothing: pushes stop waking it.
    pub(crate) fn awake(&mut self) {
        self.0.consumer.store(AWAKE, Ordering::Relaxed);
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        self.0.consumer.store(GONE, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.0.clear();
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
        self.consumer.compare_exchange(ASLEEP, AWAKE, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Discards all that is in the queue. Discarding an item may push another, and so on: whoever comes while it goes on
    /// leaves it to who is at it, so that no call stands in another.
    fn clear(&self) {
        let mut asked = 1;
        if self.clearings.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        while asked > 0 {
            while let Some(item) = self.queue.pop() {
                (self.discard)(item);
            }
            asked = self.clearings.fetch_sub(asked, Ordering::AcqRel) - asked;
        }
    }

    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("queued", &self.queue.len())
            .field("asleep", &(self.consumer.load(Ordering::Relaxed) == ASLEEP))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
