//! Peers that mean harm: they cost little, and nobody else notices.

use crate::child::{allow_descriptors, alone, descriptors, status};
use crate::probe::{Probe, filled, numbered, pattern};
use crate::raw::{Claim, RawClient, announcement, is_closed_within};
use crate::town::{MOMENT, PATIENCE, Town, dial, socket_of, start, wait_until};
use axon_messenger::{Expect, Fault, Messenger, Policy, Timeouts};
use axon_proto::Disconnect;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest round trip of a well-behaved client beside a hostile one. Machines that run other tests at the same time
/// have stalls of seconds of their own; what is excluded is a wait for the hostile peer's time-outs.
const BEARABLE: Duration = Duration::from_secs(8);

/// A client that plays ping-pong until told to stop, and then says how long the longest round took.
struct Player {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(Duration, u64)>,
}

impl Player {
    fn start(town: &Town, server: &Messenger) -> Self {
        let client = start(town.builder("client.7"), &Probe::new());
        let connection = dial(&client, server);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let (mut longest, mut rounds) = (Duration::ZERO, 0);
            while rounds == 0 || !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let call = connection.call(filled(0, 1000), Expect::Kind(0x70)).unwrap();
                call.wait_timeout(PATIENCE).expect("an answer");
                longest = longest.max(begun.elapsed());
                rounds += 1;
            }
            drop(client);
            (longest, rounds)
        });
        Self { stop, thread }
    }

    /// The longest round, and how many there were.
    fn stop(self) -> (Duration, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn impatient(ready: Duration) -> Timeouts {
    Timeouts { ready, ..Timeouts::default() }
}

/// A valid banner, so that what follows is taken for frames.
const BANNER: &[u8] = b"ceph v2\n\x10\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

#[test]
fn strangers_do_not_disturb_a_client() {
    alone("hostile::strangers_do_not_disturb_a_client", || {
        allow_descriptors(6500); // the strangers' ends, and those that are admitted
        let town = Town::tcp();
        let server = start(town.server("osd.3").timeouts(impatient(Duration::from_secs(2))), &Probe::echo());
        let target = socket_of(&server);
        let player = Player::start(&town, &server);
        let slow = std::thread::spawn(move || one_byte_at_a_time(target));
        let before = status("VmRSS");

        let mut strangers = Vec::new();
        let mut most = 0;
        for n in 0..5000 {
            let mut stranger = TcpStream::connect(target).unwrap();
            // A third says nothing, a third babbles, a third begins well.
            match n % 3 {
                0 => {}
                1 => drop(stranger.write_all(&pattern(n, 2000))),
                _ => drop(stranger.write_all(BANNER).and_then(|()| stranger.write_all(&pattern(n, 2000)))),
            }
            strangers.push(stranger);
            most = most.max(server.connections());
        }
        let grown = status("VmRSS").saturating_sub(before);
        assert!(most <= 1100, "{most} sockets at once");
        assert!(grown < 64 << 10, "{grown} KiB more");
        wait_until("strangers to be closed", || server.connections() == 1);
        let (longest, rounds) = player.stop();
        assert!(longest < BEARABLE && rounds > 10, "{rounds} rounds, one of {longest:?}");
        assert!(slow.join().unwrap() < 10, "it was closed before its banner was complete");
        wait_until("nothing to be left", || server.connections() == 0);
        assert!(strangers.iter_mut().all(|stranger| is_closed_within(stranger, PATIENCE)));
    });
}

/// Writes a banner, slowly; returns the number of bytes until the other end had enough.
fn one_byte_at_a_time(target: SocketAddr) -> usize {
    let mut stream = TcpStream::connect(target).unwrap();
    let mut closed = |byte: &[u8]| {
        stream.write_all(byte).is_err() || is_closed_within(&mut stream, Duration::from_millis(500))
    };
    BANNER.chunks(1).position(&mut closed).unwrap_or(BANNER.len())
}

#[test]
fn the_oldest_stranger_makes_room_for_the_next() {
    let town = Town::tcp();
    let server = start(town.server("osd.3").max_unauthenticated(3), &Probe::echo());
    let target = socket_of(&server);
    let mut strangers: Vec<TcpStream> = Vec::new();
    for n in 1..=5 {
        strangers.push(TcpStream::connect(target).unwrap());
        wait_until("it to be accepted", || server.connections() == n.min(3));
        std::thread::sleep(MOMENT / 5);
    }
    assert!(strangers[..2].iter_mut().all(|stranger| is_closed_within(stranger, PATIENCE)));
    assert!(!is_closed_within(&mut strangers[2], MOMENT));
    assert!(Player::start(&town, &server).stop().1 > 0, "a client gets in nevertheless");
}

#[test]
fn garbage_ends_a_socket_at_once() {
    let town = Town::tcp();
    let server = start(town.server("osd.3"), &Probe::new());
    for n in 0..60 {
        let mut stream = TcpStream::connect(socket_of(&server)).unwrap();
        let garbage = pattern(n, 100_000);
        // It may be closed before all of it was written.
        let _ =
            stream.write_all(if n % 2 == 0 { BANNER } else { b"" }).and_then(|()| stream.write_all(&garbage));
        assert!(is_closed_within(&mut stream, PATIENCE), "{n}");
    }
    wait_until("nothing to be left", || server.connections() == 0);
}

#[test]
fn announced_bytes_take_no_memory_before_they_come() {
    alone("hostile::announced_bytes_take_no_memory_before_they_come", || {
        let town = Town::tcp();
        let server = start(town.server("osd.3").dispatch_budget(1 << 20), &Probe::echo());
        let target = server.addrs().first();
        let before = status("VmRSS");
        // Each announces 200 MiB and sends 64 KiB of it.
        let mut peers: Vec<_> =
            (100..140).map(|n| RawClient::dial(target, Claim::client(n)).unwrap().0).collect();
        for peer in &mut peers {
            peer.announce(200 << 20, 64 << 10).unwrap();
        }
        wait_until("them to wait in line", || server.counters().throttle_waits >= 39);
        std::thread::sleep(MOMENT);
        let grown = status("VmRSS").saturating_sub(before);
        assert!(grown < 64 << 10, "{grown} KiB more");
        drop(peers);
        wait_until("them to be gone", || server.connections() == 0);
        assert!(Player::start(&town, &server).stop().1 > 0, "the budget is free again");
    });
}

/// What follows a question for a session at once waits for the budgets like everything else: in the peer's socket.
#[test]
fn who_does_not_wait_for_the_session_is_held_back_too() {
    const ENOUGH: usize = 64 << 20;
    let town = Town::tcp();
    for policy in [Policy::stateless_server(), Policy::stateful_server()] {
        let server =
            start(town.server("osd.3").default_policy(policy).dispatch_budget(1 << 20), &Probe::new());
        let target = server.addrs().first();
        let (mut hog, _) = RawClient::dial(target, Claim::client(100)).unwrap();
        hog.announce(100 << 20, 64 << 10).unwrap();
        hog.stream.flush().unwrap();
        let claim = Claim { behind: announcement(200 << 20), ..Claim::client(101) };
        wait_until("the budget to be used up", || server.dump(PATIENCE).unwrap().throttles[0].in_use > 0);
        let (peer, _) = RawClient::dial(target, claim).unwrap();
        wait_until("a wait for the budget", || server.counters().throttle_waits > 0);
        peer.stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut written = 0;
        let stopped = loop {
            match (&peer.stream).write(&[0; 64 << 10]) {
                Ok(_) if written > ENOUGH => break false,
                Ok(more) => written += more,
                Err(error) => break error.kind() == ErrorKind::WouldBlock,
            }
        };
        assert!(stopped, "{written} bytes went in");
    }
}

/// Neither a message that was here before nor one that is given up halfway keeps what the budget gave for it.
#[test]
fn messages_that_come_to_nothing_give_their_budget_back() {
    let town = Town::tcp();
    let server = start(town.server("osd.3").dispatch_budget(1000), &Probe::echo());
    let (mut peer, _) = RawClient::dial(server.addrs().first(), Claim::client(100)).unwrap();
    peer.send(filled(1, 1000)).unwrap();
    wait_until("the first to be delivered", || server.counters().messages_in == 1);
    peer.send_again(filled(1, 1000)).unwrap();
    peer.settle();
    assert!(
        Player::start(&town, &server).stop().1 > 0,
        "the budget is kept for a message that was here before"
    );
    peer.abort(filled(2, 1000)).unwrap();
    peer.settle();
    assert!(Player::start(&town, &server).stop().1 > 0, "the budget is kept for a message that was given up");
    let before = server.counters().messages_in;
    peer.send(filled(2, 1000)).unwrap();
    wait_until("the next to be delivered", || server.counters().messages_in == before + 1);
}

#[test]
fn running_out_of_descriptors_is_survived() {
    alone("hostile::running_out_of_descriptors_is_survived", || {
        let town = Town::tcp();
        let server = start(town.server("osd.3"), &Probe::echo());
        let target = socket_of(&server);
        let probe = Probe::new();
        let client = start(town.builder("client.8"), &probe);
        let player = Player::start(&town, &server);
        wait_until("the player", || server.connections() == 1);

        let before = getrlimit(Resource::Nofile);
        let few = descriptors() as u64 + 40;
        setrlimit(Resource::Nofile, Rlimit { current: Some(few), maximum: before.maximum }).unwrap();
        let mut hogs = Vec::new();
        let full = Instant::now() + Duration::from_secs(1);
        while Instant::now() < full {
            // Both ends of each take a descriptor of this process; the last ones are never accepted.
            hogs.extend(TcpStream::connect(target).ok());
        }
        let connection = dial(&client, &server);
        connection.send(numbered(1)).unwrap();
        assert_eq!(probe.wait_refused(|_| true), Fault::Disconnected(Disconnect::Exhausted));
        std::thread::sleep(MOMENT * 5);

        drop(hogs);
        probe.wait_connect(&connection);
        assert_eq!(probe.wait_messages(1)[0].header.tid, 1);
        let (longest, rounds) = player.stop();
        assert!(longest < BEARABLE && rounds > 10, "{rounds} rounds, one of {longest:?}");
    });
}

#[test]
fn a_peer_that_never_reads_holds_nothing_but_its_own() {
    let town = Town::tcp();
    let server = start(town.server("osd.3").send_budget(4 << 20), &Probe::echo());
    let player = Player::start(&town, &server);
    let (mut deaf, _) = RawClient::dial(server.addrs().first(), Claim::client(100)).unwrap();
    deaf.stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    // Its echoes are dropped by the server's handler once its budget is used up.
    for tid in 0..200 {
        if deaf.send(filled(tid, 256 << 10)).is_err() {
            break;
        }
    }
    let (longest, rounds) = player.stop();
    assert!(longest < BEARABLE && rounds > 10, "{rounds} rounds, one of {longest:?}");
}
