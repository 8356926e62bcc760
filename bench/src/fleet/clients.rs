//! The clients of clusters.

use super::Fleet;
use crate::error::BenchError;
use crate::rados::Client;
use axon_testbed::Process;
use std::path::Path;
use std::process::Command;

impl Fleet {
    /// Why a client of clusters is not there.
    pub(crate) fn lacks_client(&self, client: Client) -> Option<String> {
        match client {
            // It comes with the cluster.
            Client::Librados => None,
            Client::Axon | Client::AxonSpinning | Client::AxonSecure => self.axon.lacks(),
            Client::RadosRs => self.rados_rs_client.as_ref().err().cloned(),
        }
    }

    /// The program `axon`.
    pub(crate) fn axon_program(&self) -> &Path {
        self.axon.program()
    }

    /// The client that uses rados-rs.
    ///
    /// # Errors
    /// When it was not built.
    pub(crate) fn rados_rs_client(&self) -> Result<&Path, BenchError> {
        self.rados_rs_client.as_deref().map_err(|why| BenchError::Missing(why.clone()))
    }

    /// Starts a program where the kernel likes, with its output kept.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn spawn_anywhere(&self, name: &str, command: &Command) -> Result<Process, BenchError> {
        Ok(Process::spawn(name, command, &self.scratch.log())?)
    }
}
