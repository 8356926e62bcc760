//! Options of the commands that talk to a cluster, and what they lead to.

use crate::auth;
use crate::error::CliError;
use axon_auth::{AuthName, CryptoKey};
use axon_denc::EntityType;
use axon_rados::conf::{Conf, ConfError, Host};
use axon_rados::mon::MonConfig;
use clap::Args;
use std::path::PathBuf;

/// Where the cluster is, and who we are in it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct ClusterArgs {
    /// The cluster's configuration [default: $CEPH_CONF, /etc/ceph/ceph.conf, ~/.ceph/ceph.conf or ./ceph.conf].
    #[arg(short, long, global = true, value_name = "FILE")]
    conf: Option<PathBuf>,

    /// The monitors' addresses, instead of the configuration's `mon host`.
    #[arg(short, long, global = true, value_name = "ADDRS")]
    mon_host: Option<String>,

    /// A monitor map's file, as `ceph mon getmap` and `monmaptool` write it, instead of `mon host`.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "mon_host")]
    monmap: Option<PathBuf>,

    /// Who to be: TYPE.ID.
    // Its id is another one than those of the commands' own names.
    #[arg(id = "entity", short = 'n', long = "name", global = true, value_name = "NAME")]
    name: Option<AuthName>,

    /// The keyring that holds the key of NAME, instead of the configuration's.
    #[arg(short, long, global = true, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

impl ClusterArgs {
    /// Who to be; `client.admin` unless said.
    pub(crate) fn name(&self) -> AuthName {
        self.name_or(EntityType::Client, "admin")
    }

    /// Who to be; `kind.id` unless said.
    pub(crate) fn name_or(&self, kind: EntityType, id: &str) -> AuthName {
        self.name.clone().unwrap_or_else(|| AuthName::new(kind, id))
    }

    /// Whether the command line says where a cluster is.
    pub(crate) fn names_cluster(&self) -> bool {
        self.conf.is_some() || self.mon_host.is_some() || self.monmap.is_some()
    }

    /// The keyring on the command line.
    pub(crate) fn keyring(&self) -> Option<&PathBuf> {
        self.keyring.as_ref()
    }

    /// The configuration, with what the command line sets instead. An absent file is an empty one, unless the command line
    /// names it.
    fn read_conf(&self) -> Result<Conf, CliError> {
        let host = Host::current();
        let mut conf = match &self.conf {
            Some(path) => Conf::read(path, host)?,
            None => match Conf::find(host.clone()) {
                Err(ConfError::NotFound { .. }) => Conf::empty(host),
                found => found?,
            },
        };
        if let Some(mon_host) = &self.mon_host {
            conf.set("mon host", mon_host);
            conf.set("monmap", ""); // which would come first
        }
        if let Some(path) = &self.monmap {
            conf.set("monmap", &path.to_string_lossy());
        }
        if let Some(path) = &self.keyring {
            conf.set("keyring", &path.to_string_lossy());
        }
        Ok(conf)
    }

    /// The key of `name`: from the keyring on the command line, or from where the configuration says.
    pub(crate) fn key(&self, name: &AuthName) -> Result<CryptoKey, CliError> {
        match &self.keyring {
            Some(path) => auth::key_in(path, name),
            None => Ok(self.read_conf()?.of(name).key()?),
        }
    }

    /// The key of `name` if there is one to be found; an error only for what the command line names.
    pub(crate) fn key_if_any(&self, name: &AuthName) -> Result<Option<CryptoKey>, CliError> {
        match self.key(name) {
            Err(CliError::Conf(ConfError::NoKey(_))) => Ok(None),
            key => key.map(Some),
        }
    }

    /// What is needed to log in to the monitors as `name`.
    pub(crate) fn mon_config(&self, name: &AuthName) -> Result<MonConfig, CliError> {
        let key = self.keyring.as_ref().map(|path| auth::key_in(path, name)).transpose()?;
        let mut config = MonConfig::from_conf(&self.read_conf()?.of(name))?;
        if key.is_some() {
            config.key = key;
        }
        Ok(config)
    }
}
