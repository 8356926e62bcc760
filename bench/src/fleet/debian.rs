//! The messengers that Debian packages, run from where they are unpacked.

use super::Fleet;
use crate::error::BenchError;
use crate::peer::Peer;
use axon_testbed::prepare::Packages;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The messengers that Debian packages, besides Ceph's.
pub(super) const MESSENGERS: Packages = Packages {
    title: "ZeroMQ, nng and UCX",
    folder: "messengers",
    suite: "trixie",
    names: &["libzmq5", "libnng1", "ucx-utils"],
};

impl Fleet {
    /// The version of a peer that Debian packages; nothing where it is not there.
    pub(crate) fn packaged_version(&self, peer: Peer) -> String {
        let command = match peer {
            Peer::Ucx => self.packaged("usr/bin/ucx_info").and_then(|info| self.under_debian(&info)),
            _ => self.program(peer),
        };
        let argument = if peer == Peer::Ucx { "-v" } else { "version" };
        let output = command.ok().and_then(|mut command| command.arg(argument).output().ok());
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let line = text.as_deref().and_then(|text| text.lines().next()).unwrap_or_default();
        line.trim_start_matches("# Library version: ").to_owned()
    }

    /// A program run by the loader and with the libraries of the unpacked packages.
    pub(super) fn under_debian(&self, program: &Path) -> Result<Command, BenchError> {
        let root = self.packaged("")?;
        let loader = match env::consts::ARCH {
            "aarch64" => "ld-linux-aarch64.so.1",
            _ => "ld-linux-x86-64.so.2",
        };
        let libraries = libraries(&root);
        let mut command = Command::new(libraries.join(loader));
        command.arg("--library-path").arg(&libraries).arg(program);
        Ok(command)
    }

    /// A file of the unpacked packages.
    pub(super) fn packaged(&self, path: &str) -> Result<PathBuf, BenchError> {
        let root = self.messengers.as_ref().map_err(|why| BenchError::Missing(why.clone()))?;
        Ok(root.join(path))
    }
}

/// The folder of shared libraries below a root, on this processor.
fn libraries(root: &Path) -> PathBuf {
    let name = match env::consts::ARCH {
        "aarch64" => "aarch64-linux-gnu",
        _ => "x86_64-linux-gnu",
    };
    root.join("usr/lib").join(name)
}
