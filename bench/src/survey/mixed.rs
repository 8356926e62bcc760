//! Small requests beside large ones.
//!
//! The round trips of all rounds are counted together: a quantile of each round would be little more than its maximum.

use super::{Measured, Strictness, Survey, watch};
use crate::bar::{Verdict, Want};
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::peer::Peer;
use crate::probe::What;
use crate::probe::findings::Pings;
use crate::sample::ABOVE;
use crate::scenario::Scenario;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Requests in all rounds together, so that some are above p99.9.
const REQUESTS: u64 = 10_500;
/// How long so many may take in one round.
const PATIENCE: Duration = Duration::from_secs(120);

/// Longer round trips count as this, a minute in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// The quantiles that are reported.
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", P999)];
const P999: f64 = 0.999;

/// What is tried, its name, and whether a bar needs many of them.
const TRIED: [(What, &str, bool); 4] = [
    (What::Large, "4 MiB requests alone", true),
    (What::Alone, "64 B requests alone", true),
    (What::BesideLower, "64 B requests beside 4 MiB messages of lower priority", true),
    (What::BesideHigher, "64 B requests beside 4 MiB messages of higher priority", false),
];

impl Survey {
    pub(super) fn mixed(&mut self, fleet: &Fleet, how: Strictness) {
        let mut all = TRIED.map(|_| Vec::new());
        for _ in 0..how.rounds {
            for ((what, _, many), results) in TRIED.iter().zip(&mut all) {
                let requests = if *many { REQUESTS.div_ceil(how.rounds as u64) } else { 1 };
                results.push(self.measure(how, || pings(fleet, *what, how.span, requests)));
            }
        }
        let [large, alone, lower, _] = std::array::from_fn(|index| {
            let results = std::mem::take(&mut all[index]);
            self.pings(TRIED[index].1, results)
        });
        if let (Some(large), Some(alone), Some(lower)) = (large, alone, lower) {
            self.wait(&large, &alone, &lower);
        }
    }

    /// What a small request of higher priority waits for, in units of what a large one takes by itself at the same
    /// quantile.
    fn wait(&mut self, large: &RoundTrips, alone: &RoundTrips, lower: &RoundTrips) {
        let wait = |quantile| Some((lower.at(quantile)? - alone.at(quantile)?) / large.at(quantile)?);
        let what = |name| {
            format!(
                "small messages of higher priority beside 4 MiB ones: more {name} latency than alone, in {name} round \
                 trips of a lone 4 MiB request"
            )
        };
        self.judged(Verdict::relative(what("p99.9"), Want::AtMost(1.0), wait(P999)));
        self.found(what("p50"), wait(0.5));
    }

    fn pings(&mut self, name: &str, results: Vec<Result<Pings, BenchError>>) -> Option<RoundTrips> {
        let good = self.good(name, results)?;
        let all = RoundTrips::of(&good);
        for (quantile, share) in QUANTILES {
            if let Some(value) = all.at(share) {
                self.found(format!("{name}: {quantile} of {} round trips, us", all.0.len()), [value]);
            }
        }
        let beside = good.iter().map(|pings| pings.large_bytes_per_second / 1e6);
        if name.contains("beside") {
            self.found(format!("{name}: the large ones, MB/s"), beside);
        }
        Some(all)
    }
}

/// Those of all rounds, in nanoseconds.
struct RoundTrips(Histogram<u64>);

impl RoundTrips {
    fn of(rounds: &[Pings]) -> Self {
        let all = Histogram::new_with_bounds(1, LONGEST, 3);
        let mut all = all.unwrap_or_else(|_| unreachable!("constants that are valid"));
        for (nanos, count) in rounds.iter().flat_map(|round| &round.round_trips) {
            all.saturating_record_n(*nanos, *count);
        }
        Self(all)
    }

    /// A quantile in microseconds, if enough are above it.
    fn at(&self, quantile: f64) -> Option<f64> {
        let above = self.0.len() as f64 * (1.0 - quantile);
        (above >= ABOVE).then(|| self.0.value_at_quantile(quantile) as f64 / 1e3)
    }
}

fn pings(fleet: &Fleet, what: What, span: Duration, requests: u64) -> Measured<Pings> {
    let mut server = fleet.driven_server(Peer::Axon, &Scenario::requests(64, 1))?;
    let (seconds, requests) = (span.as_secs_f64().to_string(), requests.to_string());
    let client = fleet.probe(what, server.addr(), &["--seconds", &seconds, "--requests", &requests])?;
    watch(client, server.id(), PATIENCE, |found: &Pings| Duration::from_secs_f64(found.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_counted_together() {
        let round = |nanos, count| Pings {
            round_trips: vec![(nanos, count)],
            seconds: 1.0,
            large_bytes_per_second: 0.0,
        };
        let all = RoundTrips::of(&[round(1_000, 9_985), round(2_000_000, 15)]);
        let near = |value: Option<f64>, us: f64| value.is_some_and(|value| (value - us).abs() < us / 100.0);
        assert!(near(all.at(0.5), 1.0) && near(all.at(P999), 2_000.0));
        assert_eq!(RoundTrips::of(&[round(1_000, 9_999)]).at(P999), None);
    }
}
