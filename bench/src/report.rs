//! What a run comes to, written down: `figures.json`, `README.md` and the plots.

mod figures;
mod markdown;
mod plots;
mod rados;
mod units;

pub(crate) use figures::Figures;

use crate::bar::{Verdict, bars};
use crate::campaign::Plan;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::machine::{Machine, Version, versions};
use crate::peer::{PROFILES, Peer, Profile};
use crate::pinning::Pinning;
use crate::rados::{CLIENTS, ClientProfile, judge};
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
    /// The clients of clusters.
    clients: [ClientProfile; CLIENTS.len()],
    /// Who was not there.
    missing: Vec<Missing>,
    bars: Vec<Verdict>,
    #[serde(flatten)]
    figures: Figures,
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
    /// Of a run, and the figures of earlier ones that it was merged with.
    pub(crate) fn new(
        plan: &Plan,
        fleet: &Fleet,
        pinning: Pinning,
        missing: Vec<(Peer, String)>,
        figures: Figures,
    ) -> Self {
        let (kept, noisy, discarded) = figures.counts();
        let conditions = Conditions {
            rounds: plan.rounds,
            seconds: plan.span.measure.as_secs_f64(),
            pinning,
            noise: plan.noise,
            kept,
            noisy,
            discarded,
        };
        let between = bars().into_iter().map(|bar| bar.judge(&figures.cells));
        let probes = figures.surveys.iter().flat_map(|survey| survey.verdicts.iter().cloned());
        let clients = judge(&figures.rados.entries);
        Self {
            command: command(),
            machine: Machine::here(),
            versions: versions(fleet),
            conditions,
            peers: PROFILES,
            clients: CLIENTS,
            missing: missing.into_iter().map(|(peer, why)| Missing { peer, why }).collect(),
            bars: between.chain(probes).chain(clients).collect(),
            figures,
        }
    }

    /// Writes all files into a folder.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BenchError> {
        fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(self).map_err(io::Error::from)?;
        fs::write(folder.join(figures::FILE), json + "\n")?;
        let plots = plots::all(&self.figures.cells);
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
