//! Every load, its clients in turn, round after round.

use super::{Bed, CLIENTS, Client, ClientProfile, Load};
use crate::drive::Report;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::meter::{Meter, Reading, Usage, between};
use crate::pair::{result_of, tail};
use crate::sample::{Figures, Sample, Spread};
use crate::stamp::Stamp;
use axon_testbed::{Process, Release};
use serde::{Deserialize, Serialize};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// When every client is at work: logging in takes less.
const AT_WORK: Duration = Duration::from_millis(400);
/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How much longer than it was told a client may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the clients are measured.
#[derive(Debug, Clone)]
pub(crate) struct Race {
    /// The clusters.
    pub(crate) releases: Vec<Release>,
    /// Measurements of each client under each load that needs no more.
    pub(crate) rounds: usize,
    /// Seconds of each: whole ones, as `rados bench` knows no others.
    pub(crate) seconds: u64,
    /// Cores that others may use.
    pub(crate) noise: f64,
    /// How often a measurement is repeated because others used more, or it failed.
    pub(crate) retries: u32,
    /// When the run began.
    pub(crate) stamp: Stamp,
}

/// What was measured, and what could not be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Entries {
    /// In the order of tables.
    pub(crate) entries: Vec<Entry>,
    /// Why there are none of a release, or of a client.
    pub(crate) missing: Vec<String>,
}

/// One client under one load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The cluster's release, by its code name.
    pub(crate) release: String,
    /// What was done.
    pub(crate) load: Load,
    /// By whom.
    pub(crate) client: Client,
    /// What the rounds come to; the server is the OSD.
    pub(crate) figures: Figures,
    /// The client's greatest resident memory, MiB.
    pub(crate) peak_mib: Option<Spread>,
    /// The rounds.
    pub(crate) rounds: Vec<Round>,
    /// Measurements thrown away because others used the processor.
    pub(crate) discarded: u32,
    /// Why measurements failed that were repeated.
    #[serde(default)]
    pub(crate) repeated: Vec<String>,
    /// Why there are not as many rounds as there should be.
    pub(crate) failure: Option<String>,
    /// When.
    pub(crate) measured: Stamp,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Round {
    /// Operations, and processor time per operation.
    #[serde(flatten)]
    pub(crate) sample: Sample,
    /// The client's greatest resident memory, MiB.
    pub(crate) peak_mib: f64,
}

impl Race {
    /// Measures everything.
    pub(crate) fn run(&self, fleet: &Fleet) -> Entries {
        let mut all = Entries::default();
        for ClientProfile { client, title, .. } in &CLIENTS {
            all.missing.extend(fleet.lacks_client(*client).map(|why| format!("{title}: {why}")));
        }
        for release in &self.releases {
            match self.with(fleet, *release) {
                Ok(entries) => all.entries.extend(entries),
                Err(why) => all.missing.push(format!("clients of Ceph {}: {why}", release)),
            }
        }
        all
    }

    fn with(&self, fleet: &Fleet, release: Release) -> Result<Vec<Entry>, BenchError> {
        let clients = CLIENTS.iter().map(|profile| profile.client);
        let present = clients.filter(|client| fleet.lacks_client(*client).is_none());
        let bed = Bed::boot(release)?;
        let filled: Vec<_> = present.map(|client| (client, bed.fill(fleet, client))).collect();
        let mut entries: Vec<Entry> = Vec::new();
        for load in Load::ALL {
            let runners = filled.iter().filter(|(client, _)| client.takes_part(&load));
            let mut own: Vec<Entry> = runners
                .map(|(client, filled)| self.blank(bed.release(), load, *client, filled.as_ref().err()))
                .collect();
            for round in 0..self.rounds * load.repeats() {
                for entry in &mut own {
                    self.one(fleet, &bed, round, entry);
                }
            }
            entries.extend(own.into_iter().map(Entry::summed_up));
        }
        Ok(entries)
    }

    fn blank(&self, release: Release, load: Load, client: Client, failure: Option<&BenchError>) -> Entry {
        Entry {
            release: release.to_string(),
            load,
            client,
            figures: Figures::of(&[]),
            peak_mib: None,
            rounds: Vec::new(),
            discarded: 0,
            repeated: Vec::new(),
            failure: failure.map(ToString::to_string),
            measured: self.stamp.clone(),
        }
    }

    fn one(&self, fleet: &Fleet, bed: &Bed, round: usize, entry: &mut Entry) {
        let (load, client) = (entry.load, entry.client);
        entry.add_round(self, |attempt| {
            let run = format!("{}-{}-{round}-{attempt}", load.size, load.depth);
            self.measure(fleet, bed, load, client, &run)
        });
    }

    fn measure(
        &self,
        fleet: &Fleet,
        bed: &Bed,
        load: Load,
        client: Client,
        run: &str,
    ) -> Result<Round, BenchError> {
        let run = match load.access {
            super::load::Access::Read => load.set(),
            super::load::Access::Write => run.to_owned(),
        };
        let command = client.command(fleet, bed, &load, self.seconds, &run)?;
        let process = fleet.spawn_anywhere(client.profile().title, &command)?;
        let (output, readings, peak_mib) = self.watch(process, bed.osd())?;
        let report: Report = client.read(&output, &load).ok_or_else(|| BenchError::NoResult {
            who: client.profile().title.into(),
            output: tail(&output),
        })?;
        let work = Duration::from_secs(self.seconds).mul_f64(0.9);
        let usage: Option<Usage> = between(&readings, AT_WORK, work);
        Ok(Round { sample: Sample::new(report, usage), peak_mib })
    }

    /// Waits for the client's end, and reads the clocks and its memory meanwhile.
    fn watch(&self, mut process: Process, osd: u32) -> Result<(String, Vec<Reading>, f64), BenchError> {
        let meter = Meter::new(process.id(), osd)?;
        let limit = Instant::now() + Duration::from_secs(self.seconds) + PATIENCE;
        let (mut readings, mut peak) = (Vec::new(), 0.0);
        while process.ended().is_none() {
            if Instant::now() > limit {
                return Err(BenchError::Late {
                    who: process.name().to_owned(),
                    output: tail(&process.output()),
                });
            }
            readings.extend(meter.read().ok());
            peak = peak_mib(process.id()).unwrap_or(peak);
            thread::sleep(LOOK);
        }
        Ok((result_of(&mut process)?, readings, peak))
    }
}

impl Entry {
    /// One round: again while others disturb it or it fails, at most as often as planned. None if one failed for good.
    fn add_round(&mut self, race: &Race, mut measure: impl FnMut(u32) -> Result<Round, BenchError>) {
        if self.failure.is_some() {
            return;
        }
        for attempt in 0..=race.retries {
            let is_last = attempt == race.retries;
            match measure(attempt) {
                // One that got stuck may do better the next time.
                Err(error) if !is_last => self.repeated.push(error.to_string()),
                Err(error) => self.failure = Some(error.to_string()),
                Ok(Round { sample, .. }) if !sample.is_quiet(race.noise) && !is_last => self.discarded += 1,
                Ok(Round { sample, peak_mib }) => {
                    let noisy = !sample.is_quiet(race.noise);
                    return self.rounds.push(Round { sample: Sample { noisy, ..sample }, peak_mib });
                }
            }
        }
    }

    fn summed_up(self) -> Self {
        let samples: Vec<Sample> = self.rounds.iter().map(|round| round.sample.clone()).collect();
        let peak_mib = Spread::of(self.rounds.iter().map(|round| round.peak_mib));
        Self { figures: Figures::of(&samples), peak_mib, ..self }
    }

    /// From the begin of an operation to its end, in the mean, us: librados tells no quantiles, so all are compared by
    /// this one.
    pub(crate) fn mean_us(&self) -> Option<f64> {
        Some(f64::from(self.load.depth) * 1e6 / self.figures.messages_per_second?.median)
    }
}

/// The greatest resident memory a process had (proc_pid_status(5)).
fn peak_mib(id: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rounds of measurements that come out like this: failures, or how many cores others used.
    fn entry_of(retries: u32, mut outcomes: Vec<Result<f64, &str>>) -> Entry {
        let stamp = Stamp { at: String::new(), commit: String::new(), seconds: 1.0 };
        let race = Race { releases: Vec::new(), rounds: 2, seconds: 1, noise: 0.1, retries, stamp };
        let mut entry = race.blank(Release::Reef, Load::LONE, Client::Axon, None);
        for _ in 0..race.rounds {
            entry.add_round(&race, |_| {
                let others = outcomes.remove(0).map_err(|why| BenchError::Missing(why.into()))?;
                let rate = 1.0;
                let report = Report {
                    messages_per_second: rate,
                    bytes_per_second: rate,
                    latency_us: None,
                    messages: 1,
                };
                let usage = Usage { client: 0.1, server: 0.1, others };
                Ok(Round { sample: Sample::new(report, Some(usage)), peak_mib: 1.0 })
            });
        }
        assert!(outcomes.is_empty());
        entry
    }

    #[test]
    fn failures_are_repeated_and_remembered() {
        let entry = entry_of(2, vec![Err("stuck"), Ok(0.0), Err("gone"), Ok(0.5), Ok(0.5)]);
        assert_eq!((entry.repeated, entry.failure), (vec!["stuck".to_owned(), "gone".into()], None));
        assert_eq!((entry.rounds.len(), entry.discarded), (2, 1));
        assert_eq!(entry.rounds.iter().map(|round| round.sample.noisy).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn the_last_failure_ends_the_entry() {
        let entry = entry_of(1, vec![Err("stuck"), Err("gone")]);
        assert_eq!((entry.repeated, entry.failure), (vec!["stuck".to_owned()], Some("gone".into())));
        assert!(entry.rounds.is_empty());
    }

    #[test]
    fn this_process_has_memory() {
        assert!(peak_mib(std::process::id()).is_some_and(|mib| mib > 0.5));
    }
}
