//! What a dump says, and that it says it whatever the messenger is doing.

use crate::probe::{Probe, filled, numbered};
use crate::town::{PATIENCE, addrs, dial, start, wait_until};
use axon_messenger::{
    AcceptingDump, ConnectionDump, DumpError, EntityType, Messenger, Origin, Policy, State,
};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn connections(messenger: &Messenger) -> Vec<ConnectionDump> {
    messenger.dump(PATIENCE).unwrap().connections
}

/// A dispatcher whose first message holds up the worker until told to go on.
fn blocking() -> (Arc<Probe>, std::sync::mpsc::Sender<()>, Receiver<()>) {
    let (go_on, told) = channel();
    let (entered, inside) = channel();
    let told = std::sync::Mutex::new(told);
    let probe = Probe::fast_with(move |_, _| {
        entered.send(()).unwrap();
        told.lock().unwrap().recv().unwrap();
    });
    (probe, go_on, inside)
}

over_each! {
    fn both_ends_tell_the_same_session(town) {
        let at_server = Probe::new();
        let server = start(town.server("osd.3").default_policy(Policy::stateful_server()), &at_server);
        let at_client = Probe::new();
        let client = start(town.builder("client.7").default_policy(Policy::lossless_client()), &at_client);
        let here = dial(&client, &server);
        for tid in 1..=3 {
            here.send(filled(tid, 100)).unwrap();
        }
        at_server.wait_messages(3);
        at_server.wait_accept().send(numbered(9)).unwrap();
        at_client.wait_messages(1);
        wait_until("all to be acknowledged", || connections(&client)[0].queue.unacknowledged == 0);

        let ([mine], [theirs]) = (&connections(&client)[..], &connections(&server)[..]) else { panic!("one each") };
        assert_eq!((mine.origin, theirs.origin), (Origin::Dialled, Origin::Accepted));
        assert_eq!((mine.id, mine.worker, mine.registered), (here.id(), 0, true));
        assert_eq!((mine.state, mine.link), (State::Open, Some("open")));
        assert_eq!(mine.peer_addrs, server.addrs());
        assert_eq!(mine.session.out_seq, 3);
        assert_eq!((mine.session.out_seq, mine.session.in_seq), (theirs.session.in_seq, theirs.session.out_seq));
        assert_ne!(mine.session.client_cookie, 0);
        assert_eq!(mine.session.client_cookie, theirs.session.client_cookie);
        assert_eq!(mine.session.server_cookie, theirs.session.server_cookie);
        assert_eq!((mine.policy, theirs.policy), (Policy::lossless_client(), Policy::stateful_server()));
        assert!(theirs.agreed.as_ref().unwrap().identity.is_some());
    }

    fn what_waits_is_counted(town) {
        let client = start(town.builder("client.7"), &Probe::new());
        let nowhere = client.connect(EntityType::Osd, &addrs(&["v2:127.0.0.1:9/5"])).unwrap();
        for tid in 0..5 {
            nowhere.send(filled(tid, 1000)).unwrap();
        }
        wait_until("the worker to have them", || connections(&client)[0].queue.waiting == 5);
        let dump = &connections(&client)[0];
        assert_eq!((dump.state, dump.peer, dump.queue.again), (State::Connecting, None, 0));
        assert!(dump.queue.bytes > 5000 && dump.queue.budget == 64 << 20, "{dump:?}");
        assert_eq!(dump.queue.bytes, nowhere.queued_bytes());
    }

    fn many_connections_are_all_there(town) {
        let server = start(town.server("osd.3").workers(2), &Probe::new());
        let client = start(town.builder("client.7"), &Probe::new());
        let all: Vec<_> = (0..100)
            .map(|_| client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap())
            .collect();
        let open = |dump: &[ConnectionDump]| dump.iter().filter(|c| c.state == State::Open).count();
        wait_until("all sessions", || open(&connections(&client)) == 100 && open(&connections(&server)) == 100);
        let dump = client.dump(PATIENCE).unwrap();
        let ids: Vec<u64> = dump.connections.iter().map(|c| c.id).collect();
        assert_eq!(ids, all.iter().map(|c| c.id()).collect::<Vec<_>>(), "each once, by its id");
        assert!(dump.connections.iter().all(|c| !c.registered));
        assert_eq!(dump.workers.iter().map(|w| w.load).sum::<usize>(), 100);
    }

    fn a_worker_that_is_held_up_does_not_hold_up_the_dump(town) {
        let (probe, go_on, inside) = blocking();
        let pair = town.pair(&probe, &Probe::new());
        let go_on = go_on; // dropped before the messengers, whose end waits for the worker
        pair.connect().send(numbered(1)).unwrap();
        inside.recv_timeout(PATIENCE).unwrap();
        let dump = pair.server.dump(Duration::from_millis(50)).unwrap();
        assert_eq!((dump.workers.len(), dump.workers[0].answered), (1, false));
        assert_eq!((dump.connections.len(), dump.counters.messages_in), (0, 1));
        go_on.send(()).unwrap();
        let dump = pair.server.dump(PATIENCE).unwrap();
        assert_eq!((dump.workers[0].answered, dump.connections.len()), (true, 1));
    }

    fn the_end_is_told_to_who_waits_for_a_dump(town) {
        let (probe, go_on, inside) = blocking();
        let pair = town.pair(&probe, &Probe::new());
        let go_on = go_on; // as above
        let _kept = pair.connected();
        pair.connect().send(numbered(1)).unwrap();
        inside.recv_timeout(PATIENCE).unwrap();
        let dumper = pair.server.dumper();
        let waiting = std::thread::spawn({
            let dumper = dumper.clone();
            move || dumper.dump(PATIENCE)
        });
        let server = pair.server;
        let closing = std::thread::spawn(move || server.shutdown(Duration::ZERO));
        go_on.send(()).unwrap();
        closing.join().unwrap();
        // The worker may have come to the question before it ended.
        match waiting.join().unwrap() {
            Err(error) => assert_eq!(error, DumpError::ShutDown),
            Ok(dump) => assert!(dump.workers[0].answered),
        }
        assert_eq!(dumper.dump(PATIENCE).unwrap_err(), DumpError::ShutDown);
    }
}

/// Over TCP only: a socket that says nothing, from outside.
#[test]
fn a_socket_without_a_session_is_listed() {
    let server = start(crate::town::Town::tcp().server("osd.3"), &Probe::new());
    let stranger = std::net::TcpStream::connect(crate::town::socket_of(&server)).unwrap();
    wait_until("the socket to be accepted", || server.dump(PATIENCE).unwrap().accepting.len() == 1);
    let dump = server.dump(PATIENCE).unwrap();
    let [AcceptingDump { worker: 0, from, link, .. }] = dump.accepting[..] else { panic!("{dump:?}") };
    assert_eq!(from, stranger.local_addr().unwrap());
    assert!(link.is_some(), "what it waits for");
    assert_eq!(dump.listening, [crate::town::socket_of(&server)]);
}
