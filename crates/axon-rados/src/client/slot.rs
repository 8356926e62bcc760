//! A place for one result which the dispatcher leaves and one future takes.

use super::RadosError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The giver's end, until it has put the result. Dropped without one, the taker gets [`RadosError::Closed`].
#[derive(Debug)]
pub(super) struct Giver<T>(Option<Arc<Slot<T>>>);

/// The taker's end.
#[derive(Debug)]
pub(super) struct Taker<T>(Arc<Slot<T>>);

#[derive(Debug)]
struct Slot<T>(Mutex<State<T>>);

#[derive(Debug)]
enum State<T> {
    /// Nothing yet; the taker's waker once it has polled.
    Awaited(Option<Waker>),
    /// Left, not taken.
    Full(Result<T, RadosError>),
    /// Taken.
    Taken,
}

/// Both ends.
pub(super) fn slot<T>() -> (Giver<T>, Taker<T>) {
    let slot = Arc::new(Slot(Mutex::new(State::Awaited(None))));
    (Giver(Some(slot.clone())), Taker(slot))
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a result, unless there was one.
    fn put(&self, result: Result<T, RadosError>) {
        let mut state = self.lock();
        let State::Awaited(waker) = &mut *state else { return };
        let waker = waker.take();
        *state = State::Full(result);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Giver<T> {
    /// Leaves the result and wakes the taker.
    pub(super) fn put(mut self, result: Result<T, RadosError>) {
        if let Some(slot) = self.0.take() {
            slot.put(result);
        }
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.put(Err(RadosError::Closed));
        }
    }
}

impl<T> Taker<T> {
    /// Takes the result, or asks for a wake-up when it comes. Never ready again after it was taken.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Result<T, RadosError>> {
        let mut state = self.0.lock();
        if let State::Awaited(waker) = &mut *state {
            match waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Full(result) => Poll::Ready(result),
            State::Awaited(_) | State::Taken => Poll::Pending,
        }
    }

    /// Whether no result has come.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(&*self.0.lock(), State::Awaited(_))
    }
}
