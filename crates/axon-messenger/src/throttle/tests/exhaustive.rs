use crate::throttle::{Oversize, Throttle};
use loom::sync::Notify;
use loom::thread;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A waiter that is never called is a thread blocked for ever, which loom reports as a deadlock.
fn take_and_wait(throttle: &Throttle, amount: usize) {
    let bell = loom::sync::Arc::new(Notify::new());
    let ring = loom::sync::Arc::clone(&bell);
    throttle.acquire_or_wait(amount, move |permit| {
        drop(permit);
        ring.notify();
    });
    bell.wait();
}

/// Nothing is held, nobody waits, and the line is no obstacle.
fn check_rest(throttle: &Throttle) {
    assert_eq!((throttle.in_use(), throttle.waiters()), (0, 0));
    assert!(throttle.try_acquire(1).is_ok_and(|permit| permit.is_some()));
}

#[test]
fn a_waiter_is_not_forgotten_by_who_gives_back() {
    check(|| {
        let throttle = Throttle::new(1, Oversize::Alone);
        let permit = throttle.try_acquire(1).expect("not too large").expect("room");
        let other = throttle.clone();
        let giver = thread::spawn(move || drop(permit));
        take_and_wait(&other, 1);
        giver.join().expect("no panic");
        check_rest(&throttle);
    });
}

#[test]
fn two_who_want_all_both_get_it() {
    check(|| {
        let throttle = Throttle::new(1, Oversize::Alone);
        let other = throttle.clone();
        let thread = thread::spawn(move || take_and_wait(&other, 1));
        take_and_wait(&throttle, 1);
        thread.join().expect("no panic");
        check_rest(&throttle);
    });
}

#[test]
fn a_waiter_is_not_forgotten_by_who_resizes() {
    check(|| {
        let throttle = Throttle::new(1, Oversize::Alone);
        let permit = throttle.try_acquire(1).expect("not too large").expect("room");
        let other = throttle.clone();
        let thread = thread::spawn(move || other.resize(2));
        take_and_wait(&throttle, 1);
        thread.join().expect("no panic");
        drop(permit);
        check_rest(&throttle);
    });
}
