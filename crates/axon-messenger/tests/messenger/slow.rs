//! A slow link, in virtual time, and the time-outs of every messenger.
//!
//! Time goes on only when what was due has happened, so that it does not matter how slow the machine is.

use crate::probe::{Entry, News, Probe, filled, numbered};
use crate::town::{Town, dial, start, wait_until};
use axon_messenger::{Builder, Connection, Dump, Fault, Message, Messenger, State, Timeouts};
use axon_proto::WakeReason;
use axon_transport::{Direction, MemNetwork, MemOptions};
use std::sync::Arc;
use std::time::Duration;

/// Bytes are so long on their way.
const SECOND: Duration = Duration::from_secs(1);

/// Bytes that are on their way at a time: half a Mbit/s, the least at which a large message may come.
const PER_SECOND: usize = 64 << 10;

/// A client, a server and time between them.
struct Slow {
    network: MemNetwork,
    server: Messenger,
    client: Messenger,
    at_server: Arc<Probe>,
    at_client: Arc<Probe>,
    connection: Connection,
}

impl Slow {
    fn connected(per_second: usize) -> Self {
        let network = MemNetwork::with_options(MemOptions {
            capacity: per_second,
            latency: SECOND..=SECOND,
            virtual_time: true,
            ..MemOptions::default()
        });
        let town = Town::over(network.clone());
        let (at_server, at_client) = (Probe::new(), Probe::new());
        // The time of a look for work would not end.
        let patient = |builder: Builder| {
            let timeouts = Timeouts { ready: 60 * SECOND, ..Timeouts::default() };
            builder.timeouts(timeouts).spin(Duration::ZERO).send_budget(1 << 30)
        };
        let server = start(patient(town.server("osd.3")), &at_server);
        let client = start(patient(town.builder("client.7")), &at_client);
        let connection = dial(&client, &server);
        let slow = Self { network, server, client, at_server, at_client, connection };
        while slow.connection.state() != State::Open {
            slow.pass(SECOND / 10);
            assert!(slow.network.now() < 60 * SECOND, "a handshake of some round trips");
        }
        slow
    }

    /// Time passes, and each side does what is due then.
    fn pass(&self, time: Duration) {
        assert!(self.network.now() < 36_000 * SECOND, "it does not end");
        self.network.advance(time);
        for messenger in [&self.server, &self.client, &self.server, &self.client] {
            self.wait_for_turn(messenger);
        }
    }

    /// Waits until `met`. Before a timer fires, a worker looks for what has arrived until the next moment, which has to come.
    fn wait(&self, what: &str, mut met: impl FnMut() -> bool) {
        wait_until(what, || {
            self.network.advance(Duration::from_nanos(1));
            met()
        });
    }

    /// The next turn of a messenger's worker, and what it is doing then.
    fn wait_for_turn(&self, messenger: &Messenger) -> Dump {
        let mut found = None;
        self.wait("a turn of the worker", || {
            let dump = messenger.dump(Duration::from_millis(20));
            found = dump.ok().filter(|dump| dump.workers.iter().all(|worker| worker.answered));
            found.is_some()
        });
        found.expect("it was waited for")
    }

    /// What is on its way to the server arrives, and what comes next is on its way, if there is any.
    fn move_on(&self) {
        self.move_between(&self.client, &self.server);
    }

    /// The same on the way to the client.
    fn move_back(&self) {
        self.move_between(&self.server, &self.client);
    }

    fn move_between(&self, from: &Messenger, to: &Messenger) {
        let out = || from.counters().bytes_out;
        let before = out();
        // What does not fill a destination yet is counted, but not told before the next turn.
        let has_arrived = || {
            self.wait_for_turn(to);
            to.counters().bytes_in >= before
        };
        let is_followed = || out() > before || self.unsent(from) == 0;
        self.pass(SECOND);
        self.wait("what is on its way", || has_arrived() && is_followed() || self.is_over());
    }

    /// Bytes that the transport has not taken.
    fn unsent(&self, of: &Messenger) -> usize {
        self.wait_for_turn(of).connections.first().map_or(0, |connection| connection.queue.unsent)
    }

    /// The server sends the client one body that is read as one portion, the longest there is.
    fn download(&self) -> Message {
        let body = filled(1, (2 << 20) - 1);
        self.at_server.wait_accept().send(body.clone()).expect("an open session");
        body
    }

    fn is_over(&self) -> bool {
        self.connection.state() != State::Open
    }

    /// Messages that the server has.
    fn arrived(&self) -> usize {
        messages(&self.at_server)
    }

    /// Nothing passes any more, and nobody is told.
    fn pull_the_cable(&self) {
        let link = self.network.links().pop().expect("one link");
        link.stall(Direction::ToServer);
        link.stall(Direction::ToClient);
    }

    /// Seconds until the client gives its peer up, while it goes on doing something.
    fn given_up_after(&self, mut meanwhile: impl FnMut()) -> u64 {
        let begun = self.network.now();
        while !self.is_over() {
            meanwhile();
            self.pass(SECOND);
            assert!(self.network.now() - begun < 120 * SECOND, "nobody gives up");
        }
        let (fault, _) = self.at_client.wait_reset(&self.connection);
        assert_eq!(fault, Fault::TimedOut(WakeReason::KeepaliveAck));
        (self.network.now() - begun).as_secs()
    }
}

fn messages(at: &Probe) -> usize {
    let is_message = |entry: &&Entry| matches!(entry.news, News::Message(_));
    at.log().iter().filter(is_message).count()
}

/// How long a peer that says nothing has.
fn patience() -> u64 {
    let Timeouts { keepalive, keepalive_ack, .. } = Timeouts::default();
    (keepalive.expect("keepalives") + keepalive_ack).as_secs()
}

/// The question is behind the message, and its answer comes four minutes late.
#[test]
fn a_large_message_takes_its_time() {
    let slow = Slow::connected(PER_SECOND);
    slow.connection.send(filled(1, 16 << 20)).unwrap();
    while slow.arrived() < 1 && !slow.is_over() {
        slow.move_on();
    }
    assert_eq!((slow.connection.state(), slow.at_client.resets(), slow.arrived()), (State::Open, 0, 1));
    assert!(slow.network.now() >= 240 * SECOND, "{:?}", slow.network.now());
    assert_eq!(slow.at_server.wait_messages(1)[0].data, filled(1, 16 << 20).data);
    while slow.connection.last_round_trip().is_none() {
        slow.pass(SECOND);
        assert!(!slow.is_over());
    }
}

/// Nothing is told of the body before all of it is there, and the answer to the client's question is behind it.
#[test]
fn a_download_takes_its_time() {
    let slow = Slow::connected(PER_SECOND);
    let body = slow.download();
    let begun = slow.network.now();
    while messages(&slow.at_client) < 1 && !slow.is_over() {
        slow.move_back();
    }
    assert_eq!((slow.connection.state(), slow.at_client.resets()), (State::Open, 0));
    let took = slow.network.now() - begun;
    assert!(took.as_secs() > patience(), "{took:?}: nobody had reason to doubt");
    assert_eq!(slow.at_client.wait_messages(1)[0].data, body.data);
    while slow.connection.last_round_trip().is_none() {
        slow.pass(SECOND);
        assert!(!slow.is_over());
    }
}

/// From the pulled cable on, all the patience with a silent peer counts, and once more that with an unanswered question: it
/// is not known when within that time the last byte came.
#[test]
fn a_download_that_stops_is_given_up() {
    let slow = Slow::connected(PER_SECOND);
    slow.download();
    let begun = slow.network.now();
    while slow.network.now() < begun + 25 * SECOND && !slow.is_over() {
        slow.move_back();
    }
    assert_eq!((slow.connection.state(), messages(&slow.at_client)), (State::Open, 0));
    slow.pull_the_cable();
    let after = slow.given_up_after(|| ());
    assert!(after <= patience(), "{after} s");
}

/// There is always a MiB before the question, half a minute long, as each message that leaves makes room for another.
#[test]
fn a_stream_that_never_ends_is_a_sign_of_life() {
    let slow = Slow::connected(PER_SECOND / 2);
    let mut sent = 0;
    while slow.network.now() < 150 * SECOND && !slow.is_over() {
        while sent < slow.arrived() as u64 + 100 && slow.connection.send(filled(sent, 40_000)).is_ok() {
            sent += 1;
        }
        slow.move_on();
    }
    assert_eq!((slow.connection.state(), slow.at_client.resets()), (State::Open, 0));
    assert!(slow.connection.last_round_trip().is_some(), "questions find their way between the messages");
}

/// The message was under way for longer than a silent peer has; from the pulled cable on, all of that counts again.
#[test]
fn an_upload_that_stops_is_given_up() {
    let slow = Slow::connected(PER_SECOND);
    slow.connection.send(filled(1, 16 << 20)).unwrap();
    while slow.network.now() < 60 * SECOND && !slow.is_over() {
        slow.move_on();
    }
    assert_eq!(slow.connection.state(), State::Open);
    slow.pull_the_cable();
    let after = slow.given_up_after(|| ());
    assert!(after <= patience(), "{after} s");
}

/// A device with room takes bytes for a dead peer, too.
#[test]
fn bytes_that_only_fill_buffers_are_no_sign_of_life() {
    let slow = Slow::connected(PER_SECOND);
    slow.pull_the_cable();
    let after = slow.given_up_after(|| drop(slow.connection.send(numbered(1))));
    assert!(after <= patience() + 2, "{after} s");
    let way = slow.network.links().pop();
    assert!(way.is_none_or(|link| link.in_flight(Direction::ToServer) < PER_SECOND), "there was room");
}
