//! Clusters that take no writes: paused, full, or with a pool whose quota is used up.

use super::bed::connect;
use crate::monitors::{SECOND, eventually};
use axon_auth::Mode;
use axon_rados::IoCtx;
use axon_rados::client::{Errno, RadosError, Waiting, WhenFull};
use axon_testbed::{Cluster, Release};
use std::time::Duration;

/// How long figures may take to get from the OSD to the monitors, and maps back to us, on a slow machine.
const WITHIN: Duration = Duration::from_secs(180);
/// The pool.
const POOL: &str = "p";
/// Of the 64 MiB that there are.
const BIG: usize = 8 << 20;

/// A small cluster, and handles for its pool that do different things when it is full.
struct Small {
    cluster: Cluster,
    /// Waits, but not for long.
    impatient: IoCtx,
    patient: IoCtx,
    failing: IoCtx,
    trying: IoCtx,
}

impl Small {
    fn boot(release: Release) -> Self {
        let cluster = Cluster::builder().release(release).osds(1).mgr().pool(POOL, 4);
        let quick = ["osd_heartbeat_interval", "mon_tick_interval", "mgr_tick_period", "mgr_stats_period"];
        let cluster = quick.iter().fold(cluster, |cluster, option| cluster.set(option, "1"));
        let cluster = cluster.set("memstore_device_bytes", "67108864").boot().unwrap();
        let io = connect(&cluster, Mode::SECURE).pool(POOL).unwrap();
        let patient = io.with_deadline(Some(WITHIN));
        Self {
            impatient: patient.clone().with_deadline(Some(SECOND)),
            failing: patient.clone().when_full(WhenFull::Fail),
            trying: patient.clone().when_full(WhenFull::Try),
            patient,
            cluster,
        }
    }

    fn ceph(&self, args: &[&str]) {
        self.cluster.ceph(args).unwrap();
    }

    /// The shares of the space from which on the OSD is called full.
    fn set_ratios(&self, ratios: [&str; 3]) {
        for (which, ratio) in ["nearfull", "backfillfull", "full"].into_iter().zip(ratios) {
            self.ceph(&["osd", &format!("set-{which}-ratio"), ratio]);
        }
    }

    /// Waits until writes that shall not wait fail; says what is full.
    fn wait_until_full(&self) -> Waiting {
        let mut seen = None;
        eventually("a map that says full", WITHIN, || {
            match self.failing.write_full("small", "x").wait() {
                Err(RadosError::Full { object, why }) => {
                    assert_eq!(object, "small");
                    seen = Some(why);
                }
                Err(other) => panic!("{other}"),
                Ok(()) => {}
            }
            seen.is_some()
        });
        seen.expect("it was waited for")
    }

    fn wait_until_there_is_room(&self) {
        eventually("room", WITHIN, || self.failing.write_full("small", "x").wait().is_ok());
    }

    fn paused(&self) {
        self.ceph(&["osd", "set", "pause"]);
        self.patient.rados().wait_for_latest_map().unwrap();
        for paused in [self.impatient.stat("big").wait().map(drop), self.impatient.create("o", false).wait()]
        {
            let paused = paused.unwrap_err();
            assert!(matches!(paused, RadosError::NotDone { why: Waiting::Paused, .. }), "{paused}");
        }
        let waiting = self.patient.append("waited", "for the pause's end");
        self.ceph(&["osd", "unset", "pause"]);
        waiting.wait().unwrap();
    }

    fn full(&self) {
        self.patient.write_full("victim", "x").wait().unwrap();
        self.set_ratios(["0.01", "0.02", "0.03"]);
        let full = self.wait_until_full();
        assert!(matches!(full, Waiting::ClusterFull | Waiting::PoolFull(_)), "{full}");
        self.nothing_is_written(full, Errno::ENOSPC);
        let waiting = self.patient.append("waited", ", and for room");
        self.set_ratios(["0.85", "0.90", "0.95"]);
        waiting.wait().unwrap();
        let text = self.patient.read("waited", 0, 0).wait().unwrap();
        assert_eq!(text, "for the pause's end, and for room");
        self.wait_until_there_is_room();
    }

    /// Writes wait, fail, or are refused by the OSD; reads go on, and so do deletes that try.
    fn nothing_is_written(&self, full: Waiting, refusal: Errno) {
        for late in [self.impatient.append("big", "x").wait(), self.impatient.remove("victim").wait()] {
            let late = late.unwrap_err();
            assert!(matches!(&late, RadosError::NotDone { why, .. } if *why == full), "{late}");
            assert!(late.to_string().contains("full"), "{late}");
        }
        let refused = self.trying.append("big", vec![1; 1 << 20]).wait().unwrap_err();
        assert_eq!(refused.errno(), Some(refusal), "{refused}");
        assert!(refused.to_string().contains("full"), "{refused}");
        assert_eq!(
            self.impatient.clone().with_deadline(Some(WITHIN)).stat("big").wait().unwrap().size,
            BIG as u64
        );
        self.trying.remove("victim").wait().unwrap();
        assert!(self.patient.stat("victim").wait().unwrap_err().is_not_found());
    }

    fn quota(&self) {
        self.patient.write_full("victim", "x").wait().unwrap();
        self.ceph(&["osd", "pool", "set-quota", POOL, "max_objects", "2"]);
        let full = self.wait_until_full();
        assert_eq!(full, Waiting::PoolFull(self.patient.pool_id()));
        assert!(full.to_string().contains("quota"), "{full}");
        self.nothing_is_written(full, Errno::EDQUOT);
        self.ceph(&["osd", "pool", "set-quota", POOL, "max_objects", "0"]);
        self.wait_until_there_is_room();
    }
}

#[test]
fn clusters_that_take_no_writes() {
    for release in [Release::Pacific, Release::Reef] {
        let small = Small::boot(release);
        small.patient.write_full("big", vec![0; BIG]).wait().unwrap();
        small.paused();
        small.full();
        small.quota();
    }
}
