//! Snapshots, of pools and self-managed.

use super::bed::everywhere;
use axon_rados::client::{Errno, SnapContext};
use axon_rados::mon::PoolSpec;
use axon_rados::osd::NO_SNAP;

#[test]
fn snapshots_of_a_pool() {
    for bed in everywhere() {
        let spec = PoolSpec { placement_groups: Some(4), ..PoolSpec::default() };
        let pool = bed.named("pool-snaps");
        let io = bed.rados.create_pool(&pool, &spec).unwrap();
        io.write_full("o", "before").wait().unwrap();
        io.create_snap("s").unwrap();
        io.write_full("o", "after!").wait().unwrap();
        let id = io.snap_by_name("s").unwrap();
        let then = io.clone().with_snap(id);
        assert_eq!(then.read("o", 0, 0).wait().unwrap(), "before");
        assert_eq!(then.remove("o").wait().unwrap_err().errno(), Some(Errno::EROFS));
        assert_eq!(io.create_snap("s").unwrap_err().errno(), Some(Errno::EEXIST));
        let tool = bed.rados_in(&pool, &["lssnap"]);
        assert!(tool.contains("1 snaps"), "{tool}");
        let path = bed.file("snap", b"");
        bed.rados_in(&pool, &["-s", "s", "get", "o", &path]);
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        then.rollback("o", id).wait().unwrap();
        assert_eq!(io.read("o", 0, 0).wait().unwrap(), "before");
        bed.rados_in(&pool, &["mksnap", "theirs"]);
        bed.rados.wait_for_latest_map().unwrap();
        assert!(io.snap_by_name("theirs").is_ok());
        io.delete_snap("s").unwrap();
        assert!(io.snap_by_name("s").unwrap_err().is_not_found());
        assert!(io.delete_snap("s").unwrap_err().is_not_found());
        assert!(io.create_self_managed_snap().is_err(), "a pool has one kind of snapshots");
    }
}

#[test]
fn self_managed_snapshots() {
    for bed in everywhere() {
        let spec = PoolSpec { placement_groups: Some(4), ..PoolSpec::default() };
        let io = bed.rados.create_pool(&bed.named("own-snaps"), &spec).unwrap();
        io.write_full("o", "one").wait().unwrap();
        let first = io.create_self_managed_snap().unwrap();
        let writer = |snaps: Vec<u64>| io.clone().with_snap_context(SnapContext { seq: snaps[0], snaps });
        writer(vec![first]).write_full("o", "two!").wait().unwrap();
        let second = io.create_self_managed_snap().unwrap();
        assert!(second > first);
        writer(vec![second, first]).write_full("o", "three").wait().unwrap();
        let at = |snap| io.clone().with_snap(snap).read("o", 0, 0).wait().unwrap();
        assert_eq!([at(first), at(second), at(NO_SNAP)], ["one", "two!", "three"]);
        let set = io.snapshots_of("o").wait().unwrap();
        assert_eq!(set.seq, second);
        let kept: Vec<_> = set.clones.iter().map(|clone| (clone.id, clone.size)).collect();
        assert_eq!(kept, [(first, 3), (second, 4), (NO_SNAP, 5)]);
        writer(vec![second, first]).rollback("o", first).wait().unwrap();
        assert_eq!(at(NO_SNAP), "one");
        io.delete_self_managed_snap(first).unwrap();
    }
}
