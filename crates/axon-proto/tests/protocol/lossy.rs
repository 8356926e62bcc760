//! Lossy sessions: what each side is told when a socket breaks at any point, and what becomes of the messages.
//!
//! The names are those of Ceph's own scenarios (`src/test/crimson/test_messenger.cc`) where they have one.

use crate::world::{Cut, Dialled, Edge, Label, Machine, Scheme, Setup, Side, World, message};
use axon_auth::{KeyType, Mode};
use axon_denc::Features;
use axon_proto::{BackOff, Disconnect, Event, Fault, Input, Policies, Policy, State, Verdict};
use axon_wire::Tag;
use core::time::Duration;
use expect_test::expect;

const SECOND: Duration = Duration::from_secs(1);

const EDGES: [Edge; 2] = [Edge::Before, Edge::After];

/// Frames of the handshake before a session is asked for.
const EARLY: [(Side, Label); 10] = [
    (Side::Client, Label::Banner),
    (Side::Server, Label::Banner),
    (Side::Client, Label::Frame(Tag::Hello)),
    (Side::Server, Label::Frame(Tag::Hello)),
    (Side::Client, Label::Frame(Tag::AuthRequest)),
    (Side::Server, Label::Frame(Tag::AuthReplyMore)),
    (Side::Client, Label::Frame(Tag::AuthRequestMore)),
    (Side::Server, Label::Frame(Tag::AuthDone)),
    (Side::Server, Label::Frame(Tag::AuthSignature)),
    (Side::Client, Label::Frame(Tag::AuthSignature)),
];

/// A client with a message to send, whose first socket will break there.
fn broken_at(from: Side, label: Label, edge: Edge) -> World {
    let mut world = World::new(Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::CRC));
    world.cuts.push(Cut { from, label, edge });
    world.send(Side::Client, message(1, 10, 0, 0));
    world.run(SECOND);
    assert!(world.cuts.is_empty(), "{from:?} {label:?} {edge:?} was never written");
    world
}

/// The client tries again and its message arrives once.
fn assert_recovered(world: &mut World, what: &str) {
    assert_eq!(world.dial_times.len(), 2, "{what}: dials");
    assert_eq!(world.attempts(), [&Fault::Disconnected(Disconnect::Reset)], "{what}");
    assert_eq!(world.resets(Side::Client), 0, "{what}");
    assert_eq!(world.client().state(), State::Open, "{what}");
    assert_eq!(world.tids(Side::Server), [1], "{what}");
}

#[test]
fn lossy_early_connect_fault() {
    for (from, label) in EARLY {
        for edge in EDGES {
            let what = format!("{edge:?} {label:?} from {from:?}");
            assert_recovered(&mut broken_at(from, label, edge), &what);
        }
    }
}

/// The same seen from the acceptor: no connection comes into being, nobody is told of a reset.
#[test]
fn lossy_early_accept_fault() {
    for (from, label) in EARLY {
        for edge in EDGES {
            let world = broken_at(from, label, edge);
            let what = format!("{edge:?} {label:?} from {from:?}");
            assert_eq!(world.resets(Side::Server), 0, "{what}");
            let faults = &world.seen[Side::Server as usize].faults;
            assert_eq!(*faults, [Fault::Disconnected(Disconnect::Reset)], "{what}");
        }
    }
}

#[test]
fn lossy_connect_fault() {
    let ident = (Side::Client, Label::Frame(Tag::ClientIdent));
    let answer = (Side::Server, Label::Frame(Tag::ServerIdent));
    for ((from, label), edge) in [(ident, Edge::Before), (ident, Edge::After), (answer, Edge::Before)] {
        let what = format!("{edge:?} {label:?} from {from:?}");
        assert_recovered(&mut broken_at(from, label, edge), &what);
    }
}

#[test]
fn lossy_accept_fault() {
    let world = broken_at(Side::Client, Label::Frame(Tag::ClientIdent), Edge::Before);
    assert_eq!(world.seen[Side::Server as usize].faults.len(), 1);
    assert_eq!(world.resets(Side::Server), 0);
}

/// The acceptor believes in a session of which the client never heard: its half is reset, the client comes again.
#[test]
fn lossy_establishing_fault() {
    let mut world = broken_at(Side::Server, Label::Frame(Tag::ServerIdent), Edge::Before);
    expect![[r#"
        0.000 Client  dials
        0.008 Server  established with client.4101
        0.008 ------  cut
        0.008 Client  attempt failed: the connection was reset
        0.008 Server  reset: the connection was reset; not sent []
        0.190 Client  dials
        0.198 Server  established with client.4101
        0.199 Client  established with osd.3
        0.200 Server  message 1 seq 1 (10, 0, 0)
    "#]]
    .assert_eq(&world.log());
    assert_eq!(world.resets(Side::Server), 1);
}

/// An open session with two messages under way each way and one that is not written any more, broken there.
fn open_and_broken_at(from: Side, label: Label, edge: Edge) -> World {
    let mut world = World::open(Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::CRC));
    world.cuts.push(Cut { from, label, edge });
    world.send(Side::Client, message(1, 10, 0, 0));
    world.send(Side::Server, message(2, 10, 0, 0));
    world.tell(Side::Client, Input::Keepalive);
    world.run(SECOND * 60);
    assert!(world.cuts.is_empty(), "{from:?} {label:?} {edge:?} was never written");
    world
}

/// Frames of an open session.
const OPEN: [(Side, Tag); 4] = [
    (Side::Client, Tag::Message),
    (Side::Server, Tag::Message),
    (Side::Client, Tag::Keepalive2),
    (Side::Server, Tag::Keepalive2Ack),
];

#[test]
fn lossy_connected_fault() {
    for (from, tag) in OPEN {
        for edge in EDGES {
            let mut world = open_and_broken_at(from, Label::Frame(tag), edge);
            let what = format!("{edge:?} {tag} from {from:?}");
            assert_eq!(world.client().state(), State::Closed, "{what}");
            assert_eq!(world.resets(Side::Client), 1, "{what}");
            assert_eq!(world.dial_times.len(), 1, "{what}: an established session is not dialled again");
            assert!(world.attempts().is_empty(), "{what}");
            assert_eq!(world.client().deadline(), None, "{what}");
        }
    }
}

#[test]
fn lossy_accepted_fault() {
    for (from, tag) in OPEN {
        for edge in EDGES {
            let mut world = open_and_broken_at(from, Label::Frame(tag), edge);
            let what = format!("{edge:?} {tag} from {from:?}");
            assert_eq!(world.connection(Side::Server).state(), State::Closed, "{what}");
            assert_eq!(world.resets(Side::Server), 1, "{what}");
            assert_eq!(world.connection(Side::Server).deadline(), None, "{what}");
        }
    }
}

/// The message is there or is not, never twice, and both ends agree on which side of the cut it was.
#[test]
fn a_message_at_the_cut_arrives_once_or_not_at_all() {
    let before = open_and_broken_at(Side::Client, Label::Frame(Tag::Message), Edge::Before);
    assert_eq!(before.tids(Side::Server), [0; 0]);
    let after = open_and_broken_at(Side::Client, Label::Frame(Tag::Message), Edge::After);
    assert_eq!(after.tids(Side::Server), [1]);
}

#[test]
fn messages_never_written_come_back_with_the_reset() {
    let mut world = World::open(Setup::new(Scheme::None));
    let now = world.now;
    // A driver whose socket has no room takes nothing from the queue.
    for tid in 1..=3 {
        world.client().handle(now, Input::Send(message(tid, 10, 0, 0)));
    }
    world.client().handle(now, Input::Disconnected(Disconnect::Reset));
    world.run(SECOND);
    let Some(Event::Reset { fault, undelivered }) = world.seen[0].events.last() else { panic!("a reset") };
    assert_eq!(*fault, Fault::Disconnected(Disconnect::Reset));
    let tids: Vec<u64> = undelivered.not_sent.iter().map(|m| m.header.tid).collect();
    assert_eq!(tids, [1, 2, 3]);
}

#[test]
fn a_session_that_could_never_be_opened_keeps_its_messages_until_it_is_failed() {
    let mut world = World::new(Setup::new(Scheme::None));
    world.dials.extend([Dialled::Fails(Disconnect::Refused); 100]);
    world.send(Side::Client, message(1, 10, 0, 0));
    world.run(SECOND * 60);
    assert_eq!(world.resets(Side::Client), 0);
    world.tell(Side::Client, Input::Fail(Fault::MarkedDown));
    let Some(Event::Reset { fault, undelivered }) = world.seen[0].events.last() else { panic!("a reset") };
    assert_eq!((fault, undelivered.not_sent.len()), (&Fault::MarkedDown, 1));
    let dials = world.dial_times.len();
    world.run(SECOND * 60);
    assert_eq!(world.dial_times.len(), dials, "no dial after the end");
}

/// The pauses between dials as multiples of the limit that doubles from 200 ms to 15 s.
fn pauses(seed: u64) -> Vec<f64> {
    let mut setup = Setup::new(Scheme::None);
    setup.seed = seed;
    setup.latency = Duration::ZERO;
    setup.back_off = BackOff::new(Duration::from_millis(200), SECOND * 15);
    let mut world = World::new(setup);
    world.dials.extend([Dialled::Fails(Disconnect::Refused); 12]);
    world.run(SECOND * 300);
    assert_eq!(world.dial_times.len(), 13);
    assert_eq!(world.client().state(), State::Open);
    let limits = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0, 15.0, 15.0, 15.0];
    let gaps = world.dial_times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64());
    gaps.zip(limits).map(|(gap, limit)| gap / limit).collect()
}

#[test]
fn dials_are_spaced_by_a_growing_jittered_pause() {
    for seed in 1..50 {
        for (attempt, pause) in pauses(seed).into_iter().enumerate() {
            assert!((0.5..=1.0).contains(&pause), "seed {seed} attempt {attempt}: {pause}");
        }
    }
    assert_ne!(pauses(1), pauses(2), "clients that are cut off together do not come back together");
}

#[test]
fn a_refused_dial_is_told_and_repeated() {
    let mut world = World::new(Setup::new(Scheme::None));
    world.dials.push_back(Dialled::Fails(Disconnect::Refused));
    world.dials.push_back(Dialled::Fails(Disconnect::Unreachable));
    world.run(SECOND * 2);
    expect![[r#"
        0.000 Client  dials
        0.001 Client  attempt failed: the connection was refused: nothing listens at that address
        0.183 Client  dials
        0.184 Client  attempt failed: the peer is unreachable
        0.453 Client  dials
        0.459 Server  established with client.4100
        0.460 Client  established with osd.3
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn without_a_ticket_the_dial_fails_and_is_repeated() {
    let mut setup = Setup::new(Scheme::None);
    let (principal, _) = crate::world::cluster(KeyType::Aes);
    setup.client_auth = Box::new(principal);
    let mut world = World::new(setup);
    world.run(Duration::from_millis(300));
    expect![[r#"
        0.000 Client  dials
        0.001 Client  attempt failed: not authenticated to a monitor yet, so there is nothing to show to the osd: connect to a monitor first
        0.002 Server  link broken: the peer closed the connection
        0.183 Client  dials
        0.184 Client  attempt failed: not authenticated to a monitor yet, so there is nothing to show to the osd: connect to a monitor first
        0.185 Server  link broken: the peer closed the connection
    "#]].assert_eq(&world.log());
}

/// Whom a mark_down concerns hears nothing of its own doing; the peer sees the socket end.
#[test]
fn mark_down_is_silent() {
    for side in [Side::Client, Side::Server] {
        let other = side.other();
        let mut world = World::open(Setup::new(Scheme::None));
        let now = world.now;
        world.connection(side).handle(now, Input::Send(message(1, 10, 0, 0)));
        world.tell(side, Input::MarkDown);
        world.run(SECOND * 60);
        assert_eq!(world.connection(side).state(), State::Closed);
        assert_eq!(world.resets(side), 0, "{side:?}");
        assert_eq!(world.resets(other), 1, "{side:?}");
        assert_eq!(world.dial_times.len(), 1);
        assert!(world.connection(side).is_drained());
    }
}

#[test]
fn mark_down_is_silent_in_every_state() {
    let quiet = |mut world: World, what: &str| {
        let events = world.seen[0].events.len();
        let dials = world.dial_times.len();
        world.tell(Side::Client, Input::MarkDown);
        world.run(SECOND * 100);
        assert_eq!(world.client().state(), State::Closed, "{what}");
        assert_eq!(world.seen[0].events.len(), events, "{what}");
        assert_eq!(world.dial_times.len(), dials, "{what}");
        world.tell(Side::Client, Input::MarkDown);
        world.tell(Side::Client, Input::Fail(Fault::Replaced));
        assert_eq!(world.seen[0].events.len(), events, "{what}: twice");
    };
    quiet(World::new(Setup::new(Scheme::None)), "before the dial");
    let mut world = World::new(Setup::new(Scheme::None));
    world.dials.push_back(Dialled::Hangs);
    world.run(SECOND);
    quiet(world, "while dialling");
    let mut world = World::new(Setup::new(Scheme::None));
    world.run(Duration::from_millis(3));
    quiet(world, "during the handshake");
    let mut world = World::new(Setup::new(Scheme::None));
    world.dials.push_back(Dialled::Fails(Disconnect::Refused));
    world.run(Duration::from_millis(50));
    quiet(world, "during the back-off");
    quiet(World::open(Setup::new(Scheme::None)), "while open");
}

/// Outputs that were not drained yet die with the connection.
#[test]
fn nothing_is_delivered_after_mark_down() {
    let mut world = World::open(Setup::new(Scheme::None));
    let bytes = crate::rig::Rig::client_in("open").write(&crate::rig::example(Tag::Message));
    let now = world.now;
    world.client().handle(now, Input::Received(bytes[..].into()));
    world.tell(Side::Client, Input::MarkDown);
    assert!(world.seen[0].messages.is_empty());
}

#[test]
fn a_replaced_connection_is_told_why() {
    let mut world = World::open(Setup::new(Scheme::None));
    world.tell(Side::Server, Input::Fail(Fault::Replaced));
    world.run(SECOND);
    expect![[r#"
        0.000 Client  dials
        0.006 Server  established with client.4100
        0.007 Client  established with osd.3
        1.000 Server  reset: replaced by a newer connection of the same peer; not sent []
        1.001 Client  reset: the peer closed the connection; not sent []
    "#]]
    .assert_eq(&world.log());
}

/// Ceph's FeatureTest: a client that lacks a feature never connects; when the server asks for less, it does.
#[test]
fn a_client_that_lacks_a_feature_keeps_trying() {
    let mut setup = Setup::new(Scheme::None);
    setup.server_policies = Policies::new(Policy::stateless_server().require(Features(1 << 49)));
    let mut world = World::new(setup);
    world.run(SECOND * 5);
    assert!(world.attempts().len() > 3);
    assert!(world.attempts().iter().all(|f| **f == Fault::WeLackFeatures(Features(1 << 49))));
    world.setup.server_policies = Policies::new(Policy::stateless_server());
    world.run(SECOND * 20);
    assert_eq!(world.client().state(), State::Open);
}

#[test]
fn who_is_told_to_wait_waits_only_shortly() {
    let mut world = World::new(Setup::new(Scheme::None));
    world.verdicts.extend([Verdict::Wait; 5]);
    world.run(SECOND * 2);
    assert_eq!(world.attempts(), [&Fault::ToldToWait; 5]);
    let pauses: Vec<f64> =
        world.dial_times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    assert!(pauses.iter().all(|pause| (0.1..0.21).contains(pause)), "{pauses:?}");
    assert_eq!(world.client().state(), State::Open);
}

/// An acceptor that knows a newer attempt closes without a word.
#[test]
fn a_stale_attempt_is_dropped() {
    let mut world = World::new(Setup::new(Scheme::None));
    world.verdicts.push_back(Verdict::Drop);
    world.run(SECOND);
    assert_eq!(world.seen[Side::Server as usize].faults, [Fault::Stale]);
    assert_eq!(world.attempts(), [&Fault::Disconnected(Disconnect::Closed)]);
    assert_eq!(world.client().state(), State::Open);
}

/// A new connection is a new session: its numbers begin anew, and nothing of the old one is sent again.
#[test]
fn sessions_do_not_outlive_their_socket() {
    for _ in 0..2 {
        let mut world = World::open(Setup::new(Scheme::None));
        world.send(Side::Client, message(1, 10, 0, 0));
        world.send(Side::Server, message(2, 10, 0, 0));
        world.run(SECOND);
        for seen in &world.seen {
            assert_eq!(seen.messages[0].header.seq, 1);
        }
        world.cut();
        world.run(SECOND * 60);
        assert!(matches!(world.server(), Machine::Connection(_)));
        assert_eq!((world.resets(Side::Client), world.resets(Side::Server)), (1, 1));
    }
}

/// Every prefix of what either side says, and then the end: the client always comes back and gets through.
#[test]
fn a_handshake_may_break_after_any_byte() {
    let setup = || Setup::new(Scheme::None);
    let lengths = |world: &World, from| -> u64 {
        let units = world.units.iter().filter(|unit| unit.from == from);
        units.map(|unit| unit.bytes.len() as u64).sum()
    };
    let honest = World::open(setup());
    for from in [Side::Client, Side::Server] {
        for byte in 0..lengths(&honest, from) {
            let mut world = World::new(setup());
            world.cut_at = Some((from, byte));
            world.send(Side::Client, message(1, 10, 0, 0));
            world.run(SECOND);
            assert_recovered(&mut world, &format!("after byte {byte} of {from:?}"));
        }
    }
}

/// News of a socket that was given up long ago changes nothing.
#[test]
fn late_news_of_a_lost_attempt_is_ignored() {
    let mut world = World::new(Setup::new(Scheme::None));
    world.dials.push_back(Dialled::Fails(Disconnect::Refused));
    world.run(Duration::from_millis(50));
    let redial = world.client().deadline();
    world.tell(Side::Client, Input::Disconnected(Disconnect::Reset));
    world.tell(Side::Client, Input::Unauthenticated(axon_auth::AuthError::NotReady));
    assert_eq!((world.attempts().len(), world.client().deadline()), (1, redial));
    world.run(SECOND);
    assert_eq!((world.dial_times.len(), world.client().state()), (2, State::Open));
}
