//! The run: every scenario, its peers in turn, round after round.

use crate::bar;
use crate::error::BenchError;
use crate::fleet::{Fleet, Span};
use crate::meter::middle;
use crate::peer::{PROFILES, Peer};
use crate::sample::{Figures, Sample};
use crate::scenario::{Row, Scenario};
use crate::stamp::Stamp;
use crate::survey::Strictness;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The shortest measurement of a probe.
const LEAST_PROBE: Duration = Duration::from_millis(500);

/// What to run, and how strictly.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The rows of the table that are measured.
    pub(crate) rows: Vec<Row>,
    /// The peers that are measured.
    pub(crate) peers: Vec<Peer>,
    /// Only where a bar needs it.
    pub(crate) for_bars: bool,
    /// Measurements of each peer in each scenario.
    pub(crate) rounds: usize,
    /// How long each takes.
    pub(crate) span: Span,
    /// Cores that others may use.
    pub(crate) noise: f64,
    /// How often a measurement is repeated because others used more.
    pub(crate) retries: u32,
    /// When the run began.
    pub(crate) stamp: Stamp,
}

/// One peer in one scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// What was measured.
    pub(crate) scenario: Scenario,
    /// Who.
    pub(crate) peer: Peer,
    /// What the rounds come to.
    pub(crate) figures: Figures,
    /// The rounds.
    pub(crate) rounds: Vec<Sample>,
    /// Measurements thrown away because others used the processor.
    pub(crate) discarded: u32,
    /// Why there are not as many rounds as there should be.
    pub(crate) failure: Option<String>,
    /// When.
    pub(crate) measured: Stamp,
}

/// A cell while it fills.
#[derive(Default)]
struct Filling {
    rounds: Vec<Sample>,
    discarded: u32,
    failure: Option<String>,
    /// Messages per second, once known.
    rate: Option<f64>,
}

impl Plan {
    /// The same for the probes.
    pub(crate) fn strictness(&self) -> Strictness {
        // Large messages take their time.
        let span = self.span.measure.max(LEAST_PROBE);
        Strictness { rounds: self.rounds, span, noise: self.noise, retries: self.retries }
    }

    /// Scenarios with those who take part, in order.
    pub(crate) fn scenarios(&self) -> Vec<(Scenario, Vec<Peer>)> {
        let mut scenarios: Vec<(Scenario, Vec<Peer>)> = Vec::new();
        for row in &self.rows {
            let index = match scenarios.iter().position(|(scenario, _)| *scenario == row.scenario) {
                Some(index) => index,
                None => {
                    scenarios.push((row.scenario, Vec::new()));
                    scenarios.len() - 1
                }
            };
            let (_, peers) = &mut scenarios[index];
            let more = PROFILES.iter().map(|profile| profile.peer);
            let more: Vec<_> = more
                .filter(|peer| self.peers.contains(peer) && peer.takes_part(row) && !peers.contains(peer))
                .filter(|peer| !self.for_bars || bar::need(*peer, &row.scenario))
                .collect();
            peers.extend(more);
        }
        scenarios.retain(|(_, peers)| !peers.is_empty());
        scenarios
    }

    /// Measures everything.
    pub(crate) fn run(&self, fleet: &Fleet) -> Vec<Cell> {
        let scenarios = self.scenarios();
        let runs: usize = scenarios.iter().map(|(_, peers)| peers.len() * self.rounds).sum();
        let bar = progress(runs as u64);
        let cells = scenarios.iter().flat_map(|(scenario, peers)| self.fill(fleet, *scenario, peers, &bar));
        let cells = cells.collect();
        bar.finish_and_clear();
        cells
    }

    fn fill(&self, fleet: &Fleet, scenario: Scenario, peers: &[Peer], bar: &ProgressBar) -> Vec<Cell> {
        let mut cells: BTreeMap<Peer, Filling> =
            peers.iter().map(|peer| (*peer, Filling::default())).collect();
        for _ in 0..self.rounds {
            for peer in peers {
                bar.set_message(format!("{scenario}: {}", peer.profile().title));
                if let Some(filling) = cells.get_mut(peer) {
                    self.one(fleet, *peer, &scenario, filling);
                }
                bar.inc(1);
            }
        }
        let cell = |(peer, filling): (Peer, Filling)| Cell {
            scenario,
            peer,
            figures: Figures::of(&filling.rounds),
            rounds: filling.rounds,
            discarded: filling.discarded,
            failure: filling.failure,
            measured: self.stamp.clone(),
        };
        cells.into_iter().map(cell).collect()
    }

    /// One round of one peer: again while others disturb it, at most as often as planned.
    fn one(&self, fleet: &Fleet, peer: Peer, scenario: &Scenario, filling: &mut Filling) {
        if filling.failure.is_some() {
            return;
        }
        let mut attempt = 0;
        loop {
            let rate = filling.rate.unwrap_or_else(|| guess(peer, scenario));
            let measured = self.measure(fleet, peer, scenario, rate);
            let known = filling.rate.is_some();
            filling.rate = measured.as_ref().ok().map(|sample| sample.report.messages_per_second);
            match measured {
                Err(error) => return filling.failure = Some(error.to_string()),
                // Who is told a count, by a guess far off, is told a better one.
                Ok(sample) if !known && sample.report.span() < self.span.measure / 2 => continue,
                Ok(sample) if sample.is_quiet(self.noise) => return filling.rounds.push(sample),
                Ok(sample) if attempt == self.retries => {
                    return filling.rounds.push(Sample { noisy: true, ..sample });
                }
                Ok(_) => filling.discarded += 1,
            }
            attempt += 1;
        }
    }

    fn measure(
        &self,
        fleet: &Fleet,
        peer: Peer,
        scenario: &Scenario,
        rate: f64,
    ) -> Result<Sample, BenchError> {
        let pair = fleet.start(peer, scenario, self.span, rate)?;
        let limit = self.span.measure * 20 + Duration::from_secs(40);
        let (report, readings) = pair.watch(limit)?;
        let usage = middle(&readings, report.span());
        Ok(Sample::new(report, usage))
    }
}

/// Messages per second to begin with, for those who are told a count; rather too few, as the first measurement is
/// repeated when it was short.
fn guess(peer: Peer, scenario: &Scenario) -> f64 {
    match scenario.size {
        // Two processes that spin are slow where others want the cores.
        _ if peer == Peer::Ucx => 500.0,
        0..=8192 => 20_000.0,
        8193..=131_072 => 5_000.0,
        _ => 800.0,
    }
}

fn progress(runs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (about {eta} left) {msg}");
    ProgressBar::new(runs).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::For;

    #[test]
    fn rows_of_one_scenario_are_measured_once() {
        let row = |whom| Row { scenario: Scenario::requests(64, 1), whom };
        let mut plan = Plan {
            rows: vec![row(For::Rust), row(For::All)],
            peers: vec![Peer::Axon, Peer::Raw, Peer::RadosRs, Peer::Nng],
            for_bars: false,
            rounds: 1,
            span: Span::of(Duration::from_secs(1)),
            noise: 0.1,
            retries: 0,
            stamp: Stamp::now(1.0),
        };
        let scenarios = plan.scenarios();
        assert_eq!(scenarios.len(), 1);
        assert_eq!(scenarios[0].1, [Peer::Axon, Peer::RadosRs, Peer::Raw, Peer::Nng]);
        plan.for_bars = true;
        assert_eq!(plan.scenarios()[0].1, [Peer::Axon, Peer::Nng]);
    }
}
