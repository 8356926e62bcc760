//! `axon bench`.

use crate::harness::{Server, axon, exit, fail, json, keys, service_keyring, succeed};
use serde_json::Value;

const FIGURES: [&str; 20] = [
    "bytes_per_second",
    "connections",
    "cpu_us_per_message",
    "cuts",
    "depth",
    "duplicated",
    "latency_us",
    "longest_stall_us",
    "lost",
    "messages",
    "messages_per_second",
    "mode",
    "per_message",
    "policy",
    "reconnects",
    "reordered",
    "size",
    "spin_us",
    "transport",
    "workers",
];

/// Figures of a run must be figures: positive, and each percentile at least the one before it.
#[track_caller]
fn check_figures(report: &Value) {
    for key in ["messages_per_second", "cpu_us_per_message"] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}: {report}");
    }
    let latency = &report["latency_us"];
    assert_eq!(keys(latency), ["max", "p50", "p90", "p99", "p999"]);
    let ascending: Vec<_> = ["p50", "p90", "p99", "p999", "max"].map(|p| latency[p].as_f64().unwrap()).into();
    assert!(ascending.is_sorted() && ascending[0] > 0.0, "{report}");
    for key in ["lost", "duplicated", "reordered"] {
        assert_eq!(report[key], 0, "{key}: {report}");
    }
}

#[test]
fn what_a_message_costs_is_counted_on_both_ends() {
    let report = json(&["bench", "--count", "20000", "--size", "64", "--json"]);
    let costs = &report["per_message"];
    let expected = [
        "allocations",
        "bytes_copied",
        "messages_per_read",
        "messages_per_write",
        "receives",
        "sends",
        "system_calls",
        "waits",
        "wakeups",
    ];
    assert_eq!(keys(costs), expected);
    let number = |key: &str| costs[key].as_f64().unwrap();
    assert!(number("messages_per_write") >= 1.0 && number("messages_per_read") > 0.0, "{costs}");
    // Request and reply, put together for their writes on one end each.
    assert!((300.0..1500.0).contains(&number("bytes_copied")), "{costs}");
    let calls = number("sends") + number("receives") + number("waits");
    assert!(number("sends") > 0.0 && number("system_calls") >= calls * 0.999, "{costs}");
    assert_eq!(costs["allocations"].is_null(), !cfg!(feature = "count-allocations"));
    let text = succeed(&["bench", "--count", "2000"]);
    assert!(text.contains("per message") && text.contains("system calls"), "{text}");
}

#[test]
fn the_report_has_the_keys_promised() {
    let report = json(&["bench", "--seconds", "1", "--json"]);
    assert_eq!(keys(&report), FIGURES);
    check_figures(&report);
    let expected = [("size", 4096), ("depth", 32), ("connections", 1), ("workers", 1)];
    for (key, value) in expected {
        assert_eq!(report[key], value);
    }
    for (key, value) in [("mode", "crc"), ("policy", "lossy"), ("transport", "tcp")] {
        assert_eq!(report[key], value);
    }
    assert_eq!((&report["cuts"], &report["reconnects"]), (&0.into(), &0.into()));
    let stall = report["longest_stall_us"].as_f64().unwrap();
    assert!(stall > 0.0 && stall < 3e7, "{report}");
    let rate = report["messages_per_second"].as_f64().unwrap();
    assert!((report["bytes_per_second"].as_f64().unwrap() / rate - 4096.0).abs() < 0.01);
}

#[test]
fn the_baseline_adds_its_own_keys() {
    let report = json(&["bench", "--count", "600", "--rounds", "3", "--baseline", "--json"]);
    let mut expected = FIGURES.to_vec();
    expected.extend(["ratio_to_raw", "raw"]);
    expected.sort_unstable();
    assert_eq!(keys(&report), expected);
    let of_sessions = ["cuts", "longest_stall_us", "per_message", "reconnects"];
    let of_sockets: Vec<_> = FIGURES.into_iter().filter(|key| !of_sessions.contains(key)).collect();
    assert_eq!(keys(&report["raw"]), of_sockets);
    check_figures(&report["raw"]);
    assert_eq!((&report["messages"], &report["raw"]["messages"]), (&600.into(), &600.into()));
    assert_eq!(keys(&report["ratio_to_raw"]), ["messages_per_second", "p50"]);
    let [axon, raw] = [&report, &report["raw"]].map(|r| r["messages_per_second"].as_f64().unwrap());
    assert!((report["ratio_to_raw"]["messages_per_second"].as_f64().unwrap() - axon / raw).abs() < 1e-6);
}

#[test]
fn counts_are_exact() {
    for (count, connections, workers, depth) in
        [("1", "1", "1", "32"), ("1001", "3", "2", "7"), ("2", "5", "2", "4")]
    {
        let options =
            ["--count", count, "--connections", connections, "--workers", workers, "--depth", depth];
        let report = json(&[&["bench", "--json"], &options[..]].concat());
        assert_eq!(report["messages"].to_string(), count);
        check_figures(&report);
    }
}

#[test]
fn both_modes_and_all_transports_work() {
    for mode in ["crc", "secure"] {
        for transport in ["tcp", "uring", "mem"] {
            let options = ["--mode", mode, "--transport", transport, "--size", "100k", "--count", "200"];
            let report = json(&[&["bench", "--json"], &options[..]].concat());
            assert_eq!((&report["mode"], &report["transport"]), (&mode.into(), &transport.into()));
            assert_eq!((&report["size"], &report["messages"]), (&102_400.into(), &200.into()));
            check_figures(&report);
        }
    }
}

#[test]
fn the_transport_is_chosen_by_the_load() {
    let few = ["bench", "--count", "100", "--json"];
    assert_eq!(json(&few)["transport"], "tcp");
    let many = [&few[..], &["--connections", "16", "--size", "64", "--depth", "1"]].concat();
    assert_eq!(json(&many)["transport"], "uring");
    let compared = json(&[&many[..], &["--rounds", "2", "--baseline=tcp"]].concat());
    assert_eq!((&compared["transport"], &compared["tcp"]["transport"]), (&"uring".into(), &"tcp".into()));
    assert!(compared["ratio_to_tcp"]["messages_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn requests_without_data_work() {
    let report = json(&["bench", "--size", "0", "--count", "100", "--json"]);
    assert_eq!(report["bytes_per_second"], 0.0);
    check_figures(&report);
}

#[test]
fn people_get_a_table() {
    let run = axon(&["bench", "--count", "500", "--baseline"]);
    assert_eq!(run.status.code(), Some(0), "{}", run.both());
    for word in
        ["messages/s", "latency p99.9", "cpu/message", "raw sockets", "lost 0", "core", "Linux", "4096 B"]
    {
        assert!(run.stdout.contains(word), "{word} is missing:\n{}", run.stdout);
    }
    assert_eq!(run.stderr, "", "standard error is no terminal here");
}

#[test]
fn against_a_server_in_crc_mode() {
    let server = Server::start(&[]);
    let report =
        json(&["bench", "--connect", &server.addr(), "--count", "2000", "--connections", "2", "--json"]);
    assert_eq!(report["messages"], 2000);
    check_figures(&report);
    server.signal("TERM");
    let (code, rest) = server.finish();
    assert_eq!((code, rest.trim()), (Some(0), "served 2,000 messages, 7.81 MiB on 2 connections"));
}

#[test]
fn both_ends_choose_their_transport_for_themselves() {
    for (there, here) in [("uring", "tcp"), ("tcp", "uring"), ("uring", "uring")] {
        let server = Server::start(&["--transport", there]);
        let load = ["--count", "500", "--connections", "2", "--size", "100k"];
        let options = ["bench", "--json", "--connect", &server.addr(), "--transport", here];
        let report = json(&[&options[..], &load[..]].concat());
        assert_eq!((&report["messages"], &report["transport"]), (&500.into(), &here.into()));
        check_figures(&report);
    }
}

#[test]
fn against_a_server_in_secure_mode() {
    let keyring = service_keyring();
    let keys = ["--keyring", keyring.text(), "--mode", "secure"];
    let server = Server::start(&[&["--auth", "cephx"], &keys[..]].concat());
    let bench = ["bench", "--json", "--count", "2000", "--connect", &server.addr()];
    let report = json(&[&bench[..], &keys].concat());
    assert_eq!((&report["mode"], &report["messages"]), (&"secure".into(), &2000.into()));
    check_figures(&report);
    let crc = ["bench", "--count", "1", "--connect", &server.addr(), "--keyring", keyring.text()];
    fail(&crc, exit::INCOMPATIBLE, &["mode"]);
}

#[test]
fn a_server_with_keys_refuses_who_has_none_or_another() {
    let keyring = service_keyring();
    let server = Server::start(&["--auth", "cephx", "--keyring", keyring.text()]);
    let addr = server.addr();
    let bench = ["bench", "--count", "1", "--connect", &addr];
    fail(&bench, exit::REFUSED, &["cephx", "--keyring"]);
    let other = crate::harness::File::new("k", "[osd.0]\nkey = AQBpMR9pAAAAABAAGrRh0S/fMSuKWI6BYmZPaQ==\n");
    fail(&[&bench[..], &["--keyring", other.text()]].concat(), exit::REFUSED, &["refused"]);
    let nameless = [&bench[..], &["--keyring", keyring.text(), "--name", "osd.7"]].concat();
    fail(&nameless, exit::USAGE, &["osd.7", "osd.0"]);
    assert!(succeed(&[&bench[..], &["--keyring", keyring.text()]].concat()).contains("lost 0"));
}

#[test]
fn a_server_that_dies_ends_the_run_with_an_account() {
    let mut server = Server::start_noting(&[]);
    let args = ["bench", "--connect", &server.addr(), "--seconds", "60", "--json"];
    let args: Vec<_> = args.iter().map(ToString::to_string).collect();
    let bench = std::thread::spawn(move || axon(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    server.wait_for_traffic();
    server.signal("KILL");
    let run = bench.join().unwrap();
    assert_eq!(run.status.code(), Some(exit::CANNOT_CONNECT), "{}", run.both());
    assert!(run.stderr.contains("lost the connection"), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["lost"], 32, "what was in flight: {report}");
}

#[test]
fn nothing_listens() {
    fail(&["bench", "--connect", "127.0.0.1:1"], exit::CANNOT_CONNECT, &["127.0.0.1:1", "refused"]);
}
