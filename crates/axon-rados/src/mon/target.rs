//! A monitor as something to dial.

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
    /// Whether both have an address in common.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.addrs.iter().any(|addr| other.addrs.contains(addr))
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
