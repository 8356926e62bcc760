//! `axon rados --striper` beside the real `rados --striper`.

use super::rados::{cluster, ours, theirs, with};
use crate::harness::{File, fail, succeed};

#[test]
fn a_shorter_file_leaves_nothing_of_a_longer_one() {
    let pieces = |name: &str| ours(&["ls"]).lines().filter(|line| line.starts_with(name)).count();
    let long = File::new("long", &"x".repeat(9_500_000));
    let short = File::new("short", "short");
    ours(&["--striper", "put", "disk", long.text()]);
    assert_eq!(pieces("disk."), 3);
    ours(&["--striper", "put", "disk", short.text()]);
    assert_eq!(pieces("disk."), 1);
    assert_eq!(ours(&["--striper", "get", "disk", "-"]), "short");
    assert!(theirs(&["--striper", "stat", "disk"]).contains("size 5"));
    assert_eq!(theirs(&["listxattr", "disk.0000000000000000"]).matches("axon").count(), 0, "the note went");

    // What was cut does not come back.
    ours(&["--striper", "put", "disk", long.text()]);
    ours(&["--striper", "truncate", "disk", "5"]);
    assert_eq!(pieces("disk."), 1);
    ours(&["--striper", "truncate", "disk", "9M"]);
    let back = ours(&["--striper", "get", "disk", "-"]);
    assert!(back.len() == 9 << 20 && back.starts_with("xxxxx\0") && back[5..].bytes().all(|b| b == 0));
    ours(&["--striper", "rm", "disk"]);
    assert_eq!(pieces("disk."), 0);
}

/// As a change left it that broke off: the note says how far pieces may reach.
#[test]
fn what_a_broken_change_left_is_removed() {
    let stray = File::new("stray", "stray");
    let start = || {
        ours(&["--striper", "put", "disk2", stray.text()]);
        ours(&["put", "disk2.0000000000000001", stray.text()]);
        ours(&["setxattr", "disk2.0000000000000000", "axon.striper.extent", "8388608"]);
    };
    let is_there = || ours(&["ls"]).contains("disk2.0000000000000001");
    start();
    assert!(is_there());
    ours(&["--striper", "put", "disk2", stray.text()]);
    assert!(!is_there());
    start();
    ours(&["--striper", "truncate", "disk2", "8M"]);
    assert!(!is_there());
    start();
    ours(&["--striper", "rm", "disk2"]);
    assert!(!is_there());
}

/// As others leave it, who keep no note.
#[test]
fn what_grows_grows_by_zeroes() {
    let stray = File::new("stray", "stray");
    ours(&["--striper", "put", "disk3", stray.text()]);
    ours(&["put", "disk3.0000000000000000", stray.text(), "--offset", "100"]);
    ours(&["put", "disk3.0000000000000001", stray.text()]);
    ours(&["--striper", "truncate", "disk3", "6M"]);
    let grown = ours(&["--striper", "get", "disk3", "-"]);
    assert!(grown.len() == 6 << 20 && grown.starts_with("stray\0") && grown[5..].bytes().all(|b| b == 0));
    ours(&["--striper", "rm", "disk3"]);
}

#[test]
fn files_have_names_and_attributes() {
    let long = File::new("long", &"y".repeat(9_500_000));
    ours(&["--striper", "put", "named", long.text()]);
    let files = ours(&["--striper", "ls"]);
    assert!(files.lines().any(|name| name == "named") && !files.contains("named.0"), "{files}");
    assert_eq!(ours(&["--striper", "listxattr", "named"]), "");
    ours(&["--striper", "setxattr", "named", "colour", "-5"]);
    assert_eq!(theirs(&["--striper", "getxattr", "named", "colour"]).trim_end(), "-5");
    theirs(&["--striper", "setxattr", "named", "shape", "round"]);
    assert_eq!(ours(&["--striper", "getxattr", "named", "shape"]), "round");
    assert_eq!(ours(&["--striper", "listxattr", "named"]), "colour\nshape\n");
    ours(&["--striper", "rmxattr", "named", "colour"]);
    assert_eq!(ours(&["--striper", "listxattr", "named"]), "shape\n");
    ours(&["--striper", "rm", "named"]);

    let conf = cluster().conf();
    let conf = conf.to_str().unwrap();
    fail(&with(conf, &["--striper", "setxattr", "none", "a", "b"]), 1, &["no such object"]);
    for other in [&["create", "o"][..], &["listomapkeys", "o"], &["append", "o", "/dev/null"], &["lspools"]] {
        let args = [&["--striper"], other].concat();
        fail(&with(conf, &args), 2, &["does not work on striped files"]);
    }
    ours(&["create", "other.0000000000000000"]);
    fail(&with(conf, &["--striper", "stat", "other"]), 1, &["no striped file"]);
    ours(&["rm", "other.0000000000000000"]);
}

/// Erasure-coded pools without overwrites take only whole stripes behind the end, here of 24 KiB, which do not divide 4 MiB.
#[test]
fn pools_of_whole_stripes() {
    let ceph = |args: &[&str]| _ = cluster().ceph(args).unwrap();
    let profile = ["osd", "erasure-code-profile", "set", "odd", "k=2", "m=1", "stripe_unit=12288"];
    ceph(&[&profile[..], &["crush-failure-domain=osd"]].concat());
    ceph(&["osd", "pool", "create", "odd", "4", "4", "erasure", "odd"]);
    let long = "0123456789abcdef".repeat(700_000);
    let file = File::new("long", &long);
    let conf = cluster().conf();
    let here = ["rados", "--conf", conf.to_str().unwrap(), "-p", "odd"];
    let run = |args: &[&str]| succeed(&[&here[..], args].concat());
    run(&["put", "o", file.text()]);
    for refused in [&["put", "o", file.text(), "--offset", "4M"][..], &["truncate", "o", "0"]] {
        fail(&[&here[..], refused].concat(), 1, &["EOPNOTSUPP"]);
    }
    assert!(run(&["get", "o", "-"]) == long);
    run(&["rm", "o"]);
    run(&["--striper", "put", "f", file.text()]);
    assert!(run(&["--striper", "get", "f", "-"]) == long);
    run(&["--striper", "truncate", "f", "0"]);
    assert_eq!(run(&["--striper", "get", "f", "-"]), "");
    run(&["--striper", "put", "f", file.text()]);
    assert_eq!(run(&["ls"]).lines().count(), 3);
    run(&["--striper", "rm", "f"]);
    assert_eq!(run(&["ls"]), "");
}
