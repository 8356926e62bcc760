//! Sleeping and being woken.

use crate::harness::{PATIENCE, Site};
use axon_transport::{Transport, Waker};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn a_wake_before_the_sleep_is_not_lost(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    let waker = site.reactor.waker();
    for _ in 0..3 {
        waker.wake();
        waker.clone().wake();
        let start = Instant::now();
        site.poll(PATIENCE);
        assert!(start.elapsed() < PATIENCE / 2);
    }
    assert!(site.news.is_empty());
}

pub(crate) fn a_wake_ends_the_sleep(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    let waker = site.reactor.waker();
    let start = Instant::now();
    let sleeper = thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        waker.wake();
    });
    site.reactor.poll(None, &mut Vec::new()).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(25));
    sleeper.join().unwrap();
}

pub(crate) fn no_wake_is_lost_among_many(transport: &dyn Transport) {
    const WAKES: u64 = 50_000;
    let written = AtomicU64::new(0);
    let mut site = Site::new(transport);
    let waker = site.reactor.waker();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=WAKES {
                // A lost wake-up would leave the reactor asleep before the last number.
                written.store(number, Ordering::Relaxed);
                waker.wake();
                if number % 97 == 0 {
                    thread::yield_now();
                }
                if number % 5_000 == 0 {
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let mut seen = 0;
        while seen < WAKES {
            let start = Instant::now();
            site.poll(PATIENCE);
            assert!(start.elapsed() < PATIENCE / 2, "slept over {seen}");
            seen = written.load(Ordering::Relaxed);
        }
    });
}

pub(crate) fn two_reactors_play_ping_pong_by_waking(transport: &dyn Transport) {
    const ROUNDS: u64 = 2_000;
    let ball = AtomicU64::new(0);
    let (here, there) = (mpsc::channel::<Waker>(), mpsc::channel::<Waker>());
    thread::scope(|scope| {
        let ball = &ball;
        scope.spawn(move || play(transport, ball, 0, ROUNDS, &here.0, &there.1));
        scope.spawn(move || play(transport, ball, 1, ROUNDS, &there.0, &here.1));
    });
    assert_eq!(ball.load(Ordering::Relaxed), 2 * ROUNDS);
}

fn play(
    transport: &dyn Transport,
    ball: &AtomicU64,
    side: u64,
    rounds: u64,
    mine: &mpsc::Sender<Waker>,
    other: &mpsc::Receiver<Waker>,
) {
    let mut site = Site::new(transport);
    mine.send(site.reactor.waker()).unwrap();
    let other = other.recv().unwrap();
    for round in 0..rounds {
        let turn = 2 * round + side;
        let start = Instant::now();
        while ball.load(Ordering::Relaxed) != turn {
            site.poll(PATIENCE);
            assert!(start.elapsed() < PATIENCE / 2, "lost in round {round}");
        }
        ball.store(turn + 1, Ordering::Relaxed);
        other.wake();
    }
}

pub(crate) fn a_timeout_is_kept(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    site.listen();
    for timeout in [1, 30] {
        let timeout = Duration::from_millis(timeout);
        let start = Instant::now();
        site.poll(timeout);
        assert!(start.elapsed() >= timeout - Duration::from_millis(1));
        assert!(start.elapsed() < PATIENCE / 2);
    }
    assert!(site.news.is_empty());
}

pub(crate) fn just_looking_does_not_wait(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    site.listen();
    let start = Instant::now();
    for _ in 0..1000 {
        site.poll(Duration::ZERO);
    }
    assert!(start.elapsed() < Duration::from_secs(30));
}

pub(crate) fn time_is_common_and_goes_on(transport: &dyn Transport) {
    let (one, other) = (Site::new(transport), Site::new(transport));
    let first = one.reactor.now();
    thread::sleep(Duration::from_millis(5));
    let second = other.reactor.now();
    assert!(second >= first + Duration::from_millis(5));
    assert!(second < first + PATIENCE);
    assert!(one.reactor.now() >= second);
}
