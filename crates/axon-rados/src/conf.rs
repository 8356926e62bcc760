//! `ceph.conf`: where the cluster is, and what is set for whom.
//!
//! ```text
//! [global]
//!     mon host = [v2:10.0.0.1:3300,v1:10.0.0.1:6789]
//! [client.admin]
//!     keyring = /etc/ceph/$cluster.$name.keyring
//! ```
//!
//! - What is set for `client.admin` stands in `[client.admin]`, `[client]` or `[global]`, in this order of precedence.
//!   Within a section the last line counts; sections of the same name are one.
//! - Blanks, underscores and dashes in an option's name are the same.
//! - `#` and `;` start a comment unless quoted or escaped by `\`; a `\` at the end of a line joins the next one to it.
//! - `$cluster`, `$type`, `$id`, `$name`, `$host`, `$pid`, `$home` and the names of other options, also as `${name}`,
//!   are replaced by their values.
//!
//! The environment counts as well: `$CEPH_CONF`, `$CEPH_KEYRING`, and in `$CEPH_ARGS` what a command line could say.
//!
//! Ceph: `src/common/ConfUtils.cc`, `src/common/config.cc`.

mod arguments;
mod background;
mod command_line;
#[cfg(feature = "dns-srv")]
mod dns;
mod entity;
mod error;
mod expand;
mod host;
mod keys;
mod mon_host;
mod monitors;
mod reader;
mod resolver;
mod values;

pub use command_line::CommandLine;
#[cfg(feature = "dns-srv")]
pub use dns::DnsResolver;
pub use entity::EntityConf;
pub use error::{BadArguments, ConfError, KeySource, NoKey, NoMonHost, Origin, SyntaxProblem};
pub use host::Host;
pub use mon_host::{MonHostProblem, parse_mon_host};
pub use monitors::Monitors;
pub use resolver::{Resolve, ServiceHost, SystemResolver};

pub(crate) use background::Background;

use arguments::Arguments;
use axon_auth::AuthName;
use axon_denc::EntityType;
use reader::Sections;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The cluster's name where nothing else is said.
pub const DEFAULT_CLUSTER: &str = "ceph";

/// A configuration file, read. Printing it shows no values, as keys may be among them.
#[derive(Debug, Clone, Default)]
pub struct Conf {
    path: PathBuf,
    cluster: String,
    name: Option<AuthName>,
    sections: Sections,
    host: Host,
}

impl Conf {
    /// A configuration in which nothing is set, for clusters that are described by arguments only.
    pub fn empty(host: Host) -> Self {
        Self { cluster: DEFAULT_CLUSTER.to_owned(), host, ..Self::default() }
    }

    /// Reads the text of a file; `path` names it in errors and gives the cluster its name (`ceph.conf`: `ceph`).
    ///
    /// # Errors
    /// [`ConfError::Syntax`].
    pub fn parse(text: &str, path: &Path, host: Host) -> Result<Self, ConfError> {
        let at = |(line, problem)| ConfError::Syntax { at: Origin { path: path.to_owned(), line }, problem };
        Ok(Self {
            path: path.to_owned(),
            cluster: cluster_of(path),
            name: None,
            sections: reader::read(text).map_err(at)?,
            host,
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfError::Unreadable`], [`ConfError::Syntax`].
    pub fn read(path: &Path, host: Host) -> Result<Self, ConfError> {
        let unreadable = |source| ConfError::Unreadable { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text, path, host)
    }

    /// Reads what the environment says: `$CEPH_ARGS`, and the file that `--conf` in it or `$CEPH_CONF` names, or the first
    /// there is of `/etc/ceph/ceph.conf`, `~/.ceph/ceph.conf` and `./ceph.conf`. With `--cluster NAME` in `$CEPH_ARGS` it is
    /// `NAME.conf` there.
    ///
    /// # Errors
    /// As [`Conf::read`]; [`ConfError::NotFound`] if there is no such file; [`ConfError::Arguments`].
    pub fn find(host: Host) -> Result<Self, ConfError> {
        Self::find_with(host, &CommandLine::default())
    }

    /// As [`Conf::find`], for a program whose own command line says some of it: that comes before `$CEPH_ARGS`. The file it
    /// names must be there.
    ///
    /// # Errors
    /// As there.
    pub fn find_with(host: Host, command_line: &CommandLine) -> Result<Self, ConfError> {
        let arguments = Arguments::parse(host.ceph_args.as_deref().unwrap_or_default())?.under(command_line);
        if let Some(path) = &command_line.conf {
            return Ok(Self::read(path, host)?.with(arguments));
        }
        let places = match &arguments.conf {
            Some(path) => vec![path.clone()],
            None => host.conf_places(arguments.cluster.as_deref().unwrap_or(DEFAULT_CLUSTER)),
        };
        for path in &places {
            match Self::read(path, host.clone()) {
                Err(ConfError::Unreadable { source, .. }) if is_absent(&source) => {}
                found => return found.map(|conf| conf.with(arguments)),
            }
        }
        Err(ConfError::NotFound { tried: places })
    }

    /// As [`Conf::find_with`], for clusters that may be described by arguments only: nothing is set by a file if nobody names
    /// one and there is none in the usual places.
    ///
    /// # Errors
    /// As there.
    pub fn find_or_empty(host: Host, command_line: &CommandLine) -> Result<Self, ConfError> {
        let arguments = Arguments::parse(host.ceph_args.as_deref().unwrap_or_default())?.under(command_line);
        let named = arguments.conf.is_some() || host.ceph_conf.is_some();
        match Self::find_with(host.clone(), command_line) {
            Err(ConfError::NotFound { .. }) if !named => Ok(Self::empty(host).with(arguments)),
            found => found,
        }
    }

    /// With what the environment's arguments say.
    fn with(mut self, arguments: Arguments) -> Self {
        for (option, value) in &arguments.options {
            self.set(option, value);
        }
        self.cluster = arguments.cluster.unwrap_or(self.cluster);
        self.name = arguments.name;
        self
    }

    /// Who to be: as the command line or `$CEPH_ARGS` say, else `client.admin`.
    pub fn name(&self) -> AuthName {
        self.name.clone().unwrap_or_else(|| AuthName::new(EntityType::Client, "admin"))
    }

    /// The file; empty if there is none.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster's name, `$cluster`.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Sets an option for everybody, before whatever the file says; what a command line's `--OPTION VALUE` does.
    pub fn set(&mut self, option: &str, value: &str) {
        self.sections.set_override(option, value);
    }

    /// What is set for `name`.
    pub fn of<'a>(&'a self, name: &'a AuthName) -> EntityConf<'a> {
        EntityConf::new(self, name)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn cluster_of(path: &Path) -> String {
    let name = path.file_stem().and_then(|stem| stem.to_str());
    let named = path.extension().is_some_and(|e| e == "conf");
    name.filter(|_| named).unwrap_or(DEFAULT_CLUSTER).to_owned()
}

#[cfg(test)]
mod tests;
