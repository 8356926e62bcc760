//! Whatever a peer says, in whatever portions and in whatever state: no panic, at most one fault, and silence after it.

use crate::fakes::Fake;
use crate::rig::{BANNER, Rig, client_config, example, server_config};
use crate::world::{Chunks, Scheme, Setup, Side, World, message};
use axon_auth::{KeyType, Mode};
use axon_proto::{Demand, Event, Fault, Input, Instant, State, Verdict};
use axon_wire::{Frame, Tag, default_provider};
use core::time::Duration;
use proptest::collection::vec;
use proptest::prelude::*;

/// Every state of both sides.
const STATES: [(Side, &str); 15] = [
    (Side::Client, "awaiting the banner"),
    (Side::Client, "awaiting HELLO"),
    (Side::Client, "awaiting the answer to AUTH_REQUEST"),
    (Side::Client, "awaiting AUTH_SIGNATURE"),
    (Side::Client, "awaiting SERVER_IDENT"),
    (Side::Client, "awaiting SESSION_RECONNECT_OK"),
    (Side::Client, "open"),
    (Side::Server, "awaiting the banner"),
    (Side::Server, "awaiting HELLO"),
    (Side::Server, "awaiting AUTH_REQUEST"),
    (Side::Server, "awaiting AUTH_REQUEST_MORE"),
    (Side::Server, "awaiting AUTH_SIGNATURE"),
    (Side::Server, "awaiting CLIENT_IDENT"),
    (Side::Server, "deciding about a session"),
    (Side::Server, "open"),
];

fn rig_in((side, state): (Side, &str)) -> Rig {
    match side {
        Side::Client => Rig::client_in(state),
        Side::Server => Rig::server_in(state),
    }
}

/// What must hold of a link at any time, and what every link must take.
fn check(mut rig: Rig) {
    let broken = rig.fault.is_some();
    assert_eq!(broken, rig.link.state() == "broken");
    assert_eq!(broken, rig.link.deadline().is_none());
    if broken {
        assert!(matches!(rig.link.demand(), Demand::Nothing));
    }
    rig.link.keepalive(rig.now);
    rig.link.verdict(rig.now, Verdict::Reset { full: false });
    rig.link.admit();
    rig.disconnect();
    rig.wake_at(Instant(u64::MAX));
    assert!(rig.fault.is_some(), "every link ends with its socket");
    assert_eq!((rig.link.state(), rig.link.deadline()), ("broken", None));
}

/// A frame of this kind with this payload and right checksums.
fn raw_frame(tag: u8, payload: &[u8]) -> Vec<u8> {
    let provider = default_provider();
    let mut out = vec![0; 32];
    (out[0], out[1]) = (tag, 1);
    out[2..6].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    let crc = provider.crc32c(0, &out[..28]);
    out[28..].copy_from_slice(&crc.to_le_bytes());
    if !payload.is_empty() {
        out.extend_from_slice(payload);
        out.extend_from_slice(&provider.crc32c(0xffff_ffff, payload).to_le_bytes());
    }
    out
}

/// Everything that an honest peer says to a client, or to a server, up to some messages of an open session.
fn script(side: Side) -> Vec<u8> {
    let (mut rig, tags) = match side {
        Side::Client => (
            Rig::client(client_config(), &Fake::rounds(1)),
            [Tag::Hello, Tag::AuthReplyMore, Tag::AuthDone, Tag::AuthSignature, Tag::ServerIdent],
        ),
        Side::Server => (
            Rig::server(server_config(), &Fake::rounds(1)),
            [Tag::Hello, Tag::AuthRequest, Tag::AuthRequestMore, Tag::AuthSignature, Tag::ClientIdent],
        ),
    };
    let mut bytes = BANNER.emit().to_vec();
    tags.into_iter().for_each(|tag| bytes.extend(rig.write(&example(tag))));
    for seq in 1..4 {
        let mut message = message(seq, 20, 0, 40_000 * (seq as usize - 1));
        message.header.seq = seq;
        bytes.extend(rig.write(&Frame::Message(message)));
        bytes.extend(rig.write(&example(Tag::Keepalive2)));
    }
    bytes
}

/// Streams `bytes` into a fresh link of `side`; the driver grants what is asked for.
fn run_script(side: Side, bytes: &[u8], seed: u64, admission: bool) -> Rig {
    let mut config = if side == Side::Client { client_config() } else { server_config() };
    config.admission = admission;
    let mut rig = match side {
        Side::Client => Rig::client(config, &Fake::rounds(1)),
        Side::Server => Rig::server(config, &Fake::rounds(1)),
    };
    rig.obliging = true;
    let mut chunks = Chunks::Random(seed);
    rig.stream(bytes, || chunks.next());
    rig
}

/// How to spoil a stream.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Delete(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        at().prop_map(Damage::Cut),
        (at(), vec(any::<u8>(), 1..80)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), 1usize..80).prop_map(|(at, length)| Damage::Delete(at, length)),
        (at(), 1usize..80).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        // Half of the damage hits the handshake, which is much shorter than the messages.
        let length = bytes.len();
        let at = |index: &prop::sample::Index| {
            let all = index.index(2 * length);
            if all < length { all } else { all % length.min(700) }
        };
        match self {
            _ if length == 0 => {}
            Self::Flip(index, bits) => bytes[at(index)] ^= bits,
            Self::Cut(index) => bytes.truncate(at(index)),
            Self::Insert(index, new) => {
                let at = at(index);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Delete(index, length) => {
                let at = at(index);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Self::Repeat(index, length) => {
                let at = at(index);
                let again = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

#[test]
fn the_undamaged_script_is_accepted() {
    for side in [Side::Client, Side::Server] {
        for admission in [false, true] {
            let rig = run_script(side, &script(side), 5, admission);
            assert_eq!((rig.fault.as_ref(), rig.messages.len()), (None, 3), "{side:?} {admission}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise(state in prop::sample::select(&STATES[..]), noise in vec(any::<u8>(), 0..400), seed: u64) {
        let mut rig = rig_in(state);
        let mut chunks = Chunks::Random(seed);
        rig.stream(&noise, || chunks.next());
        check(rig);
    }

    #[test]
    fn frames_without_sense(
        state in prop::sample::select(&STATES[..]),
        frames in vec((1u8..24, vec(any::<u8>(), 0..120)), 1..4),
    ) {
        let mut rig = rig_in(state);
        for (tag, payload) in frames {
            rig.stream(&raw_frame(tag, &payload), || usize::MAX);
        }
        check(rig);
    }

    #[test]
    fn sensible_frames_without_order(
        state in prop::sample::select(&STATES[..]),
        tags in vec(prop::sample::select(&Tag::ALL[..]), 1..8),
        obliging: bool,
    ) {
        let mut rig = rig_in(state);
        rig.obliging = obliging;
        for tag in tags {
            let bytes = rig.write(&example(tag));
            rig.stream(&bytes, || 50);
        }
        check(rig);
    }

    #[test]
    fn damaged_streams(
        server: bool,
        damage in vec(damage(), 1..4),
        seed: u64,
        admission: bool,
    ) {
        let side = if server { Side::Server } else { Side::Client };
        let mut bytes = script(side);
        damage.iter().for_each(|damage| damage.apply(&mut bytes));
        let rig = run_script(side, &bytes, seed, admission);
        for got in &rig.messages {
            let sent = message(got.header.seq, 20, 0, 40_000 * (got.header.seq as usize - 1));
            prop_assert_eq!((&got.front, &got.data), (&sent.front, &sent.data), "a damaged message got through");
        }
        check(rig);
    }

    #[test]
    fn damaged_secure_streams(from_server: bool, at in any::<prop::sample::Index>(), bits in 1u8.., seed: u64) {
        let from = if from_server { Side::Server } else { Side::Client };
        let setup = Setup::new(Scheme::Ticket(KeyType::Aes)).mode(Mode::SECURE);
        let mut world = World::open(setup.chunks(Chunks::Random(seed)));
        world.editor = Some(Box::new(move |unit| {
            let at = at.index(unit.bytes.len());
            unit.bytes[at] ^= bits;
        }));
        world.send(from, message(1, 100, 50, 3000));
        world.run(Duration::from_millis(10));
        let reader = &world.seen[from.other() as usize];
        prop_assert!(reader.messages.is_empty());
        prop_assert!(
            matches!(reader.events.last(), Some(Event::Reset { fault: Fault::Wire(_), .. })),
            "{:?}", reader.events
        );
    }
}

/// Something an application, a network or time does.
#[derive(Debug, Clone, Copy)]
enum Op {
    Send(bool, usize),
    Keepalive(bool),
    Hold,
    Grant,
    Wait(u64),
    Cut,
    MarkDown(bool),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (any::<bool>(), prop_oneof![0usize..200, 30_000usize..100_000])
            .prop_map(|(client, size)| Op::Send(client, size)),
        3 => any::<bool>().prop_map(Op::Keepalive),
        2 => Just(Op::Hold),
        4 => Just(Op::Grant),
        8 => (0u64..30).prop_map(Op::Wait),
        1 => (1000u64..40_000).prop_map(Op::Wait),
        1 => Just(Op::Cut),
        1 => any::<bool>().prop_map(Op::MarkDown),
    ]
}

const SIDES: [Side; 2] = [Side::Client, Side::Server];

fn side(client: bool) -> Side {
    if client { Side::Client } else { Side::Server }
}

/// The tids of the messages that came back with a reset.
fn came_back(world: &World, side: Side) -> Vec<u64> {
    let events = world.seen[side as usize].events.iter();
    let resets = events.filter_map(|event| match event {
        Event::Reset { undelivered, .. } => Some(&undelivered.not_sent),
        _ => None,
    });
    resets.flatten().map(|message| message.header.tid).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A lossy session under any use and any fault: messages arrive in order and once, what comes back never arrived,
    /// a session that nobody broke loses nothing, and nobody hears anything after its end.
    #[test]
    fn a_lossy_session_keeps_its_promises(ops in vec(op(), 1..40), seed: u64, admission: bool, secure: bool) {
        let mode = if secure { Mode::SECURE } else { Mode::CRC };
        let setup = Setup::new(Scheme::Ticket(KeyType::Aes)).mode(mode).chunks(Chunks::Random(seed));
        let mut world = World::open(setup.configure(|config| config.admission = admission));
        let mut sent = [0u64; 2];
        let mut marked_down = [false; 2];
        for op in ops {
            let open = |world: &mut World, side| world.connection(side).state() == State::Open;
            match op {
                Op::Send(client, size) if open(&mut world, side(client)) => {
                    sent[side(client) as usize] += 1;
                    let tid = sent[side(client) as usize];
                    world.send(side(client), message(tid, size / 3, 0, size));
                }
                Op::Keepalive(client) => world.tell(side(client), Input::Keepalive),
                Op::Hold => world.hold_admissions = true,
                Op::Grant => {
                    world.hold_admissions = false;
                    let waiting = SIDES.into_iter().filter(|side| world.waiting(*side).is_some()).collect::<Vec<_>>();
                    waiting.into_iter().for_each(|side| world.admit(side));
                }
                Op::Wait(ms) => world.run(Duration::from_millis(ms)),
                Op::Cut if open(&mut world, Side::Client) => world.cut(),
                Op::MarkDown(client) => {
                    marked_down[side(client) as usize] = true;
                    world.tell(side(client), Input::MarkDown);
                }
                _ => {}
            }
        }
        world.hold_admissions = false;
        for side in SIDES {
            if world.waiting(side).is_some() {
                world.admit(side);
            }
        }
        world.run(Duration::from_secs(1));
        for side in SIDES {
            let arrived = world.tids(side.other());
            prop_assert!(arrived.is_sorted_by(|a, b| a < b), "{:?}", arrived);
            let back = came_back(&world, side);
            prop_assert!(back.iter().all(|tid| !arrived.contains(tid)), "{:?} of {:?}", back, arrived);
            let events = &world.seen[side as usize].events;
            let resets = events.iter().filter(|event| matches!(event, Event::Reset { .. })).count();
            let closed = world.connection(side).state() == State::Closed;
            if !marked_down[side as usize] {
                prop_assert_eq!(resets, usize::from(closed));
            }
            if world.connection(Side::Client).state() == State::Open
                && world.connection(Side::Server).state() == State::Open
            {
                prop_assert_eq!(arrived.len() as u64, sent[side as usize]);
            }
        }
    }
}
