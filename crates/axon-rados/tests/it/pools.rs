//! Pools of real clusters: made and deleted, what is in them, their snapshots; and the blocklist.

use crate::monitors::{SECOND, config, eventually};
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_messenger::{Connection, Dispatcher, Received};
use axon_rados::mon::{MonClient, MonError, NewSnapshot, PoolOp, PoolSpec, Request};
use axon_rados::msg::{MOSDOp, MOSDOpReply, PoolStats, TypedMessage};
use axon_rados::osd::PgId;
use axon_testbed::{Cluster, Release};
use serde_json::Value;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);
const EPERM: i32 = -1;
const ENOENT: i32 = -2;
const EINVAL: i32 = -22;
const EBLOCKLISTED: i32 = -108;

fn pool_number(cluster: &Cluster, name: &str) -> Option<u32> {
    let pools = cluster.ceph_json(&["osd", "lspools"]).unwrap();
    let number = |pool: &Value| (pool["poolname"] == name).then(|| pool["poolnum"].as_u64().unwrap() as u32);
    pools.as_array().unwrap().iter().find_map(number)
}

fn create(cluster: &Cluster, mon: &MonClient, name: &str) -> u32 {
    let spec = PoolSpec { placement_groups: Some(4), size: Some(1), ..PoolSpec::default() };
    mon.create_pool(name, &spec, WITHIN).wait().unwrap();
    pool_number(cluster, name).expect("the pool is there")
}

/// The error number of a request that the monitor refuses, which must say who refused what.
fn refused<T: std::fmt::Debug>(answer: Result<T, MonError>) -> (i32, Request) {
    match answer.unwrap_err() {
        MonError::Failed { asked, what, code, .. } => {
            assert_eq!(asked.name.as_deref(), Some("a"));
            (code, what)
        }
        other => panic!("{other:?}"),
    }
}

fn made_and_deleted(cluster: &Cluster, mon: &MonClient) {
    create(cluster, mon, "short \"lived\"");
    mon.create_pool("short \"lived\"", &PoolSpec::default(), WITHIN).wait().expect("once more does nothing");
    let (code, what) = refused(mon.delete_pool("short \"lived\"", WITHIN).wait());
    assert_eq!(code, EPERM);
    assert!(matches!(what, Request::Command(json) if json.contains("osd pool delete")));
    cluster.ceph(&["tell", "mon.a", "config", "set", "mon_allow_pool_delete", "true"]).unwrap();
    eventually("leave to delete", WITHIN, || mon.delete_pool("short \"lived\"", WITHIN).wait().is_ok());
    assert_eq!(pool_number(cluster, "short \"lived\""), None);
    mon.delete_pool("short \"lived\"", WITHIN).wait().expect("once more does nothing");
    let spec = PoolSpec { crush_rule: Some("no such rule".into()), ..PoolSpec::default() };
    let error = mon.create_pool("x", &spec, WITHIN).wait().unwrap_err().to_string();
    assert!(error.starts_with("mon.a at [v2:127.0.0.1:"), "{error}");
    assert!(error.contains("no such rule"), "{error}");
}

fn snapshots(cluster: &Cluster, mon: &MonClient) {
    let pool = create(cluster, mon, "whole");
    let name = || "monday".to_owned();
    let taken = mon.pool_op(PoolOp::CreateSnap { pool, name: name() }, WITHIN).wait().unwrap();
    assert!(u64::from(taken.epoch) <= mon.versions("osdmap").unwrap().newest && taken.epoch > 0);
    let listed = cluster.run("rados", &["-p", "whole", "lssnap"]).unwrap().stdout;
    assert!(listed.contains("monday"), "{listed}");
    let (code, what) = refused(mon.create_self_managed_snap(pool, WITHIN).wait());
    assert_eq!((code, what), (EINVAL, Request::PoolOp(PoolOp::CreateSelfManagedSnap { pool })));
    mon.pool_op(PoolOp::DeleteSnap { pool, name: name() }, WITHIN).wait().unwrap();
    let listed = cluster.run("rados", &["-p", "whole", "lssnap"]).unwrap().stdout;
    assert!(!listed.contains("monday"), "{listed}");

    let pool = create(cluster, mon, "managed");
    let NewSnapshot { snap: first, epoch } = mon.create_self_managed_snap(pool, WITHIN).wait().unwrap();
    let second = mon.create_self_managed_snap(pool, WITHIN).wait().unwrap();
    assert!(second.snap > first && second.epoch > epoch && first > 0, "{first} {second:?}");
    let remove = PoolOp::DeleteSelfManagedSnap { pool, snap: first };
    mon.pool_op(remove, WITHIN).wait().unwrap();
    let (code, _) = refused(mon.pool_op(PoolOp::CreateSnap { pool, name: name() }, WITHIN).wait());
    assert_eq!(code, EINVAL, "such a pool has no snapshots of its own");
}

/// Compares our figures with those of `rados df`.
fn usage(cluster: &Cluster, mon: &MonClient) {
    create(cluster, mon, "full");
    let bench = ["-p", "full", "bench", "1", "write", "-b", "4096", "-t", "4", "--no-cleanup"];
    cluster.run("rados", &bench).unwrap();
    let df = || {
        let out = cluster.run("rados", &["df", "--format", "json"]).unwrap().stdout;
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let of = |df: &Value| df["pools"].as_array().unwrap().iter().find(|p| p["name"] == "full").cloned();
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap();
    let ask = || mon.pool_stats(vec!["full".into(), "no such pool".into()], WITHIN).wait().unwrap();
    let equal = |stats: &PoolStats, theirs: &Value| {
        let ours = [stats.objects, stats.clones, stats.copies, stats.writes, stats.reads];
        let names = ["num_objects", "num_object_clones", "num_object_copies", "write_ops", "read_ops"];
        ours == names.map(|name| number(&theirs[name]))
    };
    eventually("the same figures as those of rados df", WITHIN, || {
        // Neither answer has a pool before its first figures reached the monitors.
        let (stats, Some(theirs)) = (ask(), of(&df())) else { return false };
        let Some(stats) = stats.get("full") else { return false };
        stats.objects > 10 && stats.bytes >= 4096 * (stats.objects - 1) && equal(stats, &theirs)
    });
    assert_eq!(ask().keys().collect::<Vec<_>>(), ["full"], "an unknown pool is left out");
    let pool = pool_number(cluster, "full").unwrap();
    let (whole, one) = (mon.stat_fs(None, WITHIN), mon.stat_fs(Some(pool.into()), WITHIN));
    let (whole, one, theirs) = (whole.wait().unwrap(), one.wait().unwrap(), df());
    assert_eq!(whole.objects, number(&theirs["total_objects"]));
    assert!(whole.total_kib > 0 && whole.total_kib >= whole.used_kib + whole.available_kib, "{whole:?}");
    assert_eq!(whole.total_kib, number(&theirs["total_space"]));
    assert!(one.objects > 10 && one.available_kib > 0, "{one:?}");
}

/// Passes on the results of requests to OSDs.
struct Results(Sender<i32>);

impl Dispatcher for Results {
    fn dispatch(&self, _connection: &Connection, message: Received) {
        if let Ok(reply) = MOSDOpReply::decode(&message) {
            let _ = self.0.send(reply.result);
        }
    }
}

fn blocklist(cluster: &Cluster, mon: &MonClient, results: &Receiver<i32>) {
    let spec = PoolSpec { placement_groups: Some(1), size: Some(1), ..PoolSpec::default() };
    mon.create_pool("one", &spec, WITHIN).wait().unwrap();
    let pool = pool_number(cluster, "one").unwrap();
    let at = cluster.osd_addr(0).unwrap();
    let addrs = AddrVec::from(EntityAddr::msgr2(at.addr, at.nonce));
    let osd = mon.messenger().connect(EntityType::Osd, &addrs).unwrap();
    eventually("a session with the OSD", 120 * SECOND, || osd.features().is_some());
    let read = || {
        let mut request = MOSDOp::read("missing", PgId { pool: pool.into(), seed: 0 }, 0, 8);
        request.map_epoch = mon.versions("osdmap").unwrap().newest as u32;
        osd.send(request.encode(osd.features().unwrap()).unwrap()).unwrap();
        results.recv_timeout(WITHIN).unwrap()
    };
    assert_eq!(read(), ENOENT);

    let own = *mon.messenger().addrs().iter().next().unwrap();
    assert!(own.socket.is_some(), "the peers have said where we are: {own}");
    mon.blocklist(&own, 600 * SECOND, WITHIN).wait().unwrap();
    let listed = cluster.ceph(&["osd", "blocklist", "ls"]).unwrap();
    assert!(listed.contains(&format!("/{}", own.nonce)), "{listed}");
    assert_eq!(read(), EBLOCKLISTED);
    mon.unblocklist(&own, WITHIN).wait().unwrap();
    assert_eq!(read(), ENOENT);
}

fn everything(release: Release) {
    let cluster = Cluster::builder()
        .release(release)
        .osds(1)
        .mgr()
        .set("mon_allow_pool_delete", "false")
        .boot()
        .unwrap();
    let (sender, results) = channel();
    let config = config(&cluster, "client.admin");
    let mon = MonClient::connect_with(config, Results(sender), |builder| builder).unwrap();
    made_and_deleted(&cluster, &mon);
    snapshots(&cluster, &mon);
    usage(&cluster, &mon);
    blocklist(&cluster, &mon, &results);
}

#[test]
fn pools_of_pacific() {
    everything(Release::Pacific);
}

#[test]
fn pools_of_reef() {
    everything(Release::Reef);
}

#[test]
fn the_example_prints_what_is_in_the_cluster() {
    let cluster = Cluster::builder().osds(1).mgr().pool("shown", 4).boot().unwrap();
    let mut command = std::process::Command::new(crate::examples::example("df"));
    command.env("CEPH_CONF", "/nowhere").env_remove("CEPH_KEYRING");
    command.env("CEPH_ARGS", format!("--conf {} --id admin", cluster.conf().display()));
    eventually("the manager's figures", WITHIN, || {
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{out}{err}");
        assert!(out.starts_with(&format!("asking mon.a at [v2:{}/0,", cluster.mon_addr())), "{out}");
        assert!(out.contains(" KiB used, ") && out.contains("\nOSD map "), "{out}");
        out.contains("\nshown ")
    });
}
