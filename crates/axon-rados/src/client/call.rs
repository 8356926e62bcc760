//! Operations that were begun.

use super::RadosError;
use super::core::Core;
use super::slot::Taker;
use crate::objecter::OpId;
use crate::ops::{Answer, Pick};
use axon_messenger::park;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// An operation that was begun: a future of its result, for any runtime, or for a thread that waits.
///
/// Dropping it cancels the operation. What was not sent never is; what was sent may be done, but is not sent again.
#[must_use = "dropping it cancels the operation"]
pub struct Op<T> {
    call: Call,
    read: Read<T>,
}

/// How the answer becomes the result.
enum Read<T> {
    With(fn(Answer) -> T),
    Pick(Pick<T>),
}

/// A request whose answer is awaited.
enum Call {
    Begun {
        core: Arc<Core>,
        id: OpId,
        taker: Taker<Answer>,
    },
    /// It was over before it began: it could not be, or there was nothing to do.
    Over(Option<Result<Answer, RadosError>>),
}

impl<T> Op<T> {
    pub(super) fn begun(core: Arc<Core>, id: OpId, taker: Taker<Answer>, read: fn(Answer) -> T) -> Self {
        Self { call: Call::Begun { core, id, taker }, read: Read::With(read) }
    }

    pub(super) fn over(result: Result<Answer, RadosError>, read: fn(Answer) -> T) -> Self {
        Self { call: Call::Over(Some(result)), read: Read::With(read) }
    }

    /// The same operation, with one of its results.
    pub(super) fn pick<U>(self, pick: Pick<U>) -> Op<U> {
        Op { call: self.call, read: Read::Pick(pick) }
    }

    /// The same operation, with another view of its answer.
    pub(super) fn read_with<U>(self, read: fn(Answer) -> U) -> Op<U> {
        Op { call: self.call, read: Read::With(read) }
    }

    /// Blocks until the operation is over. Not for the messenger's own threads.
    ///
    /// # Errors
    /// [`RadosError`].
    pub fn wait(self) -> Result<T, RadosError> {
        park::wait(self)
    }

    /// Blocks until the operation is over, at most for `limit`; `None` if it goes on then. Not for the messenger's own
    /// threads.
    ///
    /// # Errors
    /// In `Some`, what [`Op::wait`] fails with. After a result there is no other: [`RadosError::Closed`].
    pub fn wait_timeout(&mut self, limit: Duration) -> Option<Result<T, RadosError>> {
        park::wait_until(self, park::deadline(limit))
    }
}

impl<T> Unpin for Op<T> {}

impl<T> Future for Op<T> {
    type Output = Result<T, RadosError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match &mut self.call {
            Call::Begun { taker, .. } => {
                let answer = std::task::ready!(taker.poll(context));
                self.call = Call::Over(None);
                answer
            }
            Call::Over(result) => result.take().unwrap_or(Err(RadosError::Closed)),
        };
        Poll::Ready(answer.and_then(|answer| match self.read {
            Read::With(read) => Ok(read(answer)),
            Read::Pick(pick) => answer.get(pick),
        }))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Self::Begun { core, id, taker } = self
            && taker.is_awaited()
        {
            core.with(|objecter, now| objecter.cancel(*id, now));
        }
    }
}

impl<T> fmt::Debug for Op<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.call {
            Call::Begun { id, .. } => write!(f, "Op({})", id.0),
            Call::Over(result) => write!(f, "Op({result:?})"),
        }
    }
}
