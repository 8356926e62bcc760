//! `axon bench --policy lossless|peer --cut-every`: sessions between two processes while their sockets are cut.

use crate::harness::{Server, exit, fail, json, service_keyring, succeed};
use serde_json::Value;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Cuts in each lossless policy and each mode.
const CUTS: u64 = 10_000;
/// Longer than that takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

#[track_caller]
fn number(report: &Value, key: &str) -> u64 {
    report[key].as_u64().unwrap_or_else(|| panic!("{key}: {report}"))
}

/// Every reply came, once, and in order.
#[track_caller]
fn check_delivery(report: &Value) {
    for key in ["lost", "duplicated", "reordered"] {
        assert_eq!(number(report, key), 0, "{key}: {report}");
    }
}

/// Cuts race against handshakes: with several such tests at a time, handshakes would lose for long.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Load over a hundred sessions with a cut every half millisecond, until there were enough.
fn ten_thousand_cuts(policy: &str, mode: &str) {
    let keyring = service_keyring();
    let mut shared = vec!["--policy", policy, "--mode", mode];
    let mut own = Vec::new();
    if policy == "peer" {
        own.extend(["--back-off", "5ms"]);
    }
    if mode == "secure" {
        shared.extend(["--keyring", keyring.text()]);
        own.extend(["--auth", "cephx"]);
    }
    let _alone = one_at_a_time();
    let server = Server::start(&[&shared[..], &own].concat());
    let addr = server.addr();
    let load =
        "--connections 100 --depth 4 --size 1k --seconds 3 --cut-every 500us --back-off 5ms --timeout 60";
    let load: Vec<_> = load.split(' ').collect();
    let bench = [&["bench", "--json", "--connect", &addr], &shared[..], &load].concat();

    let start = Instant::now();
    let (mut cuts, mut reconnects, mut messages) = (0, 0, 0);
    for seed in 1.. {
        assert!(start.elapsed() < PATIENCE, "only {cuts} cuts");
        let report = json(&[&bench[..], &["--seed", &seed.to_string()]].concat());
        check_delivery(&report);
        cuts += number(&report, "cuts");
        reconnects += number(&report, "reconnects");
        messages += number(&report, "messages");
        if cuts >= CUTS {
            break;
        }
    }
    let took = start.elapsed();
    println!("{policy}, {mode}: {cuts} cuts, {reconnects} reconnects, {messages} messages, {took:.1?}");
    assert!(messages > 0 && reconnects > CUTS / 100, "{reconnects} reconnects: most cuts hit handshakes");
}

#[test]
fn ten_thousand_cuts_of_lossless_crc() {
    ten_thousand_cuts("lossless", "crc");
}

#[test]
fn ten_thousand_cuts_of_lossless_secure() {
    ten_thousand_cuts("lossless", "secure");
}

#[test]
fn ten_thousand_cuts_of_peer_crc() {
    ten_thousand_cuts("peer", "crc");
}

#[test]
fn ten_thousand_cuts_of_peer_secure() {
    ten_thousand_cuts("peer", "secure");
}

/// On a busy machine a run may see nothing but handshakes that are cut; then another one has to show it.
fn cut_in_process(policy: &str, mode: &str, transport: &str) {
    let load = ["--seconds", "1", "--cut-every", "30ms", "--back-off", "5ms", "--transport", transport];
    let bench = [&["bench", "--json", "--policy", policy, "--mode", mode], &load[..]].concat();
    let start = Instant::now();
    loop {
        let report = json(&bench);
        assert_eq!(report["policy"], policy);
        check_delivery(&report);
        assert!(report["longest_stall_us"].as_f64().unwrap() > 0.0, "{report}");
        let enough = number(&report, "messages") > 0 && number(&report, "cuts") > 5;
        if enough && number(&report, "reconnects") > 0 {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{report}");
    }
}

#[test]
fn within_one_process_too() {
    let _alone = one_at_a_time();
    for policy in ["lossless", "peer"] {
        for mode in ["crc", "secure"] {
            for transport in ["tcp", "uring", "mem"] {
                cut_in_process(policy, mode, transport);
            }
        }
    }
}

#[test]
fn a_counted_run_is_complete_in_spite_of_cuts() {
    let load = ["--count", "3000", "--connections", "3", "--workers", "2", "--size", "20k"];
    let report =
        json(&[&["bench", "--json", "--policy", "lossless", "--cut-every", "10ms"], &load[..]].concat());
    assert_eq!(number(&report, "messages"), 3000);
    check_delivery(&report);
}

#[test]
fn a_lossy_run_begins_anew_and_says_what_was_lost() {
    let load = ["--seconds", "2", "--cut-every", "50ms", "--back-off", "5ms", "--connections", "2"];
    let start = Instant::now();
    loop {
        let report = json(&[&["bench", "--json"], &load[..]].concat());
        let [cuts, reconnects, lost] = ["cuts", "reconnects", "lost"].map(|key| number(&report, key));
        assert!(reconnects <= cuts, "{report}");
        assert!(lost <= cuts * 32, "at most what was in flight at each cut: {report}");
        assert_eq!((number(&report, "duplicated"), number(&report, "reordered")), (0, 0));
        if cuts > 5 && reconnects > 5 && lost > 0 {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{report}");
    }
}

#[test]
fn people_are_told_of_cuts_and_stalls() {
    let text = succeed(&["bench", "--policy", "peer", "--seconds", "0.5", "--cut-every", "50ms"]);
    for word in [", peer, tcp", "longest stall", "cuts ", "reconnects ", "lost 0"] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
}

#[test]
fn a_server_with_another_policy_is_noticed() {
    let lossy = Server::start(&[]);
    for policy in ["lossless", "peer"] {
        let bench = ["bench", "--count", "1", "--policy", policy, "--connect", &lossy.addr()];
        fail(&bench, exit::INCOMPATIBLE, &["lossy session", "axon serve --policy"]);
    }
    let lossless = Server::start(&["--policy", "lossless"]);
    fail(
        &["bench", "--count", "1", "--connect", &lossless.addr()],
        exit::INCOMPATIBLE,
        &["--policy lossless"],
    );
}

/// The process is another after the restart, and has forgotten the session: what was on its way is lost, and the run
/// says so.
#[test]
fn a_server_that_starts_anew_loses_the_session() {
    // A port that no client's socket takes while nobody listens there.
    let addr = format!("127.0.0.1:{}", axon_testbed::free_port());
    let mut server = Server::start_noting_at(&addr, &["--policy", "lossless"]);
    let bench_addr = addr.clone();
    let bench = std::thread::spawn(move || {
        let load = ["--seconds", "10", "--policy", "lossless", "--timeout", "60", "--json"];
        crate::harness::axon(&[&["bench", "--connect", &bench_addr], &load[..]].concat())
    });
    server.wait_for_traffic();
    server.signal("KILL");
    assert_eq!(server.finish().0, None, "killed");
    let _again = Server::start_at(&addr, &["--policy", "lossless"]);
    let run = bench.join().unwrap();
    assert_eq!(run.status.code(), Some(1), "{}", run.both());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(number(&report, "lost"), 32, "what was in flight: {report}");
    assert_eq!((number(&report, "duplicated"), number(&report, "reordered")), (0, 0));
}

/// What it costs to keep messages until they are acknowledged. Other work on the machine is noise; a real loss shows in
/// every attempt.
#[test]
fn lossless_sessions_are_nearly_as_fast_as_lossy_ones() {
    for policy in ["lossless", "peer"] {
        let attempt = || {
            let load = ["--baseline=lossy", "--seconds", "3", "--rounds", "9"];
            let report = json(&[&["bench", "--json", "--policy", policy], &load[..]].concat());
            report["ratio_to_lossy"]["messages_per_second"].as_f64().unwrap()
        };
        let ratios = &mut (0..5).map(|_| attempt());
        let mut seen = Vec::new();
        let fast = ratios.inspect(|ratio| seen.push(*ratio)).any(|ratio| ratio >= 0.9);
        assert!(fast, "{policy} against lossy: {seen:?}");
    }
}
