//! Somebody in the middle edits, drops or repeats what he sees.

use crate::world::{Label, Scheme, Setup, Side, Unit, World, cluster, message};
use axon_auth::{KeyType, Mode};
use axon_denc::{AddrVec, Decode, Encode};
use axon_proto::{Disconnect, Event, Fault, Modes, State};
use axon_wire::{AuthRequest, Hello, Tag, default_provider};
use core::time::Duration;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);
const PREAMBLE: usize = 32;

/// Makes the checksums of an edited control frame of msgr2.1 right again: whoever edits can also count.
fn seal(bytes: &mut [u8]) {
    let provider = default_provider();
    let crc = provider.crc32c(0, &bytes[..28]);
    bytes[28..PREAMBLE].copy_from_slice(&crc.to_le_bytes());
    let end = bytes.len() - 4;
    let crc = provider.crc32c(0xffff_ffff, &bytes[PREAMBLE..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
}

/// Flips a bit, and hides it from the checksums unless it is in one.
fn flip(unit: &mut Unit, at: usize, bit: u8) {
    unit.bytes[at] ^= 1 << bit;
    let in_checksum = (28..PREAMBLE).contains(&at) || at + 4 >= unit.bytes.len();
    if unit.label != Label::Banner && !in_checksum {
        seal(&mut unit.bytes);
    }
}

/// What both sides make of a handshake that this editor had his hands on: no session, and why.
fn attack(setup: Setup, editor: impl FnMut(&mut Unit) + 'static) -> World {
    let mut world = World::new(setup);
    world.editor = Some(Box::new(editor));
    world.run(Duration::from_millis(50));
    world
}

fn assert_no_session(world: &World, what: &str) {
    assert!(world.established.iter().all(Option::is_none), "{what}: nobody noticed");
}

fn faults(world: &World) -> Vec<Fault> {
    let faults = &world.seen[Side::Server as usize].faults;
    world.attempts().into_iter().chain(faults).cloned().collect()
}

/// Every byte that is exchanged before both sides have signed, one bit each: banners, HELLOs and all of cephx.
#[test]
fn no_bit_of_a_cephx_handshake_can_be_changed() {
    for scheme in [Scheme::Ticket(KeyType::Aes), Scheme::Key(KeyType::Aes256k)] {
        let setup = || {
            let mut setup = Setup::new(scheme);
            for config in [&mut setup.client, &mut setup.server] {
                config.modes = Modes::secure_preferred();
            }
            setup
        };
        let honest = World::open(setup());
        let mut caught: BTreeMap<bool, usize> = BTreeMap::new();
        for unit in honest.units.iter().filter(|unit| unit.label != Label::Sealed) {
            let (from, nth) = (unit.from, unit.nth);
            for at in 0..unit.bytes.len() {
                let bit = (at % 8) as u8;
                let world = attack(setup(), move |unit| {
                    if (unit.from, unit.nth) == (from, nth) && at < unit.bytes.len() {
                        flip(unit, at, bit);
                    }
                });
                assert_no_session(&world, &format!("{scheme:?}: {:?} {from:?} byte {at}", unit.label));
                *caught.entry(faults(&world).contains(&Fault::BadSignature)).or_default() += 1;
            }
        }
        assert!(caught[&true] > 100, "many edits are plausible and only the signature tells: {caught:?}");
    }
}

/// Edits of this kind are caught by the signature, not by chance.
fn assert_caught_by_signature(setup: Setup, editor: impl FnMut(&mut Unit) + 'static) {
    let world = attack(setup, editor);
    assert_no_session(&world, "downgrade");
    assert!(faults(&world).contains(&Fault::BadSignature), "{:?}", faults(&world));
}

#[test]
fn a_downgrade_to_the_old_framing_is_noticed() {
    // As msgr2.0 has other checksums, the one in the middle has to translate every frame; letting both sides believe
    // that the other is old is enough for them to speak the old framing by themselves.
    assert_caught_by_signature(Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::CRC), |unit| {
        if unit.label == Label::Banner {
            unit.bytes[10] &= !1;
        }
    });
}

#[test]
fn a_downgrade_of_the_mode_is_noticed() {
    let mut setup = Setup::new(Scheme::Ticket(KeyType::Aes));
    setup.client.modes = Modes::secure_preferred();
    assert_caught_by_signature(setup, |unit| {
        if unit.label == Label::Frame(Tag::AuthRequest) {
            let end = unit.bytes.len() - 4;
            let mut request = AuthRequest::from_bytes(&unit.bytes[PREAMBLE..end]).unwrap();
            assert_eq!(request.preferred_modes, [Mode::SECURE.0, Mode::CRC.0]);
            request.preferred_modes = vec![Mode::CRC.0, Mode::CRC.0];
            unit.bytes.splice(PREAMBLE..end, request.to_vec());
            seal(&mut unit.bytes);
        }
    });
}

#[test]
fn a_forged_address_is_noticed() {
    assert_caught_by_signature(Setup::new(Scheme::Key(KeyType::Aes)), forge_address);
}

/// AUTH_DONE opens whatever came before it, also when it is an old one.
#[test]
fn tickets_count_with_their_signature_only() {
    for forged in [true, false] {
        let mut setup = Setup::new(Scheme::Key(KeyType::Aes)).mode(Mode::CRC);
        let (principal, monitor) = cluster(KeyType::Aes);
        setup.client_auth = Box::new(principal.clone());
        setup.server_auth = Box::new(monitor);
        attack(setup, move |unit| {
            if forged && unit.from == Side::Server && unit.label == Label::Frame(Tag::AuthSignature) {
                flip(unit, PREAMBLE, 0);
            }
        });
        let tickets = principal.tickets();
        assert_eq!((tickets.method().is_none(), tickets.global_id() == 0), (forged, forged));
    }
}

fn forge_address(unit: &mut Unit) {
    if unit.from == Side::Server && unit.label == Label::Frame(Tag::Hello) {
        let end = unit.bytes.len() - 4;
        let mut hello = Hello::from_bytes(&unit.bytes[PREAMBLE..end]).unwrap();
        hello.peer_addr = crate::world::addr("v2:10.6.6.6:41000/0");
        unit.bytes.splice(PREAMBLE..end, hello.to_vec());
        seal(&mut unit.bytes);
    }
}

/// Method none has no key and so no signature: it protects against accidents only.
#[test]
fn without_keys_nobody_notices() {
    let world = attack(Setup::new(Scheme::None), forge_address);
    let forged: AddrVec = crate::world::addr("any:10.6.6.6:0/7").into();
    assert_eq!(world.established[0].as_ref().unwrap().my_addrs, forged);
}

/// A secure session, both revisions, with the unit that carries the next message from `from`.
fn sealed_unit(revision_0: bool, from: Side) -> (World, Unit) {
    let setup = Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::SECURE);
    let mut world = World::open(if revision_0 { setup.revision_0() } else { setup });
    let before = world.units.len();
    world.send(from, message(1, 60, 5, 70));
    let unit = world.units[before].clone();
    assert_eq!((unit.from, unit.label), (from, Label::Sealed));
    (world, unit)
}

const ENDS: [(bool, Side); 4] =
    [(false, Side::Client), (false, Side::Server), (true, Side::Client), (true, Side::Server)];

/// The reader of `from` must have been reset by a wire error without delivering more than `delivered`.
fn assert_refused(world: &mut World, from: Side, delivered: &[u64], what: &str) {
    let reader = from.other();
    assert_eq!(world.tids(reader), delivered, "{what}");
    let reset = world.seen[reader as usize].events.last();
    let Some(Event::Reset { fault, .. }) = reset else { panic!("{what}: no reset but {reset:?}") };
    assert!(matches!(fault, Fault::Wire(_)), "{what}: {fault}");
    assert_eq!(world.connection(reader).state(), State::Closed);
}

#[test]
fn no_bit_of_a_secure_frame_can_be_changed() {
    for (revision_0, from) in ENDS {
        let length = sealed_unit(revision_0, from).1.bytes.len();
        for at in (0..length).step_by(3) {
            let setup = Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::SECURE);
            let mut world = World::open(if revision_0 { setup.revision_0() } else { setup });
            world.editor = Some(Box::new(move |unit| unit.bytes[at] ^= 1 << (at % 8)));
            world.send(from, message(1, 60, 5, 70));
            world.editor = None;
            world.run(Duration::from_millis(20));
            let reset = matches!(world.seen[from.other() as usize].events.last(), Some(Event::Reset { .. }));
            if revision_0 && !reset {
                // A changed length that nothing protects: the reader waits for the rest of a frame that never comes.
                assert_eq!(world.tids(from.other()), [0; 0]);
                continue;
            }
            assert_refused(
                &mut world,
                from,
                &[],
                &format!("byte {at} of {length}, rev0 {revision_0}, {from:?}"),
            );
        }
    }
}

#[test]
fn a_secure_frame_cannot_be_repeated() {
    for (revision_0, from) in ENDS {
        let (mut world, unit) = sealed_unit(revision_0, from);
        world.inject(from, &unit.bytes);
        world.run(Duration::from_millis(20));
        assert_refused(&mut world, from, &[1], "repeated");
    }
}

#[test]
fn a_secure_frame_cannot_be_left_out() {
    for (revision_0, from) in ENDS {
        let setup = Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::SECURE);
        let mut world = World::open(if revision_0 { setup.revision_0() } else { setup });
        world.editor = Some(Box::new(|unit| unit.bytes.clear()));
        world.send(from, message(1, 10, 0, 0));
        world.editor = None;
        world.send(from, message(2, 10, 0, 0));
        world.run(Duration::from_millis(20));
        assert_refused(&mut world, from, &[], "left out");
    }
}

#[test]
fn a_secure_frame_cannot_be_sent_back() {
    for (revision_0, from) in ENDS {
        let (mut world, unit) = sealed_unit(revision_0, from);
        world.inject(from.other(), &unit.bytes);
        world.run(Duration::from_millis(20));
        assert_refused(&mut world, from.other(), &[], "sent back");
    }
}

/// In crc mode every flipped bit is seen or does not matter.
#[test]
fn a_damaged_message_is_never_delivered() {
    for revision_0 in [false, true] {
        let setup = || {
            let setup = Setup::new(Scheme::None);
            if revision_0 { setup.revision_0() } else { setup }
        };
        let sent = message(1, 30, 5, 40);
        let length = 32 + 41 + 30 + 5 + 40 + 17;
        let mut harmless = 0;
        for (at, bit) in (0..length).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut world = World::open(setup());
            world.editor = Some(Box::new(move |unit| {
                assert_eq!(unit.bytes.len(), length);
                unit.bytes[at] ^= 1 << bit;
            }));
            world.send(Side::Client, sent.clone());
            world.run(Duration::from_millis(20));
            if let [got] = &world.seen[1].messages[..] {
                harmless += 1;
                assert_eq!((&got.front, &got.middle, &got.data), (&sent.front, &sent.middle, &sent.data));
                assert_eq!(got.header.seq, 1);
            }
        }
        // The reserved bits of the late status: four in msgr2.1, seven in msgr2.0.
        assert_eq!(harmless, if revision_0 { 7 } else { 4 });
    }
}

#[test]
fn an_end_in_the_middle_of_a_message_is_an_end() {
    let mut world = World::open(Setup::new(Scheme::None));
    world.editor = Some(Box::new(|unit| unit.bytes.truncate(50)));
    world.send(Side::Client, message(1, 100, 0, 0));
    world.run(SECOND);
    world.tell(Side::Client, axon_proto::Input::MarkDown);
    world.run(SECOND);
    let fault = Fault::Disconnected(Disconnect::Closed);
    assert!(matches!(world.seen[1].events.last(), Some(Event::Reset { fault: f, .. }) if *f == fault));
}
