//! The side that asks.

use super::super::BenchArgs;
use super::super::load::Load;
use super::far::Far;
use crate::error::CliError;
use crate::options::PolicyArg;
use axon_denc::{AddrVec, EntityName, EntityType};
use axon_messenger::{BindSpec, Builder, Connection, Messenger, Snapshot};
use axon_transport::Transport;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What a connection may have queued beyond what the load keeps in flight.
const SEND_BUDGET: usize = 64 << 20;

/// Connections that are dialled at the same time.
const WAVE: usize = 256;

/// The messengers that ask. One has all connections of a lossy run. A session that outlives its connections is known by
/// the addresses of its two ends, so that of these each needs a messenger of its own.
pub(super) struct Near {
    messengers: Vec<Messenger>,
    policy: PolicyArg,
    /// The side that answers.
    addrs: AddrVec,
}

impl Near {
    pub(super) fn start(
        args: &BenchArgs,
        policy: PolicyArg,
        transport: &Arc<dyn Transport>,
        far: &Far,
        load: &Arc<Load>,
    ) -> Result<Self, CliError> {
        let one = |index| -> Result<Messenger, CliError> {
            let builder = asking(index, policy, far).transport(transport.clone());
            let in_flight = args.depth as usize * (args.size as usize + 4096);
            let builder =
                args.spin.configure(builder).modes(args.mode.modes()).send_budget(SEND_BUDGET + in_flight);
            let workers = if policy.is_lossy() { args.workers as usize } else { 1 };
            Ok(args.redial.configure(builder.workers(workers)).start(load.clone())?)
        };
        let messengers = if policy.is_lossy() { 1 } else { args.connections };
        let messengers = (0..messengers).map(one).collect::<Result<_, _>>()?;
        Ok(Self { messengers, policy, addrs: far.addrs.clone() })
    }

    /// Connections of the load after the first `done` of `count`. Not all at once: a server takes many strangers at a
    /// time for an attack.
    pub(super) fn connect_more(&self, done: usize, count: usize) -> Result<Vec<Connection>, CliError> {
        let wave = done..count.min(done + WAVE);
        wave.map(|index| self.dial(&self.messengers[index % self.messengers.len()])).collect()
    }

    /// One more connection of a lossy run.
    pub(super) fn connect(&self) -> Result<Connection, CliError> {
        self.dial(&self.messengers[0])
    }

    /// What its messengers have counted.
    pub(super) fn counters(&self) -> Snapshot {
        self.messengers.iter().map(Messenger::counters).sum()
    }

    /// Sockets that took the place of others in the same session.
    pub(super) fn reconnects(&self) -> u64 {
        self.counters().reconnects
    }

    /// Closes them all, in this time or a little more.
    pub(super) fn shutdown(self, limit: Duration) {
        std::thread::scope(|scope| {
            for messenger in self.messengers {
                scope.spawn(move || messenger.shutdown(limit));
            }
        });
    }

    fn dial(&self, messenger: &Messenger) -> Result<Connection, CliError> {
        let connection = match self.policy {
            // The other side must find it when it dials back.
            PolicyArg::Peer => messenger.connect(EntityType::Osd, &self.addrs),
            PolicyArg::Lossy | PolicyArg::Lossless => {
                messenger.connect_anonymous(EntityType::Osd, &self.addrs)
            }
        };
        connection.map_err(|source| CliError::NoTarget { peer: self.addrs.to_string(), source })
    }
}

/// A client, or another OSD if the two are peers.
fn asking(index: u32, policy: PolicyArg, far: &Far) -> Builder {
    let name = match policy {
        PolicyArg::Peer => EntityName::new(EntityType::Osd, i64::from(index) + 1),
        PolicyArg::Lossy | PolicyArg::Lossless => EntityName::new(EntityType::Client, -1),
    };
    let mut builder = far.pass.show(Messenger::builder(name).default_policy(policy.client()));
    if policy == PolicyArg::Peer {
        builder = builder.bind(BindSpec::from(SocketAddr::new(listening_ip(&far.addrs), 0)));
        if let Some(auth) = &far.pass.server {
            builder = builder.server_auth(auth.clone());
        }
    }
    builder
}

/// Where a peer at `addrs` can reach this process: on this machine, or on whichever of its addresses the peer sees.
fn listening_ip(addrs: &AddrVec) -> IpAddr {
    match addrs.iter().find_map(|addr| addr.ip()) {
        Some(ip) if ip.is_loopback() => ip,
        Some(IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}
