//! A cluster with cephx.

use crate::harness::{File, Server, axon, exit, fail, json, succeed};
use axon_testbed::{Cluster, Mode, free_port};
use serde_json::Value;
use std::path::Path;
use std::sync::OnceLock;

/// With Ceph's default modes: crc and secure are both allowed.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::builder().osds(1).boot().unwrap())
}

/// That allows nothing but crc.
fn crc_cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::builder().mode(Mode::Crc).boot().unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `axon ping` of the first monitor as `client.admin`.
fn ping_args(cluster: &Cluster) -> Vec<String> {
    let keyring = cluster.keyring("client.admin");
    ["ping", &cluster.mon_addr().to_string(), "--peer", "mon", "--keyring", text(&keyring)]
        .map(Into::into)
        .into()
}

fn ping(cluster: &Cluster, more: &[&str]) -> Value {
    let args = ping_args(cluster);
    let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    json(&[&args[..], &["--json"]].concat())
}

#[test]
fn a_monitor_in_both_modes() {
    let cluster = cluster();
    for (mode, cipher) in [("crc", "none"), ("secure", "aes-128-gcm")] {
        let report = ping(cluster, &["--mode", mode]);
        assert_eq!(report["peer"], "mon.0");
        assert_eq!((&report["mode"], &report["cipher"]), (&mode.into(), &cipher.into()));
        assert!(report["global_id"].as_u64().unwrap() > 0);
        assert!(report["addrs"].as_str().unwrap().contains(&cluster.mon_addr().to_string()), "{report}");
    }
    assert_eq!(ping(cluster, &[])["mode"], "secure", "what Ceph prefers with monitors");
}

#[test]
fn the_configuration_leads_to_the_key() {
    let cluster = cluster();
    let conf = cluster.conf();
    let report = json(&["ping", &cluster.mon_addr().to_string(), "--conf", text(&conf), "--json"]);
    assert_eq!(report["peer"], "mon.0");
}

#[test]
fn an_osd_with_a_ticket_from_the_monitor() {
    let cluster = cluster();
    let osd = cluster.osd_addr(0).unwrap();
    let addr = format!("v2:{}/{}", osd.addr, osd.nonce);
    let (keyring, mon) = (cluster.keyring("client.admin"), cluster.mon_addr().to_string());
    let found = ["--keyring", text(&keyring), "--mon-host", &mon, "--json"];
    for mode in ["crc", "secure"] {
        let report = json(&[&["ping", &addr, "--mode", mode], &found[..]].concat());
        assert_eq!((&report["peer"], &report["mode"]), (&"osd.0".into(), &mode.into()));
    }
    let stale = format!("v2:{}/{}", osd.addr, osd.nonce.wrapping_add(1));
    fail(&[&["ping", &stale], &found[..]].concat(), exit::CANNOT_CONNECT, &["nonce"]);
    let blind = ["ping", &addr, "--keyring", text(&keyring)];
    fail(&blind, exit::REFUSED, &["--mon-host"]);
}

#[test]
fn a_wrong_key() {
    let cluster = cluster();
    let wrong = std::fs::read_to_string(cluster.keyring("mon.")).unwrap().replace("[mon.]", "[client.admin]");
    let keyring = File::new("wrong.keyring", &wrong);
    let args = ["ping", &cluster.mon_addr().to_string(), "--peer", "mon", "--keyring", keyring.text()];
    fail(&args, exit::REFUSED, &["client.admin", "key is wrong"]);
}

#[test]
fn an_entity_the_cluster_does_not_know() {
    let cluster = cluster();
    let theirs = std::fs::read_to_string(cluster.keyring("client.admin")).unwrap();
    let keyring = File::new("nobody.keyring", &theirs.replace("[client.admin]", "[client.nobody]"));
    let addr = cluster.mon_addr().to_string();
    let args = ["ping", &addr, "--peer", "mon", "--name", "client.nobody", "--keyring", keyring.text()];
    fail(&args, exit::REFUSED, &["client.nobody", "does not exist"]);
}

#[test]
fn no_key_at_all() {
    let addr = cluster().mon_addr().to_string();
    fail(&["ping", &addr, "--peer", "mon"], exit::REFUSED, &["cephx", "--keyring"]);
}

#[test]
fn a_mode_the_cluster_refuses() {
    let cluster = crc_cluster();
    let args = ping_args(cluster);
    let args: Vec<&str> = args.iter().map(String::as_str).chain(["--mode", "secure"]).collect();
    fail(&args, exit::INCOMPATIBLE, &["mode", "--mode"]);
    assert_eq!(ping(cluster, &[])["mode"], "crc");
}

#[test]
fn the_monitor_s_port_for_msgr1() {
    let cluster = cluster();
    let v1 = cluster.monitors()[0].v1.unwrap().to_string();
    fail(&["ping", &v1, "--peer", "mon"], exit::INCOMPATIBLE, &["msgr1", "3300"]);
}

#[test]
fn a_port_nobody_listens_on() {
    let addr = format!("127.0.0.1:{}", free_port());
    fail(&["ping", &addr, "--peer", "mon"], exit::CANNOT_CONNECT, &["nothing listens"]);
}

/// `axon mon ...` as `client.admin` of the cluster.
fn mon_args<'a>(question: &[&'a str], keyring: &'a str, mon: &'a str) -> Vec<&'a str> {
    [&["mon"], question, &["--keyring", keyring, "--mon-host", mon]].concat()
}

#[test]
fn status_in_both_modes() {
    let cluster = cluster();
    let (keyring, mon) = (cluster.keyring("client.admin"), cluster.mon_addr().to_string());
    for mode in ["crc", "secure"] {
        let args = mon_args(&["status", "--json", "--mode", mode], text(&keyring), &mon);
        let status = json(&args);
        assert_eq!(status["fsid"], cluster.fsid());
        assert_eq!(status["osdmap"]["num_up_osds"], 1);
    }
    let for_people = succeed(&mon_args(&["status"], text(&keyring), &mon));
    assert!(for_people.contains("services:") && for_people.contains(cluster.fsid()), "{for_people}");
}

#[test]
fn commands_are_what_ceph_makes_of_them() {
    let cluster = cluster();
    let (keyring, conf) = (cluster.keyring("client.admin"), cluster.conf());
    let (keyring, mon) = (text(&keyring), cluster.mon_addr().to_string());
    let ask = |command: &str| succeed(&mon_args(&["command", command], keyring, &mon));
    assert_eq!(ask(r#"{"prefix": "fsid"}"#).trim(), cluster.fsid());
    let tree = cluster.ceph(&["osd", "tree"]).unwrap();
    assert_eq!(ask(r#"{"prefix": "osd tree"}"#).trim(), tree.trim());
    let by_conf = ["mon", "command", r#"{"prefix": "osd tree"}"#, "--conf", text(&conf), "--json"];
    assert_eq!(json(&by_conf), cluster.ceph_json(&["osd", "tree"]).unwrap());
}

#[test]
fn commands_that_fail_say_why() {
    let cluster = cluster();
    let (keyring, mon) = (cluster.keyring("client.admin"), cluster.mon_addr().to_string());
    let args = mon_args(&["command", r#"{"prefix": "frobnicate"}"#], text(&keyring), &mon);
    fail(&args, 1, &["error -22"]);
    for bad in ["status", "{}"] {
        fail(&mon_args(&["command", bad], text(&keyring), &mon), exit::USAGE, &["prefix"]);
    }
}

#[test]
fn questions_to_monitors_that_are_not_to_be_had() {
    let cluster = cluster();
    let keyring = cluster.keyring("client.admin");
    let keyring = text(&keyring);
    let closed = format!("v2:127.0.0.1:{}", free_port());
    let quick = ["status", "--timeout", "2"];
    fail(&mon_args(&quick, keyring, &closed), exit::CANNOT_CONNECT, &["nothing listens"]);
    let v1 = format!("v1:{}", cluster.monitors()[0].v1.unwrap());
    fail(&mon_args(&quick, keyring, &v1), exit::INCOMPATIBLE, &["v2"]);
    let v1_as_v2 = v1.replace("v1:", "v2:");
    fail(&mon_args(&quick, keyring, &v1_as_v2), exit::INCOMPATIBLE, &["msgr1"]);
    fail(&["mon", "status", "--keyring", keyring], exit::USAGE, &["--mon-host"]);
    let crc = crc_cluster();
    let (their_keyring, mon) = (crc.keyring("client.admin"), crc.mon_addr().to_string());
    let secure = ["status", "--mode", "secure"];
    fail(&mon_args(&secure, text(&their_keyring), &mon), exit::INCOMPATIBLE, &["mode"]);
    fail(&mon_args(&["status"], keyring, &mon), exit::REFUSED, &["key is wrong"]);
}

/// Our server as an OSD of the cluster, which learns its secrets from the monitors, and clients with the monitors' tickets.
#[test]
fn our_server_as_a_daemon_of_the_cluster() {
    let cluster = cluster();
    let mon = cluster.mon_addr().to_string();
    let keyring = cluster.add_entity("osd.77", &[("mon", "allow profile osd")]).unwrap();
    let as_osd = ["--auth", "cephx", "--name", "osd.77", "--keyring", text(&keyring), "--mon-host", &mon];
    let server = Server::start(&as_osd);
    let admin = cluster.keyring("client.admin");
    let as_admin = ["--keyring", text(&admin), "--mon-host", &mon];
    for mode in ["crc", "secure"] {
        let bench = ["bench", "--json", "--count", "500", "--connect", &server.addr(), "--mode", mode];
        let report = json(&[&bench[..], &as_admin].concat());
        assert_eq!((&report["messages"], &report["lost"]), (&500.into(), &0.into()));
    }
    let ping = json(&[&["ping", &server.addr(), "--json"], &as_admin[..]].concat());
    assert_eq!(ping["peer"], "osd.77");
    fail(&["bench", "--count", "1", "--connect", &server.addr()], exit::REFUSED, &["cephx"]);
}

#[test]
fn a_server_the_monitors_do_not_know() {
    let cluster = cluster();
    let mon = cluster.mon_addr().to_string();
    let theirs = std::fs::read_to_string(cluster.keyring("client.admin")).unwrap();
    let keyring = File::new("osd.keyring", &theirs.replace("[client.admin]", "[osd.99]"));
    let args = ["serve", "127.0.0.1:0", "--auth", "cephx", "--name", "osd.99", "--keyring", keyring.text()];
    let run = axon(&[&args[..], &["--mon-host", &mon]].concat());
    assert_eq!(run.status.code(), Some(exit::REFUSED), "{}", run.both());
}
