//! The line of those who wait for a budget.

use super::Permit;
use super::budget::Budget;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Weak;

pub(super) type Callback = Box<dyn FnOnce(Permit) + Send>;

/// Who waits, in order of arrival.
#[derive(Default)]
pub(super) struct Line {
    waiters: VecDeque<Waiter>,
    arrivals: u64,
    /// A thread is calling waiters and will look at the line again: others need not.
    pub(super) served: bool,
}

pub(super) struct Waiter {
    number: u64,
    pub(super) amount: usize,
    pub(super) callback: Callback,
}

impl Line {
    /// Appends a waiter; returns its number.
    pub(super) fn join(&mut self, amount: usize, callback: Callback) -> u64 {
        self.arrivals += 1;
        self.waiters.push_back(Waiter { number: self.arrivals, amount, callback });
        self.arrivals
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// What the first in line wants.
    pub(super) fn wanted(&self) -> Option<usize> {
        self.waiters.front().map(|waiter| waiter.amount)
    }

    pub(super) fn pop(&mut self) -> Option<Waiter> {
        self.waiters.pop_front()
    }

    /// Takes a waiter out of the line, wherever it stands.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waiter> {
        let place = self.waiters.binary_search_by_key(&number, |waiter| waiter.number).ok()?;
        self.waiters.remove(place)
    }
}

/// A place in the line of a throttle. Dropping it changes nothing.
pub struct Ticket(Option<(Weak<Budget>, u64)>);

impl Ticket {
    /// The ticket of a request that did not have to wait.
    pub(super) const fn served() -> Self {
        Self(None)
    }

    pub(super) fn new(budget: Weak<Budget>, number: u64) -> Self {
        Self(Some((budget, number)))
    }

    /// Leaves the line: the waiter is dropped uncalled and those behind it move up. `false` if it was called already,
    /// or is about to be on another thread.
    pub fn cancel(self) -> bool {
        let Some((budget, number)) = self.0 else { return false };
        budget.upgrade().is_some_and(|budget| Budget::cancel(&budget, number))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ticket").field(&self.0.as_ref().map(|(_, number)| number)).finish()
    }
}
