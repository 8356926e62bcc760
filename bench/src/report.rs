//! What a run comes to, written down: `figures.json`, `README.md` and the plots.

mod markdown;
mod plots;
mod units;

use crate::bar::{Verdict, bars};
use crate::campaign::{Cell, Plan};
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::machine::{Machine, Version, versions};
use crate::peer::{PROFILES, Peer, Profile};
use crate::pinning::Pinning;
use crate::survey::Survey;
use serde::Serialize;
use std::fs;
use std::io;
use std::path::Path;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// The arguments of the run.
    command: String,
    machine: Machine,
    versions: Vec<Version>,
    conditions: Conditions,
    /// The peers, and how they were started.
    peers: [Profile; PROFILES.len()],
    /// Who was not there.
    missing: Vec<Missing>,
    bars: Vec<Verdict>,
    cells: Vec<Cell>,
    survey: Survey,
}

/// How was measured.
#[derive(Debug, Serialize)]
struct Conditions {
    rounds: usize,
    seconds: f64,
    pinning: Pinning,
    /// Cores that others may use.
    noise: f64,
    /// Measurements in the figures.
    kept: usize,
    /// Of these, with others at work.
    noisy: usize,
    /// Measurements thrown away.
    discarded: u32,
}

/// A peer that was not there.
#[derive(Debug, Serialize)]
struct Missing {
    peer: Peer,
    why: String,
}

impl Outcome {
    /// Of a run.
    pub(crate) fn new(
        plan: &Plan,
        fleet: &Fleet,
        pinning: Pinning,
        missing: Vec<(Peer, String)>,
        cells: Vec<Cell>,
        survey: Survey,
    ) -> Self {
        let rounds = || cells.iter().flat_map(|cell| &cell.rounds);
        let conditions = Conditions {
            rounds: plan.rounds,
            seconds: plan.span.measure.as_secs_f64(),
            pinning,
            noise: plan.noise,
            kept: rounds().count() + survey.kept,
            noisy: rounds().filter(|round| round.noisy).count() + survey.noisy,
            discarded: cells.iter().map(|cell| cell.discarded).sum::<u32>() + survey.discarded,
        };
        Self {
            command: command(),
            machine: Machine::here(),
            versions: versions(fleet),
            conditions,
            peers: PROFILES,
            missing: missing.into_iter().map(|(peer, why)| Missing { peer, why }).collect(),
            bars: bars().iter().map(|bar| bar.judge(&cells)).chain(survey.verdicts.iter().cloned()).collect(),
            cells,
            survey,
        }
    }

    /// Writes all files into a folder.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BenchError> {
        fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(self).map_err(io::Error::from)?;
        fs::write(folder.join("figures.json"), json + "\n")?;
        let plots = plots::all(&self.cells);
        for plot in &plots {
            fs::write(folder.join(plot.file), &plot.svg)?;
        }
        Ok(fs::write(folder.join("README.md"), markdown::page(self, &plots))?)
    }

    /// The bars, for the terminal.
    pub(crate) fn summary(&self) -> String {
        markdown::summary(self)
    }
}

/// What the person typed.
fn command() -> String {
    let quoted = |word: String| if word.contains(' ') { format!("'{word}'") } else { word };
    let arguments: Vec<_> = std::env::args().skip(2).map(quoted).collect();
    ["cargo xtask bench".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}
