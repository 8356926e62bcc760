//! What a cluster is to be like.

use super::Cluster;
use crate::{Release, Tap, TestbedError};
use std::net::SocketAddr;
use std::sync::Arc;

/// How a cluster authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Names are believed.
    None,
    /// Shared keys and tickets.
    Cephx,
}

/// The only connection mode a cluster then allows, in every role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Checksums.
    Crc,
    /// Encryption.
    Secure,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Crc => "crc",
            Self::Secure => "secure",
        }
    }
}

/// A cluster to be booted.
#[derive(Debug, Clone)]
pub struct ClusterBuilder {
    pub(super) release: Release,
    pub(super) monitors: u32,
    pub(super) foreign: Vec<(String, SocketAddr)>,
    pub(super) osds: u32,
    pub(super) mgr: bool,
    pub(super) mds: bool,
    pub(super) auth: Auth,
    pub(super) msgr1: bool,
    pub(super) pools: Vec<(String, u32)>,
    pub(super) tap: Option<Arc<Tap>>,
    pub(super) options: Vec<(String, String)>,
}

impl Default for ClusterBuilder {
    fn default() -> Self {
        Self {
            release: Release::Pacific,
            monitors: 1,
            foreign: Vec::new(),
            osds: 0,
            mgr: false,
            mds: false,
            auth: Auth::Cephx,
            msgr1: true,
            pools: Vec::new(),
            tap: None,
            options: Vec::new(),
        }
    }
}

impl ClusterBuilder {
    /// The release to run; 16.2 unless said.
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// How many monitors: `mon.a`, `mon.b`, ...; 1 unless said.
    pub fn monitors(mut self, count: u32) -> Self {
        self.monitors = count;
        self
    }

    /// Puts one more monitor into the map that is not the cluster's: a real monitor then dials `addr`
    /// as a lossless peer, again and again, with the `mon.` key. As long as such monitors are half of the map or more there is no
    /// quorum: the cluster boots without waiting for one, and must have nothing but monitors.
    pub fn foreign_monitor(mut self, id: &str, addr: SocketAddr) -> Self {
        self.foreign.push((id.into(), addr));
        self
    }

    /// How many OSDs, each with its data in memory; none unless said.
    pub fn osds(mut self, count: u32) -> Self {
        self.osds = count;
        self
    }

    /// With a manager, `mgr.x`. Not needed for reading and writing objects; takes some seconds more.
    pub fn mgr(mut self) -> Self {
        self.mgr = true;
        self
    }

    /// With a metadata server, `mds.a`, and the file system `cephfs`. Needs an OSD.
    pub fn mds(mut self) -> Self {
        self.mds = true;
        self
    }

    /// How it authenticates; cephx unless said.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Allows only `mode`, in every role. Unless said, Ceph's defaults hold: secure is preferred to and
    /// between monitors, crc elsewhere, both are allowed.
    pub fn mode(mut self, mode: Mode) -> Self {
        for role in ["cluster", "service", "client", "mon_cluster", "mon_service", "mon_client"] {
            self = self.set(&format!("ms_{role}_mode"), mode.as_str());
        }
        self
    }

    /// Whether monitors also listen for msgr1, so that their address vectors have two entries, as in real
    /// clusters; true unless said.
    pub fn msgr1(mut self, on: bool) -> Self {
        self.msgr1 = on;
        self
    }

    /// Leads all connections of the cluster's daemons and commands through a [`Tap::for_all`], from the beginning.
    pub fn through(mut self, tap: &Arc<Tap>) -> Self {
        self.tap = Some(Arc::clone(tap));
        self
    }

    /// Makes a pool with `placement_groups`, once the OSDs are up.
    pub fn pool(mut self, name: &str, placement_groups: u32) -> Self {
        self.pools.push((name.into(), placement_groups));
        self
    }

    /// Sets an option of `[global]`, after the testbed's own: `set("ms_inject_socket_failures", "500")`.
    pub fn set(mut self, option: &str, value: &str) -> Self {
        self.options.push((option.into(), value.into()));
        self
    }

    /// Boots it and returns when it serves: seconds.
    ///
    /// # Errors
    /// When the release is not prepared or a daemon does not come up; its log's end is in the error.
    pub fn boot(self) -> Result<Cluster, TestbedError> {
        Cluster::boot(self)
    }
}
