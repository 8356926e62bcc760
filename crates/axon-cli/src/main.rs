//! `axon`: objects and monitors of a Ceph cluster, and benchmarks of the Axon messenger.
//!
//! Results go to standard output, everything else to standard error. The exit code says what kind of thing went wrong:
//! see [`exit::Exit`].
#![forbid(unsafe_code)]

mod attempt;
mod auth;
mod bench;
mod cli;
mod cluster;
mod error;
mod exit;
mod logging;
mod machine;
mod mon;
mod options;
mod output;
mod ping;
mod rados;
mod serve;
mod target;
mod transport;
mod units;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::init(cli.verbose);
    match cli.run() {
        Ok(()) => exit::Exit::Success.into(),
        Err(error) => {
            output::complain(&error);
            error.exit().into()
        }
    }
}
