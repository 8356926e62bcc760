//! `axon mon`: questions to the monitors.

use crate::cluster::ClusterArgs;
use crate::error::CliError;
use crate::options::ModeArg;
use crate::units;
use clap::{Args, Subcommand};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  axon mon status                              what `ceph status` says
  axon mon status --json --mon-host 10.0.0.1 --keyring admin.keyring
  axon mon command '{\"prefix\": \"osd tree\", \"format\": \"json\"}'";

/// Options of `axon mon`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MonArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Send a command and print its output.
    Command {
        /// The command: a JSON object with the key `prefix`, as `ceph` sends it.
        #[arg(value_name = "JSON")]
        command: String,
        #[command(flatten)]
        options: MonOptions,
    },
    /// Print the cluster's status.
    Status {
        #[command(flatten)]
        options: MonOptions,
    },
}

#[derive(Debug, Args)]
struct MonOptions {
    /// Ask for the answer as JSON.
    #[arg(long)]
    json: bool,

    /// The only way to protect the connection that is acceptable [default: secure preferred, crc accepted].
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,

    /// How long it may take altogether.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = units::parse_seconds)]
    timeout: Duration,

    #[command(flatten)]
    cluster: ClusterArgs,
}

impl MonArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), CliError> {
        Err(CliError::NotYet("axon mon"))
    }
}
