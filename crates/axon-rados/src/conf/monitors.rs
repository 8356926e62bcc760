//! Where the monitors are.
//!
//! | if there is | the monitors are |
//! |---|---|
//! | the option `monmap` | those of the monitor map in that file, as `monmaptool` makes it |
//! | `mon host` | those |
//! | `mon addr` in sections `[mon.ID]` | those |
//! | nothing of it | the hosts of the service that `mon dns srv name` names (`ceph-mon`, or `NAME_DOMAIN`) in DNS |
//!
//! Ceph: `MonMap::build_initial`, `MonMap::init_with_dns_srv` in `src/mon/MonMap.cc`.

use super::error::NoMonHost;
use super::mon_host::of_service;
use super::resolver::{Resolve, SystemResolver};
use super::{ConfError, EntityConf};
use crate::msg::Fsid;
use crate::{MonInfo, MonMap};
use axon_denc::Decode;
use std::fs;
use std::io;
use std::path::PathBuf;

/// The monitors as a configuration knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Monitors {
    /// Their addresses, priorities and weights.
    pub mons: Vec<MonInfo>,
    /// The cluster's id, if a monitor map says it.
    pub fsid: Option<Fsid>,
}

/// The service asked for if the configuration says nothing.
const SERVICE: &str = "ceph-mon";

impl EntityConf<'_> {
    /// The monitors. Names are resolved by the system, within [`SystemResolver::LIMIT`] each.
    ///
    /// # Errors
    /// [`ConfError::NoMonHost`], [`ConfError::MonHost`], [`ConfError::MonMap`].
    pub fn monitors(&self) -> Result<Monitors, ConfError> {
        self.monitors_with(&SystemResolver)
    }

    /// As [`EntityConf::monitors`], with names resolved by `resolver`.
    ///
    /// # Errors
    /// As there.
    pub fn monitors_with(&self, resolver: &dyn Resolve) -> Result<Monitors, ConfError> {
        if let Some(path) = self.get("monmap").filter(|path| !path.is_empty()) {
            return read_monmap(path.into());
        }
        let mons = match self.mon_host_with(resolver) {
            Ok(hosts) => hosts.into_iter().map(MonInfo::from).collect(),
            Err(ConfError::NoMonHost(_)) => self.mons_in_dns(resolver)?,
            Err(error) => return Err(error),
        };
        Ok(Monitors { mons, fsid: None })
    }

    /// The hosts of the service in DNS.
    fn mons_in_dns(&self, resolver: &dyn Resolve) -> Result<Vec<MonInfo>, ConfError> {
        let option = self.get("mon dns srv name").filter(|name| !name.is_empty());
        let name = option.unwrap_or_else(|| SERVICE.to_owned());
        let (service, domain) = match name.split_once('_') {
            Some((service, domain)) => (service, Some(domain)),
            None => (&name[..], None),
        };
        let found = resolver.services(service, domain);
        let mons: io::Result<Vec<MonInfo>> = found.and_then(|hosts| of_service(&hosts, resolver));
        let path = self.conf().path.clone();
        mons.map_err(|why| match why.kind() {
            io::ErrorKind::Unsupported => NoMonHost::in_file(path).into(),
            _ => NoMonHost { path, service: name, why: Some(why) }.into(),
        })
    }
}

fn read_monmap(path: PathBuf) -> Result<Monitors, ConfError> {
    let bytes = fs::read(&path).map_err(|source| ConfError::Unreadable { path: path.clone(), source })?;
    let map =
        MonMap::from_bytes(&bytes).map_err(|source| ConfError::MonMap { path: path.clone(), source })?;
    match map.mons.is_empty() {
        true => Err(ConfError::EmptyMonMap { path }),
        false => Ok(Monitors { fsid: Some(map.fsid), mons: map.mons.into_values().collect() }),
    }
}
