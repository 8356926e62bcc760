//! What cannot be done is said, and what is known about it.

use super::bed::{POOL, connect, shared};
use crate::monitors::{SECOND, eventually};
use axon_auth::AuthName;
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_rados::Rados;
use axon_rados::client::{Errno, RadosConfig, RadosError, Waiting};
use axon_rados::mon::{MonConfig, MonError};
use axon_testbed::{Cluster, Release};
use bytes::Bytes;
use std::time::Duration;

#[test]
fn names_must_be_there() {
    let bed = shared(Release::Pacific);
    assert!(matches!(bed.rados.pool(""), Err(RadosError::EmptyPoolName)));
    let unknown = bed.rados.pool("no such pool").unwrap_err();
    assert_eq!(unknown.to_string(), "there is no pool 'no such pool'");
    assert!(matches!(bed.io.write_full("", "x").wait(), Err(RadosError::EmptyObjectName)));
    let missing = bed.io.read("no such object", 0, 0).wait().unwrap_err();
    assert_eq!(missing.to_string(), "no such object: no such object (ENOENT)");
}

#[test]
fn what_is_too_large_for_one_request() {
    let bed = shared(Release::Reef);
    let error = bed.io.write_full("huge", Bytes::from(vec![0; 200 << 20])).wait().unwrap_err();
    let RadosError::TooLarge { size, limit, .. } = &error else { panic!("{error}") };
    assert_eq!((*size, *limit), (200 << 20, 90 << 20));
    assert_eq!(error.errno(), Some(Errno::EMSGSIZE));
    // An OSD that allows less says so itself.
    let mut config = RadosConfig::new(crate::monitors::config(&bed.cluster, "client.admin"));
    config.max_write = 100 << 20;
    let io = Rados::connect(config).unwrap().pool(POOL).unwrap();
    let error = io.write_full("huge", Bytes::from(vec![0; 91 << 20])).wait().unwrap_err();
    assert!(matches!(error, RadosError::TooLarge { .. }), "{error}");
}

#[test]
fn paused_clusters() {
    let cluster = Cluster::builder().osds(1).pool(POOL, 4).boot().unwrap();
    let rados = connect(&cluster);
    let io = rados.pool(POOL).unwrap().with_deadline(Some(SECOND));
    io.write_full("there", "x").wait().unwrap();
    cluster.ceph(&["osd", "set", "pause"]).unwrap();
    rados.wait_for_latest_map().unwrap();
    let paused = io.read("there", 0, 0).wait().unwrap_err();
    assert!(matches!(paused, RadosError::NotDone { why: Waiting::Paused, .. }), "{paused}");
    cluster.ceph(&["osd", "unset", "pause"]).unwrap();
    io.clone().with_deadline(Some(30 * SECOND)).read("there", 0, 0).wait().unwrap();
}

#[test]
fn a_silent_osd_leaves_doubt_about_writes_only() {
    let mut cluster = Cluster::builder().osds(1).pool(POOL, 1).boot().unwrap();
    let rados = connect(&cluster);
    let io = rados.pool(POOL).unwrap().with_deadline(Some(2 * SECOND));
    io.write_full("o", "x").wait().unwrap();
    cluster.daemon("osd.0").unwrap().freeze();
    let (write, read) = (io.append("o", "y"), io.read("o", 0, 0));
    let write = write.wait().unwrap_err();
    assert!(matches!(write, RadosError::Unknown { why: Waiting::Answer(0), .. }), "{write}");
    let read = read.wait().unwrap_err();
    assert!(matches!(read, RadosError::NotDone { .. }), "{read}");
    // A dropped operation is forgotten, and its budget with it.
    drop(io.append("o", "z"));
    cluster.daemon("osd.0").unwrap().thaw();
    eventually("the OSD serves again", 60 * SECOND, || io.stat("o").wait().is_ok());
}

#[test]
fn no_monitor() {
    let nobody = AddrVec::from(EntityAddr::msgr2(([127, 0, 0, 1], 1).into(), 0));
    let mut mon = MonConfig::new(AuthName::new(EntityType::Client, "admin"), vec![nobody]);
    mon.connect_within = Duration::from_secs(2);
    let error = Rados::connect(RadosConfig::new(mon)).unwrap_err();
    assert!(matches!(error, RadosError::Mon(MonError::Unreachable { .. })), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}
