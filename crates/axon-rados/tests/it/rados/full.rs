//! Clusters that take no writes: paused, or full.

use super::bed::{command, connect};
use crate::monitors::{SECOND, eventually};
use axon_auth::Mode;
use axon_rados::client::{Errno, RadosError, Waiting, WhenFull};
use axon_rados::{IoCtx, Rados};
use axon_testbed::{Cluster, Release};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long figures may take to get from the OSDs to the monitors, and maps back to us, on a slow machine.
pub(super) const WITHIN: Duration = Duration::from_secs(180);
/// The pool.
const POOL: &str = "p";
/// Of the 64 MiB that there are.
const BIG: usize = 8 << 20;

#[test]
fn clusters_that_take_no_writes() {
    for release in [Release::Pacific, Release::Reef] {
        let cluster = Cluster::builder().release(release).osds(1).pool(POOL, 4);
        let quick = ["osd_heartbeat_interval", "osd_mon_report_interval", "mon_tick_interval"];
        let cluster = quick.iter().fold(cluster, |cluster, option| cluster.set(option, "1"));
        let cluster = cluster.set("memstore_device_bytes", "67108864").boot().unwrap();
        let io = connect(&cluster, Mode::SECURE).pool(POOL).unwrap().with_deadline(Some(WITHIN));
        io.write_full("big", vec![0; BIG]).wait().unwrap();
        io.write_full("small", "x").wait().unwrap();
        paused(&io);
        full(&io);
    }
}

fn paused(io: &IoCtx) {
    command(io.rados(), &json!({"prefix": "osd set", "key": "pause"}));
    io.rados().wait_for_latest_map().unwrap();
    let impatient = impatient(io);
    for paused in [impatient.stat("big").wait().map(drop), impatient.create("o", false).wait()] {
        let paused = paused.unwrap_err();
        assert!(matches!(paused, RadosError::NotDone { why: Waiting::Paused, .. }), "{paused}");
    }
    let waiting = io.append("waited", "for the pause's end");
    command(io.rados(), &json!({"prefix": "osd unset", "key": "pause"}));
    waiting.wait().unwrap();
}

fn full(io: &IoCtx) {
    io.write_full("victim", "x").wait().unwrap();
    let steady = Steady::begin(io);
    set_ratios(io.rados(), [0.01, 0.02, 0.03]);
    let full = wait_until_full(io);
    assert!(matches!(full, Waiting::ClusterFull | Waiting::PoolFull(_)), "{full}");
    nothing_is_written(io, Errno::ENOSPC);
    let waiting = io.append("waited", ", and for room");
    set_ratios(io.rados(), [0.85, 0.90, 0.95]);
    waiting.wait().unwrap();
    let appended = steady.stop();
    assert_eq!(io.read("waited", 0, 0).wait().unwrap(), "for the pause's end, and for room");
    assert_eq!(io.stat("steady").wait().unwrap().size, appended, "each was done once");
    wait_until_there_is_room(io);
}

/// Appends one byte after the other while the cluster becomes full. Whether the OSD hears of that before the client, and
/// then forgets what is on its way, is up to the cluster: here it is only checked that each is done once whatever it does.
struct Steady {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Steady {
    const AT_ONCE: usize = 16;

    fn begin(io: &IoCtx) -> Self {
        let io = io.clone().with_deadline(Some(4 * WITHIN)); // they wait for all that is waited for meanwhile
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let append = move || {
            let (mut done, mut appends) = (0, VecDeque::new());
            while !stopped.load(Ordering::Relaxed) {
                appends.push_back(io.append("steady", "x"));
                if appends.len() > Self::AT_ONCE {
                    appends.pop_front().into_iter().for_each(|append| append.wait().unwrap());
                    done += 1;
                }
            }
            appends.into_iter().fold(done, |done, append| append.wait().map(|()| done + 1).unwrap())
        };
        Self { stop, thread: std::thread::spawn(append) }
    }

    /// How many were done, when there is room again.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The shares of the space from which on an OSD is called full.
fn set_ratios(rados: &Rados, ratios: [f64; 3]) {
    for (which, ratio) in ["nearfull", "backfillfull", "full"].into_iter().zip(ratios) {
        command(rados, &json!({"prefix": format!("osd set-{which}-ratio"), "ratio": ratio}));
    }
}

/// Waits until writes that shall not wait fail; says what is full.
pub(super) fn wait_until_full(io: &IoCtx) -> Waiting {
    let failing = io.clone().when_full(WhenFull::Fail);
    let mut seen = None;
    eventually("a map that says full", WITHIN, || {
        match failing.write_full("small", "x").wait() {
            Err(RadosError::Full { object, why }) => {
                assert_eq!(object, "small");
                seen = Some(why);
            }
            // The OSD may know before we do.
            Err(refused) if matches!(refused.errno(), Some(Errno::ENOSPC | Errno::EDQUOT)) => {}
            Err(other) => panic!("{other}"),
            Ok(()) => {}
        }
        seen.is_some()
    });
    seen.expect("it was waited for")
}

/// Waits until such writes work again.
pub(super) fn wait_until_there_is_room(io: &IoCtx) {
    let failing = io.clone().when_full(WhenFull::Fail);
    eventually("room", WITHIN, || failing.write_full("small", "x").wait().is_ok());
}

/// Writes wait, and the OSD refuses those that try; reads go on, and so do deletes that try. There must be the objects
/// "small" and "victim", of which the second one is gone then.
pub(super) fn nothing_is_written(io: &IoCtx, refusal: Errno) {
    let impatient = impatient(io);
    for late in [impatient.append("small", "x").wait(), impatient.remove("victim").wait()] {
        let late = late.unwrap_err();
        let RadosError::NotDone { why, .. } = &late else { panic!("{late}") };
        assert!(matches!(why, Waiting::ClusterFull | Waiting::PoolFull(_)), "{late}");
        assert!(late.to_string().contains("full"), "{late}");
    }
    let trying = io.clone().when_full(WhenFull::Try);
    let refused = trying.append("small", vec![1; 1 << 20]).wait().unwrap_err();
    assert_eq!(refused.errno(), Some(refusal), "{refused}");
    assert!(refused.to_string().contains("full"), "{refused}");
    assert_eq!(io.read("small", 0, 0).wait().unwrap(), "x");
    trying.remove("victim").wait().unwrap();
    assert!(io.stat("victim").wait().unwrap_err().is_not_found());
}

/// The same pool for operations that do not wait for long.
fn impatient(io: &IoCtx) -> IoCtx {
    io.clone().with_deadline(Some(SECOND))
}
