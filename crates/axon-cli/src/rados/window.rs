//! Operations on their way, several at a time.

use crate::error::CliError;
use axon_rados::client::{Op, RadosError};
use std::collections::VecDeque;

/// The operations on their way, the oldest first.
pub(super) struct Window {
    most: usize,
    under_way: VecDeque<Op<()>>,
}

impl Window {
    /// For at most so many at a time.
    pub(super) fn of(most: usize) -> Self {
        Self { most, under_way: VecDeque::with_capacity(most) }
    }

    /// Adds an operation that has begun. If there are as many now as there may be: the oldest, to wait for.
    #[must_use]
    pub(super) fn push(&mut self, op: Op<()>) -> Option<Op<()>> {
        self.under_way.push_back(op);
        if self.under_way.len() < self.most { None } else { self.under_way.pop_front() }
    }
}

impl IntoIterator for Window {
    type Item = Op<()>;
    type IntoIter = std::collections::vec_deque::IntoIter<Op<()>>;

    fn into_iter(self) -> Self::IntoIter {
        self.under_way.into_iter()
    }
}

/// Whether there was an object: one that is not there need not be removed, nor cut.
pub(super) fn was_there(result: Result<(), RadosError>) -> Result<bool, CliError> {
    match result {
        Err(error) if error.is_not_found() => Ok(false),
        done => Ok(done.map(|()| true)?),
    }
}
