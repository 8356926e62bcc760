//! The messenger: the application's handle of everything.

use crate::connection::Connection;
use crate::dispatch_queue::{DispatchStats, Stuck};
use crate::dump::{DumpError, Dumper};
use crate::error::ConnectError;
use crate::park;
use crate::reply::CallError;
use crate::shared::Shared;
use crate::worker::{Command, Dial};
use crate::{Builder, Dump, counters};
use axon_denc::{AddrType, AddrVec, EntityAddr, EntityName, EntityType};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A messenger: its own addresses, its connections to others, and the threads that serve them.
///
/// Dropping it closes everything at once; [`shutdown`](Self::shutdown) lets queued messages leave first.
pub struct Messenger {
    shared: Arc<Shared>,
    loopback: Connection,
    workers: Vec<JoinHandle<()>>,
}

impl Messenger {
    /// Starts to configure a messenger of the process called `name`.
    pub fn builder(name: EntityName) -> Builder {
        Builder::new(name)
    }

    pub(crate) fn new(shared: Arc<Shared>, workers: Vec<JoinHandle<()>>) -> Self {
        let loopback = Connection::loopback(&shared);
        Self { shared, loopback, workers }
    }

    /// The connection to the peer at `addrs`: the existing one, or a new one that starts to dial. Returns at once;
    /// messages may be sent before the session is open.
    ///
    /// This messenger's own addresses give the [loopback](Self::loopback) connection. Connections are known by the addresses
    /// as given here, or as an accepted peer told them: who dials the same addresses twice gets the same connection, with
    /// the type and policy of the first time, whatever `peer` says now.
    ///
    /// # Errors
    /// [`ConnectError::NoAddress`] if there is no address among them that can be dialled (`v2` or untyped, with IP address
    /// and port), [`ConnectError::ShutDown`] after a [`shutdown`](Self::shutdown) began. That nobody answers is no error
    /// here: [`Dispatcher::handle_refused`](crate::Dispatcher::handle_refused) tells of each attempt.
    pub fn connect(&self, peer: EntityType, addrs: &AddrVec) -> Result<Connection, ConnectError> {
        self.check_open()?;
        if self.is_me(addrs) {
            return Ok(self.loopback());
        }
        let targets = targets(addrs)?;
        let registered = Some(addrs.clone());
        let create = || self.open(Dial { peer, targets, registered }, addrs);
        Ok(self.shared.registry.find_or_insert(addrs, create))
    }

    /// A new connection of its own to the peer at `addrs`, whatever others exist. No later [`connect`](Self::connect) finds
    /// it.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub fn connect_anonymous(&self, peer: EntityType, addrs: &AddrVec) -> Result<Connection, ConnectError> {
        self.check_open()?;
        let targets = targets(addrs)?;
        Ok(self.open(Dial { peer, targets, registered: None }, addrs))
    }

    /// The connection to this messenger itself: no socket, no encoding, always open. Messages go straight to the dispatch
    /// threads of the same dispatcher. Closing it and keepalives do nothing.
    pub fn loopback(&self) -> Connection {
        self.loopback.clone()
    }

    /// This process.
    pub fn name(&self) -> EntityName {
        self.shared.config.name
    }

    /// This process's addresses: those bound, with what was learned from peers filled in.
    pub fn addrs(&self) -> AddrVec {
        self.shared.addrs()
    }

    /// The number of connections and sockets being accepted.
    pub fn connections(&self) -> usize {
        self.shared.workers.iter().map(|w| w.load.load(Ordering::Relaxed)).sum()
    }

    /// What the workers have counted so far, all together.
    pub fn counters(&self) -> counters::Snapshot {
        self.shared.workers.iter().map(|w| w.counters.snapshot()).sum()
    }

    /// How the dispatch threads are doing.
    pub fn dispatch_stats(&self) -> DispatchStats {
        self.shared.queue.stats()
    }

    /// The dispatch handler that has been running longest, if it is longer than the limit set by
    /// [`Builder::report_slow_dispatch`].
    pub fn stuck_dispatch(&self) -> Option<Stuck> {
        self.shared.queue.stuck()
    }

    /// Takes dumps of this messenger from other threads, for as long as it lives: what every connection is doing, what is
    /// queued, what the budgets hold.
    pub fn dumper(&self) -> Dumper {
        Dumper::new(&self.shared)
    }

    /// What every connection is doing; see [`Dumper::dump`], which this is.
    ///
    /// # Errors
    /// Those of [`Dumper::dump`]: none while this messenger is there to be asked.
    pub fn dump(&self, within: Duration) -> Result<Dump, DumpError> {
        self.dumper().dump(within)
    }

    /// Stops accepting, lets every connection send what it has queued, closes them, and hands out what is queued for
    /// dispatch; all within `limit`. What did not leave in time is lost as on any lossy connection.
    ///
    /// From a handler it returns before all of that is done: a thread does not wait for itself.
    pub fn shutdown(mut self, limit: Duration) {
        self.close(limit);
    }

    fn close(&mut self, limit: Duration) {
        let until = park::deadline(limit);
        self.shared.closing.store(true, Ordering::Release);
        for worker in &self.shared.workers {
            worker.mailbox.push(Command::Close(limit));
        }
        for worker in self.workers.drain(..) {
            // A handler of fast dispatch may be who closes: its own thread ends by itself, soon after the handler.
            if worker.thread().id() != thread::current().id() && worker.join().is_err() {
                tracing::error!("a worker had panicked");
            }
        }
        self.shared.inquiries.end();
        self.shared.replies.fail_all(CallError::ShutDown);
        self.shared.queue.drain(until);
        drop(self.shared.queue.shutdown());
        self.shared.queue.join(until);
    }

    fn open(&self, dial: Dial, addrs: &AddrVec) -> Connection {
        let worker = self.shared.least_loaded();
        let port = &self.shared.workers[worker];
        port.load.fetch_add(1, Ordering::Relaxed);
        let connection = Connection::remote(&self.shared, worker, dial.peer, addrs.clone());
        port.mailbox.push(Command::Open(connection.clone(), dial));
        connection
    }

    fn check_open(&self) -> Result<(), ConnectError> {
        if self.shared.is_closing() { Err(ConnectError::ShutDown) } else { Ok(()) }
    }

    fn is_me(&self, addrs: &AddrVec) -> bool {
        let mine = self.shared.addrs();
        !addrs.is_empty() && addrs.iter().all(|addr| addr.port() != 0 && mine.contains(addr))
    }
}

/// The addresses to dial, in the order to try them: those of msgr2, or untyped ones.
fn targets(addrs: &AddrVec) -> Result<Vec<EntityAddr>, ConnectError> {
    let targets = dialable(addrs);
    if targets.is_empty() { Err(ConnectError::NoAddress) } else { Ok(targets) }
}

/// Those of `addrs` that can be dialled.
pub(crate) fn dialable(addrs: &AddrVec) -> Vec<EntityAddr> {
    let dialable = |addr: &&EntityAddr| {
        matches!(addr.kind, AddrType::Msgr2 | AddrType::Any) && addr.socket.is_some() && addr.port() != 0
    };
    addrs.iter().filter(dialable).copied().collect()
}

impl Drop for Messenger {
    fn drop(&mut self) {
        if !self.workers.is_empty() {
            self.close(Duration::ZERO);
        }
    }
}

impl fmt::Debug for Messenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messenger")
            .field("name", &self.name())
            .field("addrs", &format_args!("{}", self.addrs()))
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
