//! Faults that the simulation found, each as the shortest story that shows it.

use crate::stage::{A, B, Stage, winner_and_loser};
use axon_sim::{Edge, Kind};
use axon_wire::Tag;

/// The side of a socket that dialled.
const DIALLER: usize = 0;
/// The side of a socket that accepted.
const ACCEPTOR: usize = 1;

/// A question under a name that its receiver had chosen came after the receiver had closed that session. It passed for
/// the session's beginning; what had been delivered was delivered once more, and its sender never heard of the loss.
#[test]
fn a_late_question_does_not_revive_a_closed_session() {
    let mut stage = Stage::new(Kind::PeerReuse);
    let (winner, loser) = winner_and_loser(&stage);
    stage.hold(loser, winner, Tag::ClientIdent);
    stage.hold(winner, loser, Tag::Message);
    stage.cut(loser, winner, Tag::ServerIdent, Edge::Before);
    let tid = stage.send(loser, winner);
    stage.run(20);
    stage.send(winner, loser);
    stage.run(50);
    let asked_for_a_beginning =
        (stage.wrote(winner, Tag::SessionReset), stage.wrote(loser, Tag::ClientIdent));
    stage.expect(asked_for_a_beginning, (1, 2));
    stage.run(500);
    let delivered = stage.delivered(tid);
    stage.expect(delivered, 1);
    stage.mark_down(winner);
    stage.world.release_from(loser);
    stage.run(20);
    stage.world.holds.clear();
    stage.send(winner, loser);
    stage.settle();
    stage.world.release();
    stage.prove();
    stage.expect_open(winner, loser);
    let (delivered, told) = (stage.delivered(tid), stage.counts(loser).remote_resets);
    stage.expect((delivered, told), (1, 1));
}

/// The same with a name of the asker's own: it had given up on that question, and was let in with a later one.
#[test]
fn a_question_given_up_long_ago_does_not_revive_a_closed_session() {
    let mut stage = Stage::new(Kind::PeerReuse);
    stage.hold(A, B, Tag::ClientIdent);
    let tid = stage.send(A, B);
    stage.run(50);
    let socket = stage.world.live_sockets()[0];
    stage.world.sever(socket, DIALLER);
    stage.run(2);
    stage.world.holds.clear();
    stage.hold(B, A, Tag::Ack);
    stage.run(500);
    let (delivered, failed) = (stage.delivered(tid), stage.counts(A).failed);
    stage.expect((delivered, failed), (1, 1));
    stage.mark_down(B);
    stage.world.release_from(A);
    stage.settle();
    stage.prove();
    stage.expect_open(A, B);
    let (delivered, told) = (stage.delivered(tid), stage.counts(A).remote_resets);
    stage.expect((delivered, told), (1, 1));
}

/// A peer was told that the session had never begun, and then it did: the answer to the question for its beginning came
/// late. What the peer had written behind that answer came with it, and once more in the session that followed.
#[test]
fn a_session_asked_for_is_not_denied() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        for (client, server) in [(A, B), (B, A)] {
            let mut stage = Stage::new(kind);
            stage.hold(server, client, Tag::ServerIdent);
            let mine = stage.send(client, server);
            stage.run(20);
            let theirs = stage.send(server, client);
            let socket = stage.world.live_sockets()[0];
            stage.world.sever(socket, ACCEPTOR);
            stage.run(100);
            let answers = (stage.wrote(client, Tag::Wait) > 0, stage.wrote(client, Tag::SessionReset));
            stage.expect(answers, (true, 0));
            stage.world.release();
            stage.settle();
            assert_eq!([mine, theirs].map(|tid| stage.delivered(tid)), [1, 1]);
            let counts = [A, B].map(|node| stage.counts(node));
            stage.expect(counts.map(|c| (c.established, c.remote_resets)), [(1, 0); 2]);
            stage.expect_open(A, B);
        }
    }
}

/// A process came back with its clock set back. Its questions were turned away as older than what its peer had seen,
/// while it made the peer wait for them: neither got anywhere until an hour's worth of attempts had been made.
#[test]
fn a_peer_whose_clock_was_set_back_is_let_in() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        for (restarts, stays) in [(A, B), (B, A)] {
            let mut stage = Stage::open(kind, A, B);
            stage.world.crash(restarts);
            stage.world.jump_clock(restarts, -3600);
            stage.world.start(restarts, false);
            stage.send(restarts, stays);
            stage.send(stays, restarts);
            stage.settle();
            stage.expect_open(A, B);
        }
    }
}
