//! A real Ceph cluster on loopback, alive as long as the value.

mod boot;
mod builder;
mod config;

pub use builder::{Auth, ClusterBuilder, Mode};

use crate::process::{run_ok, tail};
use crate::redirect::Redirects;
use crate::{Process, Run, Scratch, TestbedError, Tree};
use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long a command given to the cluster may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a daemon may take to start or to end in good order, on a slow machine that does other things, too.
const DAEMON_TIMEOUT: Duration = Duration::from_secs(180);
/// Nothing of a cluster that is dropped is worth waiting for.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// A running cluster: monitors, and whatever else its builder was told. Dropping it ends every daemon and
/// removes its folder; so does the end of the process, when the cluster sits in a static shared by several
/// tests.
#[derive(Debug)]
pub struct Cluster {
    // Declared before the folder: daemons are gone before it is removed.
    daemons: Vec<Process>,
    tree: Tree,
    plan: ClusterBuilder,
    fsid: String,
    monitors: Vec<Monitor>,
    daemon_ports: RangeInclusive<u16>,
    redirects: Redirects,
    scratch: Scratch,
}

/// A monitor's place in the monitor map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    /// Its id: `a` of `mon.a`.
    pub id: String,
    /// Where it listens for msgr2; a monitor's nonce is 0.
    pub v2: SocketAddr,
    /// Where it listens for msgr1, unless that is off.
    pub v1: Option<SocketAddr>,
    /// Whether the address is somebody else's: in the map, but no daemon of this cluster.
    pub foreign: bool,
}

/// A daemon's public msgr2 address as the cluster's maps have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaemonAddr {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The nonce that belongs to the address.
    pub nonce: u32,
}

impl Cluster {
    /// A cluster to be described: one monitor, no OSD, Ceph 16.2, cephx, Ceph's default modes.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::default()
    }

    /// The release it runs.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The cluster's UUID.
    pub fn fsid(&self) -> &str {
        &self.fsid
    }

    /// The folder with configuration, keyrings, logs and data.
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// `ceph.conf`.
    pub fn conf(&self) -> PathBuf {
        self.dir().join("ceph.conf")
    }

    /// The keyring of an entity that exists: `client.admin`, `osd.0`, or one made by [`Cluster::add_entity`].
    /// `mon.` is the key the monitors share.
    pub fn keyring(&self, entity: &str) -> PathBuf {
        self.dir().join(format!("{entity}.keyring"))
    }

    /// An entity's secret, as base64.
    ///
    /// # Errors
    /// When it has no keyring here.
    pub fn key(&self, entity: &str) -> Result<String, TestbedError> {
        let path = self.keyring(entity);
        let text = fs::read_to_string(&path).map_err(TestbedError::io("read", &path))?;
        key_in(&text, entity)
            .ok_or(TestbedError::Unexpected { what: path.display().to_string(), output: text })
    }

    /// The monitor map, foreign ones included.
    pub fn monitors(&self) -> &[Monitor] {
        &self.monitors
    }

    /// Where the first monitor listens for msgr2.
    pub fn mon_addr(&self) -> SocketAddr {
        self.monitors[0].v2
    }

    /// An OSD's public address, from the OSD map.
    ///
    /// # Errors
    /// When the map cannot be had or does not have it.
    pub fn osd_addr(&self, id: u32) -> Result<DaemonAddr, TestbedError> {
        self.osd_map_addr(id, "public_addrs")
    }

    /// An OSD's address towards other OSDs, from the OSD map.
    ///
    /// # Errors
    /// When the map cannot be had or does not have it.
    pub fn osd_cluster_addr(&self, id: u32) -> Result<DaemonAddr, TestbedError> {
        self.osd_map_addr(id, "cluster_addrs")
    }

    /// A program of the release (`rados`, `ceph-authtool`) that finds this cluster, to be run with
    /// [`run`](crate::run) or [`Process::spawn`]. It is `client.admin` unless told otherwise by `--name` and
    /// `--keyring`.
    ///
    /// # Errors
    /// When the library that redirects connections is needed and cannot be compiled.
    pub fn command(&self, program: &str) -> Result<Command, TestbedError> {
        let mut command = self.redirects.command(&self.tree, program, &[])?;
        command.arg("-c").arg(self.conf());
        Ok(command)
    }

    /// The release's Python, with its modules `rados`, `cephfs` and so on; `-c` is Python's own here, not the
    /// cluster's configuration.
    ///
    /// # Errors
    /// As [`Cluster::command`].
    pub fn python(&self) -> Result<Command, TestbedError> {
        let mut command = self.redirects.command(&self.tree, "python3", &[])?;
        self.tree.set_python(&mut command);
        Ok(command)
    }

    /// Runs `ceph ARGS` as `client.admin` and returns its standard output.
    ///
    /// # Errors
    /// When it fails or takes longer than a minute.
    pub fn ceph(&self, args: &[&str]) -> Result<String, TestbedError> {
        Ok(self.run("ceph", args)?.stdout)
    }

    /// Runs `ceph ARGS --format json` and parses what it prints.
    ///
    /// # Errors
    /// When it fails, takes longer than a minute, or prints something else.
    pub fn ceph_json(&self, args: &[&str]) -> Result<Value, TestbedError> {
        let output = self.ceph(&[args, &["--format", "json"]].concat())?;
        serde_json::from_str(&output)
            .map_err(|_| TestbedError::Unexpected { what: format!("ceph {}", args.join(" ")), output })
    }

    /// Runs any program of the release on this cluster, to success.
    ///
    /// # Errors
    /// When it fails or takes longer than a minute.
    pub fn run(&self, program: &str, args: &[&str]) -> Result<Run, TestbedError> {
        let mut command = self.command(program)?;
        command.args(args);
        run_ok(&command, COMMAND_TIMEOUT)
    }

    /// Makes an entity (`osd.77`, `client.me`) with capabilities given as (service, caps) pairs, and returns its
    /// keyring.
    ///
    /// # Errors
    /// When the monitor refuses.
    pub fn add_entity(&self, entity: &str, caps: &[(&str, &str)]) -> Result<PathBuf, TestbedError> {
        let mut args = vec!["auth", "get-or-create", entity];
        args.extend(caps.iter().flat_map(|(service, cap)| [*service, *cap]));
        let text = self.ceph(&args)?;
        self.scratch.write(&format!("{entity}.keyring"), text)
    }

    /// A running daemon by name: `mon.a`, `osd.0`, `mgr.x`, `mds.a`. `None` when it was never started.
    pub fn daemon(&mut self, name: &str) -> Option<&mut Process> {
        self.daemons.iter_mut().find(|d| d.name() == name)
    }

    /// Stops a daemon in good order (SIGTERM).
    pub fn stop(&mut self, name: &str) {
        if let Some(at) = self.daemons.iter().position(|d| d.name() == name) {
            let mut daemon = self.daemons.remove(at);
            daemon.terminate();
            daemon.stop_within(DAEMON_TIMEOUT);
        }
    }

    /// Ends a daemon as a crash would (SIGKILL). What its store had not made durable is lost: all of it unless the store
    /// is BlueStore.
    pub fn kill(&mut self, name: &str) {
        self.daemons.retain(|daemon| daemon.name() != name); // dropped: killed
    }

    /// Starts a daemon that was stopped or killed.
    ///
    /// # Errors
    /// When it does not start. Does not wait until it serves.
    pub fn start(&mut self, name: &str) -> Result<(), TestbedError> {
        let daemon = self.spawn_daemon(name)?;
        self.daemons.push(daemon);
        Ok(())
    }

    /// All of a daemon's log. What it logs is set by the builder's options (`debug_ms`).
    pub fn log(&self, name: &str) -> String {
        let read = |ending: &str| {
            let bytes = fs::read(self.dir().join(format!("{name}.{ending}"))).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        read("out") + &read("log")
    }

    /// Waits until a daemon's log contains `text`.
    ///
    /// # Errors
    /// [`TestbedError::NotReady`] when it ends or `timeout` passes without.
    pub fn wait_for_log(&mut self, name: &str, text: &str, timeout: Duration) -> Result<(), TestbedError> {
        let start = Instant::now();
        while !self.log(name).contains(text) {
            let ended = self.daemon(name).is_none_or(|d| d.ended().is_some());
            if ended || start.elapsed() >= timeout {
                return Err(TestbedError::NotReady {
                    what: name.into(),
                    after: start.elapsed(),
                    log: tail(&self.log(name), 60),
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn osd_map_addr(&self, id: u32, which: &str) -> Result<DaemonAddr, TestbedError> {
        let map = self.ceph_json(&["osd", "dump"])?;
        let osds = map["osds"].as_array().into_iter().flatten();
        osds.filter(|osd| osd["osd"] == id)
            .flat_map(|osd| osd[which]["addrvec"].as_array().into_iter().flatten())
            .find(|addr| addr["type"] == "v2")
            .and_then(daemon_addr)
            .ok_or_else(|| TestbedError::Unexpected {
                what: format!("ceph osd dump, asked for osd.{id}"),
                output: map.to_string(),
            })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &self.daemons {
            daemon.terminate();
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        for daemon in &mut self.daemons {
            daemon.stop_within(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

fn daemon_addr(value: &Value) -> Option<DaemonAddr> {
    Some(DaemonAddr {
        addr: value["addr"].as_str()?.parse().ok()?,
        nonce: value["nonce"].as_u64()?.try_into().ok()?,
    })
}

fn key_in(keyring: &str, entity: &str) -> Option<String> {
    let section = keyring.split_once(&format!("[{entity}]"))?.1;
    let line = section.lines().find(|l| l.trim().starts_with("key"))?;
    Some(line.split_once('=')?.1.trim().to_owned())
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
