//! A messenger at one moment, for somebody who asks what its connections are doing.
//!
//! With the feature `serde` all of it is `Serialize`: addresses, names, modes and states as the text they print, sets of
//! features and cookies in hexadecimal, times in microseconds. Keys and capabilities are nowhere in it.

mod connection;
mod dumper;
mod inquiries;
#[cfg(feature = "serde")]
pub(crate) mod serial;

pub use connection::{AcceptingDump, Agreed, ConnectionDump, Origin, QueueDump, SessionDump};
pub use dumper::{DumpError, Dumper};
pub(crate) use inquiries::{Answer, Findings, Inquiries};

use crate::counters::Snapshot;
use crate::dispatch_queue::{DispatchStats, Stuck};
use crate::shared::Shared;
use crate::throttle::Throttle;
use axon_denc::{AddrVec, EntityName, EntityType};
use axon_proto::Policy;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

/// A messenger at one moment. Its parts were looked at one after the other while messages moved, so that a number may be
/// a few steps ahead of another; each connection is whole in itself.
///
/// Ceph: the admin socket's `messenger dump`, src/msg/async/AsyncMessenger.cc, since release 20.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Dump {
    /// The process.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::text"))]
    pub name: EntityName,
    /// Its addresses, nonces included: those bound or advertised, with what was learned from peers filled in.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::text"))]
    pub addrs: AddrVec,
    /// Whether it is shutting down.
    pub closing: bool,
    /// What connections with each type of peer promise.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::policies"))]
    pub policies: Vec<(EntityType, Policy)>,
    /// Addresses it accepts at, in the order of the workers that do.
    pub listening: Vec<SocketAddr>,
    /// Its connections, by their id; without those of workers that did not answer, see [`WorkerDump::answered`].
    pub connections: Vec<ConnectionDump>,
    /// Accepted sockets that have not agreed on a session yet.
    pub accepting: Vec<AcceptingDump>,
    /// Calls that wait for their replies.
    pub calls: usize,
    /// The dispatch threads.
    pub dispatch: DispatchDump,
    /// Budgets for received messages: of the messenger, then by the type of the peer.
    pub throttles: Vec<ThrottleDump>,
    /// The workers, by their number.
    pub workers: Vec<WorkerDump>,
    /// What the workers have counted since they started, all together.
    pub counters: Snapshot,
}

/// A worker thread.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct WorkerDump {
    /// Its number, from 0.
    pub index: usize,
    /// Whether it said in time what its connections are doing. If not, something holds it up, such as a fast dispatch
    /// handler that blocks.
    pub answered: bool,
    /// Connections and sockets being accepted that are its own.
    pub load: usize,
    /// Requests of other threads that it had yet to look at; 0 if it did not answer.
    pub backlog: usize,
    /// What it has counted since it started.
    pub counters: Snapshot,
}

/// The dispatch threads.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DispatchDump {
    /// What they did and have to do.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub stats: DispatchStats,
    /// The handler that has been running longest, if that is longer than
    /// [`Builder::report_slow_dispatch`](crate::Builder::report_slow_dispatch) allows.
    pub stuck: Option<Stuck>,
}

/// A budget.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ThrottleDump {
    /// What it counts: `dispatch bytes`, or `osd messages` and `osd bytes` for a type of peer.
    pub name: String,
    /// The limit, in what it counts; 0 is unlimited.
    pub limit: usize,
    /// How much is taken.
    pub in_use: usize,
    /// Who stands in line for more.
    pub waiters: usize,
}

impl Dump {
    /// Puts together what the workers found, and what may be looked at from outside.
    fn new(shared: &Shared, found: Vec<Option<Findings>>) -> Self {
        let (mut connections, mut accepting, mut listening, mut workers) = (vec![], vec![], vec![], vec![]);
        for (index, found) in found.into_iter().enumerate() {
            workers.push(WorkerDump::new(shared, index, found.as_ref()));
            let found = found.unwrap_or_default();
            connections.extend(found.connections);
            accepting.extend(found.accepting);
            listening.extend(found.listening);
        }
        connections.sort_unstable_by_key(|connection| connection.id);
        let processes = EntityType::ALL.into_iter().filter(|kind| *kind != EntityType::Auth);
        Self {
            name: shared.config.name,
            addrs: shared.addrs(),
            closing: shared.is_closing(),
            policies: processes.map(|kind| (kind, shared.policy(kind))).collect(),
            listening,
            connections,
            accepting,
            calls: shared.replies.len(),
            dispatch: DispatchDump { stats: shared.queue.stats(), stuck: shared.queue.stuck() },
            throttles: throttles(shared),
            counters: workers.iter().map(|worker| worker.counters).sum(),
            workers,
        }
    }
}

impl WorkerDump {
    fn new(shared: &Shared, index: usize, found: Option<&Findings>) -> Self {
        let port = &shared.workers[index];
        Self {
            index,
            answered: found.is_some(),
            load: port.load.load(Ordering::Relaxed),
            backlog: found.map_or(0, |found| found.backlog),
            counters: port.counters.snapshot(),
        }
    }
}

impl ThrottleDump {
    fn new(name: String, throttle: &Throttle) -> Self {
        let (limit, in_use, waiters) = (throttle.limit(), throttle.in_use(), throttle.waiters());
        Self { name, limit, in_use, waiters }
    }
}

fn throttles(shared: &Shared) -> Vec<ThrottleDump> {
    let budgets = &shared.budgets;
    let mut all = vec![ThrottleDump::new("dispatch bytes".into(), &budgets.dispatch_bytes)];
    for kind in EntityType::ALL {
        if let Some((messages, bytes)) = budgets.by_type.get(&kind) {
            all.push(ThrottleDump::new(format!("{kind} messages"), messages));
            all.push(ThrottleDump::new(format!("{kind} bytes"), bytes));
        }
    }
    all
}
