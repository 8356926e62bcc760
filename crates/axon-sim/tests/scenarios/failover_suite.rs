//! The cases of Crimson's failover suite (Ceph: `src/test/crimson/test_messenger.cc`): breakpoints at each frame, on
//! either side.

use crate::stage::{A, B, Stage, winner_and_loser};
use axon_proto::State;
use axon_sim::{Edge, Kind, Label, Letter};
use axon_wire::Tag;

const EDGES: [Edge; 2] = [Edge::Before, Edge::After];

/// What the client writes before the question of session.
const EARLY_CLIENT: [Label; 4] = [
    Label::Banner,
    Label::Frame(Tag::Hello),
    Label::Frame(Tag::AuthRequest),
    Label::Frame(Tag::AuthSignature),
];

/// What the server writes before that.
const EARLY_SERVER: [Label; 4] =
    [Label::Banner, Label::Frame(Tag::Hello), Label::Frame(Tag::AuthDone), Label::Frame(Tag::AuthSignature)];

/// The client's question for a session.
const QUESTION: [Label; 1] = [Label::Frame(Tag::ClientIdent)];

/// Cuts once at each place and edge while a client makes its first connection; `check` looks at the outcome.
fn first_connection(kind: Kind, from: usize, places: &[Label], check: impl Fn(&mut Stage, u64)) {
    for label in places {
        for edge in EDGES {
            let mut stage = Stage::new(kind);
            stage.cut_at(from, 1 - from, *label, edge);
            let tid = stage.send(B, A);
            stage.settle();
            check(&mut stage, tid);
        }
    }
}

/// The client was established at its second attempt, and the message got through.
fn second_attempt(stage: &mut Stage, tid: u64) {
    let client = stage.counts(B);
    stage.expect((client.failed, client.established, client.dials), (1, 1, 2));
    let delivered = stage.delivered(tid);
    stage.expect(delivered, 1);
    stage.expect_open(A, B);
}

#[test]
fn lossy_early_connect_fault() {
    first_connection(Kind::Registered, B, &EARLY_CLIENT, second_attempt);
    first_connection(Kind::Stateless, B, &EARLY_CLIENT, second_attempt);
}

#[test]
fn lossy_connect_fault() {
    for kind in [Kind::Registered, Kind::Stateless] {
        first_connection(kind, B, &QUESTION, second_attempt);
        let mut stage = Stage::new(kind);
        stage.cut(A, B, Tag::ServerIdent, Edge::Before);
        let tid = stage.send(B, A);
        stage.settle();
        second_attempt(&mut stage, tid);
    }
}

/// Breaks an open lossy session at a frame: it ends at both ends, and nobody dials again.
fn open_lossy_session((from, to): (usize, usize), tag: Tag) {
    for kind in [Kind::Registered, Kind::Stateless] {
        for edge in EDGES {
            let mut stage = Stage::open(kind, B, A);
            stage.cut(from, to, tag, edge);
            stage.send(B, A);
            stage.send(A, B);
            let client = stage.peer(B);
            stage.world.keepalive(client);
            stage.run(5000);
            let (client, server) = (stage.counts_of(B, 0), stage.counts_of(A, 0));
            stage.expect((client.resets, client.dials, server.resets), (1, 1, 1));
            assert_eq!(stage.world.alive().count(), 0);
        }
    }
}

/// There is no acknowledgement to break at: lossy sessions have none.
#[test]
fn lossy_connected_fault() {
    open_lossy_session((B, A), Tag::Message);
    open_lossy_session((B, A), Tag::Keepalive2);
    open_lossy_session((A, B), Tag::Keepalive2Ack);
    let mut stage = Stage::open(Kind::Registered, B, A);
    stage.prove();
    let acks = stage.wrote(A, Tag::Ack) + stage.wrote(B, Tag::Ack);
    stage.expect(acks, 0);
}

#[test]
fn lossy_early_accept_fault() {
    first_connection(Kind::Registered, A, &EARLY_SERVER, second_attempt);
    first_connection(Kind::Stateless, A, &EARLY_SERVER, second_attempt);
}

/// The first accepted link disappears without a word, or as a connection that is reset.
#[test]
fn lossy_accept_fault() {
    for kind in [Kind::Registered, Kind::Stateless] {
        first_connection(kind, B, &QUESTION, one_accepted);
        for edge in EDGES {
            let mut stage = Stage::new(kind);
            stage.cut(A, B, Tag::ServerIdent, edge);
            let tid = stage.send(B, A);
            stage.run(30_000);
            // After it, the client was let in, and what it had said is lost with the session.
            if edge == Edge::Before {
                one_accepted(&mut stage, tid);
            } else {
                let client = stage.counts_of(B, 0);
                stage.expect((client.established, client.resets, client.dials), (1, 1, 1));
                assert_eq!(stage.world.alive().count(), 0);
            }
        }
    }
}

/// Of the connections that the server accepted the last one is there, and the others are over; the message came with it.
fn one_accepted(stage: &mut Stage, tid: u64) {
    second_attempt(stage, tid);
    let accepted = stage.connections(A);
    let counts: Vec<_> = (0..accepted).map(|nth| stage.counts_of(A, nth)).collect();
    stage.expect(counts.iter().all(|c| c.established == 1), true);
    let ended = counts.iter().filter(|c| c.resets == 1).count();
    stage.expect((ended, accepted <= 2), (accepted - 1, true));
}

#[test]
fn lossy_establishing_fault() {
    for kind in [Kind::Registered, Kind::Stateless] {
        let mut stage = Stage::new(kind);
        stage.cut(A, B, Tag::ServerIdent, Edge::Before);
        stage.send(B, A);
        stage.settle();
        let (first, second) = (stage.counts_of(A, 0), stage.counts_of(A, 1));
        stage.expect((first.established, first.resets), (1, 1));
        stage.expect((second.established, second.resets), (1, 0));
    }
}

#[test]
fn lossy_accepted_fault() {
    open_lossy_session((A, B), Tag::Message);
}

#[test]
fn lossless_connect_fault() {
    first_connection(Kind::Stateful, B, &EARLY_CLIENT, second_attempt);
    first_connection(Kind::Stateful, B, &QUESTION, second_attempt);
    first_connection(Kind::Stateful, A, &EARLY_SERVER, second_attempt);
}

/// Cuts an open session at each frame that it knows; it is resumed, and every message arrives once.
fn open_session(kind: Kind, (from, to): (usize, usize), tag: Tag) {
    for edge in EDGES {
        let mut stage = Stage::open(kind, B, A);
        stage.cut(from, to, tag, edge);
        let tids = [(); 3].map(|()| stage.send(B, A)).into_iter().chain([(); 3].map(|()| stage.send(A, B)));
        let tids: Vec<u64> = tids.collect();
        let dialler = stage.peer(B);
        stage.world.keepalive(dialler);
        stage.settle();
        stage.prove();
        assert!(tids.iter().all(|tid| stage.delivered(*tid) == 1));
        let counts = [A, B].map(|node| stage.counts(node));
        stage.expect(counts.map(|c| (c.established, c.remote_resets)), [(1, 0); 2]);
        stage.expect(counts.map(|c| c.resumed >= 1), [true; 2]);
        stage.expect_open(A, B);
    }
}

#[test]
fn lossless_connected_fault() {
    open_session(Kind::Stateful, (B, A), Tag::Message);
    open_session(Kind::Stateful, (B, A), Tag::Ack);
}

#[test]
fn lossless_connected_fault2() {
    open_session(Kind::Stateful, (B, A), Tag::Keepalive2);
    open_session(Kind::Stateful, (A, B), Tag::Keepalive2Ack);
}

/// A second fault while the session is being resumed: it is asked for once more.
fn broken_resumption(kind: Kind, (from, to): (usize, usize), tag: Tag) {
    for edge in EDGES {
        let mut stage = Stage::open(kind, B, A);
        stage.cut(B, A, Tag::Message, Edge::Before);
        stage.cut(from, to, tag, edge);
        let tids = [(); 4].map(|()| stage.send(B, A));
        stage.settle();
        stage.prove();
        assert_eq!(tids.map(|tid| stage.delivered(tid)), [1; 4]);
        let asked = stage.wrote(B, Tag::SessionReconnect) + stage.wrote(A, Tag::SessionReconnect);
        stage.expect(asked >= 2, true);
        let counts = [A, B].map(|node| stage.counts(node));
        stage.expect(counts.map(|c| (c.established, c.remote_resets)), [(1, 0); 2]);
        stage.expect_open(A, B);
    }
}

#[test]
fn lossless_reconnect_fault() {
    broken_resumption(Kind::Stateful, (B, A), Tag::SessionReconnect);
    broken_resumption(Kind::Stateful, (A, B), Tag::SessionReconnectOk);
}

#[test]
fn lossless_accept_fault() {
    first_connection(Kind::Stateful, B, &QUESTION, |stage, tid| {
        second_attempt(stage, tid);
        let server = stage.counts(A);
        let connections = stage.connections(A);
        stage.expect((server.remote_resets, connections), (0, 1));
    });
}

/// The server rests with a session whose client does not know of it; the client's second question finds it.
#[test]
fn lossless_establishing_fault() {
    let mut stage = Stage::new(Kind::Stateful);
    stage.cut(A, B, Tag::ServerIdent, Edge::Before);
    let tid = stage.send(B, A);
    stage.run(15);
    let server = stage.state(A);
    stage.expect(server, State::Standby);
    stage.settle();
    assert_eq!(stage.delivered(tid), 1);
    let server = stage.counts(A);
    let connections = stage.connections(A);
    stage.expect((server.established, server.remote_resets, connections), (2, 0, 1));
}

#[test]
fn lossless_accepted_fault() {
    open_session(Kind::Stateful, (A, B), Tag::Message);
    open_session(Kind::Stateful, (A, B), Tag::Ack);
}

#[test]
fn lossless_reaccept_fault() {
    for tag in [Tag::SessionReconnect, Tag::SessionReconnectOk] {
        let from = if tag == Tag::SessionReconnect { B } else { A };
        let mut stage = Stage::open(Kind::Stateful, B, A);
        stage.cut_all();
        stage.cut(from, 1 - from, tag, Edge::After);
        let tids = [stage.send(B, A), stage.send(A, B)];
        stage.settle();
        stage.prove();
        assert_eq!(tids.map(|tid| stage.delivered(tid)), [1, 1]);
        let server = stage.counts(A);
        stage.expect((server.established, server.remote_resets), (1, 0));
    }
}

#[test]
fn peer_connect_fault() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        first_connection(kind, B, &EARLY_CLIENT, second_attempt);
        first_connection(kind, B, &QUESTION, second_attempt);
    }
}

#[test]
fn peer_accept_fault() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        first_connection(kind, A, &EARLY_SERVER, second_attempt);
    }
}

#[test]
fn peer_establishing_fault() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        for edge in EDGES {
            let mut stage = Stage::new(kind);
            stage.cut(A, B, Tag::ServerIdent, edge);
            let tid = stage.send(B, A);
            stage.settle();
            stage.prove();
            assert_eq!(stage.delivered(tid), 1);
            let resets = [A, B].map(|node| stage.counts(node).remote_resets);
            stage.expect(resets, [0, 0]);
        }
    }
}

/// Whoever has something to say dials.
#[test]
fn peer_connected_fault_reconnect() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        open_session(kind, (B, A), Tag::Message);
        let mut stage = Stage::open(kind, B, A);
        stage.cut_all();
        stage.run(50);
        let states = [A, B].map(|node| stage.state(node));
        stage.expect(states, [State::Standby; 2]);
        stage.send(B, A);
        stage.settle();
        let asked = (stage.wrote(A, Tag::SessionReconnect), stage.wrote(B, Tag::SessionReconnect));
        stage.expect(asked, (0, 1));
    }
}

/// The side that accepted dials, and asks for the session under the same names.
#[test]
fn peer_connected_fault_reaccept() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        open_session(kind, (A, B), Tag::Message);
        let mut stage = Stage::open(kind, B, A);
        stage.cut_all();
        stage.run(50);
        stage.send(A, B);
        stage.settle();
        let asked = (stage.wrote(A, Tag::SessionReconnect), stage.wrote(B, Tag::SessionReconnect));
        stage.expect(asked, (1, 0));
        let counts = [A, B].map(|node| stage.counts(node));
        stage.expect(counts.map(|c| (c.established, c.resumed)), [(1, 1); 2]);
    }
}

/// The addresses say who wins; so do the sockets.
#[test]
fn check_peer_wins() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let mut stage = Stage::new(kind);
        let (winner, loser) = winner_and_loser(&stage);
        stage.send(A, B);
        stage.send(B, A);
        stage.settle();
        stage.expect_open(A, B);
        let told = (stage.wrote(winner, Tag::Wait), stage.wrote(loser, Tag::ServerIdent));
        stage.expect(told.1, 1);
        let survivor = stage.world.live_sockets().iter().map(|socket| stage.world.ends_of(*socket)).next();
        stage.expect(survivor, Some([winner, loser]));
    }
}

/// Both ask at once; `first` is heard first.
fn race(kind: Kind, resume: bool, first: usize) {
    let mut stage = if resume { Stage::open(kind, A, B) } else { Stage::new(kind) };
    let tag = if resume { Tag::SessionReconnect } else { Tag::ClientIdent };
    stage.hold(A, B, tag);
    stage.hold(B, A, tag);
    if resume {
        stage.cut_all();
    }
    let tids = [stage.send(A, B), stage.send(B, A)];
    stage.run(100);
    assert_eq!([stage.wrote(A, tag), stage.wrote(B, tag)], [1, 1]);
    stage.world.release_from(first);
    stage.run(20);
    stage.world.release();
    stage.settle();
    stage.expect_open(A, B);
    assert_eq!(tids.map(|tid| stage.delivered(tid)), [1, 1]);
    let counts = [A, B].map(|node| stage.counts(node));
    stage.expect(counts.map(|c| (c.established, c.remote_resets)), [(1, 0); 2]);
    let (winner, loser) = winner_and_loser(&stage);
    let survivor = stage.world.live_sockets().iter().map(|socket| stage.world.ends_of(*socket)).next();
    stage.expect(survivor, Some([winner, loser]));
    // The loser is told to wait if it is heard first; if not, the winner's socket replaces its own before it hears anything.
    let failed = [winner, loser].map(|node| stage.counts(node).failed);
    stage.expect(failed, [0, u32::from(first == loser)]);
}

#[test]
fn racing_reconnect_acceptor_lose() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let winner = winner_and_loser(&Stage::new(kind)).0;
        race(kind, true, winner);
    }
}

#[test]
fn racing_reconnect_acceptor_win() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let loser = winner_and_loser(&Stage::new(kind)).1;
        race(kind, true, loser);
    }
}

#[test]
fn racing_connect_acceptor_lose() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let winner = winner_and_loser(&Stage::new(kind)).0;
        race(kind, false, winner);
    }
}

#[test]
fn racing_connect_acceptor_win() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let loser = winner_and_loser(&Stage::new(kind)).1;
        race(kind, false, loser);
    }
}

/// One side forgot the session and asks for a new one while the other asks to resume it.
fn connect_against_reconnect(forgets: usize, heard_first: usize) {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let mut stage = Stage::open(kind, A, B);
        let keeps = 1 - forgets;
        stage.hold(forgets, keeps, Tag::ClientIdent);
        stage.hold(keeps, forgets, Tag::SessionReconnect);
        stage.mark_down(forgets);
        stage.run(20);
        let mine = stage.send(forgets, keeps);
        stage.send(keeps, forgets);
        stage.run(100);
        stage.world.release_from(heard_first);
        stage.run(20);
        stage.world.release();
        stage.settle();
        assert_eq!(stage.delivered(mine), 1);
        stage.prove();
        stage.expect_open(A, B);
    }
}

#[test]
fn racing_connect_reconnect_lose() {
    let (winner, loser) = winner_and_loser(&Stage::new(Kind::Peer));
    connect_against_reconnect(loser, loser);
    connect_against_reconnect(loser, winner);
}

#[test]
fn racing_connect_reconnect_win() {
    let (winner, loser) = winner_and_loser(&Stage::new(Kind::Peer));
    connect_against_reconnect(winner, winner);
    connect_against_reconnect(winner, loser);
}

/// A question is held back until a later one of the other side has succeeded.
fn stale_question(resume: bool, tag: Tag) {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let mut stage = if resume { Stage::open(kind, A, B) } else { Stage::new(kind) };
        let (winner, loser) = winner_and_loser(&stage);
        stage.hold(loser, winner, tag);
        stage.cut_all();
        let mine = stage.send(loser, winner);
        stage.run(50);
        let theirs = stage.send(winner, loser);
        stage.run(100);
        stage.expect_open(A, B);
        stage.world.release();
        stage.settle();
        stage.expect_open(A, B);
        assert_eq!([mine, theirs].map(|tid| stage.delivered(tid)), [1, 1]);
        let counts = [A, B].map(|node| stage.counts(node));
        stage.expect(counts.map(|c| (c.established, c.remote_resets)), [(1, 0); 2]);
    }
}

#[test]
fn stale_connect() {
    stale_question(false, Tag::ClientIdent);
    stale_question(false, Tag::AuthRequest);
}

#[test]
fn stale_reconnect() {
    stale_question(true, Tag::SessionReconnect);
    stale_question(true, Tag::AuthRequest);
}

/// The dialler gives up on a socket that stalls in the acceptor's hands, and succeeds with the next.
fn stalled_acceptor(resume: bool, tag: Tag) {
    for kind in [Kind::Peer, Kind::PeerReuse, Kind::Stateful] {
        let mut stage = if resume { Stage::open(kind, B, A) } else { Stage::new(kind) };
        stage.hold(A, B, tag);
        stage.cut_all();
        let tid = stage.send(B, A);
        stage.run(5_000);
        assert_eq!(stage.delivered(tid), 0);
        stage.world.holds.clear();
        stage.run(6_000); // past the ready time-out
        stage.world.release();
        stage.settle();
        stage.expect_open(A, B);
        assert_eq!(stage.delivered(tid), 1);
        let resets = [A, B].map(|node| stage.counts(node).remote_resets);
        stage.expect(resets, [0, 0]);
    }
}

#[test]
fn stale_accept() {
    stalled_acceptor(false, Tag::Hello);
    stalled_acceptor(false, Tag::AuthDone);
}

#[test]
fn stale_establishing() {
    stalled_acceptor(false, Tag::ServerIdent);
}

#[test]
fn stale_reaccept() {
    stalled_acceptor(true, Tag::SessionReconnectOk);
}

#[test]
fn lossy_client() {
    let mut stage = Stage::open(Kind::Registered, B, A);
    stage.mark_down(B);
    stage.run(100);
    let server = stage.counts_of(A, 0);
    stage.expect((server.resets, server.remote_resets), (1, 0));
}

#[test]
fn stateless_server() {
    let mut stage = Stage::open(Kind::Stateless, B, A);
    stage.mark_down(A);
    stage.run(5_000);
    let client = stage.counts_of(B, 0);
    stage.expect((client.resets, client.remote_resets, client.dials), (1, 0, 1));
}

/// The client closes: it hears nothing, the server learns when the client comes back.
#[test]
fn lossless_client() {
    let mut stage = Stage::open(Kind::Stateful, B, A);
    let before = stage.peer(B);
    stage.mark_down(B);
    stage.run(100);
    let server = stage.state(A);
    stage.expect(server, State::Standby);
    let tid = stage.send(B, A);
    stage.settle();
    assert_eq!(stage.delivered(tid), 1);
    let server = stage.counts(A);
    stage.expect((server.remote_resets, server.established), (1, 2));
    assert_eq!(stage.world.peer(before).counts().resets, 0);
}

/// The server closes: the client comes back at once, learns, and what it says from then on is a new session.
#[test]
fn stateful_server() {
    let mut stage = Stage::open(Kind::Stateful, B, A);
    stage.mark_down(A);
    stage.run(500);
    let client = stage.counts(B);
    stage.expect((client.remote_resets, client.established), (1, 2));
    let tid = stage.send(B, A);
    stage.settle();
    assert_eq!(stage.delivered(tid), 1);
    stage.expect_open(A, B);
}

/// One peer closes its connection, and then one of them writes: `told` counts what each side hears of it.
fn closed_by_peer(kind: Kind, closes: usize, writes: usize) -> [u32; 2] {
    let mut stage = Stage::open(kind, A, B);
    stage.mark_down(closes);
    stage.run(500);
    let survivor = stage.state(1 - closes);
    stage.expect(survivor, State::Standby);
    stage.send(writes, 1 - writes);
    stage.settle();
    stage.prove();
    stage.expect_open(A, B);
    [A, B].map(|node| stage.counts(node).remote_resets)
}

#[test]
fn peer_reuse_connector() {
    assert_eq!(closed_by_peer(Kind::PeerReuse, A, A), [0, 1]);
    assert_eq!(closed_by_peer(Kind::PeerReuse, A, B), [0, 1]);
}

#[test]
fn peer_reuse_acceptor() {
    assert_eq!(closed_by_peer(Kind::PeerReuse, B, A), [1, 0]);
    assert_eq!(closed_by_peer(Kind::PeerReuse, B, B), [1, 0]);
}

/// Whoever closed and dials again is let in without a word; only a resumption that finds nobody is told.
#[test]
fn lossless_peer_connector() {
    assert_eq!(closed_by_peer(Kind::Peer, A, A), [0, 0]);
    assert_eq!(closed_by_peer(Kind::Peer, A, B), [0, 1]);
}

#[test]
fn lossless_peer_acceptor() {
    assert_eq!(closed_by_peer(Kind::Peer, B, B), [0, 0]);
    assert_eq!(closed_by_peer(Kind::Peer, B, A), [1, 0]);
}

/// Many messages of mixed priorities over a session that is cut all the time: nothing is lost, doubled or reordered.
#[test]
fn test_messenger_thrash() {
    for kind in [Kind::Stateful, Kind::Peer, Kind::PeerReuse] {
        let mut stage = Stage::open(kind, B, A);
        for round in 0..300u64 {
            let priority = [127, 127, 196, 64][round as usize % 4];
            for (from, to) in [(A, B), (B, A)] {
                stage.world.send(from, to, Letter { priority, ..Letter::PLAIN });
            }
            stage.run(round % 5);
            if round % 7 == 0 {
                stage.cut_all();
            }
        }
        stage.settle();
        stage.expect_open(A, B);
        let counts = [A, B].map(|node| stage.counts(node));
        stage.expect(counts.map(|c| (c.established, c.remote_resets)), [(1, 0); 2]);
    }
}
