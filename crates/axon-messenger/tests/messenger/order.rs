//! Messages reach a connection by three ways: through the mailbox of its worker, on the worker's own thread, and on a
//! caller's thread while the worker sleeps. Whichever each takes, nothing overtakes what was sent before it.

use crate::probe::{Probe, numbered};
use crate::town::{Town, dial, start, wait_until};
use axon_messenger::{Connection, Policy};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Messages in all.
const MESSAGES: u64 = 6000;

/// A server that wants the messages in the order of their numbers, and answers each.
fn strict(next: &Arc<AtomicU64>) -> Arc<Probe> {
    let next = next.clone();
    Probe::fast_with(move |connection, message| {
        let due = next.load(Ordering::Relaxed);
        if message.header.tid == due {
            next.store(due + 1, Ordering::Relaxed);
        }
        // It may have enough of answers.
        let _ = connection.send(message.into_message());
    })
}

/// Sends the next number, if one is left; the lock makes an order of all senders.
fn send_next(numbers: &Mutex<u64>, connection: &Connection) -> bool {
    let mut number = numbers.lock().unwrap();
    let more = *number < MESSAGES && connection.send(numbered(*number)).is_ok();
    *number += u64::from(more);
    more
}

/// Three threads send in turns, and the handler of the answers does, too: now and then with pauses, so that the worker
/// sleeps, and now and then at once.
fn all_ways_together(town: &Town, dialling: Policy, listening: Policy) {
    let next = Arc::new(AtomicU64::new(0));
    let server = start(town.server("osd.3").spin(Duration::ZERO).default_policy(listening), &strict(&next));
    let numbers = Arc::new(Mutex::new(0));
    let theirs = numbers.clone();
    let handler = Probe::fast_with(move |connection, message| {
        if message.header.tid.is_multiple_of(3) {
            send_next(&theirs, connection);
        }
    });
    let client = start(town.builder("client.7").spin(Duration::ZERO).default_policy(dialling), &handler);
    let connection = dial(&client, &server);
    std::thread::scope(|scope| {
        for caller in 0..3 {
            let (numbers, connection) = (&numbers, &connection);
            scope.spawn(move || {
                for turn in 0u64.. {
                    if !send_next(numbers, connection) {
                        break;
                    }
                    if turn % (5 + caller) == 0 {
                        std::thread::sleep(Duration::from_micros(300));
                    }
                }
            });
        }
    });
    wait_until("all of them, in order", || next.load(Ordering::Relaxed) == MESSAGES);
}

over_each! {
    fn nothing_is_overtaken(town) {
        all_ways_together(town, Policy::lossy_client(), Policy::stateless_server());
    }

    fn nothing_is_overtaken_in_a_lossless_session(town) {
        all_ways_together(town, Policy::lossless_client(), Policy::stateful_server());
    }
}
