//! Requests that await their reply, on plain threads and under a runtime of our own.

use crate::executor::{Executor, block_on};
use crate::probe::{News, Probe, filled, numbered, pattern};
use crate::town::{MOMENT, PATIENCE, Pair, Town, dial, start, unused_addr, wait_until};
use axon_messenger::{
    BindSpec, CallError, Connection, Expect, Incoming, Nonce, Policy, Received, RecvError, Rejection,
    incoming,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server that returns messages replies.
const ECHO: Expect = Expect::Kind(0x70);
/// What a server replies that has a type for it.
const REPLY: Expect = Expect::Kind(0x71);

/// Requests that were not answered yet.
type Requests = Arc<Mutex<Vec<(Connection, Received)>>>;

/// A server that answers when told to, the last request first.
fn reluctant() -> (Requests, Arc<Probe>) {
    let requests = Requests::default();
    let keep = requests.clone();
    let probe = Probe::fast_with(move |connection, message| {
        keep.lock().unwrap().push((connection.clone(), message));
    });
    (requests, probe)
}

/// Replies to every message with another type.
fn replying() -> Arc<Probe> {
    Probe::fast_with(|connection, message| {
        let mut reply = filled(message.header.tid, 7);
        reply.header.kind = 0x71;
        connection.send(reply).unwrap();
    })
}

fn echoing(town: &Town) -> Pair {
    town.pair(&Probe::echo(), &Probe::new())
}

over_each! {
    fn replies_find_their_calls_on_plain_threads(town) {
        let (requests, probe) = reluctant();
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        let callers: Vec<_> = (1..=20)
            .map(|n| {
                let connection = connection.clone();
                std::thread::spawn(move || {
                    let tid = connection.next_tid();
                    let reply = connection.call(filled(tid, 10 * n), ECHO).unwrap().wait().unwrap();
                    assert_eq!((reply.header.tid, reply.data), (tid, pattern(tid, 10 * n).into()));
                })
            })
            .collect();
        wait_until("all requests", || requests.lock().unwrap().len() == 20);
        while let Some((connection, request)) = requests.lock().unwrap().pop() {
            connection.send(request.into_message()).unwrap();
        }
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        assert!(!pair.at_client.log().iter().any(|entry| matches!(entry.news, News::Message(_))));
    }

    fn calls_need_no_particular_runtime(town) {
        let pair = echoing(town);
        let connection = pair.connect();
        let done = Arc::new(AtomicU64::new(0));
        let mut executor = Executor::new();
        for _ in 0..50 {
            let (connection, done) = (connection.clone(), done.clone());
            executor.spawn(async move {
                for _ in 0..20 {
                    let reply = connection.call(numbered(0), ECHO).unwrap().await.unwrap();
                    assert_ne!(reply.header.tid, 0, "calls are numbered");
                    connection.send_async(numbered(1 << 40)).await.unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        executor.run();
        assert_eq!(done.load(Ordering::Relaxed), 1000);
        assert_eq!(pair.at_client.wait_messages(1000).len(), 1000, "what nobody awaits goes to the dispatcher");
        let reply = block_on(async { connection.call(numbered(0), ECHO).unwrap().await });
        assert!(reply.is_ok());
    }

    fn the_end_of_the_connection_ends_its_calls(town) {
        let (requests, probe) = reluctant();
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        let calls: Vec<_> = (0..10).map(|_| connection.call(numbered(0), ECHO).unwrap()).collect();
        wait_until("the requests", || requests.lock().unwrap().len() == 10);
        drop(pair.server);
        for call in calls {
            assert_eq!(call.wait_timeout(Duration::from_secs(20)), Err(CallError::Reset));
        }
        let rejected = connection.call(numbered(0), ECHO).unwrap_err();
        assert_eq!(rejected.why, Rejection::Closed);
    }

    /// A lossless session does not end with its socket; but the server that is there next knows nothing of the request.
    fn a_peer_that_lost_the_session_ends_calls(town) {
        let (requests, probe) = reluctant();
        let server = |at: BindSpec, probe: &Arc<Probe>| {
            let server = town.builder("osd.3").bind(at).nonce(Nonce::MONITOR);
            start(server.default_policy(Policy::stateful_server()), probe)
        };
        let there = BindSpec::from(unused_addr());
        let first = server(there, &probe);
        let client = start(town.builder("client.7").default_policy(Policy::lossless_client()), &Probe::new());
        let connection = dial(&client, &first);
        let call = connection.call(numbered(0), ECHO).unwrap();
        wait_until("the request", || !requests.lock().unwrap().is_empty());
        drop(first);
        let _second = server(there, &Probe::echo());
        assert_eq!(call.wait_timeout(PATIENCE), Err(CallError::Reset));
        assert!(connection.call(numbered(0), ECHO).unwrap().wait_timeout(PATIENCE).is_ok());
    }

    fn mark_down_ends_calls(town) {
        let (_requests, probe) = reluctant();
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        let call = connection.call(numbered(0), ECHO).unwrap();
        connection.mark_down();
        assert_eq!(call.wait_timeout(Duration::from_secs(20)), Err(CallError::MarkedDown));
    }

    fn no_call_hangs_while_connections_break(town) {
        for round in 0..10 {
            let pair = echoing(town);
            let connection = pair.connected().0;
            let caller = std::thread::spawn(move || {
                while let Ok(call) = connection.call(numbered(0), ECHO) {
                    match call.wait_timeout(Duration::from_secs(20)) {
                        Ok(_) => {}
                        Err(CallError::Reset) => break,
                        Err(other) => panic!("{other}"),
                    }
                }
            });
            std::thread::sleep(Duration::from_millis(round));
            drop(pair.server);
            caller.join().unwrap();
        }
    }

    fn a_dropped_call_is_forgotten(town) {
        let (requests, probe) = reluctant();
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        drop(connection.call(numbered(5), ECHO).unwrap());
        wait_until("the request", || !requests.lock().unwrap().is_empty());
        let (there, request) = requests.lock().unwrap().pop().unwrap();
        there.send(request.into_message()).unwrap();
        assert_eq!(pair.at_client.wait_messages(1)[0].header.tid, 5);
    }

    fn a_call_may_have_a_deadline(town) {
        let (requests, probe) = reluctant();
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        let patient = connection.call_within(numbered(0), ECHO, Duration::MAX).unwrap();
        let begun = std::time::Instant::now();
        let call = connection.call_within(numbered(0), ECHO, MOMENT).unwrap();
        assert_eq!(block_on(call), Err(CallError::TimedOut));
        assert!(begun.elapsed() >= MOMENT && begun.elapsed() < Duration::from_secs(10));
        wait_until("the requests", || requests.lock().unwrap().len() == 2);
        for (there, request) in requests.lock().unwrap().drain(..) {
            there.send(request.into_message()).unwrap();
        }
        assert!(patient.wait().is_ok());
        assert_eq!(pair.at_client.wait_messages(1).len(), 1, "the late reply goes to the dispatcher");
    }

    fn two_calls_cannot_have_the_same_number(town) {
        let (_requests, probe) = reluctant();
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        let first = connection.call(numbered(7), ECHO).unwrap();
        let _second = connection.call(numbered(7), ECHO).unwrap();
        assert_eq!(first.wait(), Err(CallError::IdReused));
    }

    fn one_may_call_oneself(town) {
        let messenger = start(town.server("osd.3"), &replying());
        for _ in 0..3 {
            let reply = messenger.loopback().call(numbered(0), REPLY).unwrap().wait_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!((reply.header.kind, reply.data.len()), (0x71, 7));
        }
    }

    /// Both number their requests from one.
    fn both_ends_may_call_over_one_connection(town) {
        let pair = town.pair(&replying(), &replying());
        let (connection, there) = pair.connected();
        for _ in 0..100 {
            let calls: Vec<_> = [&connection, &there].map(|end| end.call(numbered(0), REPLY).unwrap()).into();
            assert_eq!(calls[0].call().1, calls[1].call().1, "the ids collide");
            for call in calls {
                let reply = call.wait_timeout(PATIENCE).unwrap();
                assert_eq!((reply.header.kind, reply.data.len()), (0x71, 7));
            }
        }
    }

    fn messages_may_be_taken_from_a_queue(town) {
        let (dispatcher, queue) = incoming();
        let server = town.server("osd.3").start(dispatcher).unwrap();
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = crate::town::dial(&client, &server);
        connection.send(numbered(1)).unwrap();
        assert!(matches!(block_on(queue.recv()), Some(Incoming::Accept(_))));
        let Some(Incoming::Message(there, message)) = queue.recv_blocking() else { panic!("not a message") };
        assert_eq!(message.header.tid, 1);
        assert_eq!(queue.try_recv().map(drop), Err(RecvError::Empty));
        connection.mark_down();
        match queue.recv_timeout(Duration::from_secs(20)) {
            Ok(Incoming::Reset(connection, _)) => assert_eq!(connection, there),
            other => panic!("{other:?}"),
        }
        drop(server);
        assert_eq!(queue.recv_timeout(PATIENCE).map(drop), Err(RecvError::Closed));
    }
}
