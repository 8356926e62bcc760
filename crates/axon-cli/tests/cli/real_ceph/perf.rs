//! The messenger benchmark of the C++ implementation at the other end.

use crate::harness::{Server, json};
use axon_testbed::{Load, Perf, Release};
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

fn load(jobs: u32, concurrency: u32, ios: u32, len: u32) -> Load {
    Load { jobs, concurrency, ios, think: Duration::ZERO, len }
}

#[test]
fn our_client_measures_their_server() {
    let perf = Perf::new(Release::Reef).unwrap();
    // With more than one worker it answers in whatever order they finish.
    let server = perf.server(1, Duration::ZERO).unwrap();
    let addr = server.addr().to_string();
    for (size, depth, connections) in [("64", "1", "1"), ("4k", "32", "3"), ("1M", "4", "1")] {
        let options = ["--size", size, "--depth", depth, "--connections", connections, "--count", "300"];
        let report = json(&[&["bench", "--json", "--connect", &addr], &options[..]].concat());
        assert_eq!(report["messages"], 300, "{report}");
        let mishaps = ["lost", "duplicated", "reordered"].map(|key| report[key].as_u64());
        assert_eq!(mishaps, [Some(0); 3], "{report}");
    }
}

#[test]
fn their_client_measures_our_server() {
    let perf = Perf::new(Release::Reef).unwrap();
    let server = Server::start(&["--workers", "2", "--json"]);
    let addr = server.addr().parse().unwrap();
    let loads = [load(1, 1, 300, 64), load(2, 32, 2000, 4096), load(1, 4, 100, 1 << 20)];
    for load in loads {
        let result = perf.client(addr, load, LIMIT).unwrap();
        assert_eq!(result.ops, u64::from(load.jobs * load.ios));
    }
    server.signal("TERM");
    let (code, rest) = server.finish();
    assert_eq!(code, Some(0));
    let served: Value = serde_json::from_str(&rest).unwrap();
    let sent: u32 = loads.iter().map(|load| load.jobs * load.ios).sum();
    // It leaves as soon as its last request is queued, whether or not that was written.
    let queued: u32 = loads.iter().map(|load| load.jobs * load.concurrency).sum();
    let answered = served["served"]["messages"].as_u64().unwrap();
    assert!((sent - queued..=sent).contains(&(answered as u32)), "{answered} of {sent}");
}

#[test]
fn our_client_pings_their_server() {
    let perf = Perf::new(Release::Reef).unwrap();
    let server = perf.server(1, Duration::ZERO).unwrap();
    let report = json(&["ping", &server.addr().to_string(), "--json"]);
    assert_eq!((&report["peer"], &report["protocol"]), (&"osd.0".into(), &"msgr2.1".into()));
    assert_eq!(report["keepalive_us"].as_array().unwrap().len(), 3);
}
