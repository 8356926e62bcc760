//! The examples, run as they are.

use std::path::PathBuf;
use std::process::Command;

/// Cargo builds examples along with tests, unless it is told which tests to build.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(path.exists(), "run first: cargo build -p axon-messenger --examples");
    path
}

#[test]
fn every_example_does_what_it_says() {
    for (name, says) in [
        ("echo", "never\nlose\na\nmessage\nin crc mode with osd.0\n"),
        ("async_client", "a hundred answers, 4950 bytes\n"),
        ("fast_dispatch", "slow: by the thread axon-dispatch-0 after "),
        ("lossless_peers", "osd.1 has all 1000\nosd.2 has all 1000\n"),
        (
            "secure",
            "known as mon.b, and nobody else can read it\nwith another key: the mon refused our ticket",
        ),
    ] {
        let output = Command::new(example(name)).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {out}{err}");
        assert!(out.contains(says), "{name}: {out}{err}");
    }
}
