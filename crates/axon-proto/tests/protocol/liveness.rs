//! Silence: what is waited for, how long, and by whom.

use crate::fakes::Fake;
use crate::rig::{BANNER, Rig, client_config, example, name, server_config};
use crate::world::{Dialled, Label, Scheme, Setup, Side, World, message};
use axon_proto::{Event, Fault, Input, Instant, State, WakeReason};
use axon_wire::{Control, Frame, Keepalive2, Tag};
use core::time::Duration;
use expect_test::expect;

const SECOND: Duration = Duration::from_secs(1);

/// Frames of this tag that crossed the wires, by sender.
fn count(world: &World, from: Side, tag: Tag) -> usize {
    world.units.iter().filter(|unit| unit.from == from && unit.label == Label::Frame(tag)).count()
}

#[test]
fn a_dial_without_an_answer_is_given_up() {
    let mut world = World::new(Setup::new(Scheme::None));
    world.dials.push_back(Dialled::Hangs);
    world.run(SECOND * 11);
    expect![[r#"
        0.000 Client  dials
        10.000 Client  attempt failed: gave up: ready time-out
        10.182 Client  dials
        10.188 Server  established with client.4100
        10.189 Client  established with osd.3
    "#]]
    .assert_eq(&world.log());
}

/// Silence, or a byte a second: the handshake as a whole has a deadline, not the next byte.
#[test]
fn a_handshake_that_does_not_end_is_given_up() {
    let rigs = || [Rig::client(client_config(), &Fake::new()), Rig::server(server_config(), &Fake::new())];
    for mut rig in rigs() {
        assert_eq!(rig.link.deadline(), Some((Instant(0) + SECOND * 10, WakeReason::Ready)));
        rig.wake_at(Instant(0) + Duration::from_millis(9_999));
        assert_eq!(rig.fault, None);
        rig.wake_at(Instant(0) + SECOND * 10);
        assert_eq!(rig.fault, Some(Fault::TimedOut(WakeReason::Ready)));
        assert_eq!(rig.link.deadline(), None);
    }
    for mut rig in rigs() {
        let mut bytes = BANNER.emit().to_vec();
        bytes.extend(rig.write(&example(Tag::Hello)));
        for (second, byte) in (1..).zip(bytes) {
            rig.now = Instant(0) + SECOND * second;
            rig.say_bytes(&[byte]);
            rig.wake_at(rig.now);
            if rig.fault.is_some() {
                break;
            }
        }
        assert_eq!(rig.now, Instant(0) + SECOND * 10);
        assert_eq!(rig.fault, Some(Fault::TimedOut(WakeReason::Ready)));
    }
}

/// Each state of the handshake is under the same deadline.
#[test]
fn every_state_of_the_handshake_is_left_in_time() {
    let states = [
        "awaiting the banner",
        "awaiting HELLO",
        "awaiting AUTH_REQUEST",
        "awaiting AUTH_REQUEST_MORE",
        "awaiting AUTH_SIGNATURE",
        "awaiting CLIENT_IDENT",
        "deciding about a session",
    ];
    for state in states {
        let mut rig = Rig::server_in(state);
        rig.wake_at(Instant(0) + SECOND * 10);
        assert_eq!(rig.fault, Some(Fault::TimedOut(WakeReason::Ready)), "{state}");
    }
    let mut rig = Rig::server_in("open");
    rig.wake_at(Instant(0) + SECOND * 10);
    assert_eq!(rig.fault, None);
}

#[test]
fn an_idle_session_is_kept_alive_by_whoever_dialled() {
    let mut world = World::open(Setup::new(Scheme::None));
    world.run(SECOND * 3600);
    assert_eq!(world.client().state(), State::Open);
    let asked = count(&world, Side::Client, Tag::Keepalive2);
    assert!((180..=206).contains(&asked), "each 17.5 to 20 s: {asked}");
    assert_eq!(count(&world, Side::Server, Tag::Keepalive2Ack), asked);
    assert_eq!(count(&world, Side::Server, Tag::Keepalive2), 0);
}

#[test]
fn a_busy_session_needs_no_keepalives() {
    let mut world = World::open(Setup::new(Scheme::None));
    for tid in 1..100 {
        world.send(Side::Server, message(tid, 5, 0, 0));
        world.send(Side::Client, message(tid, 5, 0, 0));
        world.run(SECOND * 17);
    }
    assert_eq!(count(&world, Side::Client, Tag::Keepalive2), 0);
}

/// Only the server has anything to say, and a lossy client acknowledges nothing. The server hears that it is there.
#[test]
fn a_client_that_only_listens_is_not_idle() {
    for every in [SECOND, SECOND * 17] {
        let mut world = World::open(Setup::new(Scheme::None));
        let mut tid = 0;
        while world.now < Instant(0) + SECOND * 2000 {
            tid += 1;
            world.send(Side::Server, message(tid, 5, 0, 0));
            world.run(every);
        }
        assert_eq!((world.resets(Side::Server), world.resets(Side::Client)), (0, 0), "{every:?}");
        assert_eq!(world.tids(Side::Client).len() as u64, tid);
        let asked = count(&world, Side::Client, Tag::Keepalive2);
        assert!((48..=58).contains(&asked), "each 35 to 40 s: {asked}");
        assert_eq!(count(&world, Side::Server, Tag::Keepalive2), 0);
    }
}

#[test]
fn a_keepalive_measures_the_round_trip() {
    for side in [Side::Client, Side::Server] {
        let mut setup = Setup::new(Scheme::None);
        setup.latency = Duration::from_millis(20);
        let mut world = World::open(setup);
        world.tell(side, Input::Keepalive);
        world.run(SECOND);
        let events = &world.seen[side as usize].events;
        assert!(
            matches!(events.last(), Some(Event::KeepaliveAck(after)) if *after == Duration::from_millis(40))
        );
    }
}

/// The peer's kernel keeps the socket open, its process hangs.
#[test]
fn a_peer_that_answers_nothing_is_found_out() {
    let mut setup = Setup::new(Scheme::None);
    setup.server.timeouts.keepalive = None;
    let mut world = World::open(setup);
    world.send(Side::Client, message(1, 5, 0, 0));
    world.run(SECOND);
    world.deaf = true;
    world.send(Side::Client, message(2, 5, 0, 0));
    world.run(SECOND * 40);
    expect![[r#"
        0.000 Client  dials
        0.006 Server  established with client.4100
        0.007 Client  established with osd.3
        1.001 Server  message 1 seq 1 (5, 0, 0)
        27.522 Client  reset: gave up: keepalive unanswered; not sent []
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn a_silent_peer_is_dropped_by_whoever_accepted() {
    let mut setup = Setup::new(Scheme::None).configure(|c| c.timeouts.idle = Some(SECOND * 60));
    setup.client.timeouts.keepalive = None;
    setup.client.timeouts.idle = None;
    let mut world = World::open(setup);
    world.run(SECOND * 30);
    world.send(Side::Client, message(1, 1, 0, 0));
    world.run(SECOND * 61);
    expect![[r#"
        0.000 Client  dials
        0.006 Server  established with client.4100
        0.007 Client  established with osd.3
        31.001 Server  message 1 seq 1 (1, 0, 0)
        91.001 Server  reset: gave up: idle time-out; not sent []
        91.002 Client  reset: the peer closed the connection; not sent []
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn time_outs_can_be_switched_off() {
    let mut world = World::open(Setup::new(Scheme::None).configure(|c| {
        c.timeouts.idle = None;
        c.timeouts.keepalive = None;
    }));
    assert_eq!(world.client().deadline(), None);
    assert_eq!(world.connection(Side::Server).deadline(), None);
}

/// A message that waits for its budget stops all reading, and with it the answers to keepalives: the side that makes
/// the other wait must not take the silence for death.
#[test]
fn back_pressure_does_not_look_like_death() {
    for side in [Side::Client, Side::Server] {
        let mut setup = Setup::new(Scheme::None).configure(|config| {
            config.admission = true;
            config.timeouts.idle = Some(SECOND * 60);
        });
        // The other side is patient: it cannot know why nothing comes.
        let other = if side == Side::Client { &mut setup.server } else { &mut setup.client };
        other.timeouts.idle = None;
        other.timeouts.keepalive = None;
        let mut world = World::open(setup);
        let other = side.other();
        world.hold_admissions = true;
        world.send(other, message(1, 1000, 0, 0));
        world.run(SECOND * 800);
        assert_eq!(world.waiting(side), Some(1000));
        world.hold_admissions = false;
        world.admit(side);
        world.run(SECOND);
        assert_eq!(world.tids(side), [1]);
        assert_eq!(world.connection(side).state(), State::Open);
    }
}

#[test]
fn a_held_message_suspends_the_deadlines_but_for_signs_of_life() {
    let mut world = World::open(Setup::new(Scheme::None).configure(|c| c.admission = true));
    world.hold_admissions = true;
    world.send(Side::Server, message(1, 1000, 0, 0));
    world.run(SECOND);
    world.run(SECOND * 3600);
    let (at, reason) = world.client().deadline().expect("a sign of life");
    assert!(reason == WakeReason::Keepalive && at.since(world.now) <= SECOND * 20);
    world.admit(Side::Client);
    let now = world.now;
    let (at, reason) = world.client().deadline().expect("a keepalive");
    let wait = at.since(now);
    assert!(reason == WakeReason::Keepalive && wait >= SECOND * 35 / 2 && wait <= SECOND * 20, "{wait:?}");
}

#[test]
fn the_rest_of_a_message_is_waited_for_however_it_was_let_in() {
    for room in [None, Some(1000)] {
        let mut world = World::open(Setup::new(Scheme::None).configure(|c| c.admission = true));
        if let Some(bytes) = room {
            world.make_room(Side::Server, bytes);
        }
        world.editor = Some(Box::new(|unit| {
            if unit.label == Label::Frame(Tag::Message) {
                unit.bytes.pop();
            }
        }));
        world.send(Side::Client, message(1, 1000, 0, 0));
        world.run(SECOND);
        let (at, reason) = world.connection(Side::Server).deadline().expect("it is not complete");
        assert_eq!(reason, WakeReason::Body, "{room:?}");
        assert!((SECOND * 58..=SECOND * 60).contains(&at.since(world.now)), "{room:?} {at:?}");
    }
}

/// Whoever waits for a budget does not read the peer's keepalives, which must not take that for death: neither the client,
/// whose policy is to ask, nor the server, which only knows idleness.
#[test]
fn who_is_held_back_hears_that_the_other_lives() {
    for side in [Side::Client, Side::Server] {
        let mut world = World::open(Setup::new(Scheme::None).configure(|c| c.admission = true));
        world.hold_admissions = true;
        world.send(side, message(1, 1000, 0, 0));
        world.run(SECOND * 3600);
        assert_eq!((world.resets(side), world.resets(side.other())), (0, 0), "{side:?}");
        assert_eq!(world.tids(side.other()), []);
        world.admit(side.other());
        world.run(SECOND);
        assert_eq!(world.tids(side.other()), [1]);
    }
}

/// A body of 40 MiB at some 100 kB a second: the client asks for a sign of life in between, and the peer's answer is
/// behind the body.
#[test]
fn a_large_body_that_comes_slowly_is_a_sign_of_life() {
    let mut rig = Rig::client_in("open");
    let bytes = rig.write(&Frame::Message(message(1, 0, 0, 40 << 20)));
    let mut bytes = &bytes[..];
    while !bytes.is_empty() {
        rig.wake_at(rig.now + SECOND * 10);
        rig.wake_at(rig.now + SECOND * 9);
        assert_eq!(rig.fault.as_ref().map(name), None, "{} bytes are missing", bytes.len());
        let before = bytes.len();
        assert!(rig.read(&mut bytes, 1 << 20));
        assert!(before - bytes.len() <= 2 << 20, "no driver says how far a longer read has come");
    }
    assert_eq!(rig.messages.len(), 1);
}

/// A peer that asks and never reads the answers makes nothing grow: only the last question is answered, and only when
/// the driver has room.
#[test]
fn keepalives_that_were_not_answered_yet_are_answered_at_once() {
    let mut rig = Rig::server_in("open");
    rig.heard();
    for sec in 1..=1000 {
        let timestamp = axon_denc::UTime { sec, nsec: 5 };
        rig.say(&Frame::Control(Keepalive2 { timestamp }.into()));
    }
    assert!(rig.link.has_pending());
    match &rig.heard()[..] {
        [Frame::Control(Control::Keepalive2Ack(ack))] => assert_eq!(ack.timestamp.sec, 1000),
        other => panic!("{} frames", other.len()),
    }
    assert!(!rig.link.has_pending());
}

#[test]
fn an_acknowledgement_from_the_future_is_no_round_trip() {
    let mut rig = Rig::client_in("open");
    let timestamp = axon_denc::UTime { sec: u32::MAX, nsec: u32::MAX };
    rig.say(&Frame::Control(axon_wire::Keepalive2Ack { timestamp }.into()));
    assert_eq!(rig.fault, None);
    assert!(!rig.outputs.iter().any(|o| matches!(o, axon_proto::LinkOutput::KeepaliveAck(_))));
}

/// Bytes that arrive one by one are signs of life too.
#[test]
fn a_slow_message_is_not_silence() {
    let mut rig = Rig::client_in("open");
    let bytes = rig.write(&example(Tag::Message));
    for byte in bytes {
        rig.now = rig.now + SECOND * 9;
        rig.say_bytes(&[byte]);
        rig.wake_at(rig.now);
        assert_eq!(rig.fault.as_ref().map(name), None);
    }
    assert_eq!(rig.messages.len(), 1);
    let asked = rig.heard_tags().iter().filter(|tag| **tag == Tag::Keepalive2).count() as u64;
    assert!(asked * 35 <= rig.now.since(Instant(0)).as_secs(), "{asked}: no more than to be heard");
}
