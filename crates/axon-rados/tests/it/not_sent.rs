//! What OSDs are not asked: they are all down here, so that whatever is sent gets no answer.

use crate::monitors::SECOND;
use crate::toy_monitors::{Map, Toy, cluster, config};
use axon_rados::client::{Errno, RadosConfig, RadosError};
use axon_rados::ops::{ReadOp, WriteOp};
use axon_rados::{IoCtx, Rados};
use axon_testbed::{MapTools, Release};

/// A toy monitor, and the pool of its map.
fn bed() -> (Vec<Toy>, IoCtx) {
    let map = MapTools::new(Release::Reef).unwrap().create_osdmap(3, &["--with-default-pool"]).unwrap();
    let (toys, key) = cluster(&[Map::Right]);
    *toys[0].said.osd_map.lock().unwrap() = Some((1, map.into()));
    let rados = Rados::connect(RadosConfig::new(config(&toys, &key))).unwrap();
    rados.wait_for_map(1, 120 * SECOND).unwrap();
    let io = rados.pool("rbd").unwrap().with_deadline(Some(SECOND));
    (toys, io)
}

fn errno<T: std::fmt::Debug>(result: Result<T, RadosError>) -> Option<Errno> {
    result.unwrap_err().errno()
}

#[test]
fn snapshots_do_not_change() {
    let (_toys, io) = bed();
    let then = io.clone().with_snap(3);
    let changes = [
        then.write_full("o", "x"),
        then.write("o", 4, "x"),
        then.append("o", "x"),
        then.truncate("o", 0),
        then.remove("o"),
        then.create("o", false),
        then.set_xattr("o", "x", "1"),
        then.omap_set("o", [("k", "v")]),
    ];
    for change in changes {
        assert_eq!(errno(change.wait()), Some(Errno::EROFS));
    }
    // These are sent.
    for others in [then.rollback("o", 3), io.remove("o")] {
        assert!(matches!(others.wait(), Err(RadosError::NotDone { .. })));
    }
    assert!(matches!(then.stat("o").wait(), Err(RadosError::NotDone { .. })));
}

#[test]
fn nothing_is_done_at_once() {
    let (_toys, io) = bed();
    io.zero("o", 5, 0).wait().unwrap();
    let answer = io.operate("o", WriteOp::new()).wait().unwrap();
    assert_eq!((answer.code(), answer.version()), (0, 0));
    let mut look = ReadOp::new();
    let stat = look.stat();
    let answer = io.operate_read("o", ReadOp::new()).wait().unwrap();
    assert!(answer.get(stat).is_err(), "what was not asked has no answer");
    assert!(matches!(io.zero("o", 5, 1).wait(), Err(RadosError::NotDone { .. })));
    assert_eq!(errno(io.with_snap(3).zero("o", 5, 0).wait()), Some(Errno::EROFS));
}

#[test]
fn a_snapshot_that_is_not_there_is_not_removed() {
    let (_toys, io) = bed();
    let error = io.delete_snap("monday").unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(error.to_string().contains("'monday'"), "{error}");
}

#[test]
fn a_cursor_of_another_pool_is_no_end() {
    let (_toys, io) = bed();
    let here = io.list().cursor();
    let text = here.to_string();
    let pool = format!("{:016x}", (io.pool_id() as u64).swap_bytes());
    assert!(text.ends_with(&pool), "{text}");
    let other = text.replace(&pool, &format!("{:016x}", (io.pool_id() as u64 + 1).swap_bytes()));
    let mut list = io.list_from(other.parse().unwrap());
    let first = list.next_blocking();
    assert!(matches!(&first, Some(Err(RadosError::OtherPool(pool))) if pool == "rbd"), "{first:?}");
    assert!(matches!(io.list_from(here).next_blocking(), Some(Err(RadosError::NotDone { .. }))));
}
