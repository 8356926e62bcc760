//! How long an urgent message waits behind large ones of lower priority: counted in large messages, not in time.

use crate::probe::{Probe, numbered};
use crate::town::{MOMENT, Town, dial, start, wait_until};
use axon_messenger::Message;
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

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
    let connection = dial(&client, &server);
    let data = vec![0; size].into();
    for tid in 0..WARM + MORE {
        connection.send(with(&data, tid, Message::PRIORITY_LOW)).unwrap();
    }
    wait_until("the receiver to stop", || seen.large.load(Ordering::SeqCst) == WARM);
    let moved = || client.counters().bytes_out;
    let mut before = 0;
    wait_until("everything to be full", || {
        let now = moved();
        std::thread::sleep(MOMENT);
        std::mem::replace(&mut before, now) == now
    });
    connection.send(with(&Bytes::new(), URGENT, Message::PRIORITY_HIGH)).unwrap();
    // It is queued before anything moves again.
    std::thread::sleep(MOMENT);
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
