//! Sending connections elsewhere while both ends keep believing in the addresses they know.

use crate::prepare::{Shim, shim};
use crate::{Tap, TestbedError, Tree};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The table of redirections that programs started by [`Redirects::command`] read at each connect.
#[derive(Debug)]
pub(crate) struct Redirects {
    file: PathBuf,
    table: Mutex<Vec<(u16, u16)>>,
}

impl Redirects {
    /// An empty table, kept in `dir`.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { file: dir.join("redirect"), table: Mutex::default() }
    }

    /// Sends every connection for a port of 127.0.0.1 that has no rule of its own to `tap`.
    pub(crate) fn all_to(&self, tap: &Tap) -> Result<(), TestbedError> {
        self.set(0, tap.addr().port())
    }

    /// Sends connections for 127.0.0.1:`from` to 127.0.0.1:`to` from now on.
    pub(crate) fn set(&self, from: u16, to: u16) -> Result<(), TestbedError> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(|(port, _)| *port != from);
        if from != to {
            table.push((from, to));
        }
        let lines: Vec<_> = table.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
        // Renamed into place: it is read at any time.
        let fresh = self.file.with_extension("new");
        fs::write(&fresh, lines.concat()).map_err(TestbedError::io("write", &fresh))?;
        fs::rename(&fresh, &self.file).map_err(TestbedError::io("rename", fresh))
    }

    /// A program of the tree that obeys the table, with `others` loaded into it too. Taps that take every
    /// connection title its conversations with its `AXON_NAME`, which is `program` unless set to something else.
    pub(crate) fn command(
        &self,
        tree: &Tree,
        program: &str,
        others: &[Shim],
    ) -> Result<Command, TestbedError> {
        let mut libraries = vec![shim(Shim::Redirect)?];
        for other in others {
            libraries.push(shim(*other)?);
        }
        let mut command = tree.command_with(program, &libraries);
        command.env("AXON_REDIRECT", &self.file);
        command.env("AXON_NAME", program);
        Ok(command)
    }
}
