//! The command line.

use crate::bench::BenchArgs;
use crate::error::CliError;
use crate::exit;
use crate::mon::MonArgs;
use crate::ping::PingArgs;
use crate::rados::RadosArgs;
use crate::serve::ServeArgs;
use clap::{ArgAction, Parser, Subcommand};

/// Objects and monitors of a Ceph cluster, and benchmarks of the Axon messenger, which speaks Ceph's msgr2.
#[derive(Debug, Parser)]
#[command(name = "axon", version, max_term_width = 110, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Log more to standard error: -v information, -vv details, -vvv everything.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure messages per second, latency and processor time.
    Bench(BenchArgs),
    /// Answer requests until told to stop: the other end of `axon bench --connect`.
    Serve(ServeArgs),
    /// Connect to a daemon and time its handshake and keepalives.
    Ping(PingArgs),
    /// Ask the monitors of a Ceph cluster.
    Mon(MonArgs),
    /// Store, read and list the objects of a Ceph cluster.
    Rados(Box<RadosArgs>),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), CliError> {
        match self.command {
            Command::Bench(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Ping(args) => args.run(),
            Command::Mon(args) => args.run(),
            Command::Rados(args) => args.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
