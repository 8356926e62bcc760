//! Small requests beside large ones.

use super::{Measured, Strictness, Survey, watch};
use crate::bar::{Verdict, Want};
use crate::drive::Latency;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::peer::Peer;
use crate::probe::What;
use crate::probe::findings::Pings;
use crate::sample::Spread;
use crate::scenario::Scenario;
use std::time::Duration;

/// A part of a latency.
type Quantile = (&'static str, fn(&Latency) -> f64);

/// Those that are reported.
const QUANTILES: [Quantile; 3] = [("p50", |l| l.p50), ("p99", |l| l.p99), ("p99.9", |l| l.p999)];

/// What is tried, and its name.
const TRIED: [(What, &str); 4] = [
    (What::Large, "4 MiB requests alone"),
    (What::Alone, "64 B requests alone"),
    (What::BesideLower, "64 B requests beside 4 MiB messages of lower priority"),
    (What::BesideHigher, "64 B requests beside 4 MiB messages of higher priority"),
];

impl Survey {
    pub(super) fn mixed(&mut self, fleet: &Fleet, how: Strictness) {
        let mut all = TRIED.map(|_| Vec::new());
        for _ in 0..how.rounds {
            for ((what, _), results) in TRIED.iter().zip(&mut all) {
                results.push(self.measure(how, || pings(fleet, *what, how.span)));
            }
        }
        let [large, alone, lower, _] = std::array::from_fn(|index| {
            let results = std::mem::take(&mut all[index]);
            self.pings(TRIED[index].1, results)
        });
        self.wait(large, alone, lower);
    }

    /// What a small request of higher priority waits for, in units of what a large one takes by itself.
    fn wait(&mut self, large: Option<Pinged>, alone: Option<Pinged>, lower: Option<Pinged>) {
        let waits = large.zip(alone).zip(lower).map(|((large, alone), lower)| {
            let over = |lower: Spread, alone: Spread| (lower.median - alone.median) / large.p50.median;
            (over(lower.p999, alone.p999), over(lower.p50, alone.p50))
        });
        let what = "small messages of higher priority beside 4 MiB ones: more p99.9 latency than alone, in round \
                    trips of a lone 4 MiB request";
        self.judged(Verdict::relative(what.into(), Want::AtMost(1.0), waits.map(|(p999, _)| p999)));
        if let Some((_, p50)) = waits {
            self.found("64 B requests beside 4 MiB messages of lower priority: more p50 latency than alone, in round trips of a lone 4 MiB request".into(), [p50]);
        }
    }

    fn pings(&mut self, name: &str, results: Vec<Result<Pings, BenchError>>) -> Option<Pinged> {
        let good = self.good(name, results)?;
        for (quantile, value) in QUANTILES {
            let values = good.iter().map(|pings| value(&pings.latency_us));
            self.found(format!("{name}: {quantile}, us"), values);
        }
        let beside = good.iter().map(|pings| pings.large_bytes_per_second / 1e6);
        if name.contains("beside") {
            self.found(format!("{name}: the large ones, MB/s"), beside);
        }
        let spread = |value: fn(&Latency) -> f64| Spread::of(good.iter().map(|p| value(&p.latency_us)));
        Some(Pinged { p50: spread(|l| l.p50)?, p999: spread(|l| l.p999)? })
    }
}

/// Latencies over the rounds.
#[derive(Clone, Copy)]
struct Pinged {
    p50: Spread,
    p999: Spread,
}

fn pings(fleet: &Fleet, what: What, span: Duration) -> Measured<Pings> {
    let mut server = fleet.driven_server(Peer::Axon, &Scenario::requests(64, 1))?;
    let client = fleet.probe(what, server.addr(), &["--seconds", &span.as_secs_f64().to_string()])?;
    watch(client, server.id(), span)
}
