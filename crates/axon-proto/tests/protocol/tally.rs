//! What crossed a link is counted: frames, and bytes that were copied.

use crate::world::{Chunks, Scheme, Setup, Side, World, message};
use axon_auth::{KeyType, Mode};
use axon_proto::{Policies, Policy, Tally};
use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Preamble, header and its crc, status and three crcs of a message in crc mode.
const FRAMING: u64 = 32 + 41 + 4 + 13;

/// An open world whose handshake was counted and is forgotten.
fn counted(setup: Setup) -> World {
    let mut world = World::open(setup);
    assert!(tally(&mut world, Side::Client).frames_in >= 4, "HELLO, AUTH_DONE, AUTH_SIGNATURE, SERVER_IDENT");
    assert!(tally(&mut world, Side::Server).frames_out >= 4);
    world
}

fn tally(world: &mut World, side: Side) -> Tally {
    world.connection(side).take_tally()
}

fn exchange(world: &mut World, data: usize) -> [Tally; 2] {
    world.send(Side::Client, message(1, 100, 0, data));
    world.run(SECOND);
    [tally(world, Side::Client), tally(world, Side::Server)]
}

#[test]
fn small_bodies_are_copied_once_and_large_ones_not() {
    for (data, copied) in [(0, FRAMING + 100), (2047, FRAMING + 2147), (4096, FRAMING + 100)] {
        let mut world = counted(Setup::new(Scheme::None));
        let [client, server] = exchange(&mut world, data);
        assert_eq!(client, Tally { frames_out: 1, copied_out: copied, ..Tally::default() }, "{data}");
        assert_eq!(
            server,
            Tally { frames_in: 1, ..Tally::default() },
            "{data}: a whole frame stays where it is"
        );
        assert_eq!(tally(&mut world, Side::Client), Tally::default(), "it was taken");
    }
}

#[test]
fn encryption_lays_everything_out_once() {
    let mut world = counted(Setup::new(Scheme::Key(KeyType::Aes)).mode(Mode::SECURE));
    let [client, server] = exchange(&mut world, 4096);
    // The first block; front and data padded to 16 with a status of 16; two tags of 16.
    assert_eq!(client.copied_out, 32 + 48 + 16 + 112 + 4096 + 16 + 16);
    assert_eq!((server.frames_in, server.copied_in), (1, 0), "it is decrypted where it is");
}

#[test]
fn a_frame_in_pieces_is_put_together() {
    let mut world = counted(Setup::new(Scheme::None).chunks(Chunks::Single));
    let [_, server] = exchange(&mut world, 0);
    // The pieces of a test are far from each other in memory; the first byte begins the buffer.
    assert!(server.copied_in >= FRAMING + 100 - 1, "{server:?}");
}

#[test]
fn a_large_body_is_moved_only_as_far_as_it_had_arrived() {
    let mut world = counted(Setup::new(Scheme::None).chunks(Chunks::Random(5)));
    let [_, server] = exchange(&mut world, 1 << 20);
    assert_eq!(server.frames_in, 1);
    assert!((1..1 << 15).contains(&server.copied_in), "{server:?}");
}

#[test]
fn acknowledgements_are_frames_and_broken_links_keep_their_count() {
    let mut setup = Setup::new(Scheme::None);
    setup.client_policy = Policy::lossless_client();
    setup.server_policies = Policies::new(Policy::stateful_server());
    let mut world = counted(setup);
    world.send(Side::Client, message(1, 100, 0, 0));
    world.run(SECOND / 10);
    world.cut();
    let client = tally(&mut world, Side::Client);
    assert_eq!((client.frames_out, client.frames_in), (1, 1), "a message, and its ACK");
}
