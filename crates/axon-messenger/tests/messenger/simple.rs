//! SimpleTest, MessageTest, MarkdownTest: messages go both ways, whole and in order, and connections are closed.

use crate::probe::{News, Probe, filled, numbered, pattern, stays};
use crate::town::{MOMENT, addrs, dial, start, unused_addr, wait_until};
use axon_messenger::{AddrVec, EntityAddr, EntityType, Fault, Message, Nonce, Rejection, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

over_each! {
    fn ping_pong_both_directions(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, there) = pair.connected();
        for tid in 1..=3 {
            here.send(filled(tid, 100)).unwrap();
            there.send(filled(tid + 100, 100)).unwrap();
        }
        for (probe, first) in [(&pair.at_server, 1), (&pair.at_client, 101)] {
            for (message, tid) in probe.wait_messages(3).iter().zip(first..) {
                assert_eq!(message.header.tid, tid);
                assert_eq!(message.data, pattern(tid, 100));
                assert_eq!(message.header.kind, 0x70);
            }
        }
    }

    fn bodies_of_all_sizes_arrive_whole(town) {
        let pair = town.pair(&Probe::echo(), &Probe::new());
        let connection = pair.connect();
        for (tid, size) in (1..).zip([0, 1, 4 << 10, 1 << 20, 30 << 20]) {
            let mut message = filled(tid, size);
            message.front = pattern(tid + 50, size.min(800_000)).into();
            message.middle = pattern(tid + 90, size.min(77)).into();
            connection.send(message.clone()).unwrap();
            let echo = pair.at_client.wait_messages(tid as usize).pop().unwrap();
            let parts = |m: &Message| (m.front.len(), m.middle.len(), m.data.len());
            assert_eq!(parts(&echo), parts(&message));
            assert!(echo.front == message.front && echo.middle == message.middle && echo.data == message.data);
        }
    }

    fn many_messages_keep_their_order(town) {
        const MESSAGES: u64 = 50_000;
        let next = Arc::new(AtomicU64::new(0));
        let expected = next.clone();
        let server = Probe::with(move |_, message| {
            let due = expected.load(Ordering::Relaxed);
            assert_eq!(message.header.tid, due);
            expected.store(due + 1, Ordering::Relaxed);
        });
        let pair = town.pair(&server, &Probe::new());
        let connection = pair.connect();
        for tid in 0..MESSAGES {
            connection.send_timeout(numbered(tid), Duration::from_secs(20)).unwrap();
        }
        wait_until("all messages", || next.load(Ordering::Relaxed) == MESSAGES);
    }

    fn loopback_messages_need_no_peer(town) {
        for (probe, thread) in [(Probe::new(), "axon-dispatch-0"), (Probe::fast(), "axon-dispatch-0")] {
            let messenger = start(town.server("osd.3"), &probe);
            let myself = messenger.loopback();
            assert_eq!(myself.state(), State::Open);
            for tid in 0..100 {
                myself.send(filled(tid, 10)).unwrap();
            }
            let tids: Vec<u64> = probe.wait_messages(100).iter().map(|m| m.header.tid).collect();
            assert_eq!(tids, Vec::from_iter(0..100));
            assert!(probe.log().iter().all(|entry| entry.connection == myself && entry.thread == thread));
            assert_eq!(messenger.connections(), 0);
        }
    }

    fn a_dead_server_is_tried_again_with_growing_pauses(town) {
        let target = AddrVec(vec![EntityAddr::msgr2(unused_addr(), 5)]);
        let probe = Probe::new();
        let client = start(town.builder("client.7"), &probe);
        let begun = Instant::now();
        let connection = client.connect(EntityType::Osd, &target).unwrap();
        connection.send(numbered(1)).unwrap();

        let refusals = probe.wait_for("5 refusals", |log| {
            let refused = log.iter().filter(|e| matches!(e.news, News::Refused(_)));
            let times: Vec<_> = refused.map(|e| e.at).collect();
            (times.len() >= 5).then_some(times)
        });
        // Limits of 20, 40, 80, 160 ms, drawn between half and whole; a busy machine only adds to it.
        for (refusal, least) in refusals.iter().zip([0, 10, 30, 70, 150]) {
            assert!((*refusal - begun).as_millis() >= least, "{refusals:?}");
        }
        assert_eq!(connection.state(), State::Connecting);
        probe.wait_refused(|fault| fault.to_string().contains("refused"));

        let received = Probe::new();
        let (socket, nonce) = (target.first().socket.unwrap(), Nonce::fixed(target.first().nonce));
        let server = start(town.builder("osd.3").bind(socket).nonce(nonce), &received);
        assert_eq!(server.addrs(), target);
        assert_eq!(received.wait_messages(1)[0].header.tid, 1);
        assert_eq!(connection.state(), State::Open);
        assert_eq!(probe.resets(), 0);
    }

    fn what_is_known_of_a_connection(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, there) = pair.connected();
        assert_eq!((here.state(), there.state()), (State::Open, State::Open));
        assert_eq!(here.peer_name().unwrap().to_string(), "osd.3");
        assert_eq!(there.peer_name().unwrap().to_string(), "client.7");
        assert_eq!((here.peer_type(), there.peer_type()), (EntityType::Osd, EntityType::Client));
        assert_eq!(here.peer_addrs(), pair.server.addrs());
        assert_eq!(there.peer_addrs(), pair.client.addrs());
        assert_eq!(here.features(), there.features());
        assert!(here.features().unwrap().contains(axon_messenger::Features::MSG_ADDR2));
        assert_eq!(here.mode(), Some(axon_auth::Mode::CRC));
        assert_eq!(there.identity().unwrap().name.to_string(), "client.7");
        assert_eq!(here.identity(), None);
        assert_eq!(here.timeline().unwrap().phases.len(), 5);
        assert!(here.fault().is_none() && here.id() != pair.client.loopback().id());
        assert_eq!((pair.client.connections(), pair.server.connections()), (1, 1));
        assert_eq!(pair.connect(), here, "one connection per peer");
    }

    fn before_the_session_little_is_known(town) {
        let client = start(town.builder("client.7"), &Probe::new());
        let target = addrs(&["v2:127.0.0.1:9/5"]);
        let connection = client.connect(EntityType::Osd, &target).unwrap();
        assert_eq!((connection.state(), connection.peer_name()), (State::Connecting, None));
        assert_eq!((connection.features(), connection.mode()), (None, None));
        assert_eq!(connection.peer_addrs(), target);
    }

    fn mark_down_closes_both_ends(town) {
        let pair = town.pair(&Probe::new(), &Probe::new());
        let (here, there) = pair.connected();
        pair.at_client.clear();
        here.mark_down();
        assert_eq!(here.state(), State::Closed);
        let rejected = here.send(numbered(7)).unwrap_err();
        assert_eq!((rejected.why, rejected.message.header.tid), (Rejection::Closed, 7));
        let (fault, not_sent) = pair.at_server.wait_reset(&there);
        assert!(matches!(fault, Fault::Disconnected(_)), "{fault}");
        assert!(not_sent.is_empty());
        assert_eq!(there.state(), State::Closed);
        wait_until("both to forget", || pair.client.connections() + pair.server.connections() == 0);
        assert!(pair.at_client.log().is_empty(), "no callback follows: {:?}", pair.at_client.log());

        let again = pair.connect();
        assert_ne!(again, here);
        pair.at_client.wait_connect(&again);
    }

    /// MarkdownTest
    fn mark_down_from_inside_dispatch(town) {
        let first = Probe::with(|connection, _| connection.mark_down());
        let second = Probe::fast_with(|connection, _| connection.mark_down());
        for server in [first, second] {
            let pair = town.pair(&server, &Probe::new());
            for _ in 0..500 {
                let connection = pair.connect();
                let _ = connection.send(numbered(1));
                wait_until("the end", || connection.state() == State::Closed);
            }
            wait_until("both to forget", || pair.client.connections() + pair.server.connections() == 0);
        }
    }

    fn no_callback_follows_mark_down(town) {
        let seen = Arc::new(AtomicU64::new(0));
        let count = seen.clone();
        let server = Probe::with(move |connection, _| {
            connection.mark_down();
            count.fetch_add(1, Ordering::Relaxed);
        });
        let pair = town.pair(&server, &Probe::new());
        let connection = pair.connect();
        for tid in 0..1000 {
            let _ = connection.send(numbered(tid));
        }
        pair.at_client.wait_reset(&connection);
        assert!(stays(MOMENT, || seen.load(Ordering::Relaxed)));
        assert_eq!(seen.load(Ordering::Relaxed), 1);
        assert_eq!(pair.at_server.resets(), 0);
    }

    fn a_peer_may_be_many(town) {
        let server = start(town.server("osd.3").workers(2), &Probe::echo());
        let clients: Vec<_> = (0..8)
            .map(|n| {
                let probe = Probe::new();
                (start(town.builder(&format!("client.{n}")), &probe), probe)
            })
            .collect();
        for round in 0..20 {
            for (client, _) in &clients {
                dial(client, &server).send(numbered(round)).unwrap();
            }
        }
        for (_, probe) in &clients {
            let tids: Vec<u64> = probe.wait_messages(20).iter().map(|m| m.header.tid).collect();
            assert_eq!(tids, Vec::from_iter(0..20));
        }
    }
}
