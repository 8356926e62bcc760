//! The project's own commands: `cargo xtask --help`.
#![forbid(unsafe_code)]

mod cargo;
mod peers;
mod steps;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Axon's project commands
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch and unpack the real Ceph peers the tests talk to (once; seconds when they are there)
    Peers,
    /// Capture vectors/ anew from real daemons
    Vectors {
        /// Only those whose names contain this
        #[arg(default_value = "")]
        filter: String,
    },
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Peers => peers::prepare(),
        Command::Vectors { filter } => cargo::vectors(&filter),
    }
    .finish()
}
