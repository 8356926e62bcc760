//! `axon-bench run`: measures everything and writes the report.

use crate::campaign::Plan;
use crate::error::BenchError;
use crate::fleet::{Fleet, Span};
use crate::peer::{PROFILES, Peer};
use crate::pinning::Pinning;
use crate::report::Outcome;
use crate::scenario::ROWS;
use crate::survey::Survey;
use clap::Args;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// Options of a run.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// About two minutes: fewer scenarios, shorter measurements.
    #[arg(long)]
    quick: bool,
    /// Rounds of which the medians are taken.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of each measurement [default: 2, with --quick 0.15].
    #[arg(long)]
    seconds: Option<f64>,
    /// Only peers whose names contain this; may be given several times.
    #[arg(long, value_name = "NAME")]
    peer: Vec<String>,
    /// Only scenarios whose names contain this.
    #[arg(long, value_name = "NAME", default_value = "")]
    scenario: String,
    /// Which cores the ends run on.
    #[arg(long, value_enum, default_value_t = Pinning::Split)]
    pin: Pinning,
    /// Cores that others may use before a measurement is thrown away.
    #[arg(long, default_value_t = 0.15)]
    noise: f64,
    /// How often a measurement is repeated when others used more [default: 3, with --quick 1].
    #[arg(long)]
    retries: Option<u32>,
    /// Where the report is written.
    #[arg(long, default_value = "docs/performance")]
    out: PathBuf,
}

impl RunArgs {
    /// Measures and writes.
    ///
    /// # Errors
    /// When there is nothing to measure, or the report cannot be written.
    pub(crate) fn run(&self) -> Result<(), BenchError> {
        let programs = env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
        let fleet = Fleet::gather(&programs, self.pin)?;
        let missing = fleet.missing();
        let plan = self.plan(&missing);
        let cells = plan.run(&fleet);
        let survey = self.survey(&plan, &fleet);
        let outcome = Outcome::new(&plan, &fleet, self.pin, missing, cells, survey);
        outcome.write(&self.out)?;
        println!("{}", outcome.summary());
        Ok(())
    }

    fn plan(&self, missing: &[(Peer, String)]) -> Plan {
        let rows = ROWS.iter().filter(|row| row.quick || !self.quick);
        let rows = rows.filter(|row| row.scenario.to_string().contains(&self.scenario));
        let peers = PROFILES.iter().map(|profile| profile.peer);
        let peers = peers.filter(|peer| self.wants(*peer) && !missing.iter().any(|(gone, _)| gone == peer));
        let seconds = self.seconds.unwrap_or(if self.quick { 0.15 } else { 2.0 });
        Plan {
            rows: rows.copied().collect(),
            peers: peers.collect(),
            rounds: self.rounds as usize,
            span: Span::of(Duration::from_secs_f64(seconds)),
            noise: self.noise,
            retries: self.retries.unwrap_or(if self.quick { 1 } else { 3 }),
        }
    }

    /// The probes, unless only some scenarios or peers are asked for.
    fn survey(&self, plan: &Plan, fleet: &Fleet) -> Survey {
        match self.scenario.is_empty() && self.peer.is_empty() {
            true => Survey::run(fleet, plan.strictness()),
            false => Survey::default(),
        }
    }

    fn wants(&self, peer: Peer) -> bool {
        let title = peer.profile().title.to_lowercase();
        self.peer.is_empty() || self.peer.iter().any(|name| title.contains(&name.to_lowercase()))
    }
}
