//! Objects shared with the Python bindings of the release, which are librados.

use super::bed::{Bed, everywhere};
use super::watching::take;
use crate::monitors::SECOND;
use axon_rados::client::{Errno, SnapContext};
use axon_rados::mon::PoolSpec;
use axon_rados::ops::{Lock, WriteOp};

/// The namespace of these tests.
const PLACE: &str = "python";

#[test]
fn objects_go_to_python_and_back() {
    for bed in everywhere() {
        let io = bed.io.clone().with_namespace(PLACE);
        let data: Vec<u8> = (0..100_000u32).map(|i| (i * 7) as u8).collect();
        let mut op = WriteOp::new();
        op.write_full(data).set_xattr("colour", "green").set_xattr("raw", &b"\0\xff"[..]);
        op.omap_set([("b", "2"), ("a", "1"), ("c", "3")]);
        io.operate("ours", op).wait().unwrap();
        io.lock("ours", &Lock::exclusive("door", "me")).wait().unwrap();
        io.clone().with_locator_key("elsewhere").write_full("keyed", "by key").wait().unwrap();
        bed.python().run(include_str!("python/objects.py"));
        theirs(bed);
    }
}

/// What the script wrote.
fn theirs(bed: &Bed) {
    let io = bed.io.clone().with_namespace(PLACE);
    assert_eq!(io.read("theirs", 0, 0).wait().unwrap(), "0123ab\0\0xyxyxy+more");
    assert_eq!(io.stat("theirs").wait().unwrap().size, 19);
    let xattrs = io.get_xattrs("theirs").wait().unwrap();
    assert_eq!(xattrs.keys().collect::<Vec<_>>(), ["lock.window", "shape"]);
    assert_eq!(xattrs["shape".as_bytes()], "round");
    let omap = io.omap_vals("theirs", "", "", 10).wait().unwrap();
    assert_eq!(
        omap.values.into_iter().collect::<Vec<_>>(),
        [("k1".into(), "v1".into()), ("k3".into(), "v3".into())]
    );
    let window = io.lock_info("theirs", "window").wait().unwrap();
    let holder = &window.holders[0];
    assert_eq!((&holder.cookie[..], &holder.description[..], &window.tag[..]), ("them", "of python", "tag"));
    let ours = io.lock("theirs", &Lock::exclusive("window", "me")).wait().unwrap_err();
    assert_eq!(ours.errno(), Some(Errno::EBUSY));
    assert!(io.stat("ours").wait().unwrap_err().is_not_found(), "python removed it");
    let mut names: Vec<_> = io.list().map(|object| object.unwrap().name).collect();
    names.sort();
    assert_eq!(names, ["keyed", "theirs"]);
}

#[test]
fn snapshots_of_pools_are_shared() {
    for bed in everywhere() {
        let io = pool(bed, "python-snaps");
        io.write_full("o", "one").wait().unwrap();
        io.create_snap("ours").unwrap();
        io.write_full("o", "two").wait().unwrap();
        bed.python().of_pool(io.pool_name()).run(include_str!("python/pool_snapshots.py"));
        bed.rados.wait_for_latest_map().unwrap();
        let theirs = io.snap_by_name("theirs").unwrap();
        assert_eq!(io.clone().with_snap(theirs).read("o", 0, 0).wait().unwrap(), "two");
        assert_eq!(io.read("o", 0, 0).wait().unwrap(), "three");
        assert!(io.snap_by_name("ours").unwrap_err().is_not_found(), "python removed it");
    }
}

#[test]
fn self_managed_snapshots_are_shared() {
    for bed in everywhere() {
        let io = pool(bed, "python-own-snaps");
        io.write_full("o", "one").wait().unwrap();
        let first = io.create_self_managed_snap().unwrap();
        let ours = io.clone().with_snap_context(SnapContext { seq: first, snaps: vec![first] });
        ours.write_full("o", "two").wait().unwrap();
        let script = include_str!("python/own_snapshots.py");
        let said = bed.python().of_pool(io.pool_name()).run(&format!("first = {first}\n{script}"));
        let second: u64 = said.trim().parse().unwrap();
        let at = |snap| io.clone().with_snap(snap).read("o", 0, 0).wait().unwrap();
        assert_eq!((at(first), at(second)), ("one".into(), "two".into()));
        assert_eq!(io.read("o", 0, 0).wait().unwrap(), "three");
        let kept: Vec<_> = io.snapshots_of("o").wait().unwrap().clones.into_iter().map(|c| c.id).collect();
        assert_eq!(kept, [first, second, axon_rados::osd::NO_SNAP]);
    }
}

#[test]
fn watchers_in_python_and_here() {
    for bed in everywhere() {
        let io = &bed.io;
        io.create("bell", false).wait().unwrap();
        let mut python = bed.python().start("bell", include_str!("python/bell.py"), "watching");
        let told = io.notify("bell", "from here", 60 * SECOND).wait().unwrap();
        assert_eq!((told.answers.len(), told.missed.len()), (1, 0), "{told:?}");
        python.wait_for("heard b'from here'");

        let watch = io.watch_blocking("bell").unwrap();
        io.write_full("bell", "we watch").wait().unwrap();
        let (id, text) = take(&watch);
        assert!(text.contains("from python"), "{text:?}");
        watch.ack(id, "heard").wait().unwrap();
        python.join();
    }
}

fn pool(bed: &Bed, name: &str) -> axon_rados::IoCtx {
    let spec = PoolSpec { placement_groups: Some(4), ..PoolSpec::default() };
    bed.rados.create_pool(&bed.named(name), &spec).unwrap()
}
