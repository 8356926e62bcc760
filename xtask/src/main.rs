//! The project's own commands: `cargo xtask --help`.
#![forbid(unsafe_code)]

mod bench;
mod fuzz;
mod instructions;
mod peers;
mod program;
mod sim;
mod steps;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
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
    /// Run everything that decides whether the project is in order: the real peers, formatting, lints, tests, docs, tidy
    Test {
        /// Only the steps whose names contain this
        #[arg(default_value = "")]
        filter: String,
    },
    /// Check what the compiler does not: which crate may depend on which, sizes and names of files, docs
    Tidy,
    /// Fetch and unpack the real Ceph peers the tests talk to (once; seconds when they are there)
    Peers,
    /// Measure Axon beside its peers, alternated in one run, and write docs/performance/: [--quick], and more by `-- --help`
    Bench {
        /// Arguments of `axon-bench run`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Count the instructions of the hot paths under callgrind, and compare with the committed counts
    Instructions {
        /// Make these counts the committed ones
        #[arg(long)]
        accept: bool,
    },
    /// Run the protocol in seeded simulated worlds: [--seeds N] [--first S], or [--seed S] to replay one with its story
    Sim {
        /// Arguments of `axon-sim sim`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Explore small simulated worlds completely: every interleaving, states counted, shortest traces of violations
    Explore {
        /// Arguments of `axon-sim explore`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Break each row of the decision tables in turn, and see whether simulation or exploration notices
    Mutate {
        /// Arguments of `axon-sim mutate`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Give the parsers millions of inputs under libFuzzer, beginning with the recordings; needs a C++ compiler
    Fuzz {
        /// Only this one of fuzz/fuzz_targets
        target: Option<String>,
        /// How long each target is run
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
        /// Run the target with this file only
        #[arg(long, requires = "target", conflicts_with = "seconds")]
        replay: Option<PathBuf>,
    },
    /// Capture vectors/ anew from real daemons
    Vectors {
        /// Only those whose names contain this
        #[arg(default_value = "")]
        filter: String,
    },
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Test { filter } => test::run(&filter),
        Command::Tidy => tidy::run(),
        Command::Peers => peers::prepare(),
        Command::Bench { args } => bench::run(&args),
        Command::Instructions { accept } => instructions::run(accept),
        Command::Sim { args } => sim::run("sim", &args),
        Command::Explore { args } => sim::run("explore", &args),
        Command::Mutate { args } => sim::run("mutate", &args),
        Command::Fuzz { target, seconds, replay } => fuzz::run(target.as_deref(), seconds, replay.as_deref()),
        Command::Vectors { filter } => test::capture_vectors(&filter),
    }
    .finish()
}
