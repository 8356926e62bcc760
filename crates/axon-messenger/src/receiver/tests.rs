use super::*;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll<T>(future: &mut Recv<'_, T>, wakes: &Arc<Wakes>) -> Poll<Option<T>> {
    Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))))
}

#[test]
fn items_come_in_order_and_then_the_end() {
    let (feed, receiver) = receiver();
    assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
    for i in 0..4 {
        assert_eq!(feed.push(i), Ok(()));
    }
    assert_eq!((feed.len(), receiver.len()), (4, 4));
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(receiver.recv_blocking(), Some(1));
    feed.close();
    assert_eq!(feed.push(9), Err(9));
    assert_eq!(receiver.recv_timeout(Duration::MAX), Ok(2));
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [3]);
    assert_eq!(receiver.try_recv(), Err(RecvError::Closed));
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvError::Closed));
}

#[test]
fn the_last_feed_closes() {
    let (feed, receiver) = receiver::<u8>();
    let other = feed.clone();
    drop(feed);
    assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
    drop(other);
    assert_eq!(receiver.try_recv(), Err(RecvError::Closed));
}

#[test]
fn without_receivers_items_are_returned_and_dropped() {
    let (feed, receiver) = receiver();
    let item = Arc::new(());
    feed.push(Arc::clone(&item)).expect("open");
    let other = receiver.clone();
    drop(receiver);
    assert_eq!(Arc::strong_count(&item), 2);
    drop(other);
    assert_eq!(Arc::strong_count(&item), 1, "budgets held by queued items are given back");
    assert!(feed.push(item).is_err());
}

#[test]
fn a_push_wakes_one_who_waits() {
    let (feed, receiver) = receiver();
    let wakes = [Arc::new(Wakes::default()), Arc::new(Wakes::default())];
    let (mut a, mut b) = (receiver.recv(), receiver.recv());
    assert!(poll(&mut a, &wakes[0]).is_pending());
    assert!(poll(&mut b, &wakes[1]).is_pending());
    assert!(poll(&mut a, &wakes[0]).is_pending(), "polling again keeps the place");
    feed.push(1).expect("open");
    assert_eq!((wakes[0].count(), wakes[1].count()), (1, 0));
    assert_eq!(poll(&mut a, &wakes[0]), Poll::Ready(Some(1)));
    feed.push(2).expect("open");
    feed.push(3).expect("open");
    assert_eq!(wakes[1].count(), 1);
    assert_eq!(poll(&mut b, &wakes[1]), Poll::Ready(Some(2)));
}

#[test]
fn who_was_woken_and_leaves_passes_it_on() {
    let (feed, receiver) = receiver();
    let wakes = [Arc::new(Wakes::default()), Arc::new(Wakes::default())];
    let (mut a, mut b) = (receiver.recv(), receiver.recv());
    assert!(poll(&mut a, &wakes[0]).is_pending());
    assert!(poll(&mut b, &wakes[1]).is_pending());
    feed.push(1).expect("open");
    drop(a);
    assert_eq!(wakes[1].count(), 1);
    assert_eq!(poll(&mut b, &wakes[1]), Poll::Ready(Some(1)));
}

#[test]
fn who_leaves_unwoken_disturbs_nobody() {
    let (feed, receiver) = receiver();
    let wakes = [Arc::new(Wakes::default()), Arc::new(Wakes::default())];
    let (mut a, mut b) = (receiver.recv(), receiver.recv());
    assert!(poll(&mut a, &wakes[0]).is_pending());
    assert!(poll(&mut b, &wakes[1]).is_pending());
    drop(a);
    assert_eq!(wakes[1].count(), 0);
    feed.push(1).expect("open");
    assert_eq!((wakes[0].count(), wakes[1].count()), (0, 1));
}

#[test]
fn who_leaves_unwoken_does_not_disturb_while_another_is_woken() {
    let (feed, receiver) = receiver();
    let wakes = [(); 3].map(|()| Arc::new(Wakes::default()));
    let mut futures = [receiver.recv(), receiver.recv(), receiver.recv()];
    for (future, wakes) in futures.iter_mut().zip(&wakes) {
        assert!(poll(future, wakes).is_pending());
    }
    feed.push(1).expect("open");
    let [_woken, leaving, _waiting] = futures;
    drop(leaving);
    assert_eq!(wakes.map(|wakes| wakes.count()), [1, 0, 0]);
}

#[test]
fn who_takes_unwoken_leaves_no_place_behind() {
    let (feed, receiver) = receiver();
    let wakes = [(); 3].map(|()| Arc::new(Wakes::default()));
    let (mut a, mut b, mut c) = (receiver.recv(), receiver.recv(), receiver.recv());
    assert!(poll(&mut a, &wakes[0]).is_pending());
    assert!(poll(&mut b, &wakes[1]).is_pending());
    assert!(poll(&mut c, &wakes[2]).is_pending());
    feed.push(1).expect("open");
    assert_eq!(poll(&mut b, &wakes[1]), Poll::Ready(Some(1)), "before the one that was woken");
    feed.push(2).expect("open");
    assert_eq!([wakes[1].count(), wakes[2].count()], [0, 1]);
}

#[test]
fn a_moved_future_is_woken_where_it_is() {
    let (feed, receiver) = receiver();
    let (before, after) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    let mut future = receiver.recv();
    assert!(poll(&mut future, &before).is_pending());
    assert!(poll(&mut future, &after).is_pending());
    feed.push(1).expect("open");
    assert_eq!((before.count(), after.count()), (0, 1));
}

#[test]
fn closing_wakes_everybody() {
    let (feed, receiver) = receiver::<u8>();
    let waiting = receiver.clone();
    let thread = thread::spawn(move || waiting.recv_blocking());
    let wakes = Arc::new(Wakes::default());
    let mut future = receiver.recv();
    assert!(poll(&mut future, &wakes).is_pending());
    thread::sleep(Duration::from_millis(3));
    drop(feed);
    assert_eq!(thread.join().expect("no panic"), None);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut future, &wakes), Poll::Ready(None));
}

#[test]
fn a_limit_ends_the_wait() {
    let (_feed, receiver) = receiver::<u8>();
    assert_eq!(receiver.recv_timeout(Duration::from_millis(3)), Err(RecvError::Empty));
}

#[test]
fn under_stress_every_item_is_received_once() {
    const ITEMS: usize = 10_000;
    let (feed, receiver) = receiver();
    let takers: Vec<_> = (0..3)
        .map(|_| {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.iter().collect::<Vec<usize>>())
        })
        .collect();
    let givers: Vec<_> = (0..2)
        .map(|giver| {
            let feed = feed.clone();
            thread::spawn(move || (0..ITEMS).for_each(|i| feed.push(giver * ITEMS + i).expect("open")))
        })
        .collect();
    for giver in givers {
        giver.join().expect("no panic");
    }
    drop(feed);
    let mut all = Vec::new();
    for taker in takers {
        all.extend(taker.join().expect("no panic"));
    }
    all.sort_unstable();
    assert_eq!(all, (0..2 * ITEMS).collect::<Vec<_>>());
}
