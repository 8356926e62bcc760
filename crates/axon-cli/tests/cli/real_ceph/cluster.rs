//! A cluster with cephx.

use crate::harness::{File, exit, fail, json};
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
