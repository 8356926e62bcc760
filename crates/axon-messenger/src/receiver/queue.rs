//! Items and those who wait for them. Each push wakes one who waits; who was woken and leaves without taking passes
//! the wake-up on.

use super::RecvError;
use crate::sync::{Mutex, lock};
use std::collections::VecDeque;
use std::task::{Poll, Waker};

pub(super) struct Queue<T>(Mutex<State<T>>);

struct State<T> {
    items: VecDeque<T>,
    waiting: VecDeque<(u64, Waker)>,
    arrivals: u64,
    feeds: usize,
    receivers: usize,
    closed: bool,
}

impl<T> Queue<T> {
    /// With one feed and one receiver.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            items: VecDeque::new(),
            waiting: VecDeque::new(),
            arrivals: 0,
            feeds: 1,
            receivers: 1,
            closed: false,
        }))
    }

    pub(super) fn push(&self, item: T) -> Result<(), T> {
        let mut state = lock(&self.0);
        if state.closed || state.receivers == 0 {
            return Err(item);
        }
        state.items.push_back(item);
        let woken = state.waiting.pop_front();
        drop(state);
        wake(woken);
        Ok(())
    }

    pub(super) fn try_pop(&self) -> Result<T, RecvError> {
        let mut state = lock(&self.0);
        let empty = if state.closed { RecvError::Closed } else { RecvError::Empty };
        state.items.pop_front().ok_or(empty)
    }

    /// Takes an item, or waits under the number in `place`, which is set while waiting.
    pub(super) fn poll(&self, place: &mut Option<u64>, waker: &Waker) -> Poll<Option<T>> {
        let mut state = lock(&self.0);
        if state.closed || !state.items.is_empty() {
            state.leave(place.take());
            return Poll::Ready(state.items.pop_front());
        }
        state.wait(place, waker);
        Poll::Pending
    }

    /// Whoever waited under `number` waits no more. If it was woken for an item it has not taken, another is.
    pub(super) fn leave(&self, number: u64) {
        let mut state = lock(&self.0);
        let was_waiting = state.leave(Some(number));
        let next = if was_waiting || state.items.is_empty() { None } else { state.waiting.pop_front() };
        drop(state);
        wake(next);
    }

    pub(super) fn close(&self) {
        let mut state = lock(&self.0);
        state.closed = true;
        let woken = std::mem::take(&mut state.waiting);
        drop(state);
        for waiter in woken {
            wake(Some(waiter));
        }
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.0).items.len()
    }

    pub(super) fn count_feed(&self) {
        lock(&self.0).feeds += 1;
    }

    pub(super) fn count_receiver(&self) {
        lock(&self.0).receivers += 1;
    }

    pub(super) fn drop_feed(&self) {
        let mut state = lock(&self.0);
        state.feeds -= 1;
        let last = state.feeds == 0;
        drop(state);
        if last {
            self.close();
        }
    }

    /// After the last one, returns what nobody will receive.
    pub(super) fn drop_receiver(&self) -> VecDeque<T> {
        let mut state = lock(&self.0);
        state.receivers -= 1;
        if state.receivers == 0 { std::mem::take(&mut state.items) } else { VecDeque::new() }
    }
}

fn wake(waiter: Option<(u64, Waker)>) {
    if let Some((_, waker)) = waiter {
        waker.wake();
    }
}

impl<T> State<T> {
    fn wait(&mut self, place: &mut Option<u64>, waker: &Waker) {
        let known = self.waiting.iter_mut().find(|(number, _)| Some(*number) == *place);
        if let Some((_, registered)) = known {
            registered.clone_from(waker);
            return;
        }
        self.arrivals += 1;
        self.waiting.push_back((self.arrivals, waker.clone()));
        *place = Some(self.arrivals);
    }

    /// Whether it was waiting, not woken.
    fn leave(&mut self, number: Option<u64>) -> bool {
        let place = self.waiting.iter().position(|(waiting, _)| Some(*waiting) == number);
        place.and_then(|place| self.waiting.remove(place)).is_some()
    }
}
