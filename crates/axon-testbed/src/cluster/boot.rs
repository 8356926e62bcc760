//! Bringing a cluster up: keys, monitor map, daemons.

use super::{COMMAND_TIMEOUT, Cluster, ClusterBuilder, DAEMON_TIMEOUT, Monitor, local};
use crate::port::daemon_ports;
use crate::process::run_ok;
use crate::redirect::Redirects;
use crate::{Process, Scratch, Tap, TestbedError, Tree, free_port};
use std::fs;

/// Attempts with other ports, for the case that somebody took a port between its choice and its use.
const ATTEMPTS: u32 = 3;

impl Cluster {
    pub(super) fn boot(plan: ClusterBuilder) -> Result<Self, TestbedError> {
        let mut attempt = 1;
        loop {
            match Self::boot_once(plan.clone()) {
                Err(TestbedError::NotReady { log, .. })
                    if attempt < ATTEMPTS && log.contains("Address already in use") =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn boot_once(plan: ClusterBuilder) -> Result<Self, TestbedError> {
        let scratch = Scratch::new("cluster")?;
        let mut cluster = Self {
            daemons: Vec::new(),
            tree: Tree::find(plan.release)?,
            fsid: uuid()?,
            monitors: monitor_map(&plan),
            daemon_ports: daemon_ports(),
            redirects: Redirects::new(scratch.path()),
            scratch,
            plan,
        };
        cluster.scratch.write("ceph.conf", cluster.conf_text())?;
        if let Some(tap) = &cluster.plan.tap {
            cluster.redirects.all_to(tap)?;
        }
        cluster.make_keyrings()?;
        cluster.start_monitors()?;
        if cluster.plan.foreign.is_empty() {
            cluster.start_others()?;
        }
        Ok(cluster)
    }

    /// Sends connections made by this cluster's daemons and commands to `from` (on 127.0.0.1) to `to` from
    /// now on; `from == to` undoes it. Both ends go on believing in `from`. For a [`Tap`](crate::Tap).
    ///
    /// # Errors
    /// When the table of redirections cannot be written.
    pub fn redirect(&self, from: u16, to: u16) -> Result<(), TestbedError> {
        self.redirects.set(from, to)
    }

    /// Leads all connections made by this cluster's daemons and commands through a [`Tap::for_all`] from now on; those
    /// that exist stay where they are.
    ///
    /// # Errors
    /// When the table of redirections cannot be written.
    pub fn through(&self, tap: &Tap) -> Result<(), TestbedError> {
        self.redirects.all_to(tap)
    }

    pub(super) fn spawn_daemon(&self, name: &str) -> Result<Process, TestbedError> {
        let (kind, id) = name.split_once('.').unwrap_or((name, ""));
        let mut command = self.command(&format!("ceph-{kind}"))?;
        command.args(["-f", "-i", id]).env("AXON_NAME", name);
        if kind == "mgr" {
            self.tree.set_python(&mut command);
        }
        Process::spawn(name, &command, &self.dir().join(format!("{name}.out")))
    }

    /// Keys for everybody, made before the monitors so that they start out knowing them.
    fn make_keyrings(&self) -> Result<(), TestbedError> {
        const ALL: &str = "allow *";
        self.make_keyring("mon.", &[("mon", ALL)])?;
        let admin = [("mon", ALL), ("osd", ALL), ("mgr", ALL), ("mds", ALL)];
        self.make_keyring("client.admin", &admin)?;
        for id in 0..self.plan.osds {
            let caps = [("mon", "allow profile osd"), ("osd", ALL), ("mgr", "allow profile osd")];
            self.make_keyring(&format!("osd.{id}"), &caps)?;
        }
        if self.plan.mgr {
            let caps = [("mon", "allow profile mgr"), ("osd", ALL), ("mds", ALL)];
            self.make_keyring("mgr.x", &caps)?;
        }
        if self.plan.mds {
            let caps = [("mon", "allow profile mds"), ("osd", ALL), ("mds", "allow")];
            self.make_keyring("mds.a", &caps)?;
        }
        self.join_keyrings()
    }

    fn make_keyring(&self, entity: &str, caps: &[(&str, &str)]) -> Result<(), TestbedError> {
        let mut command = self.tree.command("ceph-authtool");
        command.args(["--create-keyring", "--gen-key", "-n", entity]).arg(self.keyring(entity));
        for (service, cap) in caps {
            command.args(["--cap", service, cap]);
        }
        run_ok(&command, COMMAND_TIMEOUT).map(drop)
    }

    fn join_keyrings(&self) -> Result<(), TestbedError> {
        let entries = fs::read_dir(self.dir()).map_err(TestbedError::io("list", self.dir()))?;
        let mut all = String::new();
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "keyring") {
                all += &fs::read_to_string(&path).map_err(TestbedError::io("read", &path))?;
            }
        }
        self.scratch.write("all-keys", all).map(drop)
    }

    fn start_monitors(&mut self) -> Result<(), TestbedError> {
        let map = self.dir().join("monmap");
        let mut make = self.tree.command("monmaptool");
        make.args(["--create", "--clobber", "--fsid", &self.fsid]);
        for monitor in &self.monitors {
            make.args(["--addv", &monitor.id, &monitor.addrs()]);
        }
        run_ok(make.arg(&map), COMMAND_TIMEOUT)?;
        let ids = self.monitors.iter().filter(|m| !m.foreign);
        let ids: Vec<_> = ids.map(|m| m.id.clone()).collect();
        for id in &ids {
            let mut mkfs = self.command("ceph-mon")?;
            mkfs.args(["--mkfs", "-i", id]);
            mkfs.arg("--monmap").arg(&map);
            mkfs.arg("--keyring").arg(self.dir().join("all-keys"));
            run_ok(&mkfs, DAEMON_TIMEOUT)?;
            self.start(&format!("mon.{id}"))?;
        }
        for id in &ids {
            // Logged when the daemon begins to look for its peers, its addresses bound.
            self.wait_for_log(&format!("mon.{id}"), "(probing)", DAEMON_TIMEOUT)?;
        }
        Ok(())
    }

    fn start_others(&mut self) -> Result<(), TestbedError> {
        if self.plan.mgr {
            self.start("mgr.x")?;
        }
        for id in 0..self.plan.osds {
            self.start_new_osd(id)?;
        }
        if self.plan.osds == 0 {
            // Any command that answers shows that there is a quorum.
            self.ceph(&["--connect-timeout", "30", "mon", "stat"])?;
        }
        for id in 0..self.plan.osds {
            let up = "state: booting -> active";
            self.wait_for_log(&format!("osd.{id}"), up, DAEMON_TIMEOUT)?;
        }
        for (name, groups) in self.plan.pools.clone() {
            let groups = groups.to_string();
            self.ceph(&["osd", "pool", "create", &name, &groups, &groups])?;
        }
        if self.plan.mds {
            self.start_file_system()?;
        }
        if self.plan.mgr {
            self.wait_for_log("mgr.x", "Activating!", DAEMON_TIMEOUT)?;
        }
        Ok(())
    }

    fn start_new_osd(&mut self, id: u32) -> Result<(), TestbedError> {
        let name = format!("osd.{id}");
        let (uuid, text) = (uuid()?, id.to_string());
        fs::create_dir_all(self.dir().join(&name))
            .map_err(TestbedError::io("create", self.dir().join(&name)))?;
        self.ceph(&["--connect-timeout", "30", "osd", "new", &uuid, &text])?;
        let mut mkfs = self.command("ceph-osd")?;
        mkfs.args(["--mkfs", "-i", &text, "--osd-uuid", &uuid]);
        mkfs.arg("--monmap").arg(self.dir().join("monmap"));
        run_ok(&mkfs, DAEMON_TIMEOUT)?;
        self.start(&name)
    }

    fn start_file_system(&mut self) -> Result<(), TestbedError> {
        for pool in ["cephfs.meta", "cephfs.data"] {
            self.ceph(&["osd", "pool", "create", pool, "8", "8"])?;
        }
        self.ceph(&["fs", "new", "cephfs", "cephfs.meta", "cephfs.data"])?;
        self.start("mds.a")?;
        self.wait_for_log("mds.a", "--> up:active", DAEMON_TIMEOUT)
    }
}

fn monitor_map(plan: &ClusterBuilder) -> Vec<Monitor> {
    let own = (0..plan.monitors).map(|n| Monitor {
        id: char::from(b'a' + n as u8).to_string(),
        v2: local(free_port()),
        v1: plan.msgr1.then(|| local(free_port())),
        foreign: false,
    });
    let foreign =
        plan.foreign.iter().map(|(id, addr)| Monitor { id: id.clone(), v2: *addr, v1: None, foreign: true });
    own.chain(foreign).collect()
}

fn uuid() -> Result<String, TestbedError> {
    let path = "/proc/sys/kernel/random/uuid";
    let text = fs::read_to_string(path).map_err(TestbedError::io("read", path))?;
    Ok(text.trim().to_owned())
}
