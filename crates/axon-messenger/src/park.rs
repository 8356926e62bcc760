//! Awaiting a future on a plain thread, for those without a runtime. Not on threads that others rely on, such as workers.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// One waker per thread: blocking calls allocate nothing after the first.
    static UNPARK: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// `limit` from now, or decades from now if the clock cannot express that.
pub fn deadline(limit: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(limit).unwrap_or(now + LONG)
}

/// Blocks until `future` is ready.
pub fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = UNPARK.with(Waker::clone);
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}

/// Blocks until `future` is ready, at most until `deadline`; `None` if it was not ready by then. The future is
/// polled at least once.
pub fn wait_until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = UNPARK.with(Waker::clone);
    let mut context = Context::from_waker(&waker);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::slot::Slot;
    use std::future::poll_fn;

    #[test]
    fn a_value_from_another_thread_ends_the_wait() {
        let slot = Arc::new(Slot::new());
        let there = Arc::clone(&slot);
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            there.put(7)
        });
        assert_eq!(wait(poll_fn(|cx| slot.poll(cx))), 7);
        assert_eq!(thread.join().expect("no panic"), Ok(()));
    }

    #[test]
    fn the_deadline_ends_the_wait() {
        let deadline = Instant::now() + Duration::from_millis(5);
        assert_eq!(wait_until(std::future::pending::<()>(), deadline), None);
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn any_limit_makes_a_deadline() {
        assert!(deadline(Duration::MAX) > Instant::now() + Duration::from_secs(1 << 20));
        assert!(deadline(Duration::ZERO) <= Instant::now());
    }

    #[test]
    fn a_past_deadline_still_takes_what_is_ready() {
        assert_eq!(wait_until(std::future::ready(3), Instant::now()), Some(3));
    }
}
