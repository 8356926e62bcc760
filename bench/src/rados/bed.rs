//! The cluster that clients are measured with.

use super::Client;
use super::load::{Access, Load};
use crate::error::BenchError;
use crate::fleet::Fleet;
use axon_testbed::{Cluster, Release, prepare, run};
use std::time::Duration;

/// The pool of all objects.
pub(super) const POOL: &str = "bench";
/// Its placement groups: some for each of the OSD's shards.
const GROUPS: u32 = 32;
/// Room for what all rounds write.
const ROOM: &str = "12884901888";
/// How long writing the objects may take.
const FILLING: Duration = Duration::from_secs(30);

/// A monitor and an OSD.
pub(crate) struct Bed {
    cluster: Cluster,
    release: Release,
    osd: u32,
}

impl Bed {
    /// Boots it; seconds, or minutes if the release has to be fetched.
    ///
    /// # Errors
    /// When the release cannot be had, or a daemon does not come up.
    pub(crate) fn boot(release: Release) -> Result<Self, BenchError> {
        prepare::release(release)?;
        let cluster = Cluster::builder().release(release).osds(1).pool(POOL, GROUPS);
        let mut cluster = cluster.set("memstore_device_bytes", ROOM).boot()?;
        let gone = || BenchError::Missing("osd.0 was not started".into());
        let osd = cluster.daemon("osd.0").ok_or_else(gone)?.id();
        Ok(Self { cluster, release, osd })
    }

    /// The cluster.
    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Its release.
    pub(crate) fn release(&self) -> Release {
        self.release
    }

    /// The OSD's process.
    pub(crate) fn osd(&self) -> u32 {
        self.osd
    }

    /// Writes the objects that a client reads.
    ///
    /// # Errors
    /// When it cannot.
    pub(super) fn fill(&self, fleet: &Fleet, client: Client) -> Result<(), BenchError> {
        let mut sets: Vec<Load> = Load::ALL
            .into_iter()
            .filter(|load| load.access == Access::Read && client.owns_objects())
            .collect();
        sets.sort_by_key(|load| load.size);
        sets.dedup_by_key(|load| load.size);
        for load in sets {
            let written = run(&client.filling(fleet, self, &load)?, FILLING)?;
            if !written.status.success() {
                let who = format!("{} writing {}", client.profile().title, load.set());
                return Err(BenchError::Early { who, output: written.both() });
            }
        }
        Ok(())
    }
}
