//! Accepted sessions that lost their socket and wait for their peers. They are bounded, as it is the peers who choose how
//! many there are: when more come, the one that has waited longest ends.

use super::command::Command;
use crate::Connection;
use std::collections::BTreeMap;

/// Those of a worker, in the order in which they lost their sockets.
#[derive(Debug)]
pub(super) struct Absentees {
    waiting: BTreeMap<u64, Connection>,
    next: u64,
    limit: usize,
}

/// Whether a session waits, and its number in the order of those that do.
#[derive(Debug, Default)]
pub(super) struct Absence(Option<u64>);

impl Absentees {
    pub(super) fn new(limit: usize) -> Self {
        Self { waiting: BTreeMap::new(), next: 0, limit }
    }

    fn add(&mut self, connection: &Connection) -> u64 {
        if self.waiting.len() >= self.limit
            && let Some((_, longest)) = self.waiting.pop_first()
        {
            longest.command(Command::MakeRoom);
        }
        self.next += 1;
        self.waiting.insert(self.next, connection.clone());
        self.next
    }
}

impl Absence {
    /// The session of `connection` has no socket, and may have had none for a while.
    pub(super) fn begin(&mut self, connection: &Connection, absentees: &mut Absentees) {
        self.0.get_or_insert_with(|| absentees.add(connection));
    }

    /// The peer is back, or dialled, or the session is over.
    pub(super) fn end(&mut self, absentees: &mut Absentees) {
        if let Some(number) = self.0.take() {
            absentees.waiting.remove(&number);
        }
    }
}
