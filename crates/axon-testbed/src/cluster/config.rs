//! The text of `ceph.conf`.

use super::{Auth, Cluster, Monitor};
use std::fmt::Write;

impl Cluster {
    pub(super) fn conf_text(&self) -> String {
        let dir = self.dir().display();
        let auth = match self.plan.auth {
            Auth::None => "none",
            Auth::Cephx => "cephx",
        };
        let hosts: Vec<_> = self.monitors.iter().map(Monitor::addrs).collect();
        let lib = self.tree.lib();
        let mut text = String::from("[global]\n");
        let mut set = |option: &str, value: &dyn std::fmt::Display| {
            writeln!(text, "{option} = {value}").expect("a string takes all");
        };
        set("fsid", &self.fsid);
        set("mon host", &hosts.join(" "));
        for who in ["cluster", "service", "client"] {
            set(&format!("auth {who} required"), &auth);
        }
        for (option, file) in [
            ("keyring", "$name.keyring"),
            ("admin socket", "$name.$pid.asok"),
            ("log file", "$name.log"),
            ("pid file", "$name.pid"),
            ("run dir", "."),
            ("mon data", "mon.$id"),
            ("osd data", "osd.$id"),
            ("mgr data", "mgr.$id"),
            ("mds data", "mds.$id"),
            ("crash dir", "crash"),
        ] {
            set(option, &format_args!("{dir}/{file}"));
        }
        set("plugin dir", &lib.join("ceph").display());
        set("erasure code dir", &lib.join("ceph/erasure-code").display());
        set("osd class dir", &lib.join("rados-classes").display());
        let modules = self.tree.path("usr/share/ceph/mgr");
        set("mgr module path", &modules.display());
        for (option, value) in FIXED {
            set(option, value);
        }
        set("ms bind port min", self.daemon_ports.start());
        set("ms bind port max", self.daemon_ports.end());
        set("ms bind msgr1", &self.plan.msgr1);
        // The file system's pools and monitors with no quorum aside, nothing above depends on these.
        for (option, value) in &self.plan.options {
            set(option, value);
        }
        // Monitors share a key, whatever their own names are.
        text.push_str(&format!("[mon]\nkeyring = {dir}/mon..keyring\n"));
        // Commands log to their standard error only: a log file a test reads is a daemon's.
        text.push_str("[client]\nlog file =\nadmin socket =\npid file =\n");
        text
    }
}

impl Monitor {
    /// Both addresses as monitor maps spell them.
    pub(super) fn addrs(&self) -> String {
        match self.v1 {
            Some(v1) => format!("[v2:{},v1:{v1}]", self.v2),
            None => format!("[v2:{}]", self.v2),
        }
    }
}

/// One machine, throw-away data, quick boot, quiet health.
const FIXED: &[(&str, &str)] = &[
    ("public addr", "127.0.0.1"),
    ("cluster addr", "127.0.0.1"),
    ("ms bind ipv6", "false"),
    ("osd objectstore", "memstore"),
    ("memstore device bytes", "2147483648"),
    ("osd pool default size", "1"),
    ("osd pool default min size", "1"),
    ("osd pool default pg autoscale mode", "off"),
    ("osd crush chooseleaf type", "0"),
    ("osd crush update on start", "true"),
    ("mon allow pool size one", "true"),
    ("mon allow pool delete", "true"),
    ("mon max pg per osd", "1000"),
    // Monitors complain, and end, when that share of the disk is free or less, in percent: of a large one, 0 % is plenty.
    ("mon data avail warn", "-1"),
    ("mon data avail crit", "-1"),
    ("mon warn on pool no redundancy", "false"),
    ("auth allow insecure global id reclaim", "false"),
    ("paxos propose interval", "0.05"),
    ("paxos min wait", "0.01"),
];
