use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll<T>(pending: &mut Pending<T>, waker: &Waker) -> Poll<Result<T, MonError>> {
    Pin::new(pending).poll(&mut Context::from_waker(waker))
}

#[test]
fn tasks_are_woken_when_the_session_is_done_and_not_before() {
    let (count, wakes) = (Arc::new(Count::default()), Wakes::default());
    let waker = Waker::from(count.clone());
    let (answer, mut answered) = pending::<u32>(&wakes);
    let (dropped, mut abandoned) = pending::<u32>(&wakes);
    assert!(poll(&mut answered, &waker).is_pending() && poll(&mut abandoned, &waker).is_pending());
    answer.put(Ok(5));
    drop(dropped);
    assert_eq!((count.0.load(Ordering::SeqCst), wakes.is_any()), (0, true));
    wakes.wake();
    assert_eq!((count.0.load(Ordering::SeqCst), wakes.is_any()), (2, false));
    assert!(matches!(poll(&mut answered, &waker), Poll::Ready(Ok(5))));
    assert!(matches!(poll(&mut abandoned, &waker), Poll::Ready(Err(MonError::Closed))));
}

#[test]
fn threads_wait_for_answers() {
    let (answer, answered) = pending::<u32>(&Wakes::default());
    let thread = std::thread::spawn(move || answered.wait());
    answer.put(Ok(5));
    assert_eq!(thread.join().unwrap().unwrap(), 5);
}
