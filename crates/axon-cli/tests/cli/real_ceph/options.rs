//! Where the cluster is, who to be, and which part of a pool is meant.

use super::rados::{cluster, in_snaps, ours, report, theirs, with, with_snaps};
use crate::harness::{File, command, fail, succeed};
use axon_testbed::{Process, run};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(120);

/// Runs it with `$CEPH_ARGS`, and perhaps `$CEPH_CONF`; whether it succeeded, and what it said.
fn with_args(args: &str, line: &[&str]) -> (bool, String) {
    let mut command = command(line);
    command.env("CEPH_ARGS", args);
    let run = run(&command, WITHIN).unwrap();
    (run.status.success(), run.both())
}

#[test]
fn the_environment_has_arguments() {
    let conf = cluster().conf();
    let conf = conf.to_str().unwrap();
    let reader = cluster().add_entity("client.reader", &[("mon", "allow r"), ("osd", "allow r")]).unwrap();
    let reader = reader.to_str().unwrap();
    let lspools = ["rados", "lspools"];
    let named = ["rados", "lspools", "--conf", conf];
    let as_reader = format!("--id reader --keyring {reader}");
    assert!(with_args(&format!("--conf {conf}"), &lspools).0);
    let (done, said) = with_args("--id nobody --keyring /nowhere", &named);
    assert!(!done && said.contains("client.nobody"), "--conf does not hide the variable: {said}");
    assert!(with_args(&as_reader, &named).0);
    // The reader may not write: it is not the administrator that asks.
    let put = ["rados", "-p", "p", "create", "by-reader", "--conf", conf];
    let (done, said) = with_args(&as_reader, &put);
    assert!(!done && said.contains("EPERM"), "{said}");
    let (done, said) = with_args("--id nobody", &[&put[..], &["--id", "reader", "-k", reader]].concat());
    assert!(!done && said.contains("EPERM"), "the command line comes first: {said}");
    assert!(with_args("--id nobody", &[&named[..], &["--user", "admin"]].concat()).0);
    assert!(with_args("--monmap /nowhere", &named).1.contains("/nowhere"), "options count, too");
    let (done, said) = with_args("nonsense", &named);
    assert!(!done && said.contains("CEPH_ARGS"), "{said}");
    fail(&["rados", "--cluster", "no-such", "lspools"], 2, &["does not say where the monitors are"]);
    fail(&[&named[..], &["--id", "a", "--name", "client.a"]].concat(), 2, &["cannot be used with"]);
}

#[test]
fn namespaces_and_snapshots() {
    let (one, two) = (File::new("one", "one"), File::new("two", "two"));
    ours(&["-N", "ns", "put", "inside", one.text()]);
    assert_eq!(theirs(&["-N", "ns", "ls"]), "inside\n");
    assert!(!ours(&["ls"]).contains("inside"));
    assert_eq!(ours(&["ls", "-N", "ns"]), "inside\n");
    assert!(ours(&["ls", "--all"]).lines().any(|line| line == "ns\tinside"));
    for of_one in [&["ls", "-N", "ns", "--all"][..], &["ls", "-N", "ns", "--all", "--default"]] {
        assert_eq!(ours(of_one), "inside\n");
        assert_eq!(theirs(of_one), "inside\n");
    }
    ours(&["-N", "ns", "create", "placed", "--object-locator", "elsewhere"]);
    for all in [&["ls", "-N", "ns"][..], &["ls", "--all"]] {
        let placed = |listed: String| listed.lines().find(|line| line.contains("placed")).unwrap().to_owned();
        assert_eq!(placed(ours(all)), placed(theirs(all)));
        assert!(placed(ours(all)).ends_with("placed\telsewhere"));
    }
    ours(&["-N", "ns", "rm", "placed", "--object-locator", "elsewhere"]);
    ours(&["-N", "ns", "rm", "inside"]);

    in_snaps(&["put", "dated", one.text()]);
    in_snaps(&["mksnap", "before"]);
    in_snaps(&["put", "dated", two.text()]);
    assert_eq!(in_snaps(&["-s", "before", "get", "dated", "-"]), "one");
    assert_eq!(in_snaps(&["get", "dated", "-"]), "two");
    let conf = cluster().conf();
    let conf = conf.to_str().unwrap();
    fail(&with_snaps(conf, &["-s", "never", "get", "dated", "-"]), 1, &["'never'"]);
    let changes = [
        &["put", "dated", one.text()][..],
        &["put", "dated", one.text(), "--offset", "1"],
        &["append", "dated", one.text()],
        &["truncate", "dated", "1"],
        &["create", "other"],
        &["setxattr", "dated", "x", "1"],
        &["setomapval", "dated", "k", "v"],
        &["rm", "dated"],
    ];
    for change in changes {
        fail(&with_snaps(conf, &[&["-s", "before"], change].concat()), 1, &["read-only (EROFS)"]);
    }
    assert_eq!(in_snaps(&["get", "dated", "-"]), "two");
    fail(&with_snaps(conf, &["mksnap", "before"]), 1, &["snapshot 'before'", "EEXIST"]);
    fail(&with_snaps(conf, &["rmsnap", "never"]), 1, &["snapshot 'never'", "ENOENT"]);
    in_snaps(&["-s", "before", "rollback", "dated", "before"]);
    assert_eq!(in_snaps(&["get", "dated", "-"]), "one");
    in_snaps(&["rmsnap", "before"]);
    in_snaps(&["rm", "dated"]);
    assert_eq!(ours(&["df", "-p", "p"]).lines().filter(|line| line.starts_with("p ")).count(), 1);
    fail(&with(conf, &["df", "-p", "nothing"]), 1, &["no pool 'nothing'"]);
}

#[test]
fn names_that_are_no_text() {
    let conf = cluster().conf();
    let odd = std::ffi::OsStr::from_bytes(b"o\xff");
    let run_odd = |words: &[&str]| {
        let mut command = command(&with(conf.to_str().unwrap(), &[words[0]]));
        command.arg(odd).args(&words[1..]);
        let run = run(&command, WITHIN).unwrap();
        assert!(run.status.success(), "{}", run.both());
        run.stdout
    };
    run_odd(&["create"]);
    run_odd(&["setomapval", "k", "v"]);
    assert!(run_odd(&["stat"]).contains(r"p/o\xff mtime"));
    assert_eq!(run_odd(&["listomapkeys"]), "k\n");
    let listed = ours(&["ls", "--json"]);
    assert!(listed.lines().any(|line| line.contains(r#""name_hex":"6fff""#)), "{listed}");
    run_odd(&["rm"]);
}

#[test]
fn watching_and_notifying() {
    ours(&["create", "bell"]);
    let conf = cluster().conf();
    let log = cluster().dir().join("axon-watch.out");
    let watch = with(conf.to_str().unwrap(), &["watch", "bell", "--count", "2", "--json"]);
    let mut watching = Process::spawn("axon-watch", &command(&watch), &log).unwrap();
    let deadline = Instant::now() + WITHIN;
    while !ours(&["listwatchers", "bell"]).contains("client.") {
        assert!(Instant::now() < deadline, "nobody watches");
    }
    let told = report(&["notify", "bell", "-5", "--json"]);
    assert_eq!(told["answer"], "", "{told}");
    assert!(theirs(&["listwatchers", "bell"]).contains("watcher="));
    watching.freeze();
    let unheard = with(conf.to_str().unwrap(), &["notify", "bell", "unheard", "--timeout", "1"]);
    let unheard = crate::harness::axon(&unheard);
    watching.thaw();
    assert_eq!(unheard.status.code(), Some(6), "{}", unheard.both());
    assert!(unheard.stdout.starts_with("timeout client."), "{}", unheard.both());
    assert!(unheard.stderr.contains("1 of those who watch bell did not answer"), "{}", unheard.both());
    while ours(&["listwatchers", "bell"]).contains("client.") {
        assert!(Instant::now() < deadline, "it does not end after two");
    }
    let heard = std::fs::read_to_string(&log).unwrap();
    assert!(heard.contains(r#""payload":"-5""#) && heard.contains(r#""payload":"unheard""#), "{heard}");
    let alone = succeed(&with(conf.to_str().unwrap(), &["notify", "bell", "nobody"]));
    assert_eq!(alone, "");
    ours(&["rm", "bell"]);
}

#[test]
fn failed_benchmarks_fail() {
    let conf = cluster().conf();
    let conf = conf.to_str().unwrap();
    // Both end long before: with the last object, and with the first that fails.
    let bench = ["bench", "60", "write", "-b", "4096", "-t", "4", "--max-objects", "10", "--no-cleanup"];
    ours(&[&bench[..], &["--run-name", "holes"]].concat());
    ours(&["rm", "holes_object3"]);
    let read = crate::harness::axon(&with(conf, &["bench", "60", "seq", "-t", "1", "--run-name", "holes"]));
    assert_eq!(read.status.code(), Some(1), "{}", read.both());
    assert!(read.stderr.contains("1 operations failed: holes_object3: no such object"), "{}", read.stderr);

    // A run of which nothing was written leaves nothing to be read.
    let big = ["bench", "1", "write", "-b", "100M", "-t", "1", "--no-cleanup", "--run-name", "big"];
    let written = crate::harness::axon(&with(conf, &big));
    assert_eq!(written.status.code(), Some(1), "{}", written.both());
    assert!(
        written.stderr.contains("osd_max_object_size") || written.stderr.contains("max_write"),
        "{}",
        written.stderr
    );
    fail(&with(conf, &["bench", "1", "seq", "--run-name", "big"]), 2, &["nothing to read"]);
    fail(&with(conf, &["bench", "1", "seq", "-t", "0"]), 2, &["--concurrent-ios"]);
    assert!(!ours(&["ls"]).contains("big_"), "no notes of it either");
    for load in ["seq", "rand"] {
        let other = ["bench", "1", load, "-b", "8192", "--run-name", "holes"];
        fail(&with(conf, &other), 2, &["4096 bytes each", "--block-size"]);
    }
    let first =
        ["bench", "1", "seq", "-b", "4096", "--run-name", "holes", "--no-cleanup", "--max-objects", "3"];
    ours(&first); // the fourth is missing
    ours(&["cleanup", "--run-name", "holes"]);

    // A report that cannot be printed keeps no objects.
    let small = ["bench", "60", "write", "-b", "4096", "--max-objects", "10", "--run-name", "unseen"];
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let unseen = command(&with(conf, &small)).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&unseen.stderr);
    assert!(unseen.status.code() == Some(1) && said.contains("cannot write the result"), "{said}");
    assert!(!ours(&["ls"]).contains("unseen"));
}
