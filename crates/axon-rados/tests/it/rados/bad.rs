//! What cannot be done is said, and what is known about it.

use super::bed::{command, connect, everywhere, somewhere};
use crate::monitors::{SECOND, eventually};
use axon_auth::{AuthName, Mode};
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_messenger::Modes;
use axon_rados::Rados;
use axon_rados::client::{Errno, RadosConfig, RadosError, Waiting};
use axon_rados::mon::{MonConfig, MonError, PoolSpec};
use axon_rados::msg::MOSDOp;
use axon_rados::ops::WriteOp;
use axon_testbed::{Cluster, Release};
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;

#[test]
fn names_must_be_there() {
    let bed = somewhere();
    assert!(matches!(bed.rados.pool(""), Err(RadosError::EmptyPoolName)));
    let unknown = bed.rados.pool("no such pool").unwrap_err();
    assert_eq!(unknown.to_string(), "there is no pool 'no such pool'");
    assert!(matches!(bed.io.write_full("", "x").wait(), Err(RadosError::EmptyObjectName)));
    assert!(matches!(bed.io.watch_blocking(""), Err(RadosError::EmptyObjectName)));
    assert!(matches!(bed.io.notify("", "x", SECOND).wait(), Err(RadosError::EmptyObjectName)));
    drop(bed.io.notify("", "x", SECOND));
    let missing = bed.io.read("no such object", 0, 0).wait().unwrap_err();
    assert_eq!(missing.to_string(), "no such object: no such object (ENOENT)");
}

/// Their number is a le16: one more is not sent, as many as that the OSD does.
#[test]
fn what_has_too_many_steps_for_one_request() {
    let bed = somewhere();
    let mut op = WriteOp::new();
    for _ in 1..MOSDOp::MAX_OPS {
        op.truncate(0);
    }
    op.write_full("done");
    bed.io.operate("steps", op.clone()).wait().unwrap();
    assert_eq!(bed.io.read("steps", 0, 0).wait().unwrap(), "done");
    op.remove();
    let error = bed.io.operate("steps", op).wait().unwrap_err();
    assert!(matches!(error, RadosError::TooManySteps { steps: 65_536, .. }), "{error}");
    bed.io.remove("steps").wait().unwrap();
}

/// A request that is larger than the session allows is not sent; one that is larger than the OSD allows it refuses.
#[test]
fn what_is_too_large_for_one_request() {
    for bed in everywhere() {
        let huge = Bytes::from(vec![0; 200 << 20]);
        let error = bed.io.write_full("huge", huge).wait().unwrap_err();
        let RadosError::TooLarge { size, limit, .. } = &error else { panic!("{error}") };
        assert_eq!((*size, *limit), (200 << 20, 90 << 20));
        assert_eq!(error.errno(), Some(Errno::EMSGSIZE));
        assert!(error.to_string().contains("94371840"), "{error}");

        let mon = crate::monitors::config(bed.cluster, "client.admin").with_modes(Modes::only(bed.mode));
        let mut config = RadosConfig::new(mon);
        config.max_write = 100 << 20;
        config.deadline = None;
        let io = Rados::connect(config).unwrap().pool(bed.io.pool_name()).unwrap();
        let error = io.write_full("huge", Bytes::from(vec![0; 91 << 20])).wait().unwrap_err();
        assert!(matches!(error, RadosError::TooLargeForOsd { size, .. } if size == 91 << 20), "{error}");
        assert_eq!(error.errno(), Some(Errno::EMSGSIZE));
        assert!(error.to_string().contains("the OSD's osd_max_write_size"), "{error}");
        assert!(io.stat("huge").wait().unwrap_err().is_not_found());
    }
}

/// An object of 200 MiB in pieces: the OSD says which of its limits ends it.
#[test]
fn what_is_too_large_for_an_object() {
    for bed in everywhere() {
        let io = &bed.io;
        io.write("grown", 127 << 20, "x").wait().unwrap();
        for refused in [io.write("grown", 200 << 20, "x").wait(), io.truncate("grown", 200 << 20).wait()] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.errno(), Some(Errno::EFBIG), "{refused}");
            assert!(refused.to_string().contains("the OSD's osd_max_object_size"), "{refused}");
        }
        assert_eq!(io.stat("grown").wait().unwrap().size, (127 << 20) + 1);
        io.remove("grown").wait().unwrap();
    }
}

/// Its OSDs drop the requests of clients that know the mark: these say it themselves. Pacific has none.
#[test]
fn a_pool_that_is_marked_eio() {
    for bed in everywhere().filter(|bed| bed.cluster.tree().release() == Release::Reef) {
        let spec = PoolSpec { placement_groups: Some(1), ..PoolSpec::default() };
        let io = bed.rados.create_pool(&bed.named("marked"), &spec).unwrap();
        io.write_full("o", "x").wait().unwrap();
        let mark = |to: &str| {
            let name = io.pool_name();
            command(&bed.rados, &json!({"prefix": "osd pool set", "pool": name, "var": "eio", "val": to}));
            bed.rados.wait_for_latest_map().unwrap();
        };
        mark("true");
        for failed in [io.read("o", 0, 0).wait().map(drop), io.append("o", "y").wait()] {
            let failed = failed.unwrap_err();
            assert_eq!(failed.errno(), Some(Errno::EIO), "{failed}");
            assert!(failed.to_string().contains("is marked eio"), "{failed}");
        }
        mark("false");
        assert_eq!(io.read("o", 0, 0).wait().unwrap(), "x");
    }
}

#[test]
fn a_silent_osd_leaves_doubt_about_writes_only() {
    let mut cluster = Cluster::builder().osds(1).pool("p", 1).boot().unwrap();
    let rados = connect(&cluster, Mode::CRC);
    let io = rados.pool("p").unwrap().with_deadline(Some(2 * SECOND));
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
