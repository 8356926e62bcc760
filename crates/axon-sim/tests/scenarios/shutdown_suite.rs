//! How messengers end: in order, in time, and with nothing left behind (Ceph, since release 20:
//! `src/test/msgr/test_msgr.cc`). Ceph ends single connections that way; here it is the messenger that does.

use crate::hall::{Guest, Hall, PATIENCE, eventually, filled, numbered};
use axon_messenger::{Connection, Incoming, Policy, Rejection, State};
use axon_transport::Direction;
use std::time::{Duration, Instant};

const MESSAGES: u64 = 2000;

/// A server and a client that sends it many messages; then the client shuts down, and the server has them all.
fn shut_down(server: Policy, client: Policy) -> (Guest, Connection) {
    let hall = Hall::new();
    let server = Guest::new(hall.server("osd.3").default_policy(server));
    let client = Guest::new(hall.builder("client.7").default_policy(client));
    let connection = client.connect(&server.messenger);
    for tid in 0..MESSAGES {
        connection.send(filled(tid, 1000)).unwrap();
    }
    client.messenger.shutdown(PATIENCE);
    assert_eq!(connection.state(), State::Closed);
    assert_eq!(connection.queued_bytes(), 0, "nothing is left");
    assert_eq!(connection.send(numbered(1)).unwrap_err().why, Rejection::Closed);
    (server, connection)
}

/// Everything was acknowledged when the shutdown is over: the server has it, and keeps the session.
#[test]
fn shutdown_lossless() {
    let (server, _) = shut_down(Policy::stateful_server(), Policy::lossless_client());
    assert_eq!(server.messenger.counters().messages_in, MESSAGES);
    let mut from = None;
    for tid in 0..MESSAGES {
        let (there, message) = server.hear_message();
        assert_eq!(message.header.tid, tid);
        from = Some(there);
    }
    let there = from.expect("a message at least");
    eventually("the end of the socket", || there.state() == State::Standby);
}

/// Everything has left when the shutdown is over, and arrives; then the server's side is reset.
#[test]
fn shutdown_lossy() {
    let (server, _) = shut_down(Policy::stateless_server(), Policy::lossy_client());
    for tid in 0..MESSAGES {
        assert_eq!(server.hear_message().1.header.tid, tid);
    }
    server.hear("reset", |news| matches!(news, Incoming::Reset(..)).then_some(()));
}

/// A peer whose acknowledgements do not come delays the end as long as it may, and no longer.
#[test]
fn shutdown_timeout() {
    const LIMIT: Duration = Duration::from_millis(300);
    let hall = Hall::new();
    let server = Guest::new(hall.server("osd.3").default_policy(Policy::stateful_server()));
    let client = Guest::new(hall.builder("client.7").default_policy(Policy::lossless_client()));
    let connection = client.connect(&server.messenger);
    eventually("the session", || connection.state() == State::Open);
    for link in hall.network.links() {
        link.stall(Direction::ToClient);
    }
    connection.send(numbered(1)).unwrap();
    assert_eq!(server.hear_message().1.header.tid, 1);
    let begun = Instant::now();
    client.messenger.shutdown(LIMIT);
    let took = begun.elapsed();
    assert!(took >= LIMIT && took < PATIENCE, "{took:?}");
    assert_eq!(connection.state(), State::Closed);
    assert_eq!(connection.send(numbered(2)).unwrap_err().why, Rejection::Closed);
}
