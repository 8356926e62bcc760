//! Sessions whose peer does not come back.

use crate::world::{Scheme, Setup, Side, World, message};
use axon_proto::{Event, Fault, Input, Policies, Policy, State, WakeReason};
use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// An open session between these policies, whose client is gone a moment later.
fn deserted(client: Policy, server: Policy) -> World {
    let mut setup = Setup::new(Scheme::None).configure(|config| config.abandon = Some(SECOND * 900));
    setup.client_policy = client;
    setup.server_policies = Policies::new(server);
    let mut world = World::open(setup);
    world.tell(Side::Client, Input::MarkDown);
    world.run(SECOND);
    assert_eq!(world.connection(Side::Server).state(), State::Standby);
    world
}

#[test]
fn a_server_gives_up_after_a_while_and_says_what_it_had() {
    let mut world = deserted(Policy::lossless_client(), Policy::stateful_server());
    world.send(Side::Server, message(7, 10, 0, 0));
    world.run(SECOND * 898);
    assert_eq!(world.connection(Side::Server).state(), State::Standby);
    world.run(SECOND * 2);
    assert_eq!(world.connection(Side::Server).state(), State::Closed);
    let Some(Event::Reset { fault, undelivered }) = world.seen[Side::Server as usize].events.last() else {
        panic!("a reset")
    };
    assert_eq!(*fault, Fault::TimedOut(WakeReason::Abandoned));
    let tids = |messages: &[axon_wire::Message]| messages.iter().map(|m| m.header.tid).collect::<Vec<_>>();
    assert_eq!((tids(&undelivered.unknown), tids(&undelivered.not_sent)), (vec![], vec![7]));
}

/// An idle session between peers is whole, and either of them may go on with it, however late.
#[test]
fn a_peer_waits_for_ever() {
    for policy in [Policy::lossless_peer(), Policy::lossless_peer_reuse()] {
        let mut world = deserted(policy, policy);
        assert_eq!(world.connection(Side::Server).deadline(), None);
    }
}
