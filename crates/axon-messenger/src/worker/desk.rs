//! Where a worker sits, and where a caller may sit down while the worker's thread sleeps elsewhere.
//!
//! All that a worker owns lies on its desk. Its thread sits there for the whole of a turn, so that nothing on the way of a
//! message needs a lock, and leaves only to sleep, if the wait can be taken away from the reactor. A caller never waits for
//! the desk: if it is taken, the message goes into the mailbox.
//!
//! # Why order holds
//!
//! A caller at the desk looks into the mailbox before it does anything, and leaves again if something is in there. Whatever
//! was handed over before, by whichever thread, is either still in the mailbox, or it was taken out by somebody at this
//! desk, who had applied it before leaving. So nothing is overtaken by a message that was sent after it.
//!
//! # Why nothing is left lying
//!
//! What a caller at the desk begins, it also ends: what does not end with it is marked, and the sleeper woken.

use crate::sync::{Mutex, MutexGuard, lock};

/// A desk, and the worker's things if it has come to work.
pub(crate) struct Desk<W>(Mutex<Option<W>>);

/// Clears a desk when it is dropped.
pub(crate) struct Cleared<'a, W>(&'a Desk<W>);

impl<W> Desk<W> {
    /// One where nobody works yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The worker's thread: sits down, as soon as a caller who sits there has left.
    pub(crate) fn sit(&self) -> MutexGuard<'_, Option<W>> {
        lock(&self.0)
    }

    /// The worker's thread: clears the desk when the answer is dropped, which comes after getting up. What lay on it must not
    /// outlive the thread, and keeps alive what this desk is a part of.
    pub(crate) fn cleared_at_the_end(&self) -> Cleared<'_, W> {
        Cleared(self)
    }

    /// A caller: does `work` if nobody sits there. Never waits.
    pub(crate) fn visit(&self, work: impl FnOnce(&mut W)) {
        if let Ok(mut seat) = self.0.try_lock()
            && let Some(worker) = &mut *seat
        {
            work(worker);
        }
    }
}

impl<W> Drop for Cleared<'_, W> {
    fn drop(&mut self) {
        *self.0.sit() = None;
    }
}

#[cfg(test)]
mod tests;
