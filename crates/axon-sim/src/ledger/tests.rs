use super::Ledger;
use crate::{Kind, Letter, PeerId, Setup, Violation, World};
use axon_proto::{Existing, IncomingReconnect, ReconnectVerdict};
use std::time::Duration;

const SENDER: PeerId = PeerId(0);

/// A message from node 0 to node 1.
fn sent() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.accept(SENDER, 0, 1, Letter::PLAIN, 300);
    ledger
}

#[test]
fn each_excuse_is_good_for_one_more_delivery() {
    let mut ledger = sent();
    let deliver = |ledger: &mut Ledger, receiver| ledger.deliver(1, PeerId(receiver), 1);
    assert_eq!(deliver(&mut ledger, 1), Ok(()));
    assert_eq!(deliver(&mut ledger, 2), Err(Violation::Twice(1)), "to another session");
    for receiver in 3..5 {
        ledger.excuse(0, 1);
        assert_eq!(deliver(&mut ledger, receiver), Ok(()));
        assert_eq!(deliver(&mut ledger, receiver + 10), Err(Violation::Twice(1)));
    }
}

#[test]
fn an_excuse_is_no_good_for_what_comes_after_it() {
    let mut ledger = Ledger::default();
    ledger.excuse(0, 1);
    ledger.accept(SENDER, 0, 1, Letter::PLAIN, 300);
    assert_eq!(ledger.deliver(1, PeerId(1), 1), Ok(()));
    assert_eq!(ledger.deliver(1, PeerId(2), 1), Err(Violation::Twice(1)));
}

#[test]
fn an_excuse_is_no_good_within_a_session() {
    let mut ledger = sent();
    ledger.accept(SENDER, 0, 1, Letter::PLAIN, 300);
    assert_eq!(ledger.deliver(2, PeerId(1), 1), Ok(()));
    ledger.excuse(0, 1);
    assert_eq!(ledger.deliver(2, PeerId(1), 1), Err(Violation::Twice(2)));
    assert_eq!(ledger.deliver(1, PeerId(1), 1), Err(Violation::OutOfOrder(1, 2)));
}

fn forgets(_: Option<&Existing>, _: &IncomingReconnect) -> ReconnectVerdict {
    ReconnectVerdict::Reset { full: true }
}

/// Everybody claims to have forgotten every session. The first time node 1 has, and then it has not.
#[test]
fn who_forgot_one_session_may_not_deny_the_next() {
    let mut setup = Setup::new(Kind::PeerReuse, 2);
    setup.tables.reconnect = forgets;
    let mut world = World::new(setup, 1);
    send(&mut world);
    let theirs = world.between(1, 0).expect("it is open");
    world.mark_down(theirs);
    send(&mut world);
    assert_eq!((world.ledger.delivered, &world.violation), (1, &None), "it comes back with the loss");
    send(&mut world);
    assert_eq!((world.ledger.delivered, &world.violation), (2, &None), "the next session carries it");
    let socket = world.live_sockets()[0];
    world.cut(socket);
    send(&mut world);
    assert_eq!(world.violation, Some(Violation::NeedlessReset));
}

/// Node 0 sends to node 1, and there is time for all that follows.
fn send(world: &mut World) {
    world.send(0, 1, Letter::PLAIN).expect("a connection that takes it");
    let until = world.now + Duration::from_secs(1);
    world.run_until(until);
}
