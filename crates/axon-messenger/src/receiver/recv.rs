//! Awaiting an item.

use super::queue::Queue;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of [`Receiver::recv`](super::Receiver::recv).
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a, T> {
    queue: &'a Queue<T>,
    /// The number it waits under.
    place: Option<u64>,
}

impl<'a, T> Recv<'a, T> {
    pub(super) fn new(queue: &'a Queue<T>) -> Self {
        Self { queue, place: None }
    }
}

impl<T> Future for Recv<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let queue = self.queue;
        queue.poll(&mut self.place, context.waker())
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        if let Some(number) = self.place {
            self.queue.leave(number);
        }
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").field("waits", &self.place.is_some()).finish()
    }
}
