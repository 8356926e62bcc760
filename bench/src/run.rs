//! `axon-bench run`: measures everything, or a part, and writes the report.

use crate::campaign::{Cell, Plan};
use crate::error::BenchError;
use crate::fleet::{Fleet, Span};
use crate::only::{Only, Part};
use crate::peer::{PROFILES, Peer};
use crate::pinning::Pinning;
use crate::rados::{Entries, Race};
use crate::report::{Figures, Outcome};
use crate::scenario::ROWS;
use crate::stamp::Stamp;
use crate::survey::Survey;
use axon_testbed::Release;
use clap::Args;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// Options of a run.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// About four minutes: shorter measurements, only those that a bar needs, no cluster unless --only asks for it. They
    /// replace those of the last run, as with --only.
    #[arg(long)]
    quick: bool,
    /// Only a part: idle, handshakes, mixed, rados, peers whose names contain this (beside Axon), or scenarios whose names
    /// do; may be given several times. What is measured replaces those figures in the report, with its date; the rest of
    /// the report stays.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Rounds of which the medians are taken.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of each measurement [default: 0.5, with --quick 0.1; of the clients of a cluster 3 and 1].
    #[arg(long)]
    seconds: Option<f64>,
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
    /// When there is nothing to measure, the report cannot be written, or there is none to merge a part into.
    pub(crate) fn run(&self) -> Result<(), BenchError> {
        let only = Only::parse(&self.only)?;
        let mut figures = match (only.is_all(), self.quick) {
            (true, false) => Figures::default(),
            // What cannot be added to, such as the figures of another machine, is replaced.
            (true, true) => Figures::read(&self.out).unwrap_or_default(),
            (false, _) => Figures::read(&self.out)?,
        };
        let programs = env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
        let fleet = Fleet::gather(&programs, self.pin)?;
        let missing = fleet.missing();
        let plan = self.plan(&only, &missing);
        figures.merge(self.measure(&only, &plan, &fleet));
        let outcome = Outcome::new(&plan, &fleet, self.pin, missing, figures);
        outcome.write(&self.out)?;
        println!("{}", outcome.summary());
        Ok(())
    }

    fn measure(&self, only: &Only, plan: &Plan, fleet: &Fleet) -> Figures {
        let cells: Vec<Cell> = plan.run(fleet);
        let parts = Part::ALL.into_iter().filter(|part| only.wants_part(*part));
        let run = |part| Survey::run(part, fleet, plan.strictness(), &plan.stamp);
        let surveys: Vec<Survey> = parts.filter_map(run).collect();
        // A cluster takes longer to start and to fill than all the rest of a quick run.
        let rados = match only.wants_part(Part::Rados) && !(self.quick && only.is_all()) {
            true => self.race(plan).run(fleet),
            false => Entries::default(),
        };
        Figures { cells, surveys, rados }
    }

    fn plan(&self, only: &Only, missing: &[(Peer, String)]) -> Plan {
        let rows = ROWS.iter().filter(|row| only.wants_row(row) && only.wants_somebody_of(row));
        let peers = PROFILES.iter().map(|profile| profile.peer);
        let peers =
            peers.filter(|peer| only.wants_peer(*peer) && !missing.iter().any(|(gone, _)| gone == peer));
        let seconds = self.seconds.unwrap_or(if self.quick { 0.1 } else { 0.5 });
        Plan {
            rows: rows.copied().collect(),
            peers: peers.collect(),
            for_bars: self.quick,
            rounds: self.rounds as usize,
            span: Span::of(Duration::from_secs_f64(seconds)),
            noise: self.noise,
            retries: self.retries.unwrap_or(if self.quick { 1 } else { 3 }),
            stamp: Stamp::now(seconds),
        }
    }

    /// How clients of clusters are measured.
    fn race(&self, plan: &Plan) -> Race {
        let seconds = self.seconds.unwrap_or(if self.quick { 1.0 } else { 3.0 });
        let releases = if self.quick { vec![Release::Reef] } else { vec![Release::Reef, Release::Pacific] };
        Race {
            releases,
            rounds: self.rounds as usize,
            seconds: seconds.ceil() as u64,
            noise: self.noise,
            retries: plan.retries,
            stamp: Stamp { seconds: seconds.ceil(), ..plan.stamp.clone() },
        }
    }
}
