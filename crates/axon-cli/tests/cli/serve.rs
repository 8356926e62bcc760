//! `axon serve`.

use crate::harness::{Server, exit, fail, json, keys};
use serde_json::Value;

#[test]
fn the_first_line_names_the_address_it_bound() {
    let server = Server::start(&[]);
    let port: u16 = server.addr().strip_prefix("127.0.0.1:").unwrap().parse().unwrap();
    assert_ne!(port, 0);
    assert_eq!(server.first_line, format!("listening on v2:127.0.0.1:{port}/0"));
}

#[test]
fn signals_end_it_in_good_order() {
    for signal in ["INT", "TERM"] {
        let server = Server::start(&["--json"]);
        let listening: Value = serde_json::from_str(&server.first_line).unwrap();
        assert_eq!(listening["listening"], format!("v2:{}/0", server.addr()));
        json(&["bench", "--connect", &server.addr(), "--count", "10", "--size", "10", "--json"]);
        server.signal(signal);
        let (code, rest) = server.finish();
        assert_eq!(code, Some(0));
        let summary: Value = serde_json::from_str(&rest).unwrap();
        let served = serde_json::json!({"messages": 10, "bytes": 100, "connections": 1});
        assert_eq!(summary, serde_json::json!({ "served": served }));
    }
}

#[test]
fn a_signal_shows_what_its_connections_do() {
    let mut server = Server::start_noting(&["--policy", "lossless"]);
    let bench = ["bench", "--connect", &server.addr(), "--policy", "lossless"];
    json(&[&bench[..], &["--count", "10", "--size", "10", "--json"]].concat());
    for _ in 0..2 {
        server.signal("USR1");
        let dump = server.next_note();
        assert_eq!(dump["addrs"], format!("v2:{}/0", server.addr()));
        assert_eq!(dump["counters"]["messages_in"], 10);
        // The session waits for its client, which is gone for good.
        let connection = &dump["connections"][0];
        assert_eq!(
            (&connection["origin"], &connection["session"]["in_seq"]),
            (&"accepted".into(), &10.into())
        );
        assert!(keys(connection).contains(&"queue"), "{dump}");
    }
    server.signal("TERM");
    assert_eq!(server.finish().0, Some(0));
}

#[test]
fn a_time_limit_ends_it() {
    let (code, rest) = Server::start(&["--seconds", "0.3"]).finish();
    assert_eq!((code, rest.trim()), (Some(0), "served 0 messages, 0 B on 0 connections"));
}

#[test]
fn an_address_that_cannot_be_had_is_said_so() {
    let server = Server::start(&[]);
    let used = server.addr();
    fail(&["serve", &used], exit::USAGE, &["cannot listen", &used, "in use", "help: give another port"]);
    // Of the block for documentation: no machine's.
    let elsewhere = ["serve", "192.0.2.1:6800"];
    fail(
        &elsewhere,
        exit::USAGE,
        &["cannot listen", "192.0.2.1:6800", "help: give an address of this machine"],
    );
}

#[test]
fn modes_that_do_not_fit_are_refused() {
    let server = Server::start(&["--mode", "crc"]);
    fail(&["ping", &server.addr(), "--mode", "secure"], exit::INCOMPATIBLE, &["mode"]);
}
