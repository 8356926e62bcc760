//! A process: its identity, its registry of connections, and what it draws.

use crate::{PeerId, cluster::Auth};
use axon_denc::{AddrType, AddrVec, EntityAddr, EntityName};
use axon_proto::{Config, Instant, Policies};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The port every daemon listens on.
const PORT: u16 = 6800;

/// What survives a restart of a process, and what does not.
pub struct Node {
    /// Its name.
    pub name: EntityName,
    /// Its address, nonce included.
    pub addr: EntityAddr,
    /// Whether it runs.
    pub up: bool,
    /// How often it was started.
    pub incarnation: u32,
    pub(crate) config: Arc<Config>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) auth: Auth,
    /// Counts attempts; starts from the wall clock.
    pub(crate) global_seq: u64,
    /// Counts what stands for random numbers.
    draws: u64,
    /// Which connection belongs to which peer address.
    registry: Vec<(AddrVec, PeerId)>,
    /// The addresses of the others as it knows them.
    pub(crate) known: Vec<EntityAddr>,
    /// It stands still until then, and nothing gets its attention.
    pub(crate) frozen_until: Instant,
    /// Its wall clock against true time, in seconds.
    pub(crate) clock_error: i64,
}

/// What a node is made of.
pub(crate) struct Identity {
    pub(crate) name: EntityName,
    pub(crate) addr: EntityAddr,
    pub(crate) config: Config,
    pub(crate) policies: Policies,
    pub(crate) auth: Auth,
}

/// The address of node `index`: one that listens, or that of a client.
pub(crate) fn address(index: usize, nonce: u32, listens: bool) -> EntityAddr {
    let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 0, index as u8 + 1));
    match listens {
        true => EntityAddr::msgr2(SocketAddr::new(ip, PORT), nonce),
        false => EntityAddr::new(AddrType::Any, SocketAddr::new(ip, 0), nonce),
    }
}

/// The node that has `addr`'s IP address.
pub(crate) fn index_of(addr: &EntityAddr) -> Option<usize> {
    match addr.ip()? {
        IpAddr::V4(ip) => usize::from(ip.octets()[3]).checked_sub(1),
        IpAddr::V6(_) => None,
    }
}

impl Node {
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            name: identity.name,
            addr: identity.addr,
            up: true,
            incarnation: 0,
            config: Arc::new(identity.config),
            policies: Arc::new(identity.policies),
            auth: identity.auth,
            global_seq: 0,
            draws: 0,
            registry: Vec::new(),
            known: Vec::new(),
            frozen_until: Instant(0),
            clock_error: 0,
        }
    }

    /// Whether it can be dialled.
    pub(crate) fn listens(&self) -> bool {
        self.addr.port() != 0
    }

    /// The number of its next attempt.
    pub(crate) fn next_global_seq(&mut self) -> u64 {
        self.global_seq += 1;
        self.global_seq
    }

    /// A number that no other draw of any node gives, and that is not zero.
    pub(crate) fn draw(&mut self) -> u64 {
        self.draws += 1;
        (u64::from(self.addr.ip().map_or(0, last_octet)) << 56)
            | (u64::from(self.incarnation) << 40)
            | self.draws
    }

    /// The connection registered under `addrs`.
    pub(crate) fn registered(&self, addrs: &AddrVec) -> Option<PeerId> {
        self.registry.iter().find(|(known, _)| known == addrs).map(|(_, peer)| *peer)
    }

    /// Registers `peer`, in place of another if need be.
    pub(crate) fn register(&mut self, addrs: &AddrVec, peer: PeerId) {
        self.registry.retain(|(known, _)| known != addrs);
        self.registry.push((addrs.clone(), peer));
    }

    /// Forgets `peer`.
    pub(crate) fn unregister(&mut self, peer: PeerId) {
        self.registry.retain(|(_, known)| *known != peer);
    }

    /// A process that starts knows nothing of its past. Wall clock in seconds.
    pub(crate) fn start(&mut self, addr: EntityAddr, wall_clock: u64) {
        self.addr = addr;
        self.up = true;
        self.incarnation += 1;
        self.draws = 0;
        self.frozen_until = Instant(0);
        self.global_seq = wall_clock.saturating_add_signed(self.clock_error);
    }
}

fn last_octet(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) => ip.octets()[3],
        IpAddr::V6(_) => 0,
    }
}
