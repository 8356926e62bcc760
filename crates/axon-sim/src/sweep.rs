//! Many seeds, on several threads.

use crate::rows;
use crate::{Failure, Plan, Summary, Trace};
use axon_proto::Tables;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What many seeds came to.
#[derive(Debug)]
pub struct Sweep {
    /// Seeds run.
    pub seeds: u64,
    /// All of them together.
    pub total: Summary,
    /// Those that broke a rule, the lowest first; the sweep ends early when there are many.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub took: Duration,
}

/// A sweep ends when so many seeds have failed.
const ENOUGH: usize = 20;

/// Which seeds to run.
#[derive(Clone, Copy)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// On how many threads.
    pub threads: usize,
    /// The rules of sessions.
    pub tables: fn() -> Tables,
    /// Failures after which a thread stops.
    pub enough: usize,
}

impl Seeds {
    /// `count` from `first` on, by the real rules, on all processors.
    pub fn new(first: u64, count: u64) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { first, count, threads, tables: rows::watched, enough: ENOUGH }
    }
}

/// Runs seeds.
pub fn sweep(seeds: Seeds) -> Sweep {
    let Seeds { first, count, threads, tables, enough } = seeds;
    let start = Instant::now();
    let next = AtomicU64::new(0);
    let total = Mutex::new((Summary::default(), Vec::new(), 0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (mut sum, mut failures, mut seeds) = (Summary::default(), Vec::new(), 0);
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= count || failures.len() >= enough {
                        break;
                    }
                    seeds += 1;
                    let mut plan = Plan::new(first.wrapping_add(nth));
                    plan.setup.tables = tables();
                    match plan.run(Trace::default()) {
                        Ok(summary) => sum += summary,
                        Err(failure) => failures.push(failure),
                    }
                }
                let mut total = total.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                total.0 += sum;
                total.1.append(&mut failures);
                total.2 += seeds;
            });
        }
    });
    let (total, mut failures, seeds) = total.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    failures.sort_by_key(|failure| failure.seed);
    Sweep { seeds, total, failures, took: start.elapsed() }
}

/// Runs one seed and records what happens.
pub fn replay(seed: u64) -> (Plan, Result<Summary, Failure>, String) {
    let plan = Plan::new(seed);
    let result = plan.run(Trace::on());
    let trace = result.as_ref().err().map(|failure| failure.trace.clone()).unwrap_or_default();
    (plan, result, trace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Violation;
    use axon_proto::{Existing, IncomingReconnect, ReconnectVerdict};

    fn panics(_: Option<&Existing>, _: &IncomingReconnect) -> ReconnectVerdict {
        panic!("nobody may resume")
    }

    #[test]
    fn a_panic_is_a_failure_of_its_seed() {
        let tables = || Tables { reconnect: panics, ..Tables::default() };
        let swept = sweep(Seeds { tables, threads: 2, enough: 1, ..Seeds::new(1, 200) });
        let failure = swept.failures.first().expect("it panics");
        assert_eq!(failure.violation, Violation::Panicked("nobody may resume".into()));
        let mut plan = Plan::new(failure.seed);
        plan.setup.tables = tables();
        let again = plan.run(Trace::on()).expect_err("it panics again");
        assert_eq!((again.seed, &again.violation), (failure.seed, &failure.violation));
        assert!(again.trace.contains("> SESSION_RECONNECT"), "{}", again.trace);
    }
}
