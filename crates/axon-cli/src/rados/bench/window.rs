//! Many operations in flight on one thread.

use super::{BenchOp, Moved};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Operations in flight; each tells when it is over.
pub(super) struct Window {
    places: Vec<Option<(Instant, BenchOp)>>,
    wakers: Vec<Waker>,
    free: Vec<usize>,
    ready: Arc<Ready>,
    /// Taken from `ready`, not looked at.
    woken: Vec<usize>,
}

/// The places whose operations may be over.
struct Ready {
    places: Mutex<Vec<usize>>,
    owner: Thread,
}

struct Nudge {
    place: usize,
    ready: Arc<Ready>,
}

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.places.lock().unwrap_or_else(PoisonError::into_inner).push(self.place);
        self.ready.owner.unpark();
    }
}

impl Window {
    /// Room for `depth` operations, used by this thread.
    pub(super) fn new(depth: usize) -> Self {
        let depth = depth.max(1);
        let ready = Arc::new(Ready { places: Mutex::default(), owner: thread::current() });
        let waker = |place| Waker::from(Arc::new(Nudge { place, ready: ready.clone() }));
        Self {
            places: (0..depth).map(|_| None).collect(),
            wakers: (0..depth).map(waker).collect(),
            free: (0..depth).collect(),
            ready,
            woken: Vec::new(),
        }
    }

    /// Whether another operation may begin.
    pub(super) fn has_room(&self) -> bool {
        !self.free.is_empty()
    }

    /// Takes an operation that has just begun.
    pub(super) fn add(&mut self, op: BenchOp) {
        if let Some(place) = self.free.pop() {
            self.places[place] = Some((Instant::now(), op));
            self.woken.push(place); // polled once, it knows whom to wake
        }
    }

    /// Waits for an operation to be over: how long it took, and what came of it. `None` if there is none.
    pub(super) fn wait(&mut self) -> Option<(Duration, Moved)> {
        loop {
            while let Some(place) = self.woken.pop() {
                if let Some(over) = self.poll(place) {
                    return Some(over);
                }
            }
            if self.free.len() == self.places.len() {
                return None;
            }
            std::mem::swap(
                &mut self.woken,
                &mut *self.ready.places.lock().unwrap_or_else(PoisonError::into_inner),
            );
            if self.woken.is_empty() {
                thread::park();
            }
        }
    }

    fn poll(&mut self, place: usize) -> Option<(Duration, Moved)> {
        let (began, op) = self.places[place].as_mut()?;
        let mut context = Context::from_waker(&self.wakers[place]);
        let moved = match op {
            BenchOp::Write(op) => Pin::new(op).poll(&mut context).map(|done| done.map(|()| None)),
            BenchOp::Read(op) => {
                Pin::new(op).poll(&mut context).map(|data| data.map(|data| Some(data.len())))
            }
        };
        let Poll::Ready(moved) = moved else { return None };
        let took = began.elapsed();
        self.places[place] = None;
        self.free.push(place);
        Some((took, moved))
    }
}
