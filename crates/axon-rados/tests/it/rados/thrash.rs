//! Random operations against a model, in both modes, while OSDs are killed, taken out, and the pools are changed, and
//! their messengers break sockets. `AXON_THRASH_SECONDS` says how long; a minute unless said.

mod alarm;
mod harass;
mod snaps;
mod work;

pub(crate) use work::brief;

use super::bed::{self, connect, everywhere, mode_name};
use super::model::Object;
use crate::monitors::eventually;
use alarm::{Alarm, WATCHED};
use axon_auth::Mode;
use axon_rados::{IoCtx, Name};
use axon_testbed::{Cluster, Release};
use bytes::Bytes;
use harass::{Harasser, is_up};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};
use work::work;

const OBJECTS: usize = 240;
/// How long one operation may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(180);
/// The clients, and their pools.
const MODES: [Mode; 2] = [Mode::CRC, Mode::SECURE];

/// What should be there in the end.
type Expected = BTreeMap<String, Object>;

/// Says "stop" when it goes, also when that is because a test fails: threads that never stop would hide why.
struct WhenGone<'a>(&'a AtomicBool);

impl Drop for WhenGone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn thrash_for() -> Duration {
    let told = std::env::var("AXON_THRASH_SECONDS").ok();
    let told = told.map(|text| text.parse().expect("AXON_THRASH_SECONDS is a number of seconds"));
    Duration::from_secs(told.unwrap_or(60))
}

fn thrash(release: Release) {
    let mut cluster = durable(release);
    let pools = MODES.map(|mode| {
        let rados = connect(&cluster, mode);
        rados.pool(mode_name(mode)).unwrap().with_deadline(Some(PATIENCE))
    });
    let [watcher, notifier] = MODES.map(|mode| {
        let rados = connect(&cluster, mode);
        rados.pool(mode_name(Mode::CRC)).unwrap().with_namespace("alarm").with_deadline(Some(PATIENCE))
    });
    let seed = 0x0061_786f_6e00 + thrash_for().as_secs();
    let stop = AtomicBool::new(false);
    let (expected, seen) = Alarm::new(watcher, notifier).sound(|alarm| {
        a_watch_outlives_its_osd(&mut cluster, alarm);
        std::thread::scope(|scope| {
            let _stop = WhenGone(&stop);
            let workers = pools.each_ref().map(|io| start(scope, io, seed, false, &stop));
            let names = MODES.map(mode_name);
            let until = Instant::now() + thrash_for();
            let done = Harasser::new(&mut cluster, &names, seed ^ 1).harass(until);
            println!("{release}: seed {seed}: {done}");
            stop.store(true, Ordering::Relaxed);
            workers.map(|worker| worker.join().unwrap())
        })
    });
    println!("{release}: {seen}");
    for (io, expected) in pools.iter().zip(&expected) {
        compare(io, expected);
        compare_names(&cluster, io, expected);
    }
}

/// A cluster whose OSDs find their data again after they were killed.
fn durable(release: Release) -> Cluster {
    bed::builder(release)
        .set("mon_osd_min_down_reporters", "1") // they are on one host, which counts once
        .set("osd_objectstore", "bluestore")
        .set("bluestore_block_size", "3221225472")
        .set("osd_memory_target", "939524096")
        .set("osd_pool_default_min_size", "1")
        .boot()
        .unwrap()
}

/// Rollbacks only in peace: while OSDs come and go, those of Pacific let some wait until a clone is recovered, and the
/// object's writes behind them, which took one to three minutes (`dump_ops_in_flight`: "waiting for degraded object").
/// Ceph: `PrimaryLogPG::_rollback_to`.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    io: &'scope IoCtx,
    seed: u64,
    rolls_back: bool,
    stop: &'scope AtomicBool,
) -> ScopedJoinHandle<'scope, Expected> {
    scope.spawn(move || work(io, seed ^ (io.pool_id().cast_unsigned() << 8), rolls_back, stop))
}

/// The OSD that has the watched object is killed: the watch moves to another one, and back.
fn a_watch_outlives_its_osd(cluster: &mut Cluster, alarm: &Alarm) {
    alarm.wait_until_heard();
    let pool = mode_name(Mode::CRC);
    let place = cluster.ceph_json(&["osd", "map", pool, WATCHED, "alarm"]).unwrap();
    let osd = place["acting_primary"].as_u64().unwrap();
    cluster.kill(&format!("osd.{osd}"));
    eventually("monitors that notice", PATIENCE, || !is_up(cluster, osd));
    alarm.wait_until_heard();
    cluster.start(&format!("osd.{osd}")).unwrap();
    eventually("an OSD that is back", PATIENCE, || is_up(cluster, osd));
    alarm.wait_until_heard();
}

fn compare(io: &IoCtx, expected: &Expected) {
    for (name, object) in expected {
        let data = io.read(name, 0, 0).wait().unwrap();
        let differ = (0..data.len().max(object.data.len())).find(|i| data.get(*i) != object.data.get(*i));
        let lengths = (data.len(), object.data.len());
        assert_eq!(differ, None, "{name}: {lengths:?}, after {:?}", object.story);
        assert_eq!(io.get_xattrs(name).wait().unwrap(), object.xattrs, "{name}");
        let omap: BTreeMap<Name, Bytes> = io.omap_vals(name, "", "", 100).wait().unwrap().values;
        assert_eq!(omap, object.omap, "{name}");
    }
}

/// Both clients list what should be there, and removed objects that snapshots have.
fn compare_names(cluster: &Cluster, io: &IoCtx, expected: &Expected) {
    let mut ours: Vec<_> = io.list().map(|object| object.unwrap().name.to_string()).collect();
    ours.sort();
    let (there, gone): (Vec<_>, Vec<_>) = ours.iter().partition(|name| expected.contains_key(*name));
    assert!(there.into_iter().eq(expected.keys()));
    for name in gone {
        assert!(io.stat(name).wait().unwrap_err().is_not_found(), "{name}");
        assert!(!io.snapshots_of(name).wait().unwrap().clones.is_empty(), "{name}");
    }
    let tool = cluster.run("rados", &["-p", io.pool_name(), "ls"]).unwrap().stdout;
    let mut theirs: Vec<_> = tool.lines().collect();
    theirs.sort();
    assert_eq!(theirs, ours);
}

#[test]
fn nothing_diverges_in_peace() {
    for bed in everywhere() {
        let io = bed.io.clone().with_namespace("peace");
        let stop = AtomicBool::new(false);
        let expected = std::thread::scope(|scope| {
            let worker = start(scope, &io, 7, true, &stop);
            std::thread::sleep(Duration::from_secs(3));
            stop.store(true, Ordering::Relaxed);
            worker.join().unwrap()
        });
        compare(&io, &expected);
    }
}

#[test]
fn nothing_diverges_while_pacific_is_harassed() {
    thrash(Release::Pacific);
}

#[test]
fn nothing_diverges_while_reef_is_harassed() {
    thrash(Release::Reef);
}
