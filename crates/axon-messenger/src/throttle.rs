//! A budget of bytes or messages that many threads share.
//!
//! What is taken is a [`Permit`], which gives back when it is dropped. Who finds too little left either does without
//! ([`Throttle::try_acquire`]) or stands in line: first come, first served, no polling, and nobody overtakes the line,
//! so that a large request is not starved by a stream of small ones behind it.
//!
//! Taking from a budget with room and no line, and giving back when there is no line, cost one atomic exchange each.
//!
//! # Requests larger than the budget
//!
//! [`Oversize`] says what happens to them: what a peer has announced can only be received, so a receive budget grants
//! it when nothing else is held; what an application wants to send can be refused, so a send budget does that at once.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

mod acquire;
mod budget;
mod line;
mod permit;
#[cfg(test)]
mod tests;

pub use acquire::Acquire;
pub use line::Ticket;
pub use permit::Permit;

use crate::park;
use budget::Budget;

/// A budget. Cloning gives another handle of the same budget.
#[derive(Clone)]
pub struct Throttle(Arc<Budget>);

/// What a throttle does with a request larger than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversize {
    /// Grants it when nothing else is held. For receiving.
    Alone,
    /// Refuses it at once with [`TooLarge`]. For sending.
    Refuse,
}

/// The request exceeds the whole budget and would wait for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request for {wanted} exceeds the whole budget of {limit}")]
pub struct TooLarge {
    /// What was asked for.
    pub wanted: usize,
    /// The limit at that time.
    pub limit: usize,
}

impl Throttle {
    /// A budget of `limit` units (bytes or messages, the caller decides); 0 is unlimited, but still counted. Nothing
    /// beyond `isize::MAX` units is ever granted.
    pub fn new(limit: usize, oversize: Oversize) -> Self {
        Self(Arc::new(Budget::new(limit, oversize)))
    }

    /// Takes `amount` if it is left and nobody stands in line; `None` means not now. Requests for 0 are always granted.
    ///
    /// # Errors
    /// [`TooLarge`] from a budget that refuses oversized requests.
    pub fn try_acquire(&self, amount: usize) -> Result<Option<Permit>, TooLarge> {
        self.0.check(amount)?;
        Ok(Budget::try_acquire(&self.0, amount))
    }

    /// Calls `waiter` once with a permit of `amount`: at once on this thread if the budget has room, else as soon as it
    /// is this request's turn, on a thread that gives back. `waiter` must be short and must not block: post to a
    /// worker's mailbox, wake a task. It may use this throttle, and no lock is held while it runs.
    ///
    /// Never refuses: an oversized request is granted alone even where others are refused. The ticket may be dropped
    /// without effect; it serves to leave the line.
    pub fn acquire_or_wait(&self, amount: usize, waiter: impl FnOnce(Permit) + Send + 'static) -> Ticket {
        Budget::acquire_or_wait(&self.0, amount, Box::new(waiter))
    }

    /// Awaits `amount`. The future joins the line when it is first polled; dropping it leaves the line and gives back
    /// what was granted meanwhile, so that it may be used in `select` and with any runtime's time-out.
    pub fn acquire(&self, amount: usize) -> Acquire {
        Acquire::new(Arc::clone(&self.0), amount)
    }

    /// Blocks this thread until `amount` is granted, at most until `deadline`; `None` if it was not granted by then.
    /// Not for threads that others rely on to give back, such as workers.
    ///
    /// # Errors
    /// [`TooLarge`] from a budget that refuses oversized requests.
    pub fn acquire_deadline(&self, amount: usize, deadline: Instant) -> Result<Option<Permit>, TooLarge> {
        park::wait_until(self.acquire(amount), deadline).transpose()
    }

    /// Changes the limit; 0 is unlimited. A larger limit lets waiters in at once, on this thread. A smaller one takes
    /// nothing back: `in_use` may exceed it until permits are dropped. Waiters that became oversized are granted alone.
    pub fn resize(&self, limit: usize) {
        Budget::resize(&self.0, limit);
    }

    /// The limit; 0 is unlimited.
    pub fn limit(&self) -> usize {
        self.0.limit()
    }

    /// What is held by permits now. Exceeds the limit while an oversized request is held, and after a `resize`.
    pub fn in_use(&self) -> usize {
        self.0.in_use()
    }

    /// Requests standing in line.
    pub fn waiters(&self) -> usize {
        self.0.waiters()
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("limit", &self.limit())
            .field("in_use", &self.in_use())
            .field("waiters", &self.waiters())
            .finish()
    }
}
