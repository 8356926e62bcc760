//! Who is meant, and who is there.

use crate::agreement::first_failure;
use crate::rig::client_against;
use crate::world::{Scheme, Setup, Side, World, addr};
use axon_denc::{AddrVec, EntityType};
use axon_proto::{Disconnect, Fault, State};
use core::time::Duration;

#[test]
fn a_client_learns_its_address() {
    let mut world = World::open(Setup::new(Scheme::None));
    let seen: AddrVec = addr("any:10.0.0.1:0/7").into();
    assert_eq!(world.established[0].as_ref().unwrap().my_addrs, seen);
    assert_eq!(world.established[1].as_ref().unwrap().peer_addrs, seen);
    assert_eq!(world.client().state(), State::Open);
}

#[test]
fn a_daemon_bound_to_every_ip_learns_it_and_keeps_its_port() {
    let mut setup = Setup::new(Scheme::None);
    setup.client_addrs = addr("v2:0.0.0.0:6810/9").into();
    let world = World::open(setup);
    let expected: AddrVec = addr("v2:10.0.0.1:6810/9").into();
    assert_eq!(world.established[1].as_ref().unwrap().peer_addrs, expected);
}

#[test]
fn a_server_bound_to_every_ip_answers_by_the_one_that_was_dialled() {
    let mut setup = Setup::new(Scheme::None);
    setup.server_addrs = addr("v2:0.0.0.0:6800/5").into();
    let world = World::open(setup);
    assert_eq!(world.established[0].as_ref().unwrap().peer_addrs, addr("v2:10.0.0.2:6800/5").into());
}

#[test]
fn a_client_without_any_address_is_refused() {
    let mut setup = Setup::new(Scheme::None);
    setup.client_addrs = AddrVec::new();
    let mut world = World::new(setup);
    world.run(Duration::from_millis(20));
    assert_eq!(world.seen[Side::Server as usize].faults, [Fault::BlankAddress]);
}

#[test]
fn another_type_of_daemon_at_the_address() {
    let mut setup = Setup::new(Scheme::None);
    setup.expected = EntityType::Mds;
    let fault = Fault::WrongPeerType { expected: EntityType::Mds, got: EntityType::Osd };
    assert_eq!(first_failure(setup), fault);
}

#[test]
fn another_incarnation_at_the_address() {
    let mut setup = Setup::new(Scheme::None);
    setup.server_addrs = addr("v2:10.0.0.2:6800/6").into();
    let target = setup.target;
    let mut world = World::new(setup);
    world.run(Duration::from_millis(20));
    assert_eq!(world.seen[Side::Server as usize].faults, [Fault::NotMe { target }]);
    assert_eq!(world.attempts(), [&Fault::Disconnected(Disconnect::Closed)]);
}

/// A server that does not check the target, as after SESSION_RECONNECT, is found out by its own addresses.
#[test]
fn a_server_that_names_other_addresses() {
    let mut setup = Setup::new(Scheme::None);
    setup.target = addr("v2:10.0.0.2:6800/5");
    let elsewhere: AddrVec = addr("v2:10.0.0.9:6800/5").into();
    let fault = client_against(|ident| ident.addrs = elsewhere.clone());
    assert_eq!(fault, Some(Fault::WrongAddress { target: setup.target, actual: elsewhere }));
}
