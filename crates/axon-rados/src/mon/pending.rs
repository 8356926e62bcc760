//! An answer on its way: to be waited for by a thread or a task.

use super::MonError;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// An answer that comes, or fails at its deadline. A thread can [`wait`](Self::wait) for it; it is a future, too, and
/// needs no particular runtime. Dropping it does not take back the request.
#[derive(Debug)]
#[must_use = "the answer comes here"]
pub struct Pending<T>(Arc<Slot<T>>);

/// The place where the answer is put.
#[derive(Debug)]
pub(super) struct Answer<T> {
    slot: Arc<Slot<T>>,
    wakes: Wakes,
}

/// Tasks whose answers are there. They are woken when no lock is held: what a waker does is not known here.
#[derive(Debug, Clone, Default)]
pub(super) struct Wakes(Arc<Mutex<Vec<Waker>>>);

#[derive(Debug)]
struct Slot<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    answer: Option<Result<T, MonError>>,
    waker: Option<Waker>,
    /// The other end is gone without having answered.
    abandoned: bool,
}

/// Both ends of an answer. Whoever puts it wakes `wakes` afterwards.
pub(super) fn pending<T>(wakes: &Wakes) -> (Answer<T>, Pending<T>) {
    let state = Mutex::new(State { answer: None, waker: None, abandoned: false });
    let slot = Arc::new(Slot { state, filled: Condvar::new() });
    (Answer { slot: slot.clone(), wakes: wakes.clone() }, Pending(slot))
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state; returns who waits for that.
    fn change(&self, change: impl FnOnce(&mut State<T>)) -> Option<Waker> {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        self.filled.notify_all();
        waker
    }
}

impl Wakes {
    /// Wakes the tasks.
    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut *self.lock());
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether a task is to be woken.
    pub(super) fn is_any(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<Result<T, MonError>> {
        let closed = || self.abandoned.then_some(Err(MonError::Closed));
        self.answer.take().or_else(closed)
    }
}

impl<T> Answer<T> {
    /// Puts the answer; only the first one counts.
    pub(super) fn put(self, answer: Result<T, MonError>) {
        self.change(|state| state.answer = Some(answer));
    }

    fn change(&self, change: impl FnOnce(&mut State<T>)) {
        let waker = self.slot.change(change);
        self.wakes.lock().extend(waker);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.change(|state| state.abandoned = true);
    }
}

impl<T> Pending<T> {
    /// Blocks until the answer is there, or its deadline has passed. Not for the messenger's handlers: on their threads
    /// answers are delivered.
    ///
    /// # Errors
    /// [`MonError`], as the request says.
    pub fn wait(self) -> Result<T, MonError> {
        let mut state = self.0.lock();
        loop {
            if let Some(answer) = state.take() {
                return answer;
            }
            state = self.0.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, MonError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        match state.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests;
