//! A place for one value which one thread leaves and one future takes.

use crate::sync::{Mutex, lock};
use std::mem;
use std::task::{Context, Poll, Waker};

/// Shared by the giver and the taker, usually in an `Arc`.
#[derive(Debug)]
pub(crate) struct Slot<T>(Mutex<State<T>>);

#[derive(Debug)]
enum State<T> {
    /// Nothing yet; the taker's waker once it has polled.
    Awaited(Option<Waker>),
    /// Left, not taken.
    Full(T),
    /// Taken, or the taker is gone.
    Done,
}

impl<T> Slot<T> {
    /// An empty slot.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::Awaited(None)))
    }

    /// Leaves `value` and wakes the taker, outside the lock. Returns the value if nobody will take it.
    pub(crate) fn put(&self, value: T) -> Result<(), T> {
        let mut state = lock(&self.0);
        let State::Awaited(waker) = &mut *state else {
            return Err(value);
        };
        let waker = waker.take();
        *state = State::Full(value);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Takes the value, or asks for a wake-up when it comes. Never ready again after the value was taken.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<T> {
        let mut state = lock(&self.0);
        if let State::Awaited(waker) = &mut *state {
            match waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        match mem::replace(&mut *state, State::Done) {
            State::Full(value) => Poll::Ready(value),
            State::Awaited(_) | State::Done => Poll::Pending,
        }
    }

    /// The taker leaves: a value that comes later is returned to its giver.
    pub(crate) fn abandon(&self) -> Option<T> {
        match mem::replace(&mut *lock(&self.0), State::Done) {
            State::Full(value) => Some(value),
            State::Awaited(_) | State::Done => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    fn poll(slot: &Slot<u8>) -> Poll<u8> {
        slot.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_value_is_taken_once() {
        let slot = Slot::new();
        assert_eq!(poll(&slot), Poll::Pending);
        assert_eq!(slot.put(1), Ok(()));
        assert_eq!(slot.put(2), Err(2));
        assert_eq!(poll(&slot), Poll::Ready(1));
        assert_eq!(poll(&slot), Poll::Pending);
    }

    #[test]
    fn the_latest_waker_is_woken() {
        struct Flag(AtomicBool);
        impl Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let flags = [false, false].map(|flag| Arc::new(Flag(AtomicBool::new(flag))));
        let slot = Slot::new();
        for flag in &flags {
            let waker = Waker::from(Arc::clone(flag));
            assert_eq!(slot.poll(&mut Context::from_waker(&waker)), Poll::Pending);
        }
        assert_eq!(slot.put(1), Ok(()));
        assert_eq!(flags.map(|flag| flag.0.load(Ordering::Relaxed)), [false, true]);
    }

    #[test]
    fn an_abandoned_slot_gives_values_back() {
        let slot = Slot::new();
        assert_eq!(slot.abandon(), None);
        assert_eq!(slot.put(1), Err(1));
        let slot = Slot::new();
        assert_eq!(slot.put(1), Ok(()));
        assert_eq!(slot.abandon(), Some(1));
    }
}
