//! Finding a name's key.

use super::error::{KeySource, NoKey};
use super::{ConfError, EntityConf};
use axon_auth::{CryptoKey, Keyring};
use axon_denc::EntityType;
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where a client's keyring may be.
const CLIENT_KEYRINGS: &str =
    "/etc/ceph/$cluster.$name.keyring,/etc/ceph/$cluster.keyring,/etc/ceph/keyring,/etc/ceph/keyring.bin";
/// Where a daemon's keyring is.
const DAEMON_KEYRING: &str = "/var/lib/ceph/$type/$cluster-$id/keyring";

impl EntityConf<'_> {
    /// Where the name's keyring may be, in order: the option `keyring` if `$CEPH_ARGS` or [`Conf::set`](super::Conf::set)
    /// sets it, else `$CEPH_KEYRING`, else the option in the file, else the usual places.
    pub fn keyring_paths(&self) -> Vec<PathBuf> {
        let overridden = self.origin("keyring").is_some_and(|at| at.line == 0);
        if let Some(path) = self.conf().host.ceph_keyring.as_ref().filter(|_| !overridden) {
            return vec![path.clone()];
        }
        let list = self.get("keyring").unwrap_or_else(|| self.expand(self.default_keyrings()));
        let is_separator = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
        list.split(is_separator).filter(|path| !path.is_empty()).map(PathBuf::from).collect()
    }

    fn default_keyrings(&self) -> &'static str {
        match self.name().kind {
            EntityType::Client => CLIENT_KEYRINGS,
            _ => DAEMON_KEYRING,
        }
    }

    /// The name's key: the option `key`, else the file of the option `keyfile`, else from the first keyring that has it.
    ///
    /// # Errors
    /// [`ConfError::NoKey`], which says what was found in each place.
    pub fn key(&self) -> Result<CryptoKey, ConfError> {
        let mut tried = Vec::new();
        for (path, read) in self.key_sources() {
            match read(self, &path) {
                Ok(key) => return Ok(key),
                Err(reason) => tried.push((path, reason)),
            }
        }
        Err(NoKey { name: self.name().clone(), tried }.into())
    }

    fn key_sources(&self) -> Vec<(PathBuf, ReadKey)> {
        if let Some(at) = self.origin("key") {
            return vec![(at.path, from_option as ReadKey)];
        }
        if let Some(path) = self.get("keyfile") {
            return vec![(path.into(), from_keyfile as ReadKey)];
        }
        self.keyring_paths().into_iter().map(|path| (path, from_keyring as ReadKey)).collect()
    }
}

type ReadKey = fn(&EntityConf<'_>, &Path) -> Result<CryptoKey, KeySource>;

fn from_option(conf: &EntityConf<'_>, _path: &Path) -> Result<CryptoKey, KeySource> {
    let text = Zeroizing::new(conf.get("key").unwrap_or_default());
    text.parse().map_err(KeySource::BadKey)
}

fn from_keyfile(_conf: &EntityConf<'_>, path: &Path) -> Result<CryptoKey, KeySource> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(KeySource::Unreadable)?;
    text.trim().parse().map_err(KeySource::BadKey)
}

fn from_keyring(conf: &EntityConf<'_>, path: &Path) -> Result<CryptoKey, KeySource> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(KeySource::Unreadable)?;
    let keyring: Keyring = text.parse().map_err(KeySource::BadKeyring)?;
    let entry = keyring.get(conf.name()).ok_or(KeySource::OtherNames)?;
    Ok(entry.key.clone())
}
