//! The path of messages: order, numbers, budgets, and reads straight into place.

use crate::rig::{Rig, example};
use crate::world::{Chunks, Label, Scheme, Setup, Side, World, message};
use axon_auth::{KeyType, Mode};
use axon_proto::{
    Config, Connection, Demand, Disconnect, Event, Fault, Input, Output, Policies, Policy, State,
};
use axon_wire::{Frame, FrameBuf, Message, Tag, WireError};
use bytes::BytesMut;
use core::time::Duration;
use std::sync::Arc;

const SECOND: Duration = Duration::from_secs(1);

fn admitting(config: &mut Config) {
    config.admission = true;
}

#[test]
fn what_was_queued_before_the_session_leaves_when_it_begins() {
    let mut world = World::new(Setup::new(Scheme::None));
    for tid in 1..=5 {
        world.send(Side::Client, message(tid, 10, 0, 0));
    }
    assert!(!world.client().is_drained());
    world.run(SECOND);
    assert_eq!(world.tids(Side::Server), [1, 2, 3, 4, 5]);
    assert!(world.client().is_drained());
}

#[test]
fn urgent_messages_overtake_queued_ones() {
    let mut world = World::new(Setup::new(Scheme::None));
    for (tid, priority) in [(1, 64), (2, 127), (3, 255), (4, 127)] {
        let mut message = message(tid, 10, 0, 0);
        message.header.priority = priority;
        world.send(Side::Client, message);
    }
    world.run(SECOND);
    assert_eq!(world.tids(Side::Server), [3, 2, 4, 1]);
    let seqs: Vec<u64> = world.seen[1].messages.iter().map(|m| m.header.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
}

#[test]
fn messages_acknowledge_what_was_received() {
    let mut world = World::open(Setup::new(Scheme::None));
    for tid in 1..=3 {
        world.send(Side::Client, message(tid, 1, 0, 0));
    }
    world.run(SECOND);
    world.send(Side::Server, message(9, 1, 0, 0));
    world.run(SECOND);
    assert_eq!(world.seen[0].messages[0].header.ack_seq, 3);
    let acks = world.units.iter().filter(|unit| unit.label == Label::Frame(Tag::Ack)).count();
    assert_eq!(acks, 0, "a lossy session sends no ACK");
}

/// Old and repeated numbers are dropped without stopping the stream; gaps are what the sender revoked.
#[test]
fn old_and_repeated_messages_are_dropped_and_gaps_accepted() {
    let mut world = World::open(Setup::new(Scheme::None));
    let mut rig = Rig::client_in("open");
    for (tid, seq) in [(1, 1), (2, 1), (3, 4), (4, 3), (5, 4), (6, 0), (7, 5)] {
        let mut message = message(tid, 10, 0, 0);
        message.header.seq = seq;
        let bytes = rig.write(&Frame::Message(message));
        world.inject(Side::Server, &bytes);
    }
    world.run(SECOND);
    assert_eq!(world.tids(Side::Client), [1, 3, 7]);
    assert_eq!(world.client().state(), State::Open);
}

#[test]
fn each_message_waits_for_its_budget_and_is_asked_for_once() {
    for mode in [Mode::CRC, Mode::SECURE] {
        let setup = Setup::new(Scheme::Ticket(KeyType::Aes)).mode(mode).configure(admitting);
        let mut world = World::open(setup.chunks(Chunks::Random(3)));
        world.hold_admissions = true;
        world.send(Side::Client, message(1, 10, 20, 100_000));
        world.send(Side::Client, message(2, 0, 0, 0));
        world.run(SECOND);
        assert_eq!(world.waiting(Side::Server), Some(100_030));
        assert_eq!(world.tids(Side::Server), [0; 0]);
        assert!(matches!(world.connection(Side::Server).demand(), Demand::Nothing));
        world.admit(Side::Server);
        world.run(SECOND);
        assert_eq!(world.tids(Side::Server), [1]);
        world.tell(Side::Server, Input::Admitted);
        world.run(SECOND);
        assert_eq!(world.tids(Side::Server), [1, 2], "one word admits one message");
    }
}

#[test]
fn a_message_for_which_there_is_room_is_not_asked_about() {
    for mode in [Mode::CRC, Mode::SECURE] {
        let setup = Setup::new(Scheme::Ticket(KeyType::Aes)).mode(mode).configure(admitting);
        let mut world = World::open(setup.chunks(Chunks::Random(3)));
        world.hold_admissions = true;
        world.make_room(Side::Server, 100_000);
        for (tid, data) in [(1, 99_970), (2, 0), (3, 99_971), (4, 100)] {
            world.send(Side::Client, message(tid, 10, 20, data));
        }
        world.run(SECOND);
        assert_eq!((world.tids(Side::Server), world.waiting(Side::Server)), (vec![1, 2], Some(100_001)));
        world.admit(Side::Server);
        world.run(SECOND);
        assert_eq!((world.tids(Side::Server), world.waiting(Side::Server)), (vec![1, 2, 3, 4], None));
    }
}

#[test]
fn control_frames_need_no_budget() {
    let mut world = World::open(Setup::new(Scheme::None).configure(admitting));
    world.hold_admissions = true;
    world.tell(Side::Client, Input::Keepalive);
    world.run(SECOND);
    assert!(matches!(world.seen[0].events.last(), Some(Event::KeepaliveAck(_))));
}

/// What of a body arrived with the preamble is copied once, the rest goes where it stays.
#[test]
fn a_large_body_is_asked_for_exactly() {
    let mut rig = Rig::client_in("open");
    let bytes = rig.write(&Frame::Message({
        let mut message = message(1, 100, 0, 50_000);
        message.header.seq = 1;
        message
    }));
    let whole = bytes.len() - 32;
    rig.say_bytes(&bytes[..32 + 500]);
    let Demand::Exactly { mut destination, length } = rig.link.demand() else { panic!("a direct read") };
    assert_eq!((destination.len(), length), (500, whole - 500));
    assert_eq!(destination[..], bytes[32..532]);
    assert!(matches!(rig.link.demand(), Demand::Nothing), "the buffer is lent once");
    let place = destination.as_ptr();
    destination.extend_from_slice(&bytes[532..]);
    rig.link.filled(rig.now, destination);
    rig.say_bytes(&[]);
    let body = &rig.messages[0];
    assert_eq!(body.data.len(), 50_000);
    // Header, its crc, front: then the data, where the transport put it.
    assert_eq!(body.data.as_ptr() as usize, place as usize + 41 + 4 + 100);
}

#[test]
fn a_demand_right_after_an_admission_is_answered() {
    let mut setup = Setup::new(Scheme::None);
    setup.client.admission = true;
    let mut world = World::open(setup);
    world.hold_admissions = true;
    world.send(Side::Server, message(1, 100, 0, 0));
    world.run(SECOND);
    let now = world.now;
    // The whole body is there; a driver that asks before it drains must not be told nonsense.
    world.client().handle(now, Input::Admitted);
    assert!(matches!(world.client().demand(), Demand::Any));
    assert!(matches!(world.client().poll(now), Some(Output::Deliver(_))));
}

/// A driver may take note of data and of the end in one turn: the data still counts.
#[test]
fn what_arrived_before_the_end_is_delivered() {
    let mut world = World::open(Setup::new(Scheme::None));
    let mut rig = Rig::client_in("open");
    let bytes = rig.write(&example(Tag::Message));
    let now = world.now;
    world.client().handle(now, Input::Received(BytesMut::from(&bytes[..])));
    world.client().handle(now, Input::Disconnected(Disconnect::Closed));
    world.run(SECOND);
    assert_eq!(world.seen[0].messages.len(), 1);
    assert!(matches!(
        world.seen[0].events.last(),
        Some(Event::Reset { fault: Fault::Disconnected(Disconnect::Closed), .. })
    ));
}

/// The same in the handshake: a refusal counts for more than the end that follows it.
#[test]
fn a_refusal_before_the_end_is_the_reason() {
    let mut rig = Rig::client_in("awaiting SERVER_IDENT");
    let bytes = rig.write(&example(Tag::IdentMissingFeatures));
    rig.link.received(rig.now, BytesMut::from(&bytes[..]));
    rig.link.disconnected(Disconnect::Closed);
    rig.say_bytes(&[]);
    assert_eq!(rig.fault, Some(Fault::WeLackFeatures(axon_denc::Features(1))));
}

#[test]
fn nothing_is_written_to_a_socket_that_is_gone() {
    let mut world = World::open(Setup::new(Scheme::None));
    let now = world.now;
    world.client().handle(now, Input::Disconnected(Disconnect::Closed));
    world.client().handle(now, Input::Send(message(1, 10, 0, 0)));
    let mut out = Vec::new();
    world.client().transmit(1 << 20, &mut FrameBuf::new(), &mut out);
    assert!(out.is_empty());
    world.run(SECOND);
    let Some(Event::Reset { undelivered, .. }) = world.seen[0].events.last() else { panic!("a reset") };
    assert_eq!(undelivered.not_sent.len(), 1);
}

/// Room is asked for in bytes; only a message that is written alone may exceed it.
#[test]
fn writing_stops_when_the_room_is_used_up() {
    let mut world = World::open(Setup::new(Scheme::None));
    let now = world.now;
    for tid in 1..=10 {
        world.client().handle(now, Input::Send(message(tid, 1000, 0, 0)));
    }
    let (mut out, mut scratch) = (Vec::new(), FrameBuf::new());
    let sent = world.client().transmit(2500, &mut scratch, &mut out);
    assert_eq!(sent.messages, 2);
    assert_eq!(world.client().held(), 8 * axon_proto::cost(&message(1, 1000, 0, 0)));
    assert!(!world.client().is_drained());
    assert_eq!(world.client().transmit(1, &mut scratch, &mut out).messages, 1, "however long it is");
    assert_eq!(world.client().transmit(0, &mut scratch, &mut out).messages, 0);
}

/// The writer of a connection whose nonces run out is faked by a message that no frame can carry: 32-bit lengths are
/// the limit. Only address space is needed for it, not memory.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_message_that_cannot_be_written_comes_back() {
    let mut world = World::open(Setup::new(Scheme::None));
    let huge: bytes::Bytes = vec![0u8; 1 << 32].into();
    world.send(Side::Client, Message { data: huge, ..message(1, 0, 0, 0) });
    world.send(Side::Client, message(2, 0, 0, 0));
    world.run(SECOND);
    let Some(Event::Reset { fault, undelivered }) = world.seen[0].events.last() else { panic!("a reset") };
    assert_eq!(*fault, Fault::Wire(WireError::Oversize { segment: 3, length: 1 << 32 }));
    let back: Vec<(u64, u64)> = undelivered.not_sent.iter().map(|m| (m.header.tid, m.header.seq)).collect();
    assert_eq!(back, [(1, 0), (2, 0)]);
}

/// A lossless session resumes after every fault but this one, which would come again on every socket.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_message_that_cannot_be_written_ends_a_lossless_session_too() {
    let mut setup = Setup::new(Scheme::None);
    setup.client_policy = Policy::lossless_client();
    setup.server_policies = Policies::new(Policy::stateful_server());
    let mut world = World::open(setup);
    let huge: bytes::Bytes = vec![0u8; 1 << 32].into();
    world.send(Side::Client, Message { data: huge, ..message(1, 0, 0, 0) });
    world.run(SECOND);
    assert_eq!((world.dial_times.len(), world.client().state()), (1, State::Closed));
    let Some(Event::Reset { undelivered, .. }) = world.seen[0].events.last() else { panic!("a reset") };
    assert_eq!(undelivered.unknown.len() + undelivered.not_sent.len(), 1);
}

#[test]
fn a_session_that_is_over_takes_nothing_more() {
    let mut world = World::open(Setup::new(Scheme::None));
    world.tell(Side::Client, Input::MarkDown);
    world.send(Side::Client, message(1, 10, 0, 0));
    assert_eq!(world.client().state(), State::Closed);
    assert!(world.client().is_drained());
}

/// Frames that came with the last frame of the handshake belong to the session.
#[test]
fn messages_right_behind_the_ident_are_delivered_after_it() {
    let mut rig = Rig::client_in("awaiting SERVER_IDENT");
    let mut bytes = rig.write(&example(Tag::ServerIdent));
    bytes.extend(rig.write(&example(Tag::Message)));
    rig.say_bytes(&bytes);
    assert_eq!((rig.outputs.len(), rig.messages.len()), (1, 1));
}

/// Input for a connection without a socket is ignored, whatever it is.
#[test]
fn a_connection_without_a_socket_ignores_it() {
    let setup = Setup::new(Scheme::None);
    let config = Arc::new(setup.client.clone());
    let mut connection = Connection::dial(config, setup.client_policy, setup.back_off, 0);
    let now = axon_proto::Instant(5);
    assert!(matches!(connection.poll(now), Some(Output::Dial)));
    for input in [
        Input::Received(BytesMut::from(&b"ghost"[..])),
        Input::Filled(BytesMut::new()),
        Input::Admitted,
        Input::Keepalive,
        Input::Progress { unsent: 1, arrived: 1 },
        Input::Wake,
    ] {
        connection.handle(now, input);
        assert!(connection.poll(now).is_none());
    }
    assert!(matches!(connection.demand(), Demand::Nothing));
    assert_eq!(connection.state(), State::Connecting);
}
