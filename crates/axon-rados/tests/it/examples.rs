//! The examples, run against a real cluster.

use axon_testbed::{Cluster, Release};
use std::path::PathBuf;
use std::process::Command;

/// Cargo builds examples along with tests, unless it is told which tests to build.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(path.exists(), "run first: cargo build -p axon-rados --examples");
    path
}

#[test]
fn every_example_does_what_it_says() {
    let cluster = Cluster::builder().release(Release::Reef).osds(2).pool("p", 8).boot().unwrap();
    let large: Vec<u8> = (0..9_500_000u32).map(|n| (n / 1000) as u8).collect();
    let file = cluster.dir().join("large");
    std::fs::write(&file, &large).unwrap();
    let file = file.to_str().unwrap();
    let table: [(&str, &[&str], &str); 7] = [
        ("objects", &[], "12 bytes in en: hello, world\ngone\n"),
        ("compound", &[], "counted to 40, starting over "),
        ("watch_notify", &[], "2 answered, 0 did not\n"),
        ("list", &[], "26 objects in the namespace\n"),
        ("snapshots", &[], "now: second draft, then: first draft\nagain: first draft\n"),
        ("many", &[], "1000 objects removed, "),
        ("striping", &[file, "disk"], "9500000 bytes in 3 pieces\nread back as it was\n"),
    ];
    for (name, args, says) in table {
        let mut command = Command::new(example(name));
        command.arg("p").args(args).env("CEPH_CONF", cluster.conf()).env_remove("CEPH_ARGS");
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {out}{err}");
        assert!(out.contains(says), "{name}: {out}{err}");
    }
    // A shorter file leaves nothing of the longer one behind.
    let short = cluster.dir().join("short");
    std::fs::write(&short, &large[..5_000_000]).unwrap();
    let status = Command::new(example("striping"))
        .args(["p", short.to_str().unwrap(), "disk"])
        .env("CEPH_CONF", cluster.conf())
        .env_remove("CEPH_ARGS")
        .status();
    assert!(status.unwrap().success());
    let names = cluster.run("rados", &["-p", "p", "ls"]).unwrap().stdout;
    assert!(names.contains("disk.0000000000000001") && !names.contains("disk.0000000000000002"), "{names}");
    // Ceph's own tool takes the file for a striped one.
    let back = cluster.dir().join("back");
    cluster.run("rados", &["-p", "p", "--striper", "get", "disk", back.to_str().unwrap()]).unwrap();
    assert!(std::fs::read(&back).unwrap() == large[..5_000_000]);
}
