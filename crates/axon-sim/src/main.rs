//! Runs seeds: `cargo xtask sim`.
#![forbid(unsafe_code)]

use axon_sim::LEGEND;
use axon_sim::explore::{Exploration, Named, Small, explore, worlds};
use axon_sim::mutation::{Mutant, excuse, mutants, set_current, tables};
use axon_sim::sweep::{Seeds, Sweep, replay, sweep};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Worlds are made and thrown away all the time, by all processors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
        #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
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
        /// Also those that take minutes
        #[arg(long)]
        long: bool,
        /// States of one world at most, 5,000,000 unless said; then a world with more is not a failure
        #[arg(long)]
        most: Option<usize>,
    },
    /// Break each row of the decision tables in turn, and see whether seeds or exploration notice
    Mutate {
        /// Only rows whose names contain this
        #[arg(default_value = "")]
        filter: String,
        /// How many seeds at most
        #[arg(long, default_value_t = 50_000)]
        seeds: u64,
    },
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Sim { seed: Some(seed), .. } => one(seed),
        Command::Sim { seeds, first, threads, .. } => many(first, seeds, threads),
        Command::Explore { filter, long, most } => explore_all(&filter, long, most),
        Command::Mutate { filter, seeds } => mutate_all(&filter, seeds),
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

fn many(first: u64, count: u64, threads: Option<usize>) -> ExitCode {
    let seeds = Seeds::new(first, count);
    let sweep = sweep(Seeds { threads: threads.unwrap_or(seeds.threads), ..seeds });
    report(&sweep);
    let Some(failure) = sweep.failures.first() else { return covered(&sweep) };
    one(failure.seed);
    for failure in &sweep.failures {
        println!("seed {} FAILED: {}", failure.seed, failure.violation);
    }
    ExitCode::FAILURE
}

/// So many seeds see everything that can go wrong.
const TELLING: u64 = 100_000;

/// Whether all went wrong that should have: what never happens is not tested.
fn covered(sweep: &Sweep) -> ExitCode {
    let tally = &sweep.total.tally;
    print!("\n{tally}");
    let (missing, surprises) = (tally.missing(), tally.surprises());
    missing.iter().for_each(|what| println!("NEVER HAPPENED: {what}"));
    surprises.iter().for_each(|what| println!("SAID TO BE UNREACHABLE: {what}"));
    let enough = sweep.seeds >= TELLING;
    match surprises.is_empty() && (missing.is_empty() || !enough) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
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

/// States of a world that nobody expects to be larger.
const MOST_STATES: usize = 5_000_000;

/// Fails if a rule is broken, if a world was not explored to its end and nobody asked for less, or if there is none.
fn explore_all(filter: &str, long: bool, most: Option<usize>) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let asked = |world: &Named| world.name.contains(filter) && (long || !world.is_long);
    let worlds: Vec<Named> = worlds().into_iter().filter(asked).collect();
    println!(
        "{:<75} {:>9} {:>11} {:>8} {:>5} {:>8}",
        "world", "states", "transitions", "quiet", "depth", "seconds"
    );
    let mut failed = 0;
    for Named { name, small, .. } in &worlds {
        let found = explore(small, most.unwrap_or(MOST_STATES), threads);
        tell(name, &found);
        failed += usize::from(found.violation.is_some() || (found.cut_short && most.is_none()));
    }
    verdict(worlds.len(), failed, "world", filter)
}

fn tell(name: &str, found: &Exploration) {
    let cut_short = if found.cut_short { "  CUT SHORT" } else { "" };
    println!(
        "{name:<75} {:>9} {:>11} {:>8} {:>5} {:>8.1}{cut_short}",
        found.states,
        found.transitions,
        found.quiet,
        found.depth,
        found.took.as_secs_f64()
    );
    if let Some((violation, story)) = &found.violation {
        println!("VIOLATION: {violation}\n{LEGEND}{story}");
    }
}

/// Nothing that was asked for may fail, and something must have been.
fn verdict(asked: usize, failed: usize, what: &str, filter: &str) -> ExitCode {
    match (asked, failed) {
        (0, _) => eprintln!("no {what} has a name that contains {filter:?}"),
        (_, 0) => return ExitCode::SUCCESS,
        _ => eprintln!("{failed} of {asked} {what}s failed"),
    }
    ExitCode::FAILURE
}

/// Who notices each broken row. Fails if nobody notices one that decides something here.
fn mutate_all(filter: &str, seeds: u64) -> ExitCode {
    println!("| table | row | change | noticed by |\n|---|---|---|---|");
    let mut unnoticed = 0;
    let asked: Vec<_> = mutants().into_iter().filter(|mutant| mutant.row.contains(filter)).collect();
    for mutant in &asked {
        set_current(Some(mutant));
        let Mutant { table, row, change, .. } = mutant;
        let excused = excuse(mutant).map(|why| format!("nobody: {why}"));
        let verdict = by_seeds(seeds).or(excused).or_else(|| by_exploration(2)).unwrap_or_else(|| {
            unnoticed += 1;
            "NOBODY".into()
        });
        println!("| {table} | {row} | {} | {verdict} |", change);
    }
    set_current(None);
    if unnoticed > 0 {
        eprintln!("{unnoticed} broken rows were not noticed, and nothing in rows.rs says why");
    }
    verdict(asked.len(), unnoticed, "row", filter)
}

fn by_seeds(count: u64) -> Option<String> {
    let found = sweep(Seeds { tables, enough: 1, ..Seeds::new(1, count) });
    let failure = found.failures.first()?;
    Some(format!("seed {}: {}", failure.seed, brief(&failure.violation.to_string())))
}

/// In the worlds with so many faults at most, the smallest first.
fn by_exploration(faults: u8) -> Option<String> {
    let threads = Seeds::new(0, 0).threads;
    let mut worlds: Vec<_> = worlds().into_iter().filter(|world| world.small.faults() <= faults).collect();
    worlds.retain(|world| world.small.messages == [1, 1]);
    worlds.sort_by_key(|world| world.small.faults());
    worlds.into_iter().find_map(|Named { name, small, .. }| {
        let found = explore(&Small { tables, ..small }, 100_000, threads);
        let (violation, _) = found.violation?;
        Some(format!("{name}: {}", brief(&violation.to_string())))
    })
}

/// The rule without the particulars.
fn brief(violation: &str) -> String {
    violation.split([':', ';']).next().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_explored_to_its_end_is_no_success() {
        let explored = |filter, most| explore_all(filter, false, most);
        let tiny = "Stateful 1+1 messages, 0 cut, 0 late, 0+0 restarted, 0 closed";
        assert_eq!(explored(tiny, None), ExitCode::SUCCESS);
        assert_eq!(explored(tiny, Some(5)), ExitCode::SUCCESS, "asked for");
        assert_eq!(explored("no such world", None), ExitCode::FAILURE);
        assert_eq!(verdict(3, 1, "world", ""), ExitCode::FAILURE);
    }
}
