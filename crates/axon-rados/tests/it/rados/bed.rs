//! A cluster of three OSDs, our client, and the real tool.

use crate::monitors::config;
use axon_rados::client::RadosConfig;
use axon_rados::{IoCtx, Rados};
use axon_testbed::{Cluster, ClusterBuilder, Mode, Release};
use std::sync::LazyLock;

/// A cluster, our session with it, and a pool.
pub(crate) struct Bed {
    pub(crate) cluster: Cluster,
    pub(crate) rados: Rados,
    pub(crate) io: IoCtx,
}

/// The pool of every bed.
pub(crate) const POOL: &str = "p";

static PACIFIC: LazyLock<Bed> = LazyLock::new(|| Bed::boot(builder(Release::Pacific, Mode::Crc)));
static REEF: LazyLock<Bed> = LazyLock::new(|| Bed::boot(builder(Release::Reef, Mode::Secure)));

/// The cluster of a release that the tests share: none may stop its daemons.
pub(crate) fn shared(release: Release) -> &'static Bed {
    match release {
        Release::Pacific => &PACIFIC,
        _ => &REEF,
    }
}

pub(crate) fn builder(release: Release, mode: Mode) -> ClusterBuilder {
    Cluster::builder()
        .release(release)
        .mode(mode)
        .osds(3)
        .pool(POOL, 8)
        .set("osd_pool_default_size", "2")
        .set("osd_class_load_list", "*")
        .set("osd_class_default_list", "*")
}

impl Bed {
    pub(crate) fn boot(builder: ClusterBuilder) -> Self {
        let cluster = builder.boot().unwrap();
        let rados = connect(&cluster);
        let io = rados.pool(POOL).unwrap();
        Self { cluster, rados, io }
    }

    /// The real tool: its output.
    pub(crate) fn rados(&self, args: &[&str]) -> String {
        let args = [&["-p", POOL][..], args].concat();
        self.cluster.run("rados", &args).unwrap().stdout
    }

    /// A file with this content, for the real tool.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.cluster.dir().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

pub(crate) fn connect(cluster: &Cluster) -> Rados {
    Rados::connect(RadosConfig::new(config(cluster, "client.admin"))).unwrap()
}
