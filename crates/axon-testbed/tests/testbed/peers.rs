//! The testbed itself: every release boots and serves, the benchmark runs, the proxy records, and nothing
//! is left behind.

use axon_testbed::{
    Auth, Banner, Cluster, Conversation, Direction, Load, Mode, Perf, Process, Release, Scratch, Tap, run,
};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for something to become true.
fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(20));
    }
}

/// Writes an object and reads it back.
fn put_and_get(cluster: &Cluster) {
    let file = cluster.dir().join("in");
    std::fs::write(&file, "forty-two").unwrap();
    cluster.run("rados", &["-p", "p", "put", "o", file.to_str().unwrap()]).unwrap();
    let got = cluster.run("rados", &["-p", "p", "get", "o", "-"]).unwrap();
    assert_eq!(got.stdout, "forty-two");
    assert_ne!(cluster.osd_addr(0).unwrap().addr.port(), 0);
}

fn boot(release: Release) -> Cluster {
    let plan = Cluster::builder().release(release).osds(1).pool("p", 8);
    plan.boot().unwrap()
}

#[test]
fn nautilus_serves() {
    put_and_get(&boot(Release::Nautilus));
}

#[test]
fn pacific_serves() {
    put_and_get(&boot(Release::Pacific));
}

#[test]
fn reef_serves() {
    put_and_get(&boot(Release::Reef));
}

#[test]
fn tentacle_serves_with_its_longer_keys() {
    let cluster = boot(Release::Tentacle);
    put_and_get(&cluster);
    assert!(cluster.key("client.admin").unwrap().starts_with("Ag"));
}

#[test]
fn without_authentication_and_with_a_manager() {
    let plan = Cluster::builder().auth(Auth::None).mgr().osds(1);
    let cluster = plan.pool("p", 8).boot().unwrap();
    put_and_get(&cluster);
    let status = cluster.ceph_json(&["mgr", "dump"]).unwrap();
    assert_eq!(status["active_name"], "x");
}

#[test]
fn encrypted_with_a_file_system_and_two_monitors() {
    let plan = Cluster::builder().mode(Mode::Secure).osds(1).mds();
    let cluster = plan.monitors(2).boot().unwrap();
    let status = cluster.ceph_json(&["mon", "stat"]).unwrap();
    assert_eq!(status["quorum"].as_array().unwrap().len(), 2);
    let file_systems = cluster.ceph(&["fs", "ls"]).unwrap();
    assert!(file_systems.contains("cephfs"), "{file_systems}");
}

#[test]
fn entities_are_made_and_wrong_keys_refused() {
    let cluster = Cluster::builder().boot().unwrap();
    let keyring = cluster.add_entity("client.me", &[("mon", "allow r")]).unwrap();
    let as_me = |keyring: &Path| {
        let mut command = cluster.command("ceph").unwrap();
        command.args(["--connect-timeout", "60", "--name", "client.me"]);
        command.arg("--keyring").arg(keyring).arg("fsid");
        run(&command, 120 * SECOND).unwrap()
    };
    assert_eq!(as_me(&keyring).stdout.trim(), cluster.fsid());
    let text = std::fs::read_to_string(&keyring).unwrap();
    let (mine, others) = (cluster.key("client.me").unwrap(), cluster.key("mon.").unwrap());
    let forged = cluster.dir().join("forged");
    std::fs::write(&forged, text.replace(&mine, &others)).unwrap();
    assert!(!as_me(&forged).status.success());
}

#[test]
fn a_foreign_monitor_is_dialled() {
    let us = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = us.local_addr().unwrap();
    let _cluster = Cluster::builder().foreign_monitor("us", addr).boot().unwrap();
    us.set_nonblocking(true).unwrap();
    let mut accepted = None;
    eventually("a connection", || {
        accepted = us.accept().ok();
        accepted.is_some()
    });
    let (mut dialled, _) = accepted.unwrap();
    dialled.set_nonblocking(false).unwrap();
    dialled.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut start = [0; 8];
    std::io::Read::read_exact(&mut dialled, &mut start).unwrap();
    assert_eq!(&start, b"ceph v2\n");
}

#[test]
fn redirected_connections_are_recorded() {
    let cluster = Cluster::builder().boot().unwrap();
    let tap = Tap::start(cluster.mon_addr(), 1 << 20).unwrap();
    cluster.redirect(cluster.mon_addr().port(), tap.addr().port()).unwrap();
    cluster.ceph(&["fsid"]).unwrap();
    let said = &tap.conversations()[0];
    assert!(said.bytes(Direction::ToServer).starts_with(b"ceph v2\n"));
    assert!(said.len(Direction::ToClient) > 500);
}

#[test]
fn the_cpp_benchmark_runs() {
    let perf = Perf::new(Release::Reef).unwrap();
    let server = perf.server(1, Duration::ZERO).unwrap();
    let load = Load { jobs: 1, concurrency: 32, ios: 2000, think: Duration::ZERO, len: 64 };
    let result = perf.client(server.addr(), load, PATIENCE).unwrap();
    assert_eq!(result.ops, 2000);
}

#[test]
fn osds_reconnect_through_a_proxy_that_cuts() {
    let tap = Arc::new(Tap::for_all(1 << 20, Banner::Kept).unwrap());
    let plan = Cluster::builder().osds(2).mode(Mode::Crc).through(&tap);
    let plan = plan.set("osd_pool_default_size", "2");
    let cluster = plan.pool("p", 8).boot().unwrap();
    put_and_get(&cluster);
    let ports = [0, 1].map(|id| cluster.osd_cluster_addr(id).unwrap().addr);
    let between_osds = |said: &Conversation| {
        said.title.starts_with("osd.") && ports.iter().any(|addr| said.title.ends_with(&addr.to_string()))
    };
    let count = || tap.conversations().iter().filter(|c| between_osds(c)).count();
    let before = count();
    assert!(before >= 1);
    tap.cut_where(between_osds);
    put_and_get(&cluster);
    const RECONNECT: u8 = 11;
    let reconnects =
        |said: &Conversation| said.bytes(Direction::ToServer).windows(2).any(|w| w == [RECONNECT, 1]);
    eventually("a reconnect", || {
        tap.conversations().iter().filter(|c| between_osds(c)).skip(before).any(reconnects)
    });
}

/// Run by the next test in a process of its own, which it kills.
#[test]
#[ignore = "waits to be killed"]
fn waits_to_be_killed() {
    let scratch = Scratch::new("orphan").unwrap();
    let mut command = Command::new("sleep");
    command.arg("600");
    let log = scratch.path().join("log");
    let orphan = Process::spawn("sleep", &command, &log).unwrap();
    println!("orphan {} {}", orphan.id(), scratch.path().display());
    sleep(600 * SECOND);
}

#[test]
fn nothing_outlives_a_killed_test_run() {
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "peers::waits_to_be_killed", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(test.stdout.take().unwrap());
    let line = output.lines().map_while(Result::ok).find(|l| l.contains("orphan "));
    let line = line.expect("the process says what it started");
    let mut words = line.split("orphan ").nth(1).unwrap().split(' ');
    let (pid, dir) = (words.next().unwrap(), words.next().unwrap());
    let process = Path::new("/proc").join(pid);
    assert!(process.exists() && Path::new(dir).exists());
    test.kill().unwrap();
    test.wait().unwrap();
    eventually(&format!("the end of {line}"), || !process.exists() && !Path::new(dir).exists());
}
