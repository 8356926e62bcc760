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
    let usage = succeed(&["rados", "df", "--help"]);
    assert!(usage.contains("or one pool with -p") && usage.contains("Of the options, -p,"), "{usage}");
    assert!(!succeed(&["rados", "--help"]).contains("[default: ]"));
    assert!(succeed(&["--version"]).starts_with("axon 0."));
}

/// A command's own options come first, and those of all commands have headings.
#[test]
fn options_of_all_commands_stand_apart() {
    let help = succeed(&["rados", "bench", "-h"]);
    let (own, shared) = help.split_once("Options of all rados commands:").expect(&help);
    for option in ["--block-size", "--run-name", "--write-omap", "--spin", "--help"] {
        assert!(own.contains(option) && !shared.contains(option), "{option}:\n{help}");
    }
    for option in ["--pool", "--striper", "--timeout", "--mode", "--keyring"] {
        assert!(shared.contains(option) && !own.contains(option), "{option}:\n{help}");
    }
    assert!(shared.contains("Only for ls, put, get"), "{help}");
}

#[test]
fn defaults_are_stated() {
    let help = succeed(&["bench", "--help"]);
    for default in ["[default: 4096]", "[default: 32]", "[default: 5]", "[default: crc]", "[default: lossy]"]
    {
        assert!(help.contains(default), "{default} is missing:\n{help}");
    }
    for limits in
        ["at most 256M", "per connection: 1 to 65536", "Connections: 1 to 65536", "each side: 1 to 1024"]
    {
        assert!(help.contains(limits), "{limits} is missing:\n{help}");
    }
    for (command, option) in [("rados", "ms client mode"), ("mon status", "ms mon client mode")] {
        let words: Vec<_> = command.split(' ').chain(["-h"]).collect();
        let help = succeed(&words).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(option), "{option} is missing:\n{help}");
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
        (&["bench", "--rounds", "3"], &["--baseline"]),
        (&["bench", "--back-off", "5ms"], &["no effect", "--policy lossless"]),
        (&["bench", "--size", "257M", "--count", "1"], &["--size", "at most 256M"]),
        (
            &["serve", "127.0.0.1:0", "--policy", "lossless", "--back-off", "5ms"],
            &["no effect", "--policy peer"],
        ),
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
