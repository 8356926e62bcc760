//! The six failure charts of Ceph's description of the protocol (Ceph: `doc/dev/msgr2.rst`).

use crate::stage::{A, B, Stage};
use axon_proto::State;
use axon_sim::{Edge, Fate, Kind};
use axon_wire::Tag;

/// Who begins, for each kind of session that is resumed: with a server, the client.
const LOSSLESS: [(Kind, usize, usize); 3] =
    [(Kind::Peer, A, B), (Kind::PeerReuse, A, B), (Kind::Stateful, B, A)];

#[test]
fn client_ident_is_lost_and_the_client_reconnects() {
    for (kind, client, server) in LOSSLESS {
        let mut stage = Stage::new(kind);
        stage.cut(client, server, Tag::ClientIdent, Edge::Before);
        let tid = stage.send(client, server);
        stage.settle();
        assert_eq!(stage.delivered(tid), 1);
        let (dialler, acceptor) = (stage.counts(client), stage.counts(server));
        stage.expect((dialler.failed, dialler.established, acceptor.established), (1, 1, 1));
        let asked = stage.wrote(client, Tag::ClientIdent);
        stage.expect(asked, 2);
    }
}

#[test]
fn server_ident_is_lost_and_the_client_reconnects() {
    for (kind, client, server) in LOSSLESS {
        let mut stage = Stage::new(kind);
        stage.cut(server, client, Tag::ServerIdent, Edge::Before);
        let tid = stage.send(client, server);
        stage.settle();
        assert_eq!(stage.delivered(tid), 1);
        let (dialler, acceptor) = (stage.counts(client), stage.counts(server));
        stage.expect((dialler.established, acceptor.established), (1, 2));
        stage.expect((dialler.remote_resets, acceptor.remote_resets), (0, 0));
        let again = stage.connections(server);
        stage.expect(again, 1);
    }
}

/// The client rests, so that only the server has a reason to dial: it finds out that the session never began there.
#[test]
fn server_ident_is_lost_and_the_server_reconnects() {
    for kind in [Kind::Peer, Kind::PeerReuse] {
        let mut stage = Stage::new(kind);
        stage.cut(B, A, Tag::ServerIdent, Edge::Before);
        stage.world.connect_to(A, B);
        stage.run(50);
        let client = stage.state(A);
        stage.expect(client, State::Standby);
        stage.forget_frames();
        let tid = stage.send(B, A);
        stage.settle();
        assert_eq!(stage.delivered(tid), 1);
        let frames = [
            stage.wrote(B, Tag::SessionReconnect),
            stage.wrote(A, Tag::SessionReset),
            stage.wrote(B, Tag::ClientIdent),
            stage.wrote(A, Tag::ServerIdent),
        ];
        stage.expect(frames, [1; 4]);
    }
}

#[test]
fn an_open_session_breaks_and_the_client_reconnects() {
    for (kind, client, server) in LOSSLESS {
        let mut stage = Stage::open(kind, client, server);
        stage.cut(client, server, Tag::Message, Edge::Before);
        let first = stage.send(client, server);
        let second = stage.send(client, server);
        stage.settle();
        stage.expect_open(client, server);
        assert_eq!([stage.delivered(first), stage.delivered(second)], [1, 1]);
        let (dialler, acceptor) = (stage.counts(client), stage.counts(server));
        stage.expect((dialler.established, acceptor.established), (1, 1));
        stage.expect((dialler.resumed, acceptor.resumed), (1, 1));
    }
}

#[test]
fn the_server_forgets_the_session_and_the_client_reconnects() {
    for (kind, client, server) in LOSSLESS {
        let mut stage = Stage::open(kind, client, server);
        stage.world.crash(server);
        stage.run(2000);
        stage.world.start(server, false);
        // Nobody has to hear what was meant for the session that is gone; the client gets it back.
        let tid = stage.send(client, server);
        stage.settle();
        let (delivered, fate) = (stage.delivered(tid), stage.world.ledger.entries()[tid as usize - 1].fate);
        stage.expect((delivered, fate), (0, Fate::NotSent));
        let dialler = stage.counts(client);
        stage.expect((dialler.established, dialler.remote_resets), (2, 1));
        let full = stage.wrote(server, Tag::SessionReset);
        stage.expect(full, 1);
        stage.prove();
    }
}

/// Whether the server is told depends on its policy: without `resetcheck` it goes on with what it had to say.
#[test]
fn the_client_forgets_the_session_and_connects_anew() {
    for (kind, client, server) in LOSSLESS {
        let mut stage = Stage::open(kind, client, server);
        stage.mark_down(client);
        stage.run(50);
        let waiting = stage.send(server, client);
        stage.world.holds.clear();
        let tid = stage.send(client, server);
        stage.settle();
        assert_eq!(stage.delivered(tid), 1);
        let told = stage.counts(server).remote_resets;
        match kind {
            Kind::Peer => assert_eq!(stage.delivered(waiting), 1),
            _ => stage.expect(told, 1),
        }
    }
}
