//! What the process and its machine contribute to the configuration.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The machine, the process and its environment, as far as configurations depend on them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// The machine's name without domain, `$host`.
    pub name: String,
    /// The process's number, `$pid`.
    pub pid: u32,
    /// The user's home directory, `$home`.
    pub home: Option<PathBuf>,
    /// `$CEPH_CONF`: the configuration file to read.
    pub ceph_conf: Option<PathBuf>,
    /// `$CEPH_KEYRING`: the keyring to read.
    pub ceph_keyring: Option<PathBuf>,
    /// `$CEPH_ARGS`: options as on a command line, which come before whatever a file says.
    pub ceph_args: Option<String>,
}

/// Without the arguments, in which a key may be.
impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.name)
            .field("pid", &self.pid)
            .field("home", &self.home)
            .field("ceph_conf", &self.ceph_conf)
            .field("ceph_keyring", &self.ceph_keyring)
            .finish_non_exhaustive()
    }
}

/// Where Linux keeps the machine's name.
const HOST_NAME: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];

impl Host {
    /// This process.
    pub fn current() -> Self {
        let path = |name| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        Self {
            name: host_name(),
            pid: std::process::id(),
            home: path("HOME"),
            ceph_conf: path("CEPH_CONF"),
            ceph_keyring: path("CEPH_KEYRING"),
            ceph_args: env::var("CEPH_ARGS").ok(),
        }
    }

    /// Where the configuration file of `cluster` may be, in order.
    pub(super) fn conf_places(&self, cluster: &str) -> Vec<PathBuf> {
        if let Some(path) = &self.ceph_conf {
            return vec![path.clone()];
        }
        let file = format!("{cluster}.conf");
        let in_home = self.home.as_ref().map(|home| home.join(".ceph").join(&file));
        [Some(Path::new("/etc/ceph").join(&file)), in_home, Some(PathBuf::from(&file))]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The home directory as text, empty if unknown.
    pub(super) fn home_text(&self) -> String {
        self.home.as_deref().map(Path::to_string_lossy).unwrap_or_default().into_owned()
    }
}

fn host_name() -> String {
    let read = |path: &&str| fs::read_to_string(path).ok();
    let full = HOST_NAME.iter().find_map(read).unwrap_or_default();
    let short = full.trim().split('.').next().unwrap_or_default();
    short.to_owned()
}
