//! Options of the commands that talk to a cluster, and what they lead to.

use crate::auth;
use crate::error::CliError;
use axon_auth::{AuthName, CryptoKey};
use axon_denc::EntityType;
use axon_rados::conf::{CommandLine, Conf, ConfError, Host};
use axon_rados::mon::MonConfig;
use clap::Args;
use std::path::PathBuf;

/// Where the cluster is, and who we are in it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct ClusterArgs {
    /// The cluster's configuration [default: as $CEPH_ARGS or $CEPH_CONF say, else /etc/ceph/ceph.conf, ~/.ceph/ceph.conf or
    /// ./ceph.conf].
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

    /// Who to be, as a client: the same as --name client.ID.
    #[arg(
        id = "client_id",
        long = "id",
        visible_alias = "user",
        global = true,
        value_name = "ID",
        conflicts_with = "entity"
    )]
    id: Option<String>,

    /// The cluster's name: its configuration is CLUSTER.conf in the usual places [default: ceph].
    #[arg(id = "cluster_name", long = "cluster", global = true, value_name = "CLUSTER")]
    cluster: Option<String>,

    /// The keyring that holds the key of NAME, instead of the configuration's.
    #[arg(short, long, global = true, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

impl ClusterArgs {
    /// Who to be: as the command line says, else `$CEPH_ARGS`, else `client.admin`.
    pub(crate) fn name(&self) -> Result<AuthName, CliError> {
        let name = self.command_line().name(&Host::current())?;
        Ok(name.unwrap_or_else(|| AuthName::new(EntityType::Client, "admin")))
    }

    /// Which daemon to be; `kind.id` unless the command line says. What `$CEPH_ARGS` says is meant for clients.
    pub(crate) fn name_or(&self, kind: EntityType, id: &str) -> AuthName {
        self.command_line().name.unwrap_or_else(|| AuthName::new(kind, id))
    }

    fn command_line(&self) -> CommandLine {
        let id = self.id.as_ref().map(|id| AuthName::new(EntityType::Client, id.clone()));
        CommandLine { conf: self.conf.clone(), cluster: self.cluster.clone(), name: self.name.clone().or(id) }
    }

    /// Whether the command line says where a cluster is.
    pub(crate) fn names_cluster(&self) -> bool {
        self.conf.is_some() || self.cluster.is_some() || self.mon_host.is_some() || self.monmap.is_some()
    }

    /// The keyring on the command line.
    pub(crate) fn keyring(&self) -> Option<&PathBuf> {
        self.keyring.as_ref()
    }

    /// The configuration, with what the command line sets instead. An absent file is an empty one, unless somebody names it.
    fn read_conf(&self) -> Result<Conf, CliError> {
        let mut conf = Conf::find_or_empty(Host::current(), &self.command_line())?;
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

    /// The key of `name` if there is one to be found. Files that are not there have none, those that the environment names
    /// among them; an error if the command line names them, or if one cannot be read.
    pub(crate) fn key_if_any(&self, name: &AuthName) -> Result<Option<CryptoKey>, CliError> {
        match self.key(name) {
            Err(CliError::Conf(ConfError::NoKey(_))) => Ok(None),
            Err(CliError::Conf(ConfError::NotFound { .. })) if self.conf.is_none() => Ok(None),
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
