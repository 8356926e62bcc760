//! The shared state of a throttle.
//!
//! Why no waiter is forgotten: what is held and whether a line exists are one atomic word. Who joins the line sets the
//! flag, under the line's lock, and then tries once more to take; who gives back learns from the same operation
//! whether the flag was set. In the one order of changes of that word either the room came first and the joiner takes
//! it, or the flag came first and the giver serves the line. A new limit is followed by a look at the line under its
//! lock, so that joiners either see the limit or are seen.

use super::line::{Callback, Line};
use super::{Oversize, Permit, Ticket, TooLarge};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Set in `state` while somebody stands in line; changed only under the line's lock.
const LINE: usize = 1 << (usize::BITS - 1);

pub(super) struct Budget {
    limit: AtomicUsize,
    /// What is held, and [`LINE`].
    state: AtomicUsize,
    oversize: Oversize,
    line: Mutex<Line>,
}

impl Budget {
    pub(super) fn new(limit: usize, oversize: Oversize) -> Self {
        Self {
            limit: AtomicUsize::new(limit),
            state: AtomicUsize::new(0),
            oversize,
            line: Mutex::new(Line::default()),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn in_use(&self) -> usize {
        self.state.load(Ordering::Relaxed) & !LINE
    }

    pub(super) fn waiters(&self) -> usize {
        lock(&self.line).len()
    }

    pub(super) fn check(&self, wanted: usize) -> Result<(), TooLarge> {
        let limit = self.limit();
        if self.oversize == Oversize::Refuse && limit != 0 && wanted > limit {
            return Err(TooLarge { wanted, limit });
        }
        Ok(())
    }

    pub(super) fn try_acquire(this: &Arc<Self>, amount: usize) -> Option<Permit> {
        this.take(amount, 0).then(|| Permit::new(this, amount))
    }

    pub(super) fn acquire_or_wait(this: &Arc<Self>, amount: usize, callback: Callback) -> Ticket {
        match Self::enter(this, amount, callback) {
            Ok(ticket) => ticket,
            Err(callback) => {
                callback(Permit::new(this, amount));
                Ticket::served()
            }
        }
    }

    /// Joins the line, or returns the callback if the amount was taken at once.
    fn enter(this: &Arc<Self>, amount: usize, callback: Callback) -> Result<Ticket, Callback> {
        if this.take(amount, 0) {
            return Err(callback);
        }
        let mut line = lock(&this.line);
        this.state.fetch_or(LINE, Ordering::Relaxed);
        if line.is_empty() && this.take(amount, LINE) {
            this.settle(&line);
            return Err(callback);
        }
        Ok(Ticket::new(Arc::downgrade(this), line.join(amount, callback)))
    }

    pub(super) fn release(this: &Arc<Self>, amount: usize) {
        let before = this.state.fetch_sub(amount, Ordering::AcqRel);
        if before & LINE != 0 {
            Self::serve(this);
        }
    }

    pub(super) fn resize(this: &Arc<Self>, limit: usize) {
        this.limit.store(limit, Ordering::Relaxed);
        Self::serve(this);
    }

    pub(super) fn cancel(this: &Arc<Self>, number: u64) -> bool {
        let mut line = lock(&this.line);
        let left = line.leave(number);
        this.settle(&line);
        drop(line);
        // What the callback owns goes before the line moves on: it may hold permits of this very budget.
        let left = left.map(drop).is_some();
        Self::serve(this);
        left
    }

    /// Calls those in line whose turn it is, one after the other, outside the lock. Only one thread at a time does so,
    /// and looks again after each call: a callback that gives back at once makes this loop longer, not deeper.
    fn serve(this: &Arc<Self>) {
        let mut line = lock(&this.line);
        if line.served {
            return;
        }
        line.served = true;
        while let Some((amount, callback)) = this.next_turn(&mut line) {
            drop(line);
            let permit = Permit::new(this, amount);
            if catch_unwind(AssertUnwindSafe(|| callback(permit))).is_err() {
                tracing::error!(amount, "a waiter of a throttle panicked; the line goes on");
            }
            line = lock(&this.line);
        }
        line.served = false;
    }

    /// The first in line, if what it wants could be taken.
    fn next_turn(&self, line: &mut Line) -> Option<(usize, Callback)> {
        let wanted = line.wanted()?;
        if !self.take(wanted, LINE) {
            return None;
        }
        let waiter = line.pop()?;
        self.settle(line);
        Some((waiter.amount, waiter.callback))
    }

    /// Clears the flag if nobody is left in line.
    fn settle(&self, line: &Line) {
        if line.is_empty() {
            self.state.fetch_and(!LINE, Ordering::Relaxed);
        }
    }

    /// Takes `amount` if there is room or nothing else is held. `overlook` is [`LINE`] for the first in line, 0 for
    /// everybody else: they take nothing while there is a line.
    fn take(&self, amount: usize, overlook: usize) -> bool {
        if amount == 0 {
            return true;
        }
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & LINE & !overlook != 0 || !self.has_room(state & !LINE, amount) {
                return false;
            }
            match self.state.compare_exchange_weak(state, state + amount, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
    }

    /// Whether `amount` may be added to what is held.
    fn has_room(&self, held: usize, amount: usize) -> bool {
        let Some(sum) = held.checked_add(amount).filter(|sum| *sum < LINE) else { return false };
        let limit = self.limit();
        limit == 0 || sum <= limit || held == 0
    }
}
