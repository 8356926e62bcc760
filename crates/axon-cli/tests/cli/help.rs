//! What the program says about itself, and about wrong usage.

use crate::harness::{exit, fail, succeed};

#[test]
fn every_command_explains_itself_with_examples() {
    let all = succeed(&["--help"]);
    for word in ["bench", "serve", "ping", "mon", "rados", "Exit codes", "authentication refused", "RUST_LOG"]
    {
        assert!(all.contains(word), "{word} is missing:\n{all}");
    }
    for command in ["bench", "serve", "ping", "mon", "rados"] {
        let help = succeed(&[command, "--help"]);
        assert!(help.contains("Examples:") && help.contains(&format!("axon {command} ")), "{help}");
    }
    let pools = succeed(&["rados", "lspools", "--help"]);
    assert!(pools.contains("List the pools") && !pools.contains("--striper"), "{pools}");
    assert!(!succeed(&["rados", "--help"]).contains("[default: ]"));
    assert!(succeed(&["--version"]).starts_with("axon 0."));
}

#[test]
fn defaults_are_stated() {
    let help = succeed(&["bench", "--help"]);
    for default in ["[default: 4096]", "[default: 32]", "[default: 5]", "[default: crc]", "[default: lossy]"]
    {
        assert!(help.contains(default), "{default} is missing:\n{help}");
    }
}

#[test]
fn wrong_usage_is_told_apart() {
    let table: &[(&[&str], &[&str])] = &[
        (&[], &["Usage"]),
        (&["frobnicate"], &["frobnicate"]),
        (&["bench", "--size", "lots"], &["--size", "4096, 4k or 1M"]),
        (&["bench", "--depth", "0"], &["--depth"]),
        (&["bench", "--seconds=-1"], &["--seconds"]),
        (&["bench", "--count", "5", "--seconds", "1"], &["cannot be used with"]),
        (&["bench", "--connect", "127.0.0.1:1", "--baseline"], &["cannot be used with"]),
        (&["bench", "--policy", "lossfree"], &["lossy", "lossless", "peer"]),
        (&["bench", "--baseline=lossy"], &["--policy lossless"]),
        (&["bench", "--policy", "peer", "--connections", "5000"], &["a messenger each"]),
        (&["bench", "--cut-every", "5"], &["200ms"]),
        (&["bench", "--cut-every", "5ms", "--baseline"], &["cannot be used with"]),
        (&["bench", "--seed", "5"], &["--cut-every"]),
        (
            &["bench", "--policy", "peer", "--connect", "127.0.0.1:1", "--mon-host", "127.0.0.1"],
            &["--keyring"],
        ),
        (
            &["serve", "127.0.0.1:0", "--policy", "peer", "--auth", "cephx", "--mon-host", "127.0.0.1"],
            &["--keyring"],
        ),
        (&["bench", "--connect", "127.0.0.1:1", "--mode", "secure"], &["needs a key", "--keyring"]),
        (&["bench", "--keyring", "k"], &["--connect"]),
        (&["rados", "-p", "p", "bench", "1", "write", "-t", "0"], &["--concurrent-ios", "0 is not in"]),
        (&["serve", "127.0.0.1:0", "--keyring", "k"], &["--auth cephx"]),
        (&["serve", "here"], &["here"]),
        (&["serve", "v1:127.0.0.1:6789"], &["msgr1"]),
        (&["serve", "127.0.0.1:0", "--mode", "secure"], &["needs keys", "--auth cephx"]),
        (&["serve", "127.0.0.1:0", "--auth", "cephx"], &["--keyring"]),
        (&["ping", "10.0.0.1:port"], &["10.0.0.1:port"]),
        (&["ping", "127.0.0.1:1", "--keyring", "/no/such"], &["/no/such"]),
        (&["ping", "127.0.0.1:1", "--name", "nobody"], &["client.admin"]),
        (&["ping", "127.0.0.1:1", "--conf", "/no/such.conf"], &["/no/such.conf"]),
    ];
    for (args, words) in table {
        fail(args, exit::USAGE, words);
    }
}
