//! Awaiting a permit.

use super::budget::Budget;
use super::{Permit, Ticket, TooLarge};
use crate::slot::Slot;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The future of [`Throttle::acquire`](super::Throttle::acquire).
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire {
    budget: Arc<Budget>,
    amount: usize,
    stage: Stage,
}

enum Stage {
    New,
    InLine { slot: Arc<Slot<Permit>>, ticket: Ticket },
    Done,
}

impl Acquire {
    pub(super) fn new(budget: Arc<Budget>, amount: usize) -> Self {
        Self { budget, amount, stage: Stage::New }
    }

    /// Takes what is there, or joins the line.
    fn start(&mut self) -> Result<Option<Permit>, TooLarge> {
        self.stage = Stage::Done;
        self.budget.check(self.amount)?;
        if let Some(permit) = Budget::try_acquire(&self.budget, self.amount) {
            return Ok(Some(permit));
        }
        let slot = Arc::new(Slot::new());
        let there = Arc::clone(&slot);
        let callback = Box::new(move |permit| drop(there.put(permit)));
        let ticket = Budget::acquire_or_wait(&self.budget, self.amount, callback);
        self.stage = Stage::InLine { slot, ticket };
        Ok(None)
    }
}

impl Future for Acquire {
    type Output = Result<Permit, TooLarge>;

    /// Once it was ready it stays pending.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if matches!(self.stage, Stage::New)
            && let Some(granted) = self.start().transpose()
        {
            return Poll::Ready(granted);
        }
        let Stage::InLine { slot, .. } = &self.stage else { return Poll::Pending };
        let permit = slot.poll(context);
        if permit.is_ready() {
            self.stage = Stage::Done;
        }
        permit.map(Ok)
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        // A permit granted meanwhile goes with the slot, which nobody else keeps.
        if let Stage::InLine { ticket, .. } = std::mem::replace(&mut self.stage, Stage::Done) {
            ticket.cancel();
        }
    }
}

impl fmt::Debug for Acquire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("amount", &self.amount).finish_non_exhaustive()
    }
}
