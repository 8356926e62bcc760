//! What is not messages per second: connections that do nothing, handshakes, and small requests beside large ones.
//!
//! `axon-bench probe WHAT ADDR` is the client's end, a process of its own; it prints its findings as JSON.

pub(crate) mod findings;
mod handshakes;
mod idle;
mod mixed;

use crate::drive::DriveError;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The client's end of a probe.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProbeArgs {
    /// What is tried.
    #[arg(value_enum)]
    what: What,
    /// The server.
    addr: SocketAddr,
    /// Connections that are open, or being opened, at the same time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds of the measurement.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Requests that are measured at least, however long they take.
    #[arg(long, default_value_t = 1)]
    requests: u64,
    /// The keyring with the service's own key: authenticates by cephx.
    #[arg(long)]
    keyring: Option<PathBuf>,
    /// The configuration of a cluster: authenticates by its monitors' tickets.
    #[arg(long)]
    conf: Option<PathBuf>,
    /// The nonce of the server's address.
    #[arg(long, default_value_t = 0)]
    nonce: u32,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    /// Open connections and leave them alone.
    Idle,
    /// Open a connection, close it, open the next.
    Handshakes,
    /// Large requests, one after the other.
    Large,
    /// Small requests alone.
    Alone,
    /// Small requests beside 4 MiB messages of lower priority on the same connection.
    BesideLower,
    /// The same beside messages of higher priority.
    BesideHigher,
}

impl What {
    /// The word on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Handshakes => "handshakes",
            Self::Large => "large",
            Self::Alone => "alone",
            Self::BesideLower => "beside-lower",
            Self::BesideHigher => "beside-higher",
        }
    }
}

impl ProbeArgs {
    /// Runs it and prints what it found.
    ///
    /// # Errors
    /// When a messenger does not start, or a connection fails.
    pub(crate) fn run(&self) -> Result<(), DriveError> {
        match self.what {
            What::Idle => idle::hold(self),
            What::Handshakes => print(&handshakes::count(self)?),
            What::Large | What::Alone | What::BesideLower | What::BesideHigher => print(&mixed::ping(self)?),
        }
    }

    fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

fn print(finding: &impl Serialize) -> Result<(), DriveError> {
    let line = serde_json::to_string(finding).map_err(io::Error::from)?;
    Ok(writeln!(io::stdout(), "{line}")?)
}
