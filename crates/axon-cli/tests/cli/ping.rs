//! `axon ping`, against our own server and against what is none.

use crate::harness::{Server, axon, command, exit, fail, impostor, json, keys, service_keyring, succeed};
use std::time::{Duration, Instant};

#[test]
fn tells_who_is_there_and_how_long_it_took() {
    let server = Server::start(&[]);
    let text = succeed(&["ping", &server.addr()]);
    for word in ["osd.0", "crc", "msgr2.1", "features", "banner", "ident", "3 answered"] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
    let report = json(&["ping", &server.addr(), "--json", "--count", "2"]);
    assert_eq!(report["peer"], "osd.0");
    assert_eq!(report["addrs"], format!("v2:{}/0", server.addr()));
    assert_eq!((&report["mode"], &report["cipher"]), (&"crc".into(), &"none".into()));
    assert_eq!(report["protocol"], "msgr2.1");
    assert_eq!(report["keepalive_us"].as_array().unwrap().len(), 2);
    let phases = &report["handshake_us"];
    assert_eq!(keys(phases), ["auth", "banner", "connect", "hello", "ident", "signature", "total"]);
    let parts: f64 =
        keys(phases).iter().filter(|key| **key != "total").map(|key| phases[*key].as_f64().unwrap()).sum();
    assert!((parts - phases["total"].as_f64().unwrap()).abs() < 1.0, "{phases}");
}

#[test]
fn the_handshake_alone() {
    let server = Server::start(&[]);
    let report = json(&["ping", &server.addr(), "--json", "--count", "0"]);
    assert_eq!(report["keepalive_us"], serde_json::json!([]));
    assert!(!succeed(&["ping", &server.addr(), "--count", "0"]).contains("keepalive"));
}

#[test]
fn nobody_listens() {
    fail(&["ping", "127.0.0.1:1"], exit::CANNOT_CONNECT, &["127.0.0.1:1", "nothing listens", "help:"]);
}

#[test]
fn without_keys_the_environment_s_configuration_may_be_gone() {
    for (variable, value) in [("CEPH_CONF", "/no/such.conf"), ("CEPH_ARGS", "--conf /no/such.conf")] {
        let ping = axon_testbed::run(
            command(&["ping", "127.0.0.1:1"]).env(variable, value),
            Duration::from_secs(120),
        );
        let ping = ping.unwrap();
        assert_eq!(ping.status.code(), Some(exit::CANNOT_CONNECT), "{variable}: {}", ping.both());
    }
}

#[test]
fn somebody_who_says_nothing() {
    let addr = impostor(b"").to_string();
    let start = Instant::now();
    fail(&["ping", &addr, "--timeout", "0.5"], exit::TIMED_OUT, &[&addr, "--timeout"]);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn somebody_who_says_something_else() {
    let addr = impostor(b"SSH-2.0-OpenSSH_9.2\r\n").to_string();
    fail(&["ping", &addr], exit::INCOMPATIBLE, &["does not speak msgr2", "not a Ceph daemon's"]);
}

#[test]
fn somebody_who_speaks_only_msgr1() {
    let addr = impostor(b"ceph v027").to_string();
    fail(&["ping", &addr], exit::INCOMPATIBLE, &["msgr1", "3300"]);
}

#[test]
fn an_address_of_msgr1_alone() {
    fail(&["ping", "v1:127.0.0.1:6789"], exit::INCOMPATIBLE, &["v2 address"]);
}

#[test]
fn another_daemon_than_expected() {
    let server = Server::start(&[]);
    let words = ["type osd answered", "help: leave --peer out, or give --peer osd"];
    fail(&["ping", &server.addr(), "--peer", "mon"], exit::INCOMPATIBLE, &words);
}

#[test]
fn another_nonce_than_the_peer_s() {
    let server = Server::start(&[]);
    let addr = format!("v2:{}/4711", server.addr());
    fail(&["ping", &addr], exit::CANNOT_CONNECT, &["4711", "nonce"]);
}

#[test]
fn a_service_with_keys_wants_a_ticket() {
    let keyring = service_keyring();
    let server = Server::start(&["--auth", "cephx", "--keyring", keyring.text()]);
    fail(&["ping", &server.addr()], exit::REFUSED, &["cephx", "--keyring"]);
    let named = ["ping", &server.addr(), "--keyring", keyring.text(), "--name", "osd.0"];
    fail(&named, exit::REFUSED, &["--mon-host"]);
}

#[test]
fn a_server_that_hangs_is_found_by_its_keepalives() {
    let server = Server::start(&[]);
    let args = ["ping", &server.addr(), "--count", "100", "--interval", "0.05", "--timeout", "1"];
    let args: Vec<_> = args.iter().map(ToString::to_string).collect();
    let ping = std::thread::spawn(move || axon(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    std::thread::sleep(Duration::from_millis(700));
    server.signal("STOP");
    let run = ping.join().unwrap();
    assert_eq!(run.status.code(), Some(exit::TIMED_OUT), "{}", run.both());
}
