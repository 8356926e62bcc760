//! ShutdownLossy, ShutdownTimeout, test_preemptive_shutdown: messengers end in order, in time, and completely.

use crate::child::{alone, descriptors, status};
use crate::probe::{Probe, filled, numbered, stays};
use crate::town::{MOMENT, PATIENCE, Town, dial, start, unused_addr, wait_until};
use axon_messenger::{
    AddrVec, CallError, Connection, EntityAddr, EntityType, Expect, Nonce, Policy, Rejection, State,
};
use axon_transport::Direction;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

/// Checks that messages come in order, and says how many came.
fn in_order() -> (Arc<AtomicU64>, Arc<Probe>) {
    let seen = Arc::new(AtomicU64::new(0));
    let count = seen.clone();
    let probe = Probe::with(move |_, message| {
        assert_eq!(message.header.tid, count.fetch_add(1, Ordering::Relaxed));
    });
    (seen, probe)
}

over_each! {
    /// ShutdownLossy
    fn queued_messages_leave_first(town) {
        let (seen, probe) = in_order();
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        for tid in 0..10_000 {
            connection.send(filled(tid, 2000)).unwrap();
        }
        pair.client.shutdown(LIMIT);
        wait_until("all of them", || seen.load(Ordering::Relaxed) == 10_000);
        assert_eq!(connection.state(), State::Closed);
    }

    fn unread_replies_do_not_cost_queued_messages(town) {
        // A socket that closes with something unread in it may take along what it has just sent.
        let seen = Arc::new(AtomicU64::new(0));
        let count = seen.clone();
        let probe = Probe::fast_with(move |connection, message| {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = connection.send(message.into_message());
        });
        for round in 1..=5 {
            let pair = town.pair(&probe, &Probe::new());
            let connection = pair.connect();
            for tid in 0..2000 {
                connection.send(filled(tid, 5000)).unwrap();
            }
            pair.client.shutdown(LIMIT);
            wait_until("all of them", || seen.load(Ordering::Relaxed) == round * 2000);
        }
    }

    fn a_connection_that_is_not_open_yet_is_waited_for(town) {
        let (seen, probe) = in_order();
        let target = AddrVec(vec![EntityAddr::msgr2(unused_addr(), 5)]);
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = client.connect(EntityType::Osd, &target).unwrap();
        for tid in 0..10 {
            connection.send(numbered(tid)).unwrap();
        }
        let closing = std::thread::spawn(move || client.shutdown(LIMIT));
        std::thread::sleep(MOMENT);
        let (socket, nonce) = (target.first().socket.unwrap(), Nonce::fixed(target.first().nonce));
        let _server = start(town.builder("osd.3").bind(socket).nonce(nonce), &probe);
        wait_until("all of them", || seen.load(Ordering::Relaxed) == 10);
        closing.join().unwrap();
    }

    /// ShutdownTimeout
    fn a_peer_that_does_not_read_delays_it_to_the_limit(town) {
        let (release, wait) = channel::<()>();
        let wait = Mutex::new(wait);
        let holding = Probe::with(move |_, _| wait.lock().unwrap().recv().unwrap_or(()));
        let server = start(town.server("osd.3").receive_budget(EntityType::Client, 1, 0), &holding);
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = dial(&client, &server);
        for tid in 0..20 {
            connection.send(filled(tid, 2 << 20)).unwrap();
        }
        wait_until("a wait for the budget", || server.counters().throttle_waits > 0);
        let begun = Instant::now();
        client.shutdown(Duration::from_millis(300));
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(290) && took < PATIENCE, "{took:?}");
        assert_eq!(connection.state(), State::Closed);
        drop(release);
    }

    fn nothing_to_do_takes_no_time(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let _ = pair.connected();
        let begun = Instant::now();
        pair.client.shutdown(Duration::MAX);
        pair.server.shutdown(Duration::MAX);
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    }

    fn sends_and_calls_after_it_are_rejected(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, there) = pair.connected();
        let myself = pair.client.loopback();
        let reply = here.call(numbered(0), Expect::Kind(0x70)).unwrap();
        pair.client.shutdown(LIMIT);
        assert!(matches!(reply.wait(), Err(CallError::MarkedDown | CallError::ShutDown)));
        for connection in [&here, &myself] {
            let rejected = connection.send(numbered(42)).unwrap_err();
            assert_eq!((rejected.why, rejected.message.header.tid), (Rejection::Closed, 42));
            let rejected = connection.call(numbered(43), Expect::Kind(0x70)).unwrap_err();
            assert_eq!((rejected.why, rejected.message.header.tid), (Rejection::Closed, 43));
            let rejected = connection.send_timeout(numbered(44), Duration::MAX).unwrap_err();
            assert_eq!(rejected.why, Rejection::Closed);
            connection.keepalive();
            connection.mark_down();
        }
        pair.at_server.wait_reset(&there);
    }

    fn what_arrived_is_handed_out_before_the_end(town) {
        let (seen, slow) = {
            let (seen, probe) = in_order();
            (seen, Probe::with(move |connection, message| {
                std::thread::sleep(Duration::from_millis(2));
                axon_messenger::Dispatcher::dispatch(&*probe, connection, message);
            }))
        };
        let pair = town.pair(&slow, &Probe::new());
        let connection = pair.connect();
        for tid in 0..100 {
            connection.send(numbered(tid)).unwrap();
        }
        wait_until("all to be received", || pair.server.counters().messages_in == 100);
        pair.server.shutdown(LIMIT);
        assert_eq!(seen.load(Ordering::Relaxed), 100);
    }

    /// test_preemptive_shutdown
    fn nothing_is_called_afterwards(town) {
        for _ in 0..20 {
            let calls = Arc::new(AtomicU64::new(0));
            let count = calls.clone();
            let probe = Probe::fast_with(move |connection, message| {
                count.fetch_add(1, Ordering::Relaxed);
                let _ = connection.send(message.into_message());
            });
            let pair = town.pair(&probe, &Probe::echo());
            let connection = pair.connect();
            for tid in 0..50 {
                connection.send(numbered(tid)).unwrap();
            }
            wait_until("a few", || calls.load(Ordering::Relaxed) > 20);
            pair.server.shutdown(Duration::ZERO);
            let news = pair.at_server.log().len();
            assert!(stays(MOMENT / 20, || calls.load(Ordering::Relaxed)));
            assert_eq!(pair.at_server.log().len(), news);
        }
    }

    fn dropping_everything_at_any_time_does_not_hang(town) {
        for delay in 0..30 {
            let pair = town.pair(&Probe::echo(), &Probe::echo());
            let connection = pair.connect();
            for tid in 0..100 {
                connection.send(filled(tid, 10_000)).unwrap();
            }
            std::thread::sleep(Duration::from_micros(100 * delay));
            if delay % 2 == 0 { drop((pair.client, pair.server)) } else { drop((pair.server, pair.client)) }
            assert_eq!(connection.state(), State::Closed);
        }
    }
}

#[test]
fn a_session_that_mends_meanwhile_ends_in_order() {
    let town = Town::mem();
    let (seen, probe) = in_order();
    let server = start(town.server("osd.3").default_policy(Policy::stateful_server()), &probe);
    // The link breaks with messages unsent, and with nothing but the farewell.
    for (first, sent_before) in [(0, false), (10, true)] {
        let at_client = Probe::new();
        let client = start(town.builder("client.7").default_policy(Policy::lossless_client()), &at_client);
        let connection = dial(&client, &server);
        at_client.wait_connect(&connection);
        let link = town.network().links().pop().unwrap();
        if !sent_before {
            link.stall(Direction::ToServer);
        }
        for tid in first..first + 10 {
            connection.send(numbered(tid)).unwrap();
        }
        if sent_before {
            wait_until("acknowledgements", || connection.queued_bytes() == 0);
            link.stall(Direction::ToServer);
        }
        let begun = Instant::now();
        let closing = std::thread::spawn(move || client.shutdown(LIMIT));
        std::thread::sleep(MOMENT);
        link.cut();
        closing.join().unwrap();
        assert!(begun.elapsed() < LIMIT / 2, "{:?}", begun.elapsed());
        wait_until("all of them", || seen.load(Ordering::Relaxed) == first + 10);
    }
}

#[test]
fn a_handler_that_hangs_delays_it_to_the_limit() {
    let town = Town::tcp();
    let (release, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let hanging = Probe::with(move |_, _| wait.lock().unwrap().recv().unwrap_or(()));
    let pair = town.pair(&hanging, &Probe::new());
    pair.connect().send(numbered(1)).unwrap();
    wait_until("the message", || pair.server.counters().messages_in == 1);
    let begun = Instant::now();
    pair.server.shutdown(Duration::from_millis(200));
    assert!(begun.elapsed() >= Duration::from_millis(200) && begun.elapsed() < PATIENCE);
    drop(release);
}

#[test]
fn a_messenger_may_be_dropped_by_its_own_handler() {
    let town = Town::tcp();
    for fast in [false, true] {
        let owned: Arc<Mutex<Option<axon_messenger::Messenger>>> = Arc::default();
        let (own, (done, wait)) = (owned.clone(), channel());
        let done = Mutex::new(done);
        let handler = move |_: &Connection, _| {
            drop(own.lock().unwrap().take());
            done.lock().unwrap().send(()).unwrap();
        };
        let probe = if fast { Probe::fast_with(handler) } else { Probe::with(handler) };
        let server = start(town.server("osd.3").workers(2), &probe);
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = dial(&client, &server);
        *owned.lock().unwrap() = Some(server);
        connection.send(numbered(1)).unwrap();
        wait.recv_timeout(PATIENCE).expect("the handler returns");
        wait_until("the end of its thread too", || connection.state() == State::Closed);
    }
}

#[test]
fn nothing_is_left_behind() {
    alone("shutdown::nothing_is_left_behind", || {
        let town = Town::tcp();
        let idle = (status("Threads"), descriptors());
        for round in 0..10 {
            let server = start(town.server("osd.3").workers(3).dispatch_threads(3), &Probe::echo());
            let client = start(town.builder("client.7").workers(2), &Probe::new());
            assert_eq!(status("Threads"), idle.0 + 3 + 3 + 2 + 1);
            for _ in 0..10 {
                let connection = client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap();
                connection.send(filled(1, 1000)).unwrap();
            }
            if round % 2 == 0 {
                client.shutdown(LIMIT);
                server.shutdown(LIMIT);
            } else {
                drop((server, client));
            }
            wait_until("threads and descriptors to go", || (status("Threads"), descriptors()) == idle);
        }
    });
}

#[test]
fn a_messenger_that_cannot_start_leaves_nothing_behind() {
    alone("shutdown::a_messenger_that_cannot_start_leaves_nothing_behind", || {
        let town = Town::tcp();
        let taken = start(town.server("osd.3"), &Probe::new());
        let idle = (status("Threads"), descriptors());
        let address = taken.addrs().first().socket.unwrap();
        town.server("osd.4").bind(address).workers(2).start(Probe::new()).unwrap_err();
        wait_until("threads and descriptors to go", || (status("Threads"), descriptors()) == idle);
    });
}
