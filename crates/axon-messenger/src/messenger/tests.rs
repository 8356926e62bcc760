//! What is not seen from outside.

use super::*;
use crate::testing::{Silent, builder, server, wait_until};
use axon_proto::State;

/// The timers of the only worker, when its thread sleeps away from its desk.
fn timers(messenger: &Messenger) -> usize {
    let mut timers = None;
    wait_until("the worker to sleep", || {
        messenger.shared.workers[0].desk.visit(|worker| timers = Some(worker.timers()));
        timers.is_some()
    });
    timers.expect("it was seen")
}

/// They are due long after their connections have gone.
#[test]
fn connections_that_come_and_go_leave_no_timers_behind() {
    const SESSIONS: usize = 1200;
    let server = server();
    let client = builder("client.7").start(Arc::new(Silent)).unwrap();
    for _ in 0..SESSIONS {
        let connection = client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap();
        wait_until("the session", || connection.state() == State::Open);
        connection.mark_down();
    }
    wait_until("their end", || server.connections() == 0 && client.connections() == 0);
    assert!(timers(&server) < SESSIONS, "{}", timers(&server));
    assert!(timers(&client) < SESSIONS, "{}", timers(&client));
}
