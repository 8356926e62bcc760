//! Clusters of three OSDs, our clients in both modes, and the real tools.

use super::python::Python;
use crate::monitors::config;
use axon_auth::Mode;
use axon_messenger::Modes;
use axon_rados::client::RadosConfig;
use axon_rados::{IoCtx, Rados};
use axon_testbed::{Cluster, ClusterBuilder, Release};
use bytes::Bytes;
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;

/// A cluster, our session with it in one mode, and a pool that belongs to that mode.
pub(crate) struct Bed {
    pub(crate) cluster: &'static Cluster,
    /// The only mode that our session and the tools allow, with monitors as with OSDs.
    pub(crate) mode: Mode,
    pub(crate) rados: Rados,
    /// The pool, which is called as the mode is.
    pub(crate) io: IoCtx,
}

/// How long a command may take.
const WITHIN: Duration = Duration::from_secs(120);

/// One cluster per release, which allows both modes.
static PACIFIC: LazyLock<Cluster> = LazyLock::new(|| boot(Release::Pacific));
static REEF: LazyLock<Cluster> = LazyLock::new(|| boot(Release::Reef));

/// What the tests of this folder run on: every mode on every release.
static BEDS: [LazyLock<Bed>; 4] = [
    LazyLock::new(|| Bed::new(&PACIFIC, Mode::CRC)),
    LazyLock::new(|| Bed::new(&PACIFIC, Mode::SECURE)),
    LazyLock::new(|| Bed::new(&REEF, Mode::CRC)),
    LazyLock::new(|| Bed::new(&REEF, Mode::SECURE)),
];

/// Every mode on every release. The clusters are shared by all tests: none may stop their daemons.
pub(crate) fn everywhere() -> impl Iterator<Item = &'static Bed> {
    BEDS.iter().map(|bed| &**bed)
}

/// One of them, for what does not depend on modes and releases.
pub(crate) fn somewhere() -> &'static Bed {
    &BEDS[0]
}

/// The name of a mode in options and on command lines.
pub(crate) fn mode_name(mode: Mode) -> &'static str {
    if mode == Mode::SECURE { "secure" } else { "crc" }
}

/// A cluster of three OSDs for this folder's tests, with a pool per mode, and a manager, which splits groups and counts
/// objects.
pub(crate) fn builder(release: Release) -> ClusterBuilder {
    Cluster::builder()
        .release(release)
        .osds(3)
        .mgr()
        .set("mgr_tick_period", "1")
        .set("mgr_stats_period", "1")
        .set("mon_tick_interval", "1")
        .pool(mode_name(Mode::CRC), 8)
        .pool(mode_name(Mode::SECURE), 8)
        .set("osd_pool_default_size", "2")
        .set("osd_class_load_list", "*")
        .set("osd_class_default_list", "*")
}

fn boot(release: Release) -> Cluster {
    // Pools with erasure codes take writes in the middle of objects here although their OSDs are not BlueStore's.
    builder(release).set("mon_debug_no_require_bluestore_for_ec_overwrites", "true").boot().unwrap()
}

/// A session in one mode.
pub(crate) fn connect(cluster: &Cluster, mode: Mode) -> Rados {
    let mon = config(cluster, "client.admin").with_modes(Modes::only(mode));
    Rados::connect(RadosConfig::new(mon)).unwrap()
}

/// Has the monitors carry out a command, which must succeed. Quicker than the tool, which is written in Python.
pub(crate) fn command(rados: &Rados, command: &Value) {
    rados.mon().run(&command.to_string(), Bytes::new(), WITHIN).wait().unwrap();
}

impl Bed {
    fn new(cluster: &'static Cluster, mode: Mode) -> Self {
        let rados = connect(cluster, mode);
        let io = rados.pool(mode_name(mode)).unwrap();
        Self { cluster, mode, rados, io }
    }

    /// The release and the mode.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.cluster.tree().release(), mode_name(self.mode))
    }

    /// A name, of a pool say, that no test of another mode uses.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{name}-{}", mode_name(self.mode))
    }

    /// Another session in the same mode, in the same pool.
    pub(crate) fn other(&self) -> IoCtx {
        connect(self.cluster, self.mode).pool(mode_name(self.mode)).unwrap()
    }

    /// The real tool in the bed's pool: its output.
    pub(crate) fn rados(&self, args: &[&str]) -> String {
        self.rados_in(mode_name(self.mode), args)
    }

    /// The real tool in another pool.
    pub(crate) fn rados_in(&self, pool: &str, args: &[&str]) -> String {
        self.tool("rados", &[&["-p", pool], args].concat())
    }

    /// A program of the release that speaks the same mode.
    pub(crate) fn tool(&self, program: &str, args: &[&str]) -> String {
        let mode = mode_name(self.mode);
        let modes = ["--ms_client_mode", mode, "--ms_mon_client_mode", mode];
        self.cluster.run(program, &[&modes, args].concat()).unwrap().stdout
    }

    /// The release's Python with its bindings, in the same mode, in the bed's pool.
    pub(crate) fn python(&self) -> Python<'_> {
        Python::new(self.cluster, self.mode, mode_name(self.mode))
    }

    /// A file with this content, for the real tool.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.cluster.dir().join(self.named(name));
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
