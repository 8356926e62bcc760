//! Data, attributes and omaps, each read back by the other client.

use super::bed::{Bed, everywhere};
use axon_rados::client::{Errno, RadosError};
use axon_rados::ops::{Stat, WriteOp};
use bytes::Bytes;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
fn what_we_write_the_tool_reads() {
    for bed in everywhere() {
        let data = Bytes::from((0..3_000_000u32).map(|i| (i * 7) as u8).collect::<Vec<_>>());
        bed.io.write_full("ours", data.clone()).wait().unwrap();
        let path = bed.file("got", b"");
        bed.rados(&["get", "ours", &path]);
        assert!(std::fs::read(&path).unwrap() == data, "{}", bed.name());
        assert!(bed.rados(&["stat", "ours"]).contains("size 3000000"));
        attributes(bed);
        omaps(bed);
    }
}

fn attributes(bed: &Bed) {
    bed.io.set_xattr("ours", "colour", "green").wait().unwrap();
    assert_eq!(bed.rados(&["getxattr", "ours", "colour"]).trim_end(), "green");
    bed.rados(&["setxattr", "ours", "shape", "round"]);
    assert_eq!(bed.io.get_xattr("ours", "shape").wait().unwrap(), "round");
    let all = bed.io.get_xattrs("ours").wait().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["colour", "shape"]);
    bed.io.remove_xattr("ours", "colour").wait().unwrap();
    assert_eq!(bed.rados(&["listxattr", "ours"]).trim_end(), "shape");
    let gone = bed.io.get_xattr("ours", "colour").wait().unwrap_err();
    assert_eq!(gone.errno(), Some(Errno::ENODATA));
}

fn omaps(bed: &Bed) {
    bed.io.omap_set("map", [("b", "2"), ("a", "1"), ("c", "3")]).wait().unwrap();
    assert_eq!(bed.rados(&["listomapkeys", "map"]), "a\nb\nc\n");
    bed.rados(&["setomapval", "map", "d", "4"]);
    bed.rados(&["setomapheader", "map", "head"]);
    let io = &bed.io;
    let page = io.omap_vals("map", "a", "", 2).wait().unwrap();
    assert!(page.more);
    assert_eq!(
        page.values.into_iter().collect::<Vec<_>>(),
        [("b".into(), "2".into()), ("c".into(), "3".into())]
    );
    let keys = io.omap_keys("map", "", 100).wait().unwrap();
    assert_eq!((keys.keys, keys.more), (vec!["a".into(), "b".into(), "c".into(), "d".into()], false));

    let mut change = WriteOp::new();
    change.omap_remove(["a", "nothing"]).omap_remove_range("c", "d").omap_set_header("new");
    io.operate("map", change).wait().unwrap();
    assert_eq!(bed.rados(&["listomapkeys", "map"]), "b\nd\n");
    let mut look = axon_rados::ops::ReadOp::new();
    let (header, values) = (look.omap_header(), look.omap_vals_by_keys(["b", "zz"]));
    let answer = io.operate_read("map", look).wait().unwrap();
    assert_eq!(answer.get(header).unwrap(), "new");
    assert_eq!(answer.get(values).unwrap().into_iter().collect::<Vec<_>>(), [("b".into(), "2".into())]);

    let mut clear = WriteOp::new();
    clear.omap_clear();
    io.operate("map", clear).wait().unwrap();
    assert_eq!(bed.rados(&["listomapkeys", "map"]), "");
}

#[test]
fn what_the_tool_writes_we_read() {
    for bed in everywhere() {
        let path = bed.file("theirs", &[42; 100_000]);
        bed.rados(&["put", "theirs", &path]);
        let data = bed.io.read("theirs", 0, 0).wait().unwrap();
        assert_eq!(data, vec![42; 100_000]);
        let Stat { size, mtime } = bed.io.stat("theirs").wait().unwrap();
        assert_eq!(size, 100_000);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(now - mtime.to_duration() < Duration::from_secs(120), "{mtime}");
        bed.rados(&["rm", "theirs"]);
        assert!(bed.io.stat("theirs").wait().unwrap_err().is_not_found());
    }
}

#[test]
fn parts_of_objects() {
    for bed in everywhere() {
        let io = &bed.io;
        let read = |name: &str| io.read(name, 0, 0).wait().unwrap();
        io.create("parts", true).wait().unwrap();
        let again = io.create("parts", true).wait().unwrap_err();
        assert!(matches!(&again, RadosError::Refused { object, errno: Errno::EEXIST } if object == "parts"));
        io.create("parts", false).wait().unwrap();
        io.write("parts", 2, "cdef").wait().unwrap();
        assert_eq!(read("parts"), "\0\0cdef");
        io.append("parts", "gh").wait().unwrap();
        io.zero("parts", 3, 2).wait().unwrap();
        io.zero("parts", 3, 0).wait().unwrap();
        io.zero("nothing", 3, 0).wait().unwrap();
        assert!(io.stat("nothing").wait().unwrap_err().is_not_found());
        assert_eq!(read("parts"), "\0\0c\0\0fgh");
        io.truncate("parts", 3).wait().unwrap();
        assert_eq!(read("parts"), "\0\0c");
        io.truncate("parts", 5).wait().unwrap();
        assert_eq!(io.read("parts", 1, 2).wait().unwrap(), "\0c");
        assert_eq!(io.read("parts", 4, 100).wait().unwrap(), "\0");
        assert_eq!(io.sparse_read("parts", 0, 5).wait().unwrap().fill(0, 5)[..3], *b"\0\0c");
        let mut same = WriteOp::new();
        same.write_same(0, 6, "ab");
        io.operate("parts", same).wait().unwrap();
        assert_eq!(read("parts"), "ababab");
        io.remove("parts").wait().unwrap();
        assert!(io.remove("parts").wait().unwrap_err().is_not_found());
    }
}

#[test]
fn namespaces_and_keys() {
    for bed in everywhere() {
        let there = bed.io.clone().with_namespace("there");
        there.write_full("n", "in the namespace").wait().unwrap();
        assert!(bed.io.stat("n").wait().unwrap_err().is_not_found());
        let path = bed.file("namespace", b"");
        bed.rados(&["-N", "there", "get", "n", &path]);
        assert_eq!(std::fs::read(&path).unwrap(), b"in the namespace");
        let keyed = bed.io.clone().with_locator_key("place");
        keyed.write_full("k", "by key").wait().unwrap();
        bed.rados(&["--object_locator", "place", "get", "k", &path]);
        assert_eq!(std::fs::read(&path).unwrap(), b"by key");
    }
}
