//! Futures that are continued by whichever thread wakes them.
//!
//! An operation's waker is called by the messenger's worker that read the answer, with no lock held. Continuing right
//! there, with the next operation, spares a lone request the second thread that would have to be woken, and many
//! requests the two wake-ups each. Such futures must not block, and take a worker's time.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

type Future = Pin<Box<dyn std::future::Future<Output = ()> + Send>>;

/// Nobody is at it.
const IDLE: u8 = 0;
/// A thread continues it.
const BUSY: u8 = 1;
/// The same, and it was woken meanwhile.
const AGAIN: u8 = 2;

/// One future.
struct Lane {
    state: AtomicU8,
    /// Gone once it is over.
    future: Mutex<Option<Future>>,
    end: Arc<End>,
}

/// Where the caller waits.
struct End {
    open: AtomicUsize,
    caller: Thread,
}

/// Runs the futures to their ends; the caller's thread begins each of them.
pub(super) fn run(futures: Vec<Future>) {
    let end = Arc::new(End { open: AtomicUsize::new(futures.len()), caller: thread::current() });
    for future in futures {
        let lane = Lane { state: AtomicU8::new(IDLE), future: Mutex::new(Some(future)), end: end.clone() };
        Arc::new(lane).wake();
    }
    while end.open.load(Ordering::Acquire) > 0 {
        thread::park();
    }
}

impl Wake for Lane {
    fn wake(self: Arc<Self>) {
        // Whoever finds it idle continues it; others leave word.
        let woken = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| match state {
            IDLE => Some(BUSY),
            _ => Some(AGAIN),
        });
        if woken == Ok(IDLE) {
            self.go_on();
        }
    }
}

impl Lane {
    /// Continues until it waits for something and was not woken meanwhile.
    fn go_on(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        loop {
            self.state.store(BUSY, Ordering::Release);
            self.poll(&mut Context::from_waker(&waker));
            if self.state.compare_exchange(BUSY, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return;
            }
        }
    }

    fn poll(&self, context: &mut Context<'_>) {
        let mut place = self.future.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(future) = place.as_mut() else { return };
        if future.as_mut().poll(context).is_ready() {
            // What it holds is gone before the caller goes on.
            *place = None;
            self.end.open.fetch_sub(1, Ordering::Release);
            self.end.caller.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::task::Poll;
    use std::time::Duration;

    #[test]
    fn the_waking_thread_goes_on() {
        let caller = thread::current().id();
        let (wakers, woken) = channel::<Waker>();
        let future = std::future::poll_fn(move |context| {
            // The other thread is gone only once this is over.
            let _ = wakers.send(context.waker().clone());
            if thread::current().id() == caller { Poll::Pending } else { Poll::Ready(()) }
        });
        let other = thread::spawn(move || {
            for waker in woken {
                thread::sleep(Duration::from_millis(1));
                waker.wake();
            }
        });
        run(vec![Box::pin(future)]);
        other.join().unwrap();
    }

    #[test]
    fn a_wake_while_busy_is_not_lost() {
        let mut polls = 0;
        let future = std::future::poll_fn(move |context| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls == 100 { Poll::Ready(()) } else { Poll::Pending }
        });
        run(vec![Box::pin(future)]);
    }

    #[test]
    fn everybody_is_waited_for() {
        let done = Arc::new(AtomicUsize::new(0));
        let one = |number: u64| -> Future {
            let done = done.clone();
            let mut timer = Some(());
            Box::pin(std::future::poll_fn(move |context| {
                if timer.take().is_none() {
                    done.fetch_add(1, Ordering::Relaxed);
                    return Poll::Ready(());
                }
                let waker = context.waker().clone();
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(number));
                    waker.wake();
                });
                Poll::Pending
            }))
        };
        run((0..20).map(one).collect());
        assert_eq!(done.load(Ordering::Relaxed), 20);
    }
}
