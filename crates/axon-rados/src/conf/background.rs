//! Waiting for something that only blocking calls can do.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

/// What a thread of its own is finding out. Dropped, the thread goes on to its end, for nobody.
pub(crate) struct Background<T>(Arc<Mutex<State<T>>>);

enum State<T> {
    Running(Option<Waker>),
    Done(Option<T>),
}

impl<T: Send + 'static> Background<T> {
    /// Begins.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(crate) fn begin(find_out: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::Running(None)));
        let result = Arc::clone(&state);
        let run = move || {
            let found = find_out();
            let before = std::mem::replace(&mut *lock(&result), State::Done(Some(found)));
            if let State::Running(Some(waker)) = before {
                waker.wake();
            }
        };
        thread::Builder::new().name("axon-conf".to_owned()).spawn(run)?;
        Ok(Self(state))
    }
}

impl<T> Future for Background<T> {
    type Output = T;

    /// Never ready again afterwards.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut *lock(&self.0) {
            State::Done(found) => found.take().map_or(Poll::Pending, Poll::Ready),
            State::Running(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
