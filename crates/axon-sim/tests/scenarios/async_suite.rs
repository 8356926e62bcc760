//! The scenarios about sessions of the C++ messenger's unit tests (Ceph: `src/test/msgr/test_msgr.cc`), under their names.

use crate::stage::{A, B, Stage, winner_and_loser};
use axon_proto::State;
use axon_sim::sweep::{Seeds, sweep};
use axon_sim::{Edge, Kind, Label, Setup};
use axon_wire::Tag;
use std::time::Duration;

/// Both dial, and both questions are on their way before either arrives: one session, messages both ways.
#[test]
fn connection_race_test() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let mut stage = Stage::new(kind);
        stage.hold(A, B, Tag::ClientIdent);
        stage.hold(B, A, Tag::ClientIdent);
        let tids = [stage.send(A, B), stage.send(B, A)];
        stage.run(100);
        assert_eq!([stage.wrote(A, Tag::ClientIdent), stage.wrote(B, Tag::ClientIdent)], [1, 1]);
        stage.world.release();
        stage.settle();
        stage.expect_open(A, B);
        assert_eq!(tids.map(|tid| stage.delivered(tid)), [1, 1]);
        let established = [A, B].map(|node| stage.counts(node).established);
        stage.expect(established, [1, 1]);
    }
}

/// The side that loses waits for a banner when the other's question comes: it is reused, and begins once.
#[test]
fn connection_race_reuse_banner_test() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let mut stage = Stage::new(kind);
        let (winner, loser) = winner_and_loser(&stage);
        stage.world.holds.push((winner, loser, Label::Banner));
        let mine = stage.send(loser, winner);
        stage.run(50);
        stage.world.holds.clear();
        let theirs = stage.send(winner, loser);
        stage.run(100);
        stage.expect_open(A, B);
        stage.world.release();
        stage.settle();
        assert_eq!([mine, theirs].map(|tid| stage.delivered(tid)), [1, 1]);
        let counts = [A, B].map(|node| stage.counts(node));
        stage.expect(counts.map(|c| (c.established, c.resumed)), [(1, 0), (1, 0)]);
    }
}

/// The client never hears that its session was let in: it asks again, and is.
#[test]
fn missing_server_iden_test() {
    for kind in [Kind::Stateful, Kind::Registered] {
        let mut stage = Stage::new(kind);
        stage.cut(A, B, Tag::ServerIdent, Edge::Before);
        let tid = stage.send(B, A);
        stage.settle();
        assert_eq!(stage.delivered(tid), 1);
        let client = stage.counts(B);
        stage.expect((client.established, client.failed, client.resets), (1, 1, 0));
    }
}

/// See the third chart; here the acceptor had something to say before it lost its socket.
#[test]
fn missing_server_iden_test2() {
    let mut stage = Stage::new(Kind::Peer);
    stage.hold(B, A, Tag::ServerIdent);
    stage.world.connect_to(A, B);
    stage.run(50);
    let tid = stage.send(B, A);
    stage.cut_all();
    stage.settle();
    stage.expect_open(A, B);
    assert_eq!(stage.delivered(tid), 1);
    let denied = (stage.wrote(B, Tag::SessionReconnect), stage.wrote(A, Tag::SessionReset));
    stage.expect(denied, (1, 1));
    let counts = [A, B].map(|node| stage.counts(node));
    stage.expect(counts.map(|c| c.remote_resets), [0, 0]);
}

/// Exactly one SESSION_RECONNECT and one SESSION_RECONNECT_OK, and the server rests in between.
#[test]
fn reconnect_test() {
    let mut stage = Stage::open(Kind::Stateful, B, A);
    stage.cut(B, A, Tag::Message, Edge::Before);
    let tid = stage.send(B, A);
    stage.run(2);
    let server = stage.state(A);
    stage.expect(server, State::Standby);
    stage.settle();
    assert_eq!(stage.delivered(tid), 1);
    let frames = (stage.wrote(B, Tag::SessionReconnect), stage.wrote(A, Tag::SessionReconnectOk));
    stage.expect(frames, (1, 1));
}

/// Both break and both ask to resume: the order of the addresses decides.
#[test]
fn reconnect_race_test() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let mut stage = Stage::open(kind, A, B);
        stage.hold(A, B, Tag::SessionReconnect);
        stage.hold(B, A, Tag::SessionReconnect);
        stage.cut_all();
        let tids = [stage.send(A, B), stage.send(B, A)];
        stage.run(100);
        assert_eq!([stage.wrote(A, Tag::SessionReconnect), stage.wrote(B, Tag::SessionReconnect)], [1, 1]);
        stage.world.release();
        stage.settle();
        stage.expect_open(A, B);
        assert_eq!(tids.map(|tid| stage.delivered(tid)), [1, 1]);
        let counts = [A, B].map(|node| stage.counts(node));
        stage.expect(counts.map(|c| (c.established, c.resumed, c.remote_resets)), [(1, 1, 0); 2]);
        // Each question is let in, made wait for, or sent back to be asked under a higher number.
        let wrote = |tag| stage.wrote(A, tag) + stage.wrote(B, tag);
        let (asked, retries) = (wrote(Tag::SessionReconnect), wrote(Tag::SessionRetry));
        let answers = retries + wrote(Tag::Wait) + wrote(Tag::SessionReconnectOk);
        stage.expect((asked - retries <= 2, answers <= asked), (true, true));
    }
}

/// The server keeps the session over a break; closing on either side is noticed by the other.
#[test]
fn stateful_test() {
    let mut stage = Stage::open(Kind::Stateful, B, A);
    stage.cut_all();
    stage.prove();
    let counts = [A, B].map(|node| stage.counts(node));
    stage.expect(counts.map(|c| (c.established, c.resumed, c.remote_resets)), [(1, 1, 0); 2]);
    let before = stage.numbers(A);
    stage.expect(before, (2, 2));
    stage.mark_down(B);
    stage.send(B, A);
    stage.settle();
    let server = stage.counts(A);
    stage.expect((server.established, server.remote_resets), (2, 1));
    let (server, client) = (stage.numbers(A), stage.numbers(B));
    stage.expect((server, client), ((0, 1), (1, 0)));
    stage.mark_down(A);
    stage.run(100);
    stage.send(B, A);
    stage.settle();
    let client = stage.counts(B);
    stage.expect((client.established, client.remote_resets), (2, 1));
    let (server, client) = (stage.numbers(A), stage.numbers(B));
    stage.expect((server, client), ((0, 1), (1, 0)));
}

/// A new connection is a new session, and nobody hears of the old one.
#[test]
fn stateless_test() {
    for kind in [Kind::Stateless, Kind::Registered] {
        let mut stage = Stage::open(kind, B, A);
        stage.mark_down(B);
        stage.run(100);
        let tid = stage.send(B, A);
        stage.settle();
        assert_eq!(stage.delivered(tid), 1);
        let resets: Vec<_> = [A, B].iter().flat_map(|node| [(*node, 0), (*node, 1)]).collect();
        let told = resets.into_iter().map(|(node, nth)| stage.counts_of(node, nth).remote_resets);
        assert_eq!(told.sum::<u32>(), 0);
    }
}

/// Clients of a server that does not look them up are told apart: closing one leaves the other. `anon_test` is about two
/// connections of one client.
#[test]
fn clients_of_a_stateless_server_are_told_apart() {
    let mut stage = Stage::of(Setup::new(Kind::Stateless, 3));
    let tids = [stage.send(1, 0), stage.send(2, 0)];
    stage.run(100);
    assert_eq!(tids.map(|tid| stage.delivered(tid)), [1, 1]);
    let one = stage.world.between(1, 0).unwrap();
    stage.world.mark_down(one);
    stage.run(100);
    let tid = stage.send(2, 0);
    stage.run(100);
    assert_eq!(stage.delivered(tid), 1);
    assert_eq!(stage.world.peer(stage.world.between(2, 0).unwrap()).counts().established, 1);
}

/// The server closes while the client has nothing to say; the client's next message finds out.
#[test]
fn client_standby_test() {
    for kind in [Kind::PeerReuse, Kind::Peer] {
        let mut stage = Stage::open(kind, B, A);
        stage.mark_down(A);
        stage.run(500);
        let client = stage.state(B);
        stage.expect(client, State::Standby);
        stage.send(B, A);
        stage.settle();
        let client = stage.counts(B);
        stage.expect((client.established, client.remote_resets), (2, 1));
        stage.prove();
    }
}

/// Silence for longer than the idle time-out ends a socket; the session goes on when it is needed.
#[test]
fn timeout_test() {
    let mut setup = Setup::new(Kind::Peer, 2);
    setup.timeouts.idle = Some(Duration::from_secs(1));
    setup.timeouts.keepalive = None;
    let mut stage = Stage::of(setup);
    stage.send(A, B);
    stage.run(3000);
    let states = [A, B].map(|node| stage.state(node));
    stage.expect(states, [State::Standby; 2]);
    let tid = stage.send(B, A);
    stage.run(200);
    assert_eq!(stage.delivered(tid), 1);
}

/// Connections are closed again and again, also while they are being made. `markdown_test` does it from a dispatcher.
#[test]
fn connections_are_closed_while_they_are_made() {
    for kind in Kind::ALL {
        let mut stage = Stage::new(kind);
        for round in 0..200 {
            stage.send(B, A);
            stage.run(round % 17);
            let node = if round % 3 == 0 { A } else { B };
            if let Some(peer) = stage.world.between(node, 1 - node) {
                stage.world.mark_down(peer);
            }
        }
        stage.send(B, A);
        stage.run(30_000);
        stage.prove();
    }
}

/// What `cargo xtask sim` does, in small.
#[test]
fn seeds() {
    let sweep = sweep(Seeds::new(1_000_000, 2_000));
    let failures: Vec<_> = sweep.failures.iter().map(|f| format!("{}: {}", f.seed, f.violation)).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}
