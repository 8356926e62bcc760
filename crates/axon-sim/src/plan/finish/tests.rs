use super::check_pair;
use crate::{Kind, Letter, Setup, Violation, World};
use axon_proto::{Instant, State};

/// A world in which a has written to b.
fn begun() -> World {
    let mut world = World::new(Setup::new(Kind::Peer, 2), 1);
    world.send(0, 1, Letter::PLAIN).expect("a connection that takes it");
    world
}

fn run_until(world: &mut World, is_there: impl Fn(&World) -> bool) {
    let mut pending = Vec::new();
    while !is_there(world) {
        assert!(world.step(Instant(u64::MAX), &mut pending), "nothing will happen any more");
    }
}

fn open_ends(world: &World) -> usize {
    world.alive().filter(|(_, peer)| peer.state() == State::Open).count()
}

#[test]
fn two_open_ends_of_one_socket_are_content() {
    let mut world = begun();
    run_until(&mut world, |world| open_ends(world) == 2);
    assert_eq!(check_pair(&world, 0, 1), Ok(()));
}

#[test]
fn who_has_no_socket_is_noticed() {
    let nobody = World::new(Setup::new(Kind::Peer, 2), 1);
    assert_eq!(check_pair(&nobody, 0, 1), Err(Violation::Sockets(0)));
    let mut world = begun();
    run_until(&mut world, |world| open_ends(world) == 2);
    let id = world.between(0, 1).expect("it is open");
    world.mark_down(id);
    assert_eq!(check_pair(&world, 0, 1), Err(Violation::Sockets(0)), "b has not heard of it");
}

#[test]
fn who_is_open_alone_is_noticed() {
    let mut world = begun();
    run_until(&mut world, |world| open_ends(world) == 1);
    assert_eq!(world.sockets_between(0, 1), 1, "the answer is on its way");
    assert_eq!(check_pair(&world, 0, 1), Err(Violation::NotOpen('a', 'b')));
}
