//! The figures of one run or of several: a part that is measured again replaces what it was.

use crate::campaign::Cell;
use crate::error::BenchError;
use crate::machine::Machine;
use crate::peer::{PROFILES, Peer};
use crate::rados::{Entries, Load};
use crate::scenario::{ROWS, Scenario};
use crate::survey::Survey;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Where they are kept.
pub(super) const FILE: &str = "figures.json";

/// What was measured; each figure knows when.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Peers in scenarios.
    pub(crate) cells: Vec<Cell>,
    /// What probes found.
    pub(crate) surveys: Vec<Survey>,
    /// Clients of clusters.
    pub(crate) rados: Entries,
}

/// The file, as far as it is read again.
#[derive(Deserialize)]
struct Stored {
    machine: Machine,
    #[serde(flatten)]
    figures: Figures,
}

impl Figures {
    /// Those of the report in a folder; none where there is no report.
    ///
    /// # Errors
    /// [`BenchError::Unmergeable`] when they are of another machine, or not understood.
    pub(crate) fn read(folder: &Path) -> Result<Self, BenchError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let unmergeable = |why: String| BenchError::Unmergeable { path: path.display().to_string(), why };
        let text = fs::read_to_string(&path)?;
        let stored: Stored = serde_json::from_str(&text).map_err(|error| unmergeable(error.to_string()))?;
        match stored.machine.is_like(&Machine::here()) {
            true => Ok(stored.figures),
            false => Err(unmergeable("its figures are of another machine".into())),
        }
    }

    /// Takes newer ones in place of those of the same things.
    pub(crate) fn merge(&mut self, newer: Self) {
        let is = |a: &Cell, b: &Cell| a.scenario == b.scenario && a.peer == b.peer;
        self.cells.retain(|old| !newer.cells.iter().any(|new| is(old, new)));
        self.cells.extend(newer.cells);
        self.cells.sort_by_key(|cell| (row(&cell.scenario), place(cell.peer)));
        self.surveys.retain(|old| !newer.surveys.iter().any(|new| old.part == new.part));
        self.surveys.extend(newer.surveys);
        self.surveys.sort_by_key(|survey| survey.part);
        self.merge_rados(newer.rados);
    }

    fn merge_rados(&mut self, newer: Entries) {
        if newer.entries.is_empty() && newer.missing.is_empty() {
            return;
        }
        let old = &mut self.rados;
        old.entries.retain(|old| {
            let same = |new: &&_| -> bool {
                let new: &crate::rados::Entry = new;
                (&old.release, old.load, old.client) == (&new.release, new.load, new.client)
            };
            newer.entries.iter().find(same).is_none()
        });
        old.entries.extend(newer.entries);
        let load = |load: &Load| Load::ALL.iter().position(|known| known == load);
        old.entries.sort_by(|a, b| {
            let key = |e: &crate::rados::Entry| (load(&e.load), e.client);
            b.release.cmp(&a.release).then(key(a).cmp(&key(b)))
        });
        old.missing = newer.missing;
    }

    /// Whether everything was measured in one run.
    pub(super) fn are_of_one_run(&self) -> bool {
        let runs = self.cells.iter().map(|cell| &cell.measured);
        let runs = runs.chain(self.surveys.iter().map(|survey| &survey.measured));
        let runs = runs.chain(self.rados.entries.iter().map(|entry| &entry.measured));
        let mut begun: Vec<&str> = runs.map(|run| run.at.as_str()).collect();
        begun.dedup();
        begun.len() <= 1
    }

    /// Measurements kept, those of them with others at work, and those thrown away.
    pub(super) fn counts(&self) -> (usize, usize, u32) {
        let cells = self.cells.iter().flat_map(|cell| &cell.rounds).map(|round| round.noisy);
        let rados = self.rados.entries.iter().flat_map(|entry| &entry.rounds).map(|round| round.sample.noisy);
        let rounds: Vec<bool> = cells.chain(rados).collect();
        let kept: usize = self.surveys.iter().map(|survey| survey.kept).sum();
        let noisy: usize = self.surveys.iter().map(|survey| survey.noisy).sum();
        let discarded = self.cells.iter().map(|cell| cell.discarded).sum::<u32>()
            + self.surveys.iter().map(|survey| survey.discarded).sum::<u32>()
            + self.rados.entries.iter().map(|entry| entry.discarded).sum::<u32>();
        (rounds.len() + kept, rounds.iter().filter(|noisy| **noisy).count() + noisy, discarded)
    }
}

/// The first row of a scenario; those that are no more come last.
fn row(scenario: &Scenario) -> usize {
    ROWS.iter().position(|row| row.scenario == *scenario).unwrap_or(usize::MAX)
}

fn place(peer: Peer) -> usize {
    PROFILES.iter().position(|profile| profile.peer == peer).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::only::Part;
    use crate::sample::Figures as Sums;
    use crate::stamp::Stamp;

    fn stamp(at: &str) -> Stamp {
        Stamp { at: at.into(), commit: String::new(), seconds: 1.0 }
    }

    fn cell(peer: Peer, scenario: Scenario, at: &str) -> Cell {
        let (rounds, measured) = (Vec::new(), stamp(at));
        Cell { scenario, peer, figures: Sums::of(&[]), rounds, discarded: 1, failure: None, measured }
    }

    fn survey(part: Part, at: &str) -> Survey {
        let (findings, verdicts) = (Vec::new(), Vec::new());
        Survey { part, measured: stamp(at), findings, verdicts, kept: 1, noisy: 0, discarded: 0 }
    }

    #[test]
    fn a_part_replaces_what_it_was_and_nothing_else() {
        let (lone, deep) = (Scenario::requests(64, 1), Scenario::requests(64, 32));
        let mut all = Figures {
            cells: vec![
                cell(Peer::Axon, lone, "old"),
                cell(Peer::Nng, lone, "old"),
                cell(Peer::Axon, deep, "old"),
            ],
            surveys: vec![survey(Part::Idle, "old"), survey(Part::Mixed, "old")],
            rados: Entries { entries: Vec::new(), missing: vec!["somebody".into()] },
        };
        all.merge(Figures {
            cells: vec![cell(Peer::Axon, lone, "new"), cell(Peer::Cpp, lone, "new")],
            surveys: vec![survey(Part::Idle, "new")],
            rados: Entries::default(),
        });
        let cells: Vec<_> = all.cells.iter().map(|c| (c.peer, c.scenario, c.measured.at.as_str())).collect();
        assert_eq!(
            cells,
            [
                (Peer::Axon, lone, "new"),
                (Peer::Cpp, lone, "new"),
                (Peer::Nng, lone, "old"),
                (Peer::Axon, deep, "old"),
            ]
        );
        let surveys: Vec<_> = all.surveys.iter().map(|s| s.measured.at.as_str()).collect();
        assert_eq!(surveys, ["new", "old"]);
        assert_eq!(all.rados.missing, ["somebody"]);
        assert_eq!(all.counts(), (2, 0, 4));
        assert!(!all.are_of_one_run());
        all.surveys.clear();
        all.cells.retain(|cell| cell.measured.at == "new");
        assert!(all.are_of_one_run());
    }

    #[test]
    fn what_was_written_is_read_again() {
        let figures = Figures {
            cells: vec![cell(Peer::Ucx, Scenario::stream(64).spinning(), "now")],
            surveys: vec![survey(Part::Handshakes, "now")],
            rados: Entries::default(),
        };
        let text = serde_json::json!({ "machine": Machine::here(), "command": "x" });
        let mut text = text.as_object().unwrap().clone();
        text.extend(serde_json::to_value(&figures).unwrap().as_object().unwrap().clone());
        let stored: Stored = serde_json::from_value(text.into()).unwrap();
        assert_eq!(stored.figures.cells[0].scenario, figures.cells[0].scenario);
        assert!(stored.machine.is_like(&Machine::here()));
    }
}
