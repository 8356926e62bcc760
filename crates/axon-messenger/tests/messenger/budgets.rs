//! Back-pressure: what a sender may queue, and what a receiver has room for.

use crate::executor::block_on;
use crate::probe::{Probe, filled, numbered, stays};
use crate::town::{MOMENT, PATIENCE, Pair, Town, dial, start, unused_addr, wait_until};
use axon_messenger::{
    AddrVec, Connection, EntityAddr, EntityType, Message, Messenger, Received, Rejection, SendError, cost,
};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Messages that were received and are not dropped yet.
type Held = Arc<Mutex<Vec<Received>>>;

/// A dispatcher that holds every message.
fn holding() -> (Held, Arc<Probe>) {
    let held = Held::default();
    let hold = held.clone();
    (held, Probe::fast_with(move |_, message| hold.lock().unwrap().push(message)))
}

/// A client whose connection has a small send budget and a server that is not there, so that nothing leaves.
fn stuck(town: &Town, budget: usize) -> (Pair, Connection) {
    let target = AddrVec(vec![EntityAddr::msgr2(unused_addr(), 5)]);
    let probe = Probe::new();
    let client = start(town.builder("client.7").send_budget(budget), &probe);
    let connection = client.connect(EntityType::Osd, &target).unwrap();
    let other = start(town.server("osd.4"), &probe);
    (Pair { server: other, client, at_server: probe.clone(), at_client: probe }, connection)
}

/// Sends messages by their numbers until no more has room, where a receiver holds `held` of them; says how many those were.
fn fill(
    connection: &Connection,
    server: &Messenger,
    held: &Held,
    until_held: usize,
    message: impl Fn(u64) -> Message,
) -> u64 {
    let mut sent = 0;
    // A send may also fail because the machine was busy with something else.
    let is_full = || held.lock().unwrap().len() >= until_held && server.counters().throttle_waits > 0;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match connection.send_timeout(message(sent), MOMENT * 3) {
            Ok(()) => sent += 1,
            Err(_) if is_full() => return sent,
            Err(refused) => assert!(Instant::now() < deadline, "{refused}"),
        }
    }
}

/// Polls a send once.
fn is_sent(send: &mut Pin<Box<impl Future<Output = Result<(), SendError>>>>) -> bool {
    match send.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(sent) => sent.map(|()| true).expect("the connection is open"),
        Poll::Pending => false,
    }
}

over_each! {
    fn a_full_budget_returns_the_message(town) {
        let size = cost(&filled(0, 1000));
        let (_pair, connection) = stuck(town, 10 * size);
        for tid in 0..10 {
            connection.send(filled(tid, 1000)).unwrap();
        }
        assert_eq!(connection.queued_bytes(), 10 * size);
        let refused = connection.send(filled(10, 1000)).unwrap_err();
        assert_eq!((refused.why, *refused.message), (Rejection::Full, filled(10, 1000)));
        let refused = connection.send(filled(11, 10 * size)).unwrap_err();
        let size = cost(&refused.message);
        assert_eq!(refused.why, Rejection::TooLarge { size, limit: connection.queued_bytes() });
        assert_eq!(refused.message.header.tid, 11);
        connection.mark_down();
        wait_until("the budget to be given back", || connection.queued_bytes() == 0);
    }

    /// A peer would break the connection over it, and over its repetition on the next.
    fn a_segment_that_no_peer_accepts_is_refused(town) {
        const MIB: usize = 1 << 20;
        let (_pair, connection) = stuck(town, 1 << 30);
        for (segment, limit) in [("front", 16 * MIB), ("middle", 16 * MIB), ("data", 256 * MIB)] {
            let of = |size: usize| {
                let mut message = numbered(7);
                let bytes = bytes::Bytes::from(vec![0; size]);
                match segment {
                    "front" => message.front = bytes,
                    "middle" => message.middle = bytes,
                    _ => message.data = bytes,
                }
                message
            };
            let why = Rejection::SegmentTooLong { segment, size: limit + 1, limit };
            let refused = connection.send(of(limit + 1)).unwrap_err();
            assert_eq!((refused.why, refused.message.header.tid), (why, 7));
            assert_eq!(connection.send_timeout(of(limit + 1), MOMENT).unwrap_err().why, why);
            assert_eq!(block_on(connection.send_async(of(limit + 1))).unwrap_err().why, why);
            connection.send(of(limit)).unwrap();
        }
    }

    fn send_timeout_gives_up(town) {
        let (_pair, connection) = stuck(town, 1000);
        connection.send(filled(1, 600)).unwrap();
        let begun = Instant::now();
        let refused = connection.send_timeout(filled(2, 600), Duration::from_millis(50)).unwrap_err();
        assert!(begun.elapsed() >= Duration::from_millis(50));
        assert_eq!((refused.why, refused.message.header.tid), (Rejection::DeadlinePassed, 2));
        let endless = std::thread::spawn({
            let connection = connection.clone();
            move || connection.send_timeout(filled(3, 600), Duration::MAX)
        });
        std::thread::sleep(MOMENT);
        connection.mark_down();
        assert_eq!(endless.join().unwrap().unwrap_err().why, Rejection::Closed);
    }

    fn send_async_waits_in_line(town) {
        let (held, probe) = holding();
        let server = start(town.server("osd.3").receive_budget(EntityType::Client, 1, 0), &probe);
        let client = start(town.builder("client.7").send_budget(4 << 20), &Probe::new());
        let connection = dial(&client, &server);
        let large = |tid| filled(tid, 3 << 20);
        // One is held there, one is in the transport's hands, one has the budget.
        let tid = fill(&connection, &server, &held, 1, large);
        let send = |tid| Box::pin(connection.send_async(large(tid)));
        let (mut first, mut second, mut third) = (send(tid), send(tid + 1), send(tid + 2));
        assert!(!is_sent(&mut first) && !is_sent(&mut second) && !is_sent(&mut third));
        // Not even a small one overtakes those in line.
        assert_eq!(connection.send(numbered(99)).unwrap_err().why, Rejection::Full);
        drop(second);
        let mut first_is_sent = false;
        wait_until("both to be sent", || {
            held.lock().unwrap().clear();
            let third_is_sent = is_sent(&mut third);
            assert!(!third_is_sent || first_is_sent || is_sent(&mut first), "first come, first served");
            first_is_sent = first_is_sent || third_is_sent || is_sent(&mut first);
            third_is_sent
        });
        wait_until("an empty queue", || {
            held.lock().unwrap().clear();
            connection.queued_bytes() == 0
        });
    }

    fn a_slow_application_holds_its_peer_back(town) {
        const SIZE: usize = 256 << 10;
        let (held, probe) = holding();
        let server = start(town.server("osd.3").dispatch_budget(4 * cost(&filled(0, SIZE))), &probe);
        let client = start(town.builder("client.7").send_budget(8 << 20), &Probe::new());
        let connection = dial(&client, &server);
        let sent = fill(&connection, &server, &held, 4, |tid| filled(tid, SIZE));
        assert_eq!(held.lock().unwrap().len(), 4);
        assert!((8..200).contains(&sent), "{sent} messages left although 4 had room");
        assert!(connection.queued_bytes() > 7 << 20);

        // One is dropped, one comes in.
        let first = held.lock().unwrap().remove(0);
        assert_eq!(first.header.tid, 0);
        drop(first);
        wait_until("the next", || held.lock().unwrap().len() == 4);
        assert_eq!(held.lock().unwrap()[3].header.tid, 4);

        // Taking the message out gives the budget back as well.
        let mut seen = 4;
        while seen < sent {
            wait_until("more", || !held.lock().unwrap().is_empty());
            for received in held.lock().unwrap().drain(..) {
                let message: Message = received.into_message();
                seen = seen.max(message.header.tid + 1);
            }
        }
        wait_until("an empty queue", || connection.queued_bytes() == 0);
    }

    /// There is nothing in them but what each takes by itself, and no end to them.
    fn empty_messages_hold_their_peer_back(town) {
        const ROOM: usize = 100;
        let gate = Arc::new(Mutex::new(()));
        let wait = gate.clone();
        let probe = Probe::with(move |_, _| drop(wait.lock()));
        let server = start(town.server("osd.3").dispatch_budget(ROOM * cost(&numbered(0))), &probe);
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = dial(&client, &server);
        let closed = gate.lock().unwrap();
        let sent = AtomicU64::new(0);
        let flood = || {
            for _ in 0..5_000 {
                connection.send(numbered(sent.fetch_add(1, Ordering::Relaxed))).unwrap();
            }
        };
        flood();
        wait_until("the peer to wait", || server.counters().throttle_waits > 0);
        // What is on its way into memory still comes, over io_uring as late as with the first bytes after the pause.
        let read = || (server.counters().messages_in, server.counters().bytes_in);
        wait_until("nothing of a flood to be read", || {
            let before = read();
            flood();
            stays(MOMENT, read) && read() == before
        });
        assert_eq!(read().0, ROOM as u64);
        drop(closed);
        wait_until("all of them", || server.counters().messages_in == sent.load(Ordering::Relaxed));
    }

    fn budgets_of_a_type_of_peer(town) {
        for (name, admitted) in [("client.7", 3), ("mgr.0", 2), ("mds.0", 10)] {
            let (held, probe) = holding();
            let server = town.server("osd.3").receive_budget(EntityType::Client, 3, 0);
            let server = start(server.receive_budget(EntityType::Mgr, 0, 2 * cost(&filled(0, 400)) + 100), &probe);
            let peer = start(town.builder(name), &Probe::new());
            let connection = dial(&peer, &server);
            for tid in 0..10 {
                connection.send(filled(tid, 400)).unwrap();
            }
            wait_until("those with room", || held.lock().unwrap().len() >= admitted);
            assert!(stays(MOMENT, || held.lock().unwrap().len()));
            assert_eq!(held.lock().unwrap().len(), admitted, "of {name}");
        }
    }

    fn one_message_that_exceeds_the_budget_comes_alone(town) {
        let (held, probe) = holding();
        let server = start(town.server("osd.3").dispatch_budget(1000), &probe);
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = dial(&client, &server);
        for tid in 0..3 {
            connection.send(filled(tid, 5000)).unwrap();
        }
        for tid in 0..3 {
            wait_until("the next", || !held.lock().unwrap().is_empty());
            assert!(stays(MOMENT / 3, || held.lock().unwrap().len()));
            let only = held.lock().unwrap().pop().unwrap();
            assert_eq!(only.header.tid, tid);
        }
    }

    fn connections_share_a_budget_fairly(town) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = seen.clone();
        let gate = Arc::new(Mutex::new(()));
        let wait = gate.clone();
        let probe = Probe::with(move |connection, _| {
            drop(wait.lock());
            std::thread::sleep(Duration::from_micros(200));
            note.lock().unwrap().push(connection.peer_name().unwrap().num);
        });
        let server = start(town.server("osd.3").receive_budget(EntityType::Client, 2, 0), &probe);
        let clients: Vec<_> = (0..4).map(|n| start(town.builder(&format!("client.{n}")), &Probe::new())).collect();
        let connections: Vec<_> = clients.iter().map(|client| dial(client, &server)).collect();
        let closed = gate.lock().unwrap();
        for connection in &connections {
            for tid in 0..200 {
                connection.send(numbered(tid)).unwrap();
            }
        }
        let have_left = || connections.iter().all(|connection| connection.queued_bytes() == 0);
        wait_until("each to wait", || server.counters().throttle_waits >= 4 && have_left());
        drop(closed);
        wait_until("all", || seen.lock().unwrap().len() == 800);
        let seen = seen.lock().unwrap();
        let last = |num| seen.iter().rposition(|n| *n == num).unwrap();
        let first_to_finish = (0..4).map(last).min().unwrap();
        assert!(first_to_finish > 500, "one was done after {first_to_finish} of 800");
    }

    fn messages_to_oneself_are_bounded_too(town) {
        let (held, probe) = holding();
        let messenger = start(town.server("osd.3").send_budget(5000), &probe);
        let myself = messenger.loopback();
        let sent = (0..100).take_while(|tid| myself.send(filled(*tid, 1000)).is_ok()).count();
        assert_eq!(sent, 5000 / cost(&filled(0, 1000)));
        wait_until("all of them", || held.lock().unwrap().len() == sent);
        assert_eq!(myself.send(filled(0, 1000)).unwrap_err().why, Rejection::Full);
        held.lock().unwrap().clear();
        myself.send(filled(0, 1000)).unwrap();
    }
}

#[test]
fn waiters_of_a_budget_do_not_busy_the_machine() {
    // Ceph's throttle polls: with many blocked connections it used up whole cores.
    let town = Town::tcp();
    let (held, probe) = holding();
    let server = start(town.server("osd.3").receive_budget(EntityType::Client, 1, 0), &probe);
    let clients: Vec<_> =
        (0..20).map(|n| start(town.builder(&format!("client.{n}")), &Probe::new())).collect();
    for client in &clients {
        let connection = dial(client, &server);
        connection.send(numbered(1)).unwrap();
    }
    wait_until("all but one to wait", || server.counters().throttle_waits == 19);
    let before = server.counters().waits;
    std::thread::sleep(MOMENT * 3);
    let looks = server.counters().waits - before;
    assert!(looks < 10, "{looks} looks while nothing could happen");
    let served = AtomicUsize::new(0);
    wait_until("each to have its turn", || {
        served.fetch_add(held.lock().unwrap().drain(..).count(), Ordering::Relaxed);
        served.load(Ordering::Relaxed) == 20
    });
}
