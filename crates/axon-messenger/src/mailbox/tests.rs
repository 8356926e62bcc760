use super::*;

#[cfg(loom)]
mod exhaustive {
    use super::*;
    use loom::sync::Notify;
    use loom::thread;

    /// The interleavings, up to `preemptions` of them, of `producers` pushes with a consumer that sleeps whenever it
    /// may: a lost wake-up is a consumer blocked for ever, which loom reports as a deadlock.
    fn all_arrive(producers: usize, preemptions: Option<usize>) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = preemptions;
        model.check(move || {
            let bell = loom::sync::Arc::new(Notify::new());
            let ring = loom::sync::Arc::clone(&bell);
            let (mailbox, mut inbox) = mailbox(Waker::new(move || ring.notify()), drop);
            let threads: Vec<_> = (0..producers)
                .map(|_| {
                    let mailbox = mailbox.clone();
                    thread::spawn(move || mailbox.push(1usize))
                })
                .collect();
            let mut got = 0;
            while got < producers {
                while let Some(one) = inbox.pop() {
                    got += one;
                }
                if got < producers && inbox.prepare_sleep() {
                    bell.wait();
                    inbox.awake();
                }
            }
            for thread in threads {
                thread.join().expect("no panic");
            }
        });
    }

    #[test]
    fn one_producer() {
        all_arrive(1, None);
    }

    #[test]
    fn two_producers() {
        all_arrive(2, Some(2));
    }

    type Count = loom::sync::Arc<loom::sync::atomic::AtomicUsize>;

    fn count(count: Count) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// What is pushed while the consumer ends is popped by it or discarded, whoever does that.
    #[test]
    fn nothing_is_left_behind() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let discarded = Count::default();
            let (mailbox, mut inbox) = mailbox(Waker::new(|| ()), count);
            let threads = [(); 2].map(|()| {
                let (mailbox, item) = (mailbox.clone(), discarded.clone());
                thread::spawn(move || mailbox.push(item))
            });
            let popped = usize::from(inbox.pop().is_some());
            drop(inbox);
            threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
            assert_eq!(popped + discarded.load(Ordering::Relaxed), 2);
        });
    }
}

#[cfg(not(loom))]
mod plain {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Condvar, Mutex};
    use std::thread;
    use std::time::{Duration, Instant};

    fn counted<T>() -> (Mailbox<T>, Inbox<T>, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&wakes);
        let (mailbox, inbox) = mailbox(
            Waker::new(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
            drop,
        );
        (mailbox, inbox, wakes)
    }

    #[test]
    fn an_awake_consumer_is_not_woken() {
        let (mailbox, mut inbox, wakes) = counted();
        mailbox.push(1);
        mailbox.push(2);
        assert_eq!((inbox.pop(), inbox.pop(), inbox.pop()), (Some(1), Some(2), None));
        assert_eq!(wakes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_burst_wakes_a_sleeper_once() {
        let (mailbox, mut inbox, wakes) = counted();
        assert!(inbox.prepare_sleep());
        for i in 0..100 {
            mailbox.push(i);
        }
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        inbox.awake();
        mailbox.push(100);
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        while inbox.pop().is_some() {}
        assert!(inbox.prepare_sleep());
        mailbox.push(101);
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_full_mailbox_forbids_sleep() {
        let (mailbox, mut inbox, wakes) = counted();
        mailbox.push(1);
        assert!(!inbox.prepare_sleep());
        mailbox.push(2);
        assert_eq!(wakes.load(Ordering::Relaxed), 0, "refused sleep counts as awake");
    }

    #[test]
    fn what_nobody_pops_is_discarded() {
        let item = Arc::new(());
        let (mailbox, mut inbox, wakes) = counted();
        mailbox.push(Arc::clone(&item));
        assert!(!inbox.prepare_sleep());
        drop(inbox);
        mailbox.push(Arc::clone(&item));
        assert!(mailbox.is_empty());
        assert_eq!((Arc::strong_count(&item), wakes.load(Ordering::Relaxed)), (1, 0));
    }

    /// Pushes the next one when it is discarded, as a budget does that somebody waits for.
    struct Chained(Mailbox<Chained>, usize);

    impl Drop for Chained {
        fn drop(&mut self) {
            if self.1 > 0 {
                self.0.push(Chained(self.0.clone(), self.1 - 1));
            }
        }
    }

    #[test]
    fn a_chain_of_discarded_items_needs_no_stack() {
        let (mailbox, inbox, _) = counted();
        mailbox.push(Chained(mailbox.clone(), 1_000_000));
        drop(inbox);
        assert!(mailbox.is_empty());
    }

    /// A reactor reduced to its waker.
    #[derive(Default)]
    struct Bell(Mutex<bool>, Condvar);

    impl Bell {
        fn ring(&self) {
            *self.0.lock().expect("unpoisoned") = true;
            self.1.notify_one();
        }

        /// Whether it rang before `deadline`.
        fn sleep(&self, deadline: Instant) -> bool {
            let rung = self.0.lock().expect("unpoisoned");
            let left = deadline.saturating_duration_since(Instant::now());
            let (mut rung, _) = self.1.wait_timeout_while(rung, left, |rung| !*rung).expect("unpoisoned");
            std::mem::take(&mut *rung)
        }
    }

    #[test]
    fn under_stress_all_items_arrive_in_order_of_their_producers() {
        const PRODUCERS: usize = 4;
        const ITEMS: usize = 20_000;
        let bell = Arc::new(Bell::default());
        let ring = Arc::clone(&bell);
        let (mailbox, mut inbox) = mailbox(Waker::new(move || ring.ring()), drop);
        let threads: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let mailbox = mailbox.clone();
                thread::spawn(move || {
                    for i in 0..ITEMS {
                        mailbox.push((producer, i));
                        if i % 64 == 0 {
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut next = [0; PRODUCERS];
        while next.iter().sum::<usize>() < PRODUCERS * ITEMS {
            while let Some((producer, i)) = inbox.pop() {
                assert_eq!(i, next[producer]);
                next[producer] += 1;
            }
            if next.iter().sum::<usize>() < PRODUCERS * ITEMS && inbox.prepare_sleep() {
                assert!(bell.sleep(deadline), "lost wake-up at {next:?}");
                inbox.awake();
            }
        }
        for thread in threads {
            thread.join().expect("no panic");
        }
    }
}
