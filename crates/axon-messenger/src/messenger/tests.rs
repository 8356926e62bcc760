//! What is not seen from outside.

use super::*;
use crate::{Connection, Dispatcher, Received};
use axon_proto::State;
use axon_transport::TcpTransport;
use std::net::SocketAddr;
use std::time::Instant;

const PATIENCE: Duration = Duration::from_secs(30);

/// Tells of nothing.
struct Silent;

impl Dispatcher for Silent {
    fn dispatch(&self, _: &Connection, _: Received) {}
}

fn builder(name: &str) -> Builder {
    Messenger::builder(name.parse().unwrap()).transport(Arc::new(TcpTransport::new())).workers(1)
}

fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < deadline, "still waiting: {what}");
        thread::sleep(Duration::from_micros(100));
    }
}

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
    let server =
        builder("osd.3").bind(SocketAddr::from(([127, 0, 0, 1], 0))).start(Arc::new(Silent)).unwrap();
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
