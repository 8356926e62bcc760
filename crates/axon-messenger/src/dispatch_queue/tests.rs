use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Barrier, Mutex};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

const STRICT: Class = Class::Strict(Message::PRIORITY_DEFAULT);

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A queue whose single handler logs what it gets, and blocks on "hold" until released.
struct Held {
    queue: DispatchQueue<&'static str>,
    seen: Arc<Mutex<Vec<&'static str>>>,
    holding: Receiver<()>,
    release: Sender<()>,
}

impl Held {
    fn new() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let ((held, holding), (release, released)) = (channel(), channel());
        let (log, released) = (Arc::clone(&seen), Mutex::new(released));
        let handler = move |item| {
            log.lock().expect("unpoisoned").push(item);
            if item == "hold" {
                held.send(()).expect("the test waits");
                released.lock().expect("unpoisoned").recv().expect("the test releases");
            }
        };
        let queue = DispatchQueue::start("test", 1, Arc::new(handler)).expect("threads");
        let this = Self { queue, seen, holding, release };
        this.push(0, STRICT, "hold");
        this.holding.recv().expect("held");
        this
    }

    fn push(&self, key: u64, class: Class, item: &'static str) {
        self.queue.push(key, class, item).expect("open");
    }

    fn finish(self) -> Vec<&'static str> {
        self.release.send(()).expect("held");
        assert!(self.queue.drain(soon()));
        self.seen.lock().expect("unpoisoned").clone()
    }
}

#[test]
fn what_is_queued_is_handled_by_class() {
    let held = Held::new();
    held.push(1, Class::Fair { priority: 1, cost: 1 }, "fair");
    held.push(1, STRICT, "default");
    held.push(1, Class::Strict(196), "high");
    held.push(1, Class::Event, "event");
    assert_eq!(held.queue.len(), 4);
    assert_eq!(held.finish(), ["hold", "event", "high", "default", "fair"]);
}

#[test]
fn discarded_messages_are_returned_and_not_handled() {
    let held = Held::new();
    held.push(1, STRICT, "a");
    held.push(2, STRICT, "b");
    held.push(1, STRICT, "c");
    assert_eq!(held.queue.discard(1), ["a", "c"]);
    assert_eq!(held.finish(), ["hold", "b"]);
}

#[test]
fn age_and_counts_are_visible() {
    let held = Held::new();
    assert_eq!(held.queue.oldest(), None);
    held.push(1, STRICT, "a");
    thread::sleep(Duration::from_millis(3));
    held.push(1, STRICT, "b");
    let stats = held.queue.stats();
    assert_eq!((stats.queued, stats.handled, stats.panicked), (2, 1, 0));
    assert!(stats.oldest >= Some(Duration::from_millis(3)));
    held.finish();
}

#[test]
fn shutdown_returns_what_is_queued_and_ends_the_threads() {
    let held = Held::new();
    held.push(1, STRICT, "a");
    held.push(1, Class::Event, "e");
    assert_eq!(held.queue.shutdown(), ["e", "a"]);
    assert_eq!(held.queue.push(1, STRICT, "late"), Err("late"));
    assert!(!held.queue.join(Instant::now() + Duration::from_millis(2)), "a handler still runs");
    held.release.send(()).expect("held");
    assert!(held.queue.join(soon()));
    assert_eq!(*held.seen.lock().expect("unpoisoned"), ["hold"]);
}

#[test]
fn drain_gives_up_at_the_deadline() {
    let held = Held::new();
    assert!(!held.queue.drain(Instant::now() + Duration::from_millis(2)));
    held.finish();
}

#[test]
fn dropping_the_queue_ends_its_threads() {
    let alive = Arc::new(());
    let probe = Arc::downgrade(&alive);
    let handler = move |()| drop(Arc::clone(&alive));
    let queue = DispatchQueue::start("test", 3, Arc::new(handler)).expect("threads");
    drop(queue);
    let deadline = soon();
    while probe.upgrade().is_some() {
        assert!(Instant::now() < deadline, "a thread lives on");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_panicking_handler_loses_only_its_item() {
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let handler = move |item| {
        assert!(item != 3, "a bug in a handler (expected by this test)");
        count.fetch_add(1, Ordering::Relaxed);
    };
    let queue = DispatchQueue::start("test", 1, Arc::new(handler)).expect("threads");
    for item in 0..10 {
        queue.push(1, STRICT, item).expect("open");
    }
    assert!(queue.drain(soon()));
    assert_eq!(done.load(Ordering::Relaxed), 9);
    let stats = queue.stats();
    assert_eq!((stats.handled, stats.panicked), (10, 1));
}

#[test]
fn connections_run_in_parallel_on_named_threads() {
    let names = Arc::new(Mutex::new(Vec::new()));
    let (log, both) = (Arc::clone(&names), Barrier::new(2));
    let handler = move |()| {
        log.lock().expect("unpoisoned").push(thread::current().name().map(str::to_owned));
        both.wait();
    };
    let queue = DispatchQueue::start("test", 2, Arc::new(handler)).expect("threads");
    let other = (1..).find(|key| !std::ptr::eq(queue.shard(0), queue.shard(*key))).expect("two shards");
    queue.push(0, STRICT, ()).expect("open");
    queue.push(other, STRICT, ()).expect("open");
    assert!(queue.drain(soon()), "both handlers met");
    let mut names = names.lock().expect("unpoisoned").clone();
    names.sort();
    assert_eq!(names, [Some("axon-dispatch-0".to_owned()), Some("axon-dispatch-1".to_owned())]);
}

#[test]
fn neighbouring_connections_spread_over_the_shards() {
    let queue = DispatchQueue::start("test", 4, Arc::new(|()| ())).expect("threads");
    for stride in [1, 2, 4, 8, 64] {
        let mut used = [0; 4];
        for connection in 0..400 {
            let shard = queue.shard(connection * stride);
            let index = queue.shards.iter().position(|other| std::ptr::eq(&**other, shard));
            used[index.expect("one of them")] += 1;
        }
        assert!(used.iter().all(|count| (50..=150).contains(count)), "{stride}: {used:?}");
    }
}

#[test]
fn under_load_each_connection_keeps_its_order() {
    const CONNECTIONS: usize = 8;
    const ITEMS: usize = 5_000;
    let next: Arc<[AtomicUsize; CONNECTIONS]> = Arc::default();
    let progress = Arc::clone(&next);
    let handler = move |(connection, item): (usize, usize)| {
        assert_eq!(progress[connection].swap(item + 1, Ordering::Relaxed), item);
    };
    let queue = Arc::new(DispatchQueue::start("test", 3, Arc::new(handler)).expect("threads"));
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                for item in 0..ITEMS {
                    queue.push(connection as u64, STRICT, (connection, item)).expect("open");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert!(queue.drain(soon()));
    let stats = queue.stats();
    assert_eq!((stats.handled, stats.panicked), ((CONNECTIONS * ITEMS) as u64, 0));
    assert!(next.iter().all(|next| next.load(Ordering::Relaxed) == ITEMS));
}

/// Counts warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_stuck_handler_is_reported_once_while_it_runs() {
    let warnings = Warnings::default();
    let counted = warnings.clone();
    let _guard = tracing::subscriber::set_default(counted);
    let held = Held::new();
    assert_eq!(held.queue.stuck(), None, "five seconds have not passed");
    held.push(1, STRICT, "in time");
    assert_eq!(warnings.0.load(Ordering::Relaxed), 0);
    held.queue.report_after(Duration::ZERO);
    held.push(1, STRICT, "late");
    held.push(1, STRICT, "later");
    let stuck = held.queue.stuck().expect("stuck");
    assert_eq!((stuck.thread.as_str(), stuck.key, stuck.waiting), ("axon-dispatch-0", 0, 3));
    assert_eq!(warnings.0.load(Ordering::Relaxed), 1);
    held.queue.report_after(Duration::from_secs(5));
    assert_eq!(held.queue.stuck(), None);
    held.finish();
}
