use super::Letter;
use crate::label::Label;
use crate::{Kind, Setup, Violation, World};
use axon_proto::Instant;
use axon_wire::{Message, Tag};
use bytes::{Bytes, BytesMut};

/// Of a message with a middle.
const TID: u64 = 4;
const LETTER: Letter = Letter { size: 100, ..Letter::PLAIN };

type Damage = (&'static str, fn(&mut Message));

fn other() -> Message {
    LETTER.message(2 * TID)
}

fn flipped(bytes: &Bytes) -> Bytes {
    let mut bytes = BytesMut::from(&bytes[..]);
    *bytes.last_mut().expect("some bytes") ^= 1;
    bytes.freeze()
}

/// What may happen to a message, whoever is at fault.
const DAMAGES: [Damage; 16] = [
    ("another transaction", |m| m.header.tid += 1),
    ("another type", |m| m.header.kind += 1),
    ("another priority", |m| m.header.priority += 1),
    ("another version", |m| m.header.version += 1),
    ("another compatible version", |m| m.header.compat_version += 1),
    ("another offset", |m| m.header.data_off += 1),
    ("other flags", |m| m.header.flags ^= 1),
    ("no front", |m| m.front.clear()),
    ("another's front", |m| m.front = other().front),
    ("no middle", |m| m.middle.clear()),
    ("another's middle", |m| m.middle = other().middle),
    ("no data", |m| m.data.clear()),
    ("less data", |m| m.data.truncate(99)),
    ("more data", |m| m.data = [&m.data[..], &[0xda]].concat().into()),
    ("another's data", |m| m.data = other().data),
    ("a flipped bit of data", |m| m.data = flipped(&m.data)),
];

#[test]
fn every_damage_shows() {
    for (what, damage) in DAMAGES {
        let mut message = LETTER.message(TID);
        damage(&mut message);
        assert!(!LETTER.is_whole(TID, &message), "{what}");
    }
}

#[test]
fn what_the_session_fills_in_is_no_damage() {
    let mut message = LETTER.message(TID);
    (message.header.seq, message.header.ack_seq) = (7, 9);
    assert!(LETTER.is_whole(TID, &message));
}

/// In a world that believes every checksum, a bit that flips on its way gets through to the application.
#[test]
fn a_message_that_is_altered_on_its_way_breaks_a_rule() {
    let mut world = World::new(Setup::new(Kind::Peer, 2), 1);
    let tid = world.send(0, 1, LETTER).expect("a connection that takes it");
    let mut pending = Vec::new();
    while !alter_message(&mut world) {
        assert!(world.step(Instant(u64::MAX), &mut pending), "nothing is written");
    }
    while world.violation.is_none() && world.ledger.entries()[0].delivered == 0 {
        assert!(world.step(Instant(u64::MAX), &mut pending), "nothing is delivered");
    }
    assert_eq!(world.violation, Some(Violation::Altered(tid)));
}

/// Flips the last bit of a message's data, in front of what ends its frame.
fn alter_message(world: &mut World) -> bool {
    const EPILOGUE: usize = 13;
    let sides = world.sockets.iter_mut().flat_map(|socket| &mut socket.sides);
    let mut units = sides.flat_map(|side| &mut side.pipe.units);
    let Some(unit) = units.find(|unit| unit.label == Label::Frame(Tag::Message)) else { return false };
    let mut bytes = BytesMut::from(&unit.bytes[..]);
    let last = bytes.len() - EPILOGUE - 1;
    bytes[last] ^= 1;
    unit.bytes = bytes.freeze();
    true
}
