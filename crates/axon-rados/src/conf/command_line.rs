//! What a program's own command line says.

use super::arguments::Arguments;
use super::{ConfError, Host};
use axon_auth::AuthName;
use std::path::PathBuf;

/// What a program's own command line says of the configuration; it comes before what `$CEPH_ARGS` says. Options are set with
/// [`Conf::set`](super::Conf::set) afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandLine {
    /// `--conf FILE`: the configuration file.
    pub conf: Option<PathBuf>,
    /// `--cluster NAME`: the cluster, whose file is `NAME.conf`.
    pub cluster: Option<String>,
    /// `--name TYPE.ID` or `--id ID`: who to be.
    pub name: Option<AuthName>,
}

impl CommandLine {
    /// Who to be, as this says or else `$CEPH_ARGS`; `None` if neither does. Reads no file.
    ///
    /// # Errors
    /// [`ConfError::Arguments`].
    pub fn name(&self, host: &Host) -> Result<Option<AuthName>, ConfError> {
        Ok(Arguments::parse(host.ceph_args.as_deref().unwrap_or_default())?.under(self).name)
    }
}
