use crate::throttle::{Acquire, Oversize, Permit, Throttle, TooLarge};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

fn receive(limit: usize) -> Throttle {
    Throttle::new(limit, Oversize::Alone)
}

fn taken(throttle: &Throttle, amount: usize) -> Permit {
    throttle.try_acquire(amount).expect("not too large").expect("room")
}

fn is_full(throttle: &Throttle, amount: usize) -> bool {
    throttle.try_acquire(amount).expect("not too large").is_none()
}

/// Who was called, in order, with the permits they hold.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<(&'static str, Permit)>>>);

impl Calls {
    fn waiter(&self, name: &'static str) -> impl FnOnce(Permit) + Send + 'static {
        let calls = self.clone();
        move |permit| calls.0.lock().expect("unpoisoned").push((name, permit))
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.lock().expect("unpoisoned").iter().map(|(name, _)| *name).collect()
    }

    fn release(&self, name: &str) {
        let mut calls = self.0.lock().expect("unpoisoned");
        let place = calls.iter().position(|(called, _)| *called == name).expect("was called");
        let permit = calls.remove(place);
        drop(calls);
        drop(permit);
    }
}

#[test]
fn permits_are_counted_and_given_back() {
    let throttle = receive(10);
    let six = taken(&throttle, 6);
    let four = taken(&throttle, 4);
    assert!(is_full(&throttle, 1));
    assert_eq!((throttle.limit(), throttle.in_use(), throttle.waiters()), (10, 10, 0));
    drop(six);
    assert!(is_full(&throttle, 7));
    drop(taken(&throttle, 6));
    drop(four);
    assert_eq!(throttle.in_use(), 0);
}

#[test]
fn nothing_is_always_granted() {
    let throttle = receive(1);
    let _all = taken(&throttle, 1);
    assert_eq!(taken(&throttle, 0).amount(), 0);
    let calls = Calls::default();
    throttle.acquire_or_wait(0, calls.waiter("zero"));
    assert_eq!(calls.names(), ["zero"]);
}

#[test]
fn zero_is_unlimited_but_counted() {
    let throttle = Throttle::new(0, Oversize::Refuse);
    let large = taken(&throttle, usize::MAX / 4);
    let other = taken(&throttle, 5);
    assert_eq!(throttle.in_use(), usize::MAX / 4 + 5);
    drop((large, other));
    assert_eq!(throttle.in_use(), 0);
}

#[test]
fn an_oversized_receive_is_granted_alone() {
    let throttle = receive(10);
    let small = taken(&throttle, 1);
    assert!(is_full(&throttle, 11));
    let calls = Calls::default();
    throttle.acquire_or_wait(11, calls.waiter("large"));
    assert!(is_full(&throttle, 1), "nobody overtakes the line");
    drop(small);
    assert_eq!(calls.names(), ["large"]);
    assert!(is_full(&throttle, 1));
    calls.release("large");
    drop(taken(&throttle, 10));
}

#[test]
fn an_oversized_send_is_refused_at_once() {
    let throttle = Throttle::new(10, Oversize::Refuse);
    let error = TooLarge { wanted: 11, limit: 10 };
    assert_eq!(throttle.try_acquire(11).expect_err("refused"), error);
    assert_eq!(throttle.acquire_deadline(11, Instant::now()).expect_err("refused"), error);
    assert_eq!(error.to_string(), "a request for 11 exceeds the whole budget of 10");
    throttle.resize(11);
    drop(taken(&throttle, 11));
}

#[test]
fn the_line_is_first_come_first_served() {
    let throttle = receive(10);
    let all = taken(&throttle, 10);
    let calls = Calls::default();
    throttle.acquire_or_wait(8, calls.waiter("large"));
    throttle.acquire_or_wait(1, calls.waiter("small"));
    throttle.acquire_or_wait(5, calls.waiter("middle"));
    assert_eq!((calls.names().len(), throttle.waiters()), (0, 3));
    drop(all);
    assert_eq!(calls.names(), ["large", "small"]);
    calls.release("small");
    assert_eq!(calls.names(), ["large"], "8 held, 5 do not fit");
    calls.release("large");
    assert_eq!(calls.names(), ["middle"]);
    assert_eq!((throttle.in_use(), throttle.waiters()), (5, 0));
}

#[test]
fn a_large_waiter_is_not_starved_by_small_ones() {
    let throttle = receive(10);
    let mut small: Vec<_> = (0..10).map(|_| taken(&throttle, 1)).collect();
    let calls = Calls::default();
    throttle.acquire_or_wait(9, calls.waiter("large"));
    for _ in 0..9 {
        assert!(calls.names().is_empty());
        small.pop();
        assert!(is_full(&throttle, 1), "what is given back is kept for the first in line");
    }
    assert_eq!(calls.names(), ["large"]);
}

#[test]
fn leaving_the_line_lets_others_move_up() {
    let throttle = receive(10);
    let _most = taken(&throttle, 9);
    let calls = Calls::default();
    let large = throttle.acquire_or_wait(5, calls.waiter("large"));
    let small = throttle.acquire_or_wait(1, calls.waiter("small"));
    let last = throttle.acquire_or_wait(1, calls.waiter("last"));
    assert!(large.cancel());
    assert_eq!(calls.names(), ["small"]);
    assert!(!small.cancel(), "called already");
    assert!(last.cancel());
    assert_eq!((throttle.in_use(), throttle.waiters()), (10, 0));
}

#[test]
fn a_line_that_was_left_is_no_obstacle() {
    let throttle = receive(10);
    let _some = taken(&throttle, 5);
    let large = throttle.acquire_or_wait(10, |_| panic!("never called"));
    assert!(is_full(&throttle, 5));
    assert!(large.cancel());
    drop(taken(&throttle, 5));
}

#[test]
fn a_dropped_ticket_stays_in_line() {
    let throttle = receive(1);
    let all = taken(&throttle, 1);
    let calls = Calls::default();
    drop(throttle.acquire_or_wait(1, calls.waiter("patient")));
    drop(all);
    assert_eq!(calls.names(), ["patient"]);
}

#[test]
fn a_larger_limit_lets_waiters_in_and_a_smaller_one_takes_nothing_back() {
    let throttle = receive(2);
    let two = taken(&throttle, 2);
    let calls = Calls::default();
    throttle.acquire_or_wait(2, calls.waiter("waiter"));
    throttle.resize(4);
    assert_eq!(calls.names(), ["waiter"]);
    throttle.resize(1);
    assert_eq!((throttle.limit(), throttle.in_use()), (1, 4));
    drop(two);
    assert!(is_full(&throttle, 1));
    throttle.acquire_or_wait(1, calls.waiter("next"));
    throttle.resize(0);
    assert_eq!(calls.names(), ["waiter", "next"]);
}

#[test]
fn permits_split_and_merge() {
    let throttle = receive(10);
    let mut queued = Permit::empty();
    queued.merge(taken(&throttle, 3));
    queued.merge(taken(&throttle, 4));
    assert_eq!((queued.amount(), throttle.in_use()), (7, 7));
    let five = queued.split(5);
    assert_eq!((queued.amount(), five.amount(), throttle.in_use()), (2, 5, 7));
    drop(five);
    assert_eq!(throttle.in_use(), 2);
    queued.give_back(1);
    assert_eq!((queued.amount(), throttle.in_use()), (1, 1));
    assert_eq!(queued.split(99).amount(), 1);
    assert_eq!((queued.amount(), throttle.in_use()), (0, 0));
    queued.merge(Permit::empty());
    queued.merge(taken(&receive(1), 1));
    assert_eq!(queued.amount(), 1);
}

#[test]
#[should_panic(expected = "different throttles")]
fn permits_of_different_throttles_do_not_merge() {
    taken(&receive(1), 1).merge(taken(&receive(1), 1));
}

#[test]
fn waiters_that_give_back_at_once_need_no_stack() {
    let throttle = receive(1);
    let all = taken(&throttle, 1);
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..100_000 {
        let count = Arc::clone(&count);
        throttle.acquire_or_wait(1, move |permit| {
            count.fetch_add(1, Ordering::Relaxed);
            drop(permit);
        });
    }
    drop(all);
    assert_eq!(count.load(Ordering::Relaxed), 100_000);
    assert_eq!((throttle.in_use(), throttle.waiters()), (0, 0));
}

#[test]
fn a_panicking_waiter_does_not_stop_the_line() {
    let throttle = receive(1);
    let all = taken(&throttle, 1);
    let calls = Calls::default();
    throttle.acquire_or_wait(1, |_| panic!("a bug in a waiter (expected by this test)"));
    throttle.acquire_or_wait(1, calls.waiter("next"));
    drop(all);
    assert_eq!(calls.names(), ["next"]);
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(future: &mut Acquire, wakes: &Arc<Wakes>) -> Poll<Result<Permit, TooLarge>> {
    Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))))
}

#[test]
fn a_future_is_woken_when_its_turn_comes() {
    let throttle = receive(1);
    let all = taken(&throttle, 1);
    let wakes = Arc::new(Wakes::default());
    let mut future = throttle.acquire(1);
    assert!(poll(&mut future, &wakes).is_pending());
    assert!(poll(&mut future, &wakes).is_pending());
    assert_eq!(throttle.waiters(), 1);
    drop(all);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(throttle.in_use(), 1, "granted, though not yet taken");
    let permit = poll(&mut future, &wakes);
    assert!(matches!(permit, Poll::Ready(Ok(ref permit)) if permit.amount() == 1));
    assert!(poll(&mut future, &wakes).is_pending(), "ready only once");
}

#[test]
fn a_dropped_future_leaves_the_line_or_gives_back() {
    let throttle = receive(1);
    let all = taken(&throttle, 1);
    let wakes = Arc::new(Wakes::default());
    let mut early = throttle.acquire(1);
    let mut granted = throttle.acquire(1);
    assert!(poll(&mut early, &wakes).is_pending());
    assert!(poll(&mut granted, &wakes).is_pending());
    drop(early);
    assert_eq!(throttle.waiters(), 1);
    drop(all);
    assert_eq!(throttle.in_use(), 1);
    drop(granted);
    assert_eq!((throttle.in_use(), throttle.waiters()), (0, 0));
}

#[test]
fn blocking_ends_at_the_deadline_and_leaves_the_line() {
    let throttle = receive(1);
    let all = taken(&throttle, 1);
    let deadline = Instant::now() + Duration::from_millis(5);
    assert!(throttle.acquire_deadline(1, deadline).expect("not too large").is_none());
    assert!(Instant::now() >= deadline);
    assert_eq!(throttle.waiters(), 0);
    drop(all);
    assert!(throttle.acquire_deadline(1, Instant::now()).expect("not too large").is_some());
}

#[test]
fn under_contention_the_limit_holds_and_all_get_their_turn() {
    const LIMIT: usize = 7;
    let throttle = receive(LIMIT);
    let held = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            let (throttle, held) = (throttle.clone(), Arc::clone(&held));
            thread::spawn(move || {
                for round in 0..5_000 {
                    let amount = (round * 5 + seed) % LIMIT + 1;
                    let deadline = Instant::now() + Duration::from_secs(60);
                    let permit = throttle.acquire_deadline(amount, deadline).expect("not too large");
                    let permit = permit.expect("a turn within a minute");
                    assert!(held.fetch_add(amount, Ordering::SeqCst) + amount <= LIMIT);
                    held.fetch_sub(amount, Ordering::SeqCst);
                    drop(permit);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!((throttle.in_use(), throttle.waiters()), (0, 0));
}
