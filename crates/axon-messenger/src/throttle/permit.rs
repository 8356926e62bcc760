//! What a throttle hands out.

use super::budget::Budget;
use std::fmt;
use std::sync::Arc;

/// A part of a budget, given back when dropped, on whatever thread that happens. There is no way to take it apart
/// without giving back.
#[must_use = "a dropped permit is given back at once"]
pub struct Permit {
    /// `None` only for [`Permit::empty`].
    budget: Option<Arc<Budget>>,
    amount: usize,
}

impl Permit {
    /// A permit of nothing, of no throttle yet: a start for [`Permit::merge`].
    pub const fn empty() -> Self {
        Self { budget: None, amount: 0 }
    }

    pub(super) fn new(budget: &Arc<Budget>, amount: usize) -> Self {
        Self { budget: Some(Arc::clone(budget)), amount }
    }

    /// What it holds.
    pub fn amount(&self) -> usize {
        self.amount
    }

    /// Takes `amount` out into a permit of its own, or all there is if that is less.
    pub fn split(&mut self, amount: usize) -> Permit {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        Self { budget: self.budget.clone(), amount }
    }

    /// Gives back `amount`, or all there is if that is less.
    pub fn give_back(&mut self, amount: usize) {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        if let Some(budget) = &self.budget
            && amount > 0
        {
            Budget::release(budget, amount);
        }
    }

    /// Adds what `other` holds to this permit.
    ///
    /// # Panics
    /// If both hold parts of different throttles: the sum would be given back to the wrong one.
    pub fn merge(&mut self, mut other: Permit) {
        if other.amount == 0 {
            return;
        }
        if self.amount == 0 {
            std::mem::swap(self, &mut other);
            return;
        }
        assert!(self.is_of_one_throttle_with(&other), "permits of different throttles cannot be merged");
        self.amount += std::mem::take(&mut other.amount);
    }

    fn is_of_one_throttle_with(&self, other: &Permit) -> bool {
        match (&self.budget, &other.budget) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            _ => false,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget
            && self.amount > 0
        {
            Budget::release(budget, self.amount);
        }
    }
}

impl Default for Permit {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.amount).finish()
    }
}
