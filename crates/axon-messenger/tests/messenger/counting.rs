//! The counters agree with what happened, and with each other.

use crate::probe::{Probe, filled};
use crate::town::{MOMENT, PATIENCE, Town, dial, socket_of, start, wait_until};
use axon_messenger::{Expect, Messenger, Snapshot};
use axon_wire::{Banner, Msgr2Features};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The counters once nothing changes them any more.
fn settled(messenger: &Messenger) -> Snapshot {
    let mut last = messenger.counters();
    wait_until("the counters to settle", || {
        std::thread::sleep(MOMENT);
        std::mem::replace(&mut last, messenger.counters()) == last
    });
    last
}

over_each! {
    fn both_ends_count_the_same_frames_and_bytes(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, _) = pair.connected();
        for tid in 1..=100 {
            here.send(filled(tid, 100)).unwrap();
        }
        pair.at_server.wait_messages(100);
        let (client, server) = (settled(&pair.client), settled(&pair.server));
        assert_eq!((client.messages_out, server.messages_in), (100, 100));
        assert!(client.frames_out > 100, "those of the handshake, too: {client}");
        assert_eq!((client.frames_out, client.frames_in), (server.frames_in, server.frames_out));
        assert_eq!((client.bytes_out, client.bytes_in), (server.bytes_in, server.bytes_out));
        assert!(client.bytes_copied > 100 * 100, "small bodies are put together: {client}");
        assert!(server.read_batches > 0 && server.messages_per_read() <= 100.0, "{server}");
    }
}

/// Sends five messages, each to a worker that sleeps. Returns how often one was woken for it.
fn wakeups_for_lone_messages(town: &Town) -> u64 {
    let pair = town.pair(&Probe::new(), &Probe::new());
    let (here, _) = pair.connected();
    let before = settled(&pair.client).wakeups;
    for tid in 1..=5 {
        here.send(filled(tid, 100)).unwrap();
        pair.at_server.wait_messages(tid as usize);
        settled(&pair.client);
    }
    settled(&pair.client).wakeups - before
}

/// Whether one of five attempts shows it: a machine that stalls spoils some, a fault each.
fn shows(mut attempt: impl FnMut() -> bool) -> bool {
    (0..5).any(|_| attempt())
}

#[test]
fn a_sleeping_worker_is_woken_once_for_each_lone_message() {
    for town in [Town::mem(), Town::uring()] {
        let mut woken = 0;
        let once_each = shows(|| {
            woken = wakeups_for_lone_messages(&town);
            (1..=5).contains(&woken) // a slow machine may have kept it awake
        });
        assert!(once_each, "{woken} of 5");
    }
}

/// Some may be too late for the worker's desk: it was about to look around once more.
#[test]
fn over_tcp_a_lone_message_leaves_on_the_thread_that_sends_it() {
    let mut woken = 0;
    let seldom = shows(|| {
        woken = wakeups_for_lone_messages(&Town::tcp());
        woken <= 2
    });
    assert!(seldom, "{woken} of 5");
}

#[test]
fn over_tcp_a_caller_that_waits_for_each_reply_wakes_nobody() {
    const CALLS: u64 = 300;
    let town = Town::tcp();
    let server = start(town.server("osd.3").spin(Duration::ZERO), &Probe::echo());
    let client = start(town.builder("client.7").spin(Duration::ZERO), &Probe::new());
    let connection = dial(&client, &server);
    let mut woken = 0;
    let seldom = shows(|| {
        let before = settled(&client).wakeups;
        for tid in 1..=CALLS {
            let reply = connection.call(filled(tid, 100), Expect::Kind(0x70)).unwrap();
            assert_eq!(reply.wait_timeout(PATIENCE).unwrap().header.tid, tid);
        }
        woken = settled(&client).wakeups - before;
        // A call may come while the worker has not gone to sleep yet, and then find it about to.
        woken < CALLS / 2
    });
    assert!(seldom, "{woken} of {CALLS}");
}

#[test]
fn tcp_makes_a_system_call_for_each_thing_it_does() {
    let pair = Town::tcp().pair(&Probe::new(), &Probe::new());
    let (here, _) = pair.connected();
    settled(&pair.client); // it sleeps
    here.send(filled(1, 100_000)).unwrap(); // too long for the thread that sends it
    pair.at_server.wait_messages(1);
    let client = settled(&pair.client);
    let Snapshot { waits, receives, sends, controls, wakeups, .. } = client;
    assert!(waits > 0 && receives > 0 && sends > 0 && controls > 0 && wakeups > 0, "{client}");
    assert_eq!(client.system_calls, waits + receives + sends + controls + wakeups);
}

#[test]
fn a_large_body_is_not_copied() {
    let pair = Town::tcp().pair(&Probe::new(), &Probe::new());
    let (here, _) = pair.connected();
    let before = (settled(&pair.client), settled(&pair.server));
    here.send(filled(1, 4 << 20)).unwrap();
    pair.at_server.wait_messages(1);
    let client = settled(&pair.client) - before.0;
    let server = settled(&pair.server) - before.1;
    assert!((1..1000).contains(&client.bytes_copied), "its framing: {client}");
    assert!(server.bytes_copied <= 256 << 10, "at most what one read brought before it was known: {server}");
}

#[test]
fn who_sends_a_banner_at_once_gets_hello_in_the_same_write_and_who_waits_gets_the_banner() {
    let gate = Arc::new(Mutex::new(()));
    let (wait, reached) = (gate.clone(), Arc::new(AtomicBool::new(false)));
    let at_gate = reached.clone();
    let held_up = Probe::fast_with(move |_, _| {
        at_gate.store(true, Ordering::Relaxed);
        drop(wait.lock().unwrap());
    });
    let pair = Town::tcp().pair(&held_up, &Probe::new());
    let (here, _) = pair.connected();
    let before = settled(&pair.server).sends;
    let closed = gate.lock().unwrap();
    here.send(filled(1, 100)).unwrap();
    wait_until("the worker to be held up", || reached.load(Ordering::Relaxed));
    // Both are there when the server looks again.
    let dial = || TcpStream::connect(socket_of(&pair.server)).unwrap();
    let (mut eager, mut patient) = (dial(), dial());
    let banner = Banner { supported: Msgr2Features::REVISION_1, ..Banner::default() }.emit();
    eager.write_all(&banner).unwrap();
    drop(closed);
    for (stream, frames) in [(&mut eager, 1), (&mut patient, 0)] {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut come = vec![0; banner.len() + frames];
        stream.read_exact(&mut come).unwrap();
        assert_eq!(come[..8], *b"ceph v2\n");
    }
    assert_eq!(settled(&pair.server).sends - before, 2, "one each");
}
