//! SyntheticInjectTest3: lossy sessions over a network that breaks them. Losses are allowed; duplicates, gaps, disorder
//! and damage are not, and what was not sent comes back.

use crate::probe::{News, Probe, pattern};
use crate::town::{Town, start, wait_until};
use axon_messenger::{Connection, Dispatcher, EntityType, Message, Received, State};
use axon_transport::{Faults, Faulty, MemNetwork, TcpTransport, Transport, UringTransport};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SESSIONS: usize = 30;
const MESSAGES: usize = 60;

/// Checks each session by itself: sessions are told apart by the kind of their messages.
#[derive(Default)]
struct Checker {
    arrived: Mutex<HashMap<u16, u64>>,
}

impl Dispatcher for Checker {
    fn dispatch(&self, _: &Connection, message: Received) {
        let mut arrived = self.arrived.lock().unwrap();
        let next = arrived.entry(message.header.kind).or_default();
        assert_eq!(message.header.tid, *next, "of session {}", message.header.kind);
        assert_eq!(message.header.seq, *next + 1);
        assert_eq!(message.data, pattern(message.header.tid, size(message.header.tid)));
        *next += 1;
    }
}

/// What came back, if this is about a reset.
fn not_sent(news: &News) -> Option<&[Message]> {
    match news {
        News::Reset { not_sent, .. } => Some(not_sent),
        _ => None,
    }
}

fn size(tid: u64) -> usize {
    (tid * tid * 977 % 40_000) as usize
}

fn message(session: u16, tid: u64) -> Message {
    let mut message = Message::new(session, &b"front"[..]);
    message.header.tid = tid;
    message.data = pattern(tid, size(tid)).into();
    message
}

fn run<T: Transport + Clone>(inner: T, seed: u64) {
    let faults = Faults {
        seed,
        piece: 1..=9000,
        delay: Duration::ZERO..=Duration::from_micros(300),
        cuts_per_mille: 400,
        cut_after: 0..=600_000,
        refusals_per_mille: 200,
    };
    let network = Faulty::new(inner, faults);
    let town = Town::over(network.clone());
    let checker = Arc::new(Checker::default());
    let server = town.server("osd.3").workers(2).start(checker.clone()).unwrap();
    let probe = Probe::new();
    let client = start(town.builder("client.7"), &probe);
    let mut sessions = Vec::new();
    for session in 0..SESSIONS as u16 {
        let connection = client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap();
        let sent =
            (0..MESSAGES as u64).take_while(|tid| connection.send(message(session, *tid)).is_ok()).count();
        sessions.push((connection, sent as u64));
    }
    let is_over =
        |connection: &Connection| connection.state() == State::Closed || connection.queued_bytes() == 0;
    wait_until("most to be over", || sessions.iter().filter(|(c, _)| is_over(c)).count() > SESSIONS / 2);
    network.calm();
    wait_until("all to be over", || sessions.iter().all(|(connection, _)| is_over(connection)));
    client.shutdown(Duration::from_secs(20));
    server.shutdown(Duration::from_secs(20));

    let log = probe.log();
    let (mut lost, mut resets) = (0, 0);
    for (session, (connection, sent)) in (0..).zip(&sessions) {
        let arrived = checker.arrived.lock().unwrap().get(&session).copied().unwrap_or(0);
        let mine = log.iter().filter(|entry| entry.connection == *connection);
        let resets_of_it: Vec<_> = mine.filter_map(|entry| not_sent(&entry.news)).collect();
        if resets_of_it.is_empty() {
            assert_eq!(arrived, *sent, "session {session} was not reset");
            continue;
        }
        // What was handed over while the session ended comes after the rest.
        let came_back: Vec<u64> = resets_of_it.concat().iter().map(|message| message.header.tid).collect();
        let written = sent - came_back.len() as u64;
        assert_eq!(came_back, Vec::from_iter(written..*sent), "the rest, in order");
        assert!(arrived <= written, "session {session}: {arrived} arrived of {written} written");
        lost += written - arrived;
        resets += 1;
    }
    println!(
        "seed {seed}: {resets} resets, {} cuts, {} refusals, {lost} lost",
        network.cuts(),
        network.refusals()
    );
    assert!(network.cuts() > 0 && network.refusals() > 0 && resets > 0);
}

#[test]
fn over_tcp() {
    for seed in 1..=4 {
        run(TcpTransport::new(), seed);
    }
}

#[test]
fn over_uring() {
    for seed in 21..=24 {
        run(UringTransport::new().unwrap_or_else(|error| panic!("{error}")), seed);
    }
}

#[test]
fn over_mem() {
    for seed in 11..=14 {
        run(MemNetwork::new(), seed);
    }
}
