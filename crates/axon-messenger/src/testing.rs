//! What unit tests that need a whole messenger share.

use crate::{Builder, Connection, Dispatcher, Messenger, Received};
use axon_transport::TcpTransport;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long something may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Tells of nothing.
pub(crate) struct Silent;

impl Dispatcher for Silent {
    fn dispatch(&self, _: &Connection, _: Received) {}
}

/// A messenger of one worker.
pub(crate) fn builder(name: &str) -> Builder {
    Messenger::builder(name.parse().unwrap()).transport(Arc::new(TcpTransport::new())).workers(1)
}

/// One that others find.
pub(crate) fn server() -> Messenger {
    builder("osd.3").bind(SocketAddr::from(([127, 0, 0, 1], 0))).start(Arc::new(Silent)).unwrap()
}

/// Waits for what must happen.
pub(crate) fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < deadline, "still waiting: {what}");
        thread::sleep(Duration::from_micros(100));
    }
}
