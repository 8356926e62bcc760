//! A monitor as something to dial.

use crate::MonMap;
use axon_denc::AddrVec;
use std::fmt;

/// A monitor: where it is, and its name once a monitor map said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name, without `mon.`.
    pub name: Option<String>,
    /// Its addresses.
    pub addrs: AddrVec,
}

impl Target {
    /// The monitors of a configuration, which gives addresses only.
    pub(super) fn of_hosts(hosts: &[AddrVec]) -> Vec<Self> {
        hosts.iter().map(|addrs| Self { name: None, addrs: addrs.clone() }).collect()
    }

    /// Whether both have an address in common.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.addrs.iter().any(|addr| other.addrs.contains(addr))
    }

    /// The monitors of a map.
    pub(super) fn of_map(map: &MonMap) -> Vec<Self> {
        let target = |(name, mon): (&str, &crate::MonInfo)| Self {
            name: Some(name.to_owned()),
            addrs: mon.addrs.clone(),
        };
        map.by_rank().map(target).collect()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "mon.{name} at {}", self.addrs),
            None => write!(f, "the monitor at {}", self.addrs),
        }
    }
}
