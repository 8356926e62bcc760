//! Monitors among themselves: either may dial, and whatever happens to sockets there is one session.

use super::daemon_log::{DaemonLog, INJECTED, after};
use super::mon_peer::{MON_ELECTION, MonPeer, boot};
use super::our_log::OurLog;
use super::{PATIENCE, cut_for, cutting};
use crate::monitors::{SECOND, eventually};
use axon_auth::Mode;
use axon_messenger::State;
use axon_testbed::{Cluster, Tap};
use axon_transport::{Faulty, TcpTransport};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Below all ports of the testbed's monitors: of two attempts at the same time, ours survives.
const LOWER: Range<u16> = 10_000..20_000;
/// Above them: the real monitor's attempt survives.
const HIGHER: Range<u16> = 61_000..65_000;

/// Each only once, as it is some seconds before somebody listens there.
static TRIED: AtomicUsize = AtomicUsize::new(0);

fn free_addr(ports: Range<u16>) -> SocketAddr {
    let start = 7 * std::process::id() as usize;
    let next = || ports.start + ((start + TRIED.fetch_add(1, Ordering::Relaxed)) % ports.len()) as u16;
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let port = std::iter::repeat_with(next).take(1000).find(free).expect("a free port on loopback");
    (Ipv4Addr::LOCALHOST, port).into()
}

/// How the real monitor's log begins a question.
const QUESTION: &str = "mon_probe(probe ";

/// Questions that may be open while the storm goes on: each new socket begins with all of them again.
const OPEN_QUESTIONS: usize = 400;

/// A real monitor, ours, and two ways to cut what is between them: our sockets after so and so many bytes, those that
/// the real one dialled at any time.
struct World {
    cluster: Cluster,
    peer: MonPeer,
    our_log: OurLog,
    transport: Faulty<TcpTransport>,
    tap: Tap,
    tap_cuts: usize,
}

impl World {
    fn boot(ports: Range<u16>, mode: Mode, seed: u64) -> Self {
        let addr = free_addr(ports);
        let cluster = boot(addr, mode);
        let tap = Tap::start(addr, 0).unwrap();
        cluster.redirect(addr.port(), tap.addr().port()).unwrap();
        let transport = cutting(seed, 30_000);
        let our_log = OurLog::default();
        let peer = MonPeer::start(&cluster, addr, mode, our_log.over(transport.clone()));
        Self { cluster, peer, our_log, transport, tap, tap_cuts: 0 }
    }

    /// Whether the session was resumed often, and monitors have agreed on a leader in it.
    fn has_seen_enough(&self) -> bool {
        self.peer.messenger.counters().reconnects >= 10 && self.peer.seen().kinds.contains_key(&MON_ELECTION)
    }

    /// Questions all the time, and cuts, for a while and until `enough` of it.
    fn storm(&mut self, during: Duration, enough: fn(&Self) -> bool) {
        let start = Instant::now();
        let mut next_cut = start;
        while start.elapsed() < during || start.elapsed() < PATIENCE && !enough(self) {
            let open = self.peer.asked - self.peer.seen().answers;
            (open..OPEN_QUESTIONS).take(3).for_each(|_| self.peer.ask());
            sleep(Duration::from_millis(10));
            if next_cut <= Instant::now() {
                self.tap.cut();
                self.tap_cuts += 1;
                next_cut += Duration::from_millis(100 + 37 * (self.tap_cuts as u64 * 7 % 11));
            }
        }
        self.transport.calm();
    }

    /// Every question was answered, and everything acknowledged.
    fn settle(&self) {
        let start = Instant::now();
        let answered = || self.peer.seen().answers >= self.peer.asked;
        eventually("an answer to every question", PATIENCE, answered);
        eventually("one connection", PATIENCE, || self.peer.messenger.connections() == 1);
        // A socket of before the calm may break once more.
        eventually("an open session", PATIENCE, || self.peer.real.state() == State::Open);
        println!("settled after {:?}", start.elapsed());
    }

    /// Nothing was lost or doubled: as seen from here, and as the real monitor saw it.
    fn assert_one_session(&self) {
        let log = self.log_of_all();
        log.assert_clean();
        self.our_log.assert_clean();
        assert_eq!(log.cookies("mon.1").len(), 1, "sessions that the real monitor knew");
        self.assert_sent_in_order(&log);
        let seen = self.peer.seen();
        assert_eq!(seen.answers, self.peer.asked);
        assert_eq!(seen.lost, [""; 0]);
        assert!(seen.kinds.get(&MON_ELECTION).is_some_and(|n| *n > 0), "{:?}", seen.kinds);
        assert!(seen.seqs.iter().copied().eq(1..=seen.seqs.len() as u64), "gaps or repetitions");
        let counters = self.peer.messenger.counters();
        assert_eq!((counters.connections_opened, counters.resets), (1, 0), "{counters}");
        assert!(counters.reconnects >= 10, "{counters}");
    }

    /// The real monitor's log, which it writes a little later, once it knows of all our questions; and all that it had sent
    /// by then has arrived here.
    fn log_of_all(&self) -> DaemonLog {
        let mut log = DaemonLog::of(&self.cluster, "mon.a");
        eventually("all questions in the log of mon.a", PATIENCE, || {
            log = DaemonLog::of(&self.cluster, "mon.a");
            log.received("mon.1", QUESTION).count() >= self.peer.asked
        });
        let sent = log.count("send_message enqueueing message");
        eventually("all that mon.a has sent", PATIENCE, || self.peer.seen().seqs.len() >= sent);
        log
    }

    /// What went there: every question once and in order, by the names in the real monitor's log.
    fn assert_sent_in_order(&self, log: &DaemonLog) {
        let all: Vec<_> = log.received("mon.1", "").map(|(seq, _)| seq).collect();
        assert!(all.iter().copied().eq(1..=all.len() as u64), "gaps or repetitions");
        let questions = log.received("mon.1", QUESTION);
        let names: Vec<_> = questions.filter_map(|(_, text)| after(text, " name ")).collect();
        let expected = (0..self.peer.asked).map(|n| format!("q{n}"));
        assert!(names.iter().copied().eq(expected), "{} of {} questions", names.len(), self.peer.asked);
    }

    fn report(&self) {
        let log = DaemonLog::of(&self.cluster, "mon.a");
        let seen = self.peer.seen();
        println!(
            "{} of our sockets cut, {} times those dialled by mon.a; {} questions; {:?}",
            self.transport.cuts(),
            self.tap_cuts,
            self.peer.asked,
            seen.kinds
        );
        println!("here: {:?}", self.our_log.faults());
        println!("here: {}", self.peer.messenger.counters());
        for event in [
            "handle_client_ident received",
            "handle_server_ident received",
            "handle_reconnect received reconnect",
            "handle_reconnect_ok reconnect accepted",
            "race detected, replacing",
            "race detected, this connection loses",
            "ask client to retry",
            "received session retry",
            "received session reset",
            "going to standby",
            "got old message",
            INJECTED,
        ] {
            println!("mon.a: {event}: {}", log.count(event));
        }
    }
}

fn survives(ports: Range<u16>, mode: Mode, seed: u64) {
    let mut world = World::boot(ports, mode, seed);
    world.storm(cut_for(), World::has_seen_enough);
    world.settle();
    world.report();
    world.assert_one_session();
}

#[test]
fn one_session_in_crc_mode_when_ours_is_the_lower_address() {
    survives(LOWER, Mode::CRC, 1);
}

#[test]
fn one_session_in_crc_mode_when_ours_is_the_higher_address() {
    survives(HIGHER, Mode::CRC, 2);
}

#[test]
fn one_session_in_secure_mode_when_ours_is_the_lower_address() {
    survives(LOWER, Mode::SECURE, 3);
}

#[test]
fn one_session_in_secure_mode_when_ours_is_the_higher_address() {
    survives(HIGHER, Mode::SECURE, 4);
}

/// It counts its attempts from one again, far behind those of its earlier life, and nobody here has anything to say.
fn notices_a_restart(ports: Range<u16>, seed: u64) {
    let mut world = World::boot(ports, Mode::CRC, seed);
    world.storm(2 * SECOND, |_| true);
    world.settle();
    world.cluster.stop("mon.a");
    world.cluster.start("mon.a").unwrap();
    let start = Instant::now();
    eventually("news of the lost session", PATIENCE, || !world.peer.seen().lost.is_empty());
    println!("noticed after {:?}", start.elapsed());
    (0..10).for_each(|_| world.peer.ask());
    world.settle();
    println!("settled after {:?}", start.elapsed());
    assert_eq!(world.peer.seen().lost.len(), 1, "{:?}", world.peer.seen().lost);
    assert_eq!(world.peer.messenger.counters().resets, 1);
}

#[test]
fn a_restarted_monitor_is_noticed_from_the_lower_address() {
    notices_a_restart(LOWER, 5);
}

#[test]
fn a_restarted_monitor_is_noticed_from_the_higher_address() {
    notices_a_restart(HIGHER, 6);
}

#[test]
fn a_monitor_notices_that_ours_restarted() {
    let mut world = World::boot(LOWER, Mode::SECURE, 7);
    world.storm(2 * SECOND, |_| true);
    world.settle();
    let World { cluster, peer, .. } = world;
    let addr = peer.messenger.addrs().first().socket.unwrap();
    drop(peer);
    let start = Instant::now();
    let mut again = MonPeer::start(&cluster, addr, Mode::SECURE, TcpTransport::new());
    (0..10).for_each(|_| again.ask());
    eventually("an answer to every question", PATIENCE, || again.seen().answers == again.asked);
    println!("settled after {:?}", start.elapsed());
    let log = DaemonLog::of(&cluster, "mon.a");
    log.assert_clean();
    assert_eq!(log.cookies("mon.1").len(), 2);
}
