//! What `--json` prints is described: docs/command-line.md.

use crate::harness::{Server, json};
use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/command-line.md");

/// Every key anywhere in a report, except for those that are names of types of processes.
fn all_keys(report: &Value, found: &mut Vec<String>) {
    match report {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.push(key.clone());
                match key.as_str() {
                    "policies" => value.as_object().unwrap().values().for_each(|v| all_keys(v, found)),
                    _ => all_keys(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all_keys(item, found)),
        _ => {}
    }
}

/// Each key stands in a chapter of the page.
#[track_caller]
pub(crate) fn check(chapter: &str, report: &Value) {
    let (_, rest) = PAGE.split_once(&format!("\n## {chapter}\n")).expect(chapter);
    let text = rest.split("\n## ").next().unwrap();
    let mut keys = Vec::new();
    all_keys(report, &mut keys);
    assert!(!keys.is_empty(), "{report}");
    for key in keys {
        assert!(text.contains(&format!("`{key}`")), "{key} is not in the chapter {chapter}");
    }
}

#[test]
fn every_key_of_a_benchmark_is_described() {
    check("axon bench", &json(&["bench", "--json", "--count", "100", "--rounds", "1", "--baseline"]));
}

#[test]
fn every_key_of_a_server_and_of_a_ping_is_described() {
    let mut server = Server::start_noting(&["--json", "--policy", "lossless"]);
    check("axon serve", &serde_json::from_str(&server.first_line).unwrap());
    check("axon ping", &json(&["ping", "--json", &server.addr()]));
    json(&["bench", "--json", "--count", "10", "--policy", "lossless", "--connect", &server.addr()]);
    server.signal("USR1");
    let dump = server.next_note();
    assert!(dump["connections"][0].is_object(), "{dump}");
    check("axon serve", &dump);
    server.signal("TERM");
    check("axon serve", &serde_json::from_str(&server.finish().1).unwrap());
}
