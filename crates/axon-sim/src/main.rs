//! Runs seeds: `cargo xtask sim`.
#![forbid(unsafe_code)]

use axon_sim::LEGEND;
use axon_sim::explore::{explore, worlds};
use axon_sim::sweep::{Sweep, replay, sweep};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run seeds
    Sim {
        /// How many
        #[arg(long, default_value_t = 200_000)]
        seeds: u64,
        /// Replay exactly this one, and tell what happens
        #[arg(long)]
        seed: Option<u64>,
        /// The first of them
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// Threads
        #[arg(long)]
        threads: Option<usize>,
    },
    /// Explore small worlds completely
    Explore {
        /// Only those whose names contain this
        #[arg(default_value = "")]
        filter: String,
        /// States of one world at most
        #[arg(long, default_value_t = 3_000_000)]
        most: usize,
    },
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Sim { seed: Some(seed), .. } => one(seed),
        Command::Sim { seeds, first, threads, .. } => many(first, seeds, threads),
        Command::Explore { filter, most } => explore_all(&filter, most),
    }
}

fn one(seed: u64) -> ExitCode {
    let (plan, result, trace) = replay(seed);
    println!("{plan}\n{LEGEND}{trace}");
    match result {
        Ok(summary) => {
            println!("ok: {summary:?}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("seed {seed} FAILED: {}", failure.violation);
            ExitCode::FAILURE
        }
    }
}

fn many(first: u64, seeds: u64, threads: Option<usize>) -> ExitCode {
    let threads = threads.or_else(|| std::thread::available_parallelism().map(usize::from).ok()).unwrap_or(1);
    let sweep = sweep(first, seeds, threads);
    report(&sweep);
    let Some(failure) = sweep.failures.first() else { return ExitCode::SUCCESS };
    one(failure.seed);
    for failure in &sweep.failures {
        println!("seed {} FAILED: {}", failure.seed, failure.violation);
    }
    ExitCode::FAILURE
}

fn report(sweep: &Sweep) {
    let seconds = sweep.took.as_secs_f64();
    let rate = sweep.seeds as f64 / seconds;
    let sum = &sweep.total;
    println!("{} seeds in {seconds:.1} s: {rate:.0} seeds per second", sweep.seeds);
    println!(
        "{} messages, {} delivered; {} events; {} dials, {} sessions begun, {} resumed, {} lost by the peer, {} reset",
        sum.messages,
        sum.delivered,
        sum.events,
        sum.dials,
        sum.established,
        sum.resumed,
        sum.remote_resets,
        sum.resets
    );
    println!("quiet at the latest {:.1} s after the end of faults", sum.settled_after.as_secs_f64());
}

fn explore_all(filter: &str, most: usize) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut code = ExitCode::SUCCESS;
    println!(
        "{:<44} {:>9} {:>11} {:>8} {:>5} {:>8}",
        "world", "states", "transitions", "quiet", "depth", "seconds"
    );
    for (name, small) in worlds().into_iter().filter(|(name, _)| name.contains(filter)) {
        let found = explore(&small, most, threads);
        let cut_short = if found.cut_short { "  cut short" } else { "" };
        println!(
            "{name:<44} {:>9} {:>11} {:>8} {:>5} {:>8.1}{cut_short}",
            found.states,
            found.transitions,
            found.quiet,
            found.depth,
            found.took.as_secs_f64()
        );
        if let Some((violation, story)) = found.violation {
            println!("VIOLATION: {violation}\n{LEGEND}{story}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
