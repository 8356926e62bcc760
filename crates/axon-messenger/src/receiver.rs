//! Received messages as a queue to take from, for applications that would rather loop than implement a dispatcher.
//!
//! The queue has no bound of its own: each message in it holds its part of the receive budgets until the application
//! drops it, so that a slow application pauses its peers.

use crate::park;
use queue::Queue;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

mod queue;
mod recv;
#[cfg(all(test, not(loom)))]
mod tests;

pub use recv::Recv;

/// The end the messenger fills. Dropping the last clone closes the queue.
pub struct Feed<T>(Arc<Queue<T>>);

/// The end the application takes from, on any runtime or on none. Clones take from the same queue: each item goes to
/// one of them, so that items of one connection may then be handled at the same time. When the last clone is dropped,
/// feeding fails.
pub struct Receiver<T>(Arc<Queue<T>>);

/// A new queue.
pub fn receiver<T>() -> (Feed<T>, Receiver<T>) {
    let queue = Arc::new(Queue::new());
    (Feed(Arc::clone(&queue)), Receiver(queue))
}

/// Why [`Receiver::try_recv`] or [`Receiver::recv_timeout`] returned nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// There is nothing (yet).
    #[error("nothing to receive in time")]
    Empty,
    /// There is nothing and nothing will come.
    #[error("the messenger was shut down")]
    Closed,
}

impl<T> Feed<T> {
    /// Appends an item and wakes one receiver that waits.
    ///
    /// # Errors
    /// Returns the item if the queue is closed or nobody can receive any more.
    pub fn push(&self, item: T) -> Result<(), T> {
        self.0.push(item)
    }

    /// No more items come: receivers get those queued, then the end.
    pub fn close(&self) {
        self.0.close();
    }

    /// Items not received yet.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all items were received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Receiver<T> {
    /// Awaits the next item; `None` when the queue is closed and empty. Dropping the future loses nothing.
    pub fn recv(&self) -> Recv<'_, T> {
        Recv::new(&self.0)
    }

    /// Blocks this thread until there is an item; `None` when the queue is closed and empty.
    pub fn recv_blocking(&self) -> Option<T> {
        park::wait(self.recv())
    }

    /// The same, for at most `limit`.
    ///
    /// # Errors
    /// [`RecvError::Empty`] after `limit`, [`RecvError::Closed`] when the queue is closed and empty.
    pub fn recv_timeout(&self, limit: Duration) -> Result<T, RecvError> {
        let received = match Instant::now().checked_add(limit) {
            Some(deadline) => park::wait_until(self.recv(), deadline),
            None => Some(self.recv_blocking()),
        };
        received.ok_or(RecvError::Empty)?.ok_or(RecvError::Closed)
    }

    /// The next item if there is one now.
    ///
    /// # Errors
    /// [`RecvError::Empty`], or [`RecvError::Closed`] when the queue is closed and empty.
    pub fn try_recv(&self) -> Result<T, RecvError> {
        self.0.try_pop()
    }

    /// Items that wait. Blocks until there is one, ends when the queue is closed and empty.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.recv_blocking())
    }

    /// Items not received yet.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is there to receive now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        self.0.count_feed();
        Self(Arc::clone(&self.0))
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.count_receiver();
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        self.0.drop_feed();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Outside the lock: what is queued gives back budgets, which may run anything.
        drop(self.0.drop_receiver());
    }
}

impl<T> fmt::Debug for Feed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("queued", &self.len()).finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("queued", &self.len()).finish()
    }
}
