//! Axon beside its peers, measured in one run: what `cargo xtask bench` starts.
//!
//! ```text
//! scenario   what is measured: sizes, depths, connections, modes         (a table)
//! peer       who: how each is started and set up, and why so             (a table)
//! bar        which ratio each figure has to reach                        (a table)
//! fleet      starts a client and a server of a peer; drive: the ends that we had to write
//! pair       both at work; meter: the processor time of both, and of everybody else
//! campaign   every scenario, its peers in turn, round after round; noisy measurements are thrown away
//! probe      idle connections, handshakes, small requests beside large ones; survey: runs them
//! rados      clients of a real Ceph cluster: librados, Axon, rados-rs
//! only       the part that is asked for; stamp: when a figure was measured
//! report     JSON, Markdown, plots; merges a part into what was measured before
//! ```

mod bar;
mod campaign;
mod drive;
mod error;
mod fleet;
mod machine;
mod meter;
mod only;
mod pair;
mod peer;
mod pinning;
mod probe;
mod rados;
mod report;
mod run;
mod sample;
mod scenario;
mod stamp;
mod survey;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Axon beside its peers
#[derive(Debug, Parser)]
#[command(name = "axon-bench")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure everything and write the report
    Run(run::RunArgs),
    /// One end of a peer; started by `run`
    Drive(drive::DriveArgs),
    /// The client's end of a probe; started by `run`
    Probe(probe::ProbeArgs),
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Run(args) => args.run().map_err(|error| error.to_string()),
        Command::Drive(args) => args.run().map_err(|error| error.to_string()),
        Command::Probe(args) => args.run().map_err(|error| error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("axon-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
