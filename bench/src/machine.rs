//! What the figures were measured on, and with which versions.

use crate::fleet::Fleet;
use crate::peer::Peer;
use crate::stamp::first_line;
use axon_testbed::{Release, Tree, prepare};
use serde::{Deserialize, Serialize};
use std::fs;
use std::thread;

/// The facts that figures depend on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The processor's name.
    pub(crate) processor: String,
    /// Cores this program may use.
    pub(crate) cores: usize,
    /// Whether the machine is virtual.
    pub(crate) virtual_machine: bool,
    /// Memory in MiB.
    pub(crate) memory_mib: u64,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// The distribution.
    pub(crate) system: String,
    /// How the kernel chooses the processor's clock, if it does.
    pub(crate) governor: String,
    /// The day of the run.
    pub(crate) date: String,
}

/// A name and its version.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Version {
    /// What.
    pub(crate) name: &'static str,
    /// Which.
    pub(crate) version: String,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let known = |text: String| if text.is_empty() { "unknown".to_owned() } else { text };
        Self {
            processor: known(field(&cpuinfo, "model name", ':')),
            cores: thread::available_parallelism().map_or(1, usize::from),
            virtual_machine: field(&cpuinfo, "flags", ':').split(' ').any(|flag| flag == "hypervisor"),
            memory_mib: number(&field(&read("/proc/meminfo"), "MemTotal", ':')) / 1024,
            kernel: known(read("/proc/sys/kernel/osrelease").trim().into()),
            system: known(field(&read("/etc/os-release"), "PRETTY_NAME", '=').trim_matches('"').into()),
            governor: known(read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").trim().into()),
            date: first_line("date", &["+%Y-%m-%d"]),
        }
    }
}

impl Machine {
    /// Whether figures of both may stand side by side.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.processor, self.cores, &self.kernel) == (&other.processor, other.cores, &other.kernel)
    }
}

/// The versions of everything that was measured, as far as they are there.
pub(crate) fn versions(fleet: &Fleet) -> Vec<Version> {
    let ceph = Tree::find(Release::Reef).and_then(|tree| prepare::version(&tree));
    let axon = match first_line("git", &["rev-parse", "--short", "HEAD"]) {
        commit if commit.is_empty() => fleet.axon_version(),
        commit => format!("{}, commit {commit}", fleet.axon_version()),
    };
    let all = [
        ("Axon", axon),
        ("Ceph", ceph.unwrap_or_default()),
        ("ZeroMQ", fleet.packaged_version(Peer::ZeroMq)),
        ("nng", fleet.packaged_version(Peer::Nng)),
        ("UCX", fleet.packaged_version(Peer::Ucx)),
        ("tonic", locked("tonic")),
        ("rustc", first_line("rustc", &["--version"])),
    ];
    all.into_iter().map(|(name, version)| Version { name, version }).collect()
}

/// The version of a crate that this program was built with.
fn locked(name: &str) -> String {
    const LOCK: &str = include_str!("../../Cargo.lock");
    let entry = LOCK.split("[[package]]").find(|entry| entry.contains(&format!("name = \"{name}\"\n")));
    entry.map(|entry| field(entry, "version", '=').trim_matches('"').to_owned()).unwrap_or_default()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of the first line that begins with `name`.
fn field(text: &str, name: &str, separator: char) -> String {
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(separator)).map_or("", |(_, value)| value.trim()).to_owned()
}

fn number(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        assert_eq!(field("a : 1\nmodel name\t: Fast 9000\n", "model name", ':'), "Fast 9000");
        assert_eq!(field("", "x", ':'), "");
        assert_eq!(number("16 kB"), 16);
        assert!(locked("tonic").starts_with("0."), "{}", locked("tonic"));
    }
}
