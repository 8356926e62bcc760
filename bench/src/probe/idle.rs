//! Many connections that do nothing.

use super::ProbeArgs;
use crate::drive::DriveError;
use crate::drive::axon::{client, failed, peer};
use axon_messenger::{Connection, Dispatcher, EntityType, Fault, Received};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

/// Connections that are being opened at the same time: servers drop the oldest of too many that have not authenticated.
const AT_ONCE: usize = 100;
/// How long one may take to open.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the connections, says `open`, and holds them until it is killed.
pub(super) fn hold(args: &ProbeArgs) -> Result<(), DriveError> {
    let (sender, opened) = channel();
    let messenger = client().start(Door(sender)).map_err(failed("starting a messenger"))?;
    writeln!(io::stdout(), "ready")?;
    // The watcher reads what an empty process takes.
    thread::sleep(Duration::from_millis(300));
    let addrs = peer(args.addr)?;
    let mut connections = VecDeque::with_capacity(args.connections);
    for index in 0..args.connections {
        connections
            .push_back(messenger.connect_anonymous(EntityType::Osd, &addrs).map_err(failed("connecting"))?);
        if index >= AT_ONCE {
            opened.recv_timeout(PATIENCE).map_err(|_| DriveError::Gone)?;
        }
    }
    for _ in 0..AT_ONCE.min(args.connections) {
        opened.recv_timeout(PATIENCE).map_err(|_| DriveError::Gone)?;
    }
    writeln!(io::stdout(), "open")?;
    loop {
        thread::park();
    }
}

/// Tells of each connection that opens.
struct Door(Sender<()>);

impl Dispatcher for Door {
    fn dispatch(&self, _connection: &Connection, _message: Received) {}

    fn handle_fast_connect(&self, _connection: &Connection) {
        // Nobody listens once all are open.
        let _ = self.0.send(());
    }

    fn handle_refused(&self, connection: &Connection, fault: &Fault) {
        eprintln!("{connection:?}: {fault}");
    }
}
