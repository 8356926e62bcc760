//! `axon rados` and the real `rados` on the same objects.

use crate::harness::{File, axon, fail, json, keys, succeed};
use crate::keys::check;
use axon_testbed::Cluster;
use serde_json::Value;
use std::sync::OnceLock;

pub(super) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::builder().osds(3).mgr().pool("p", 8).pool("snaps", 8).boot().unwrap())
}

/// The arguments of `axon rados` for this cluster.
pub(super) fn with<'a>(conf: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [&["rados", "--conf", conf, "-p", "p"], args].concat()
}

pub(super) fn ours(args: &[&str]) -> String {
    let conf = cluster().conf();
    succeed(&with(conf.to_str().unwrap(), args))
}

/// The same in a pool of snapshots: while there is one, listings show what was removed since.
pub(super) fn in_snaps(args: &[&str]) -> String {
    let conf = cluster().conf();
    succeed(&with_snaps(conf.to_str().unwrap(), args))
}

/// The arguments for it.
pub(super) fn with_snaps<'a>(conf: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [&["rados", "--conf", conf, "-p", "snaps"], args].concat()
}

pub(super) fn report(args: &[&str]) -> Value {
    let conf = cluster().conf();
    json(&with(conf.to_str().unwrap(), args))
}

pub(super) fn theirs(args: &[&str]) -> String {
    cluster().run("rados", &[&["-p", "p"], args].concat()).unwrap().stdout
}

#[test]
fn files_go_in_and_out() {
    let big = "0123456789abcdef".repeat(700_000); // three pieces
    let file = File::new("big", &big);
    let back = cluster().dir().join("back");
    let back = back.to_str().unwrap();
    ours(&["put", "big", file.text()]);
    theirs(&["get", "big", back]);
    assert!(std::fs::read_to_string(back).unwrap() == big);
    assert!(ours(&["get", "big", "-"]).trim_end() == big);
    assert!(ours(&["stat", "big"]).contains("size 11200000"));
    assert_eq!(report(&["stat", "big", "--json"])["size"], 11_200_000);
    ours(&["--striper", "put", "striped", file.text()]);
    theirs(&["--striper", "get", "striped", back]);
    assert!(std::fs::read_to_string(back).unwrap() == big);
    ours(&["--striper", "get", "striped", back]);
    assert!(std::fs::read_to_string(back).unwrap() == big);
    assert!(ours(&["ls"]).contains("striped.0000000000000002"));
    ours(&["--striper", "rm", "striped"]);
    ours(&["rm", "big"]);
    assert!(!theirs(&["ls"]).contains("striped"));
}

#[test]
fn attributes_and_pools() {
    ours(&["put", "o", "/dev/null"]);
    ours(&["setxattr", "o", "colour", "green"]);
    assert_eq!(theirs(&["getxattr", "o", "colour"]).trim_end(), "green");
    assert_eq!(ours(&["getxattr", "o", "colour"]), "green");
    ours(&["setomapval", "o", "k", "v"]);
    assert_eq!(theirs(&["listomapkeys", "o"]), "k\n");
    assert!(ours(&["listomapvals", "o"]).starts_with("k\nvalue (1 bytes) :\n00000000  76"));
    assert!(ours(&["lspools"]).lines().any(|line| line == "p"));
    assert!(report(&["df", "--json"])["total_kib"].as_u64().unwrap() > 0);
    in_snaps(&["mksnap", "s"]);
    assert!(in_snaps(&["lssnap"]).contains("\ts\t"));
    in_snaps(&["rmsnap", "s"]);
}

#[test]
fn everyday_commands() {
    ours(&["create", "e"]);
    let conf = cluster().conf();
    fail(&with(conf.to_str().unwrap(), &["create", "e"]), 1, &["e: it exists already"]);
    let part = File::new("part", "abc");
    ours(&["append", "e", part.text()]);
    let report = report(&["append", "e", part.text(), "--json"]);
    assert_eq!((&report["object"], &report["bytes"]), (&"e".into(), &3.into()));
    assert_eq!(ours(&["get", "e", "-"]), "abcabc");
    ours(&["truncate", "e", "4"]);
    let stat = ours(&["stat", "e"]);
    assert!(stat.contains("size 4") && stat.contains("mtime 20") && stat.contains("Z,"), "{stat}");
    theirs(&["setxattr", "e", "x", "1"]);
    assert_eq!(ours(&["listxattr", "e"]), "x\n");
    ours(&["rmxattr", "e", "x"]);
    assert_eq!(theirs(&["listxattr", "e"]), "");
    theirs(&["setomapval", "e", "k", "v"]);
    assert_eq!((ours(&["listomapkeys", "e"]), ours(&["getomapval", "e", "k"])), ("k\n".into(), "v".into()));
    ours(&["rmomapkey", "e", "k"]);
    assert_eq!(theirs(&["listomapkeys", "e"]), "");
    in_snaps(&["put", "e", part.text()]);
    in_snaps(&["mksnap", "then"]);
    in_snaps(&["append", "e", part.text()]);
    in_snaps(&["rollback", "e", "then"]);
    assert_eq!(in_snaps(&["get", "e", "-"]), "abc");
    in_snaps(&["rmsnap", "then"]);
    assert_eq!(ours(&["listwatchers", "e"]), "");
    ours(&["rm", "e"]);
}

#[test]
fn a_monitor_map_says_where_the_cluster_is() {
    let map = cluster().dir().join("monmap");
    cluster().run("ceph", &["mon", "getmap", "-o", map.to_str().unwrap()]).unwrap();
    let empty = File::new("empty.conf", "[global]\n");
    let keyring = cluster().keyring("client.admin");
    let args =
        ["--conf", empty.text(), "--monmap", map.to_str().unwrap(), "--keyring", keyring.to_str().unwrap()];
    assert!(succeed(&[&["rados", "lspools"], &args[..]].concat()).lines().any(|pool| pool == "p"));
    let wrong = ["rados", "lspools", "--conf", empty.text(), "--monmap", empty.text()];
    fail(&wrong, 2, &["is no monitor map"]);
}

#[test]
fn figures() {
    let written = report(&["bench", "1", "write", "-b", "4096", "-t", "8", "--no-cleanup", "--json"]);
    for key in ["operations", "operations_per_second", "bytes_per_second", "cpu_us_per_operation", "errors"] {
        assert!(written[key].is_number(), "{key}: {written}");
    }
    assert_eq!(keys(&written["latency_us"]), ["max", "p50", "p90", "p99", "p999"]);
    assert!(written["operations"].as_u64().unwrap() > 0 && written["errors"] == 0, "{written}");
    for load in ["seq", "rand"] {
        let read = report(&["bench", "1", load, "-t", "8", "--json"]);
        assert!(read["operations"].as_u64().unwrap() > 0 && read["errors"] == 0, "{read}");
    }
}

#[test]
fn every_key_is_described() {
    let file = File::new("one", "1");
    let o = "described";
    let commands = [
        &["put", o, file.text()][..],
        &["append", o, file.text()],
        &["truncate", o, "1"],
        &["stat", o],
        &["setxattr", o, "x", "1"],
        &["getxattr", o, "x"],
        &["listxattr", o],
        &["rmxattr", o, "x"],
        &["setomapval", o, "k", "v"],
        &["listomapkeys", o],
        &["getomapval", o, "k"],
        &["listomapvals", o],
        &["rmomapkey", o, "k"],
        &["ls"],
        &["mksnap", o],
        &["lssnap"],
        &["rollback", o, o],
        &["rmsnap", o],
        &["rm", o],
        &["create", o],
        &["cleanup", "--prefix", o],
        &["lspools"],
        &["df"],
        &["bench", "0.2", "write", "-b", "1", "--run-name", o],
    ];
    for command in commands {
        let told = in_snaps(&[command, &["--json"]].concat());
        assert!(!told.is_empty(), "{command:?}");
        for line in told.lines() {
            check("axon rados", &serde_json::from_str(line).unwrap());
        }
    }
}

#[test]
fn parts_of_objects_formats_and_files_of_values() {
    let ten = File::new("ten", "0123456789");
    let two = File::new("two", "ab");
    ours(&["put", "part", ten.text()]);
    ours(&["put", "part", two.text(), "--offset", "4"]);
    assert_eq!(ours(&["get", "part", "-"]), "0123ab6789");
    theirs(&["put", "part", two.text(), "--offset", "9"]);
    assert_eq!(ours(&["get", "part", "-"]), "0123ab678ab");
    ours(&["put", "part", two.text(), "--offset", "0"]);
    assert_eq!(ours(&["get", "part", "-"]), "ab23ab678ab");
    ours(&["put", "far", two.text(), "--offset", "4M"]);
    assert_eq!(report(&["stat", "far", "--json"])["size"], (4 << 20) + 2);

    assert_eq!(report(&["stat", "part", "-f", "json"])["size"], 11);
    let pretty = ours(&["stat", "part", "--format", "json-pretty"]);
    assert!(pretty.lines().count() > 3 && pretty.contains("\n  \"size\": 11"), "{pretty}");
    assert_eq!(ours(&["stat", "part", "--format", "plain"]), ours(&["stat", "part"]));

    ours(&["setomapval", "part", "k", "--input-file", ten.text()]);
    ours(&["setxattr", "part", "x", "--input-file", two.text()]);
    assert_eq!(ours(&["getomapval", "part", "k"]), "0123456789");
    assert_eq!(theirs(&["getxattr", "part", "x"]).trim_end(), "ab");
    assert!(ours(&["ls", "--all", "--default"]).lines().any(|line| line == "part"));
    ours(&["rm", "part", "far", "--force-full"]);
}

#[test]
fn what_benchmarks_write_and_leave() {
    // It ends with the last object, whatever time that takes.
    let bench = ["bench", "60", "write", "-b", "4096", "-t", "4", "--max-objects", "20", "--no-cleanup"];
    let everywhere = ["--run-name", "all", "--write-omap", "--write-xattr", "--write-object"];
    ours(&[&bench[..], &everywhere].concat());
    let data = ours(&["get", "all_object0", "-"]).len();
    let attribute = ours(&["getxattr", "all_object0", "bench-xattr-key-0"]).len();
    assert_eq!(theirs(&["listomapkeys", "all_object0"]), "bench-omap-key-0\n");
    assert!(data > 0 && attribute > 0, "{data} {attribute}");
    ours(&["bench", "1", "seq", "-t", "4", "--run-name", "all"]);

    ours(&[&bench[..], &["--run-name", "omaps", "--write-omap"]].concat());
    assert!(ours(&["stat", "omaps_object0"]).contains("size 0"));
    let conf = cluster().conf();
    let conf = conf.to_str().unwrap();
    fail(&with(conf, &["bench", "1", "seq", "--run-name", "omaps"]), 2, &["nothing to read"]);
    fail(&with(conf, &["bench", "1", "seq", "--write-omap"]), 2, &["reads write nothing"]);

    theirs(&["bench", "1", "write", "-b", "4096", "-t", "4", "--max-objects", "20", "--no-cleanup"]);
    ours(&["create", "all_objection"]);
    ours(&["create", "all_object77", "--object-locator", "elsewhere"]);
    assert!(ours(&["cleanup", "--run-name", "all"]).starts_with("removed 22 objects"));
    assert_eq!(report(&["cleanup", "--run-name", "omaps", "--json"])["removed"], 21);
    let by_theirs = theirs(&["ls"]).lines().filter(|name| name.starts_with("benchmark_data")).count();
    assert!(by_theirs > 0);
    assert_eq!(report(&["cleanup", "--prefix", "benchmark_data", "--json"])["removed"], by_theirs);
    let left = theirs(&["ls"]);
    assert!(left.contains("all_objection"), "{left}");
    assert!(!left.contains("all_object0") && !left.contains("all_object77"), "{left}");
    assert!(!left.contains("omaps") && !left.contains("benchmark_data"), "{left}");
    fail(&with(conf, &["cleanup", "--prefix", ""]), 2, &["empty prefix"]);
    ours(&["rm", "all_objection"]);
}

#[test]
fn what_cannot_be_done() {
    let conf = cluster().conf();
    let conf = conf.to_str().unwrap();
    fail(&["rados", "--conf", conf, "ls"], 2, &["no pool is named"]);
    fail(&["rados", "--conf", conf, "-p", "nothing", "ls"], 1, &["there is no pool 'nothing'", "lspools"]);
    ours(&["create", "no-omap"]);
    fail(&with(conf, &["getomapval", "no-omap", "k"]), 1, &["no-omap has no omap value 'k'", "listomapkeys"]);
    ours(&["rm", "no-omap"]);
    fail(&with(conf, &["get", "missing", "-"]), 1, &["missing: no such object"]);
    ["r1", "r2", "r3"].iter().for_each(|object| _ = ours(&["create", object]));
    let rm = with(conf, &["rm", "r1", "missing", "r2", "gone", "r3"]);
    fail(&rm, 1, &["missing: no such object", "gone: no such object"]);
    assert!(!ours(&["ls"]).lines().any(|name| name.starts_with('r')), "the others are removed");
    let silent = ["rados", "--mon-host", "127.0.0.1:1", "-p", "p", "--timeout", "1", "ls"];
    assert!(!axon(&silent).status.success());
}
