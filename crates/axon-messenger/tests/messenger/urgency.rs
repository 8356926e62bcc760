//! How long an urgent message waits behind large ones of lower priority: counted in large messages, not in time.

use crate::probe::{Probe, numbered};
use crate::town::{MOMENT, PATIENCE, Town, dial, start, wait_until};
use axon_messenger::{Message, Timeouts};
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Its number, and its priority is high.
const URGENT: u64 = u64::MAX;

/// What a receiver saw.
#[derive(Default)]
struct Seen {
    large: AtomicU64,
    /// Large ones that had come when the urgent one came.
    before_urgent: Mutex<Option<u64>>,
    /// After so many large ones the receiver stops, until somebody says that it may go on.
    stop_after: AtomicU64,
    may_go_on: Mutex<bool>,
    changed: Condvar,
}

impl Seen {
    fn note(&self, tid: u64) {
        if tid == URGENT {
            *self.before_urgent.lock().unwrap() = Some(self.large.load(Ordering::SeqCst));
        } else if self.large.fetch_add(1, Ordering::SeqCst) + 1 == self.stop_after.load(Ordering::SeqCst) {
            let may_go_on = self.may_go_on.lock().unwrap();
            drop(self.changed.wait_while(may_go_on, |may| !*may).unwrap());
        }
    }

    /// For good, at the latest when the test ends: else its end would wait for the worker that stopped.
    fn released(&self) -> impl Drop + use<'_> {
        struct Released<'a>(&'a Seen);
        impl Drop for Released<'_> {
            fn drop(&mut self) {
                self.0.go_on();
            }
        }
        Released(self)
    }

    fn go_on(&self) {
        *self.may_go_on.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

fn with(data: &Bytes, tid: u64, priority: u16) -> Message {
    let mut message = Message { data: data.clone(), ..numbered(tid) };
    message.header.priority = priority;
    message
}

/// Large messages that come after an urgent one was sent and before it arrives, at the worst: the receiver has read
/// whole messages and stops, until everything between the two is as full as it gets.
fn overtaken(town: &Town, size: usize) -> u64 {
    /// Until the kernel has made all the room that it ever makes.
    const WARM: u64 = 24;
    const MORE: u64 = 24;
    let seen = Arc::new(Seen::default());
    seen.stop_after.store(WARM, Ordering::SeqCst);
    let noted = seen.clone();
    // On the reading thread, so that nothing is read while it stops.
    let probe = Probe::fast_with(move |_, message| noted.note(message.header.tid));
    let server = start(town.server("osd.3"), &probe);
    let client = start(town.builder("client.7").send_budget(1 << 30), &Probe::new());
    let _released = seen.released();
    let connection = dial(&client, &server);
    let data = vec![0; size].into();
    for tid in 0..WARM + MORE {
        connection.send(with(&data, tid, Message::PRIORITY_LOW)).unwrap();
    }
    wait_until("the receiver to stop", || seen.large.load(Ordering::SeqCst) == WARM);
    let (mut before, mut since) = (0, Instant::now());
    wait_until("everything to be full", || {
        let now = client.counters().bytes_out;
        if std::mem::replace(&mut before, now) != now {
            since = Instant::now();
        }
        since.elapsed() > 5 * MOMENT
    });
    connection.send(with(&Bytes::new(), URGENT, Message::PRIORITY_HIGH)).unwrap();
    client.dump(PATIENCE).unwrap(); // its worker has the message before anything moves again
    seen.go_on();
    wait_until("the urgent message", || seen.before_urgent.lock().unwrap().is_some());
    let before_urgent = seen.before_urgent.lock().unwrap().expect("it came");
    assert!(before_urgent < WARM + MORE, "it waited behind everything");
    before_urgent - WARM
}

/// The pipe holds a quarter of such a message, so that less than the rest of it is left to be handed over.
#[test]
fn an_urgent_message_waits_for_one_large_one_mem() {
    assert_eq!(overtaken(&Town::mem(), (1 << 20) + 100_000), 1);
}

/// Of 4 MiB messages the kernel holds one half: at the receiver some 2 MiB, at the sender the quarter of one that it has not
/// sent. What it holds cannot be overtaken, and may end one message and begin another; the rest of that is what the urgent
/// one waits for.
#[test]
fn an_urgent_message_waits_for_one_large_one_and_what_the_kernel_holds_tcp() {
    let overtaken = overtaken(&Town::tcp(), 4 << 20);
    assert!((1..=2).contains(&overtaken), "{overtaken}");
}

over_each! {
    /// Nobody says anything on this connection and no timer ends, so that only the transport can say that there is room again.
    fn a_long_message_goes_on_when_there_is_room_again(town) {
        let seen = Arc::new(Seen::default());
        seen.stop_after.store(1, Ordering::SeqCst);
        let noted = seen.clone();
        let probe = Probe::fast_with(move |_, message| noted.note(message.header.tid));
        let never = 10 * PATIENCE;
        let silent = Timeouts { keepalive: None, ready: never, ..Timeouts::default() };
        let server = start(town.server("osd.3").timeouts(silent), &probe);
        let client = start(town.builder("client.7").timeouts(silent).send_budget(1 << 30), &Probe::new());
        let _released = seen.released();
        let connection = dial(&client, &server);
        let short: Bytes = vec![0; 200 << 10].into();
        let unsent = || client.dump(PATIENCE).unwrap().connections[0].queue.unsent;
        let mut sent = 0;
        // Each leaves before the next comes, until the kernel keeps a part of one waiting.
        while unsent() == 0 {
            connection.send(with(&short, sent, Message::PRIORITY_LOW)).unwrap();
            sent += 1;
            std::thread::sleep(Duration::from_millis(2));
        }
        connection.send(with(&vec![0; 3 << 20].into(), sent, Message::PRIORITY_LOW)).unwrap();
        std::thread::sleep(MOMENT);
        seen.go_on();
        wait_until("the long message", || seen.large.load(Ordering::SeqCst) == sent + 1);
    }
}
