//! What a world starts from.

use crate::cheap::Cheap;
use crate::cluster::Auth;
use crate::node::{Identity, Node, address};
use crate::{Random, Weather};
use axon_auth::Mode;
use axon_denc::{EntityName, EntityType};
use axon_proto::{BackOff, Config, Modes, Policies, Policy, Tables, Timeouts};
use axon_wire::default_provider;

/// How the nodes of a world stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All dial each other: lossless peers.
    Peer,
    /// All dial each other, and notice who restarted: lossless peers with reuse.
    PeerReuse,
    /// Node 0 is a stateful server (more in [`Setup::servers`]), the others are its lossless clients.
    Stateful,
    /// Node 0 is a stateless server that replaces older connections, the others are its lossy clients.
    Registered,
    /// Node 0 is a stateless server, the others are its lossy clients.
    Stateless,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] =
        [Kind::Peer, Kind::PeerReuse, Kind::Stateful, Kind::Registered, Kind::Stateless];

    /// Whether a broken session is resumed.
    pub fn is_lossless(self) -> bool {
        matches!(self, Self::Peer | Self::PeerReuse | Self::Stateful)
    }

    /// Whether either end may dial.
    pub fn is_peer(self) -> bool {
        matches!(self, Self::Peer | Self::PeerReuse)
    }

    fn policy(self, serves: bool) -> Policy {
        match (self, serves) {
            (Self::Peer, _) => Policy::lossless_peer(),
            (Self::PeerReuse, _) => Policy::lossless_peer_reuse(),
            (Self::Stateful, true) => Policy::stateful_server(),
            (Self::Stateful, false) => Policy::lossless_client(),
            (Self::Registered, true) => Policy::stateless_registered_server(),
            (Self::Stateless, true) => Policy::stateless_server(),
            (Self::Registered | Self::Stateless, _) => Policy::lossy_client(),
        }
    }
}

/// What a world starts from.
#[derive(Clone)]
pub struct Setup {
    /// How nodes stand to each other.
    pub kind: Kind,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them are servers, the first ones, in kinds that have any. They have nothing to do with each other.
    pub servers: usize,
    /// What the network does.
    pub weather: Weather,
    /// Time-outs of every connection.
    pub timeouts: Timeouts,
    /// Pauses between dials.
    pub back_off: BackOff,
    /// cephx and encryption, rather than neither.
    pub secure: bool,
    /// Checksums are computed rather than believed.
    pub checksums: bool,
    /// The rules of sessions.
    pub tables: Tables,
    /// What a connection may hold for sending, in [`axon_proto::cost`].
    pub budget: usize,
}

impl Setup {
    /// `nodes` of a kind in calm weather.
    pub fn new(kind: Kind, nodes: usize) -> Self {
        Self {
            kind,
            nodes,
            servers: 1,
            weather: Weather::calm(),
            timeouts: Timeouts::default(),
            back_off: BackOff::default(),
            secure: false,
            checksums: false,
            tables: Tables::default(),
            budget: 64 << 20,
        }
    }

    pub(crate) fn nodes(&self, random: &mut Random) -> Vec<Node> {
        let names: Vec<EntityName> = (0..self.nodes).map(|i| self.name(i)).collect();
        let auth = match self.secure {
            true => Auth::cephx(&names),
            false => names.iter().map(|name| Auth::none(*name)).collect(),
        };
        let mut nodes: Vec<Node> = names
            .iter()
            .zip(auth)
            .enumerate()
            .map(|(i, (name, auth))| self.node(i, *name, auth, random))
            .collect();
        let known: Vec<_> = nodes.iter().map(|node| node.addr).collect();
        nodes.iter_mut().for_each(|node| node.known.clone_from(&known));
        nodes
    }

    /// A client that has nothing to do with any node, and drew nothing.
    pub(crate) fn impostor(&self) -> Node {
        let name = EntityName::new(EntityType::Client, self.nodes as i64);
        self.node(self.nodes, name, Auth::none(name), &mut Random::new(0))
    }

    fn name(&self, index: usize) -> EntityName {
        let kind = match self.kind {
            Kind::Peer | Kind::PeerReuse => EntityType::Osd,
            _ if self.serves(index) => EntityType::Mds,
            _ => EntityType::Client,
        };
        EntityName::new(kind, index as i64)
    }

    fn serves(&self, index: usize) -> bool {
        index < self.servers
    }

    fn node(&self, index: usize, name: EntityName, auth: Auth, random: &mut Random) -> Node {
        let mut config = Config::new(name, if self.checksums { default_provider() } else { &Cheap });
        config.timeouts = self.timeouts;
        config.tables = self.tables;
        config.send_queue_bytes = self.budget;
        config.admission = !self.weather.admission.is_zero();
        config.modes = Modes::only(if self.secure { Mode::SECURE } else { Mode::CRC });
        let listens = self.kind.is_peer() || self.serves(index);
        let addr = address(index, 1 + random.below(1000) as u32, listens);
        let policies = Policies::new(self.kind.policy(self.serves(index)));
        Node::new(Identity { name, addr, config, policies, auth })
    }
}
