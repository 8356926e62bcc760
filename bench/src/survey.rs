//! Runs the probes and holds their findings against their bars.

mod handshakes;
mod idle;
mod mixed;

use crate::bar::Verdict;
use crate::error::BenchError;
use crate::fleet::{Fleet, json_in};
use crate::meter::{Meter, Usage, middle};
use crate::only::Part;
use crate::pair::{result_of, tail};
use crate::sample::Spread;
use crate::stamp::Stamp;
use axon_testbed::Process;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::thread;
use std::time::{Duration, Instant};

/// What a probe found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// What, with its unit.
    pub(crate) what: String,
    /// Over the rounds.
    pub(crate) value: Option<Spread>,
    /// Why there is none.
    pub(crate) failure: Option<String>,
}

/// How strictly is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strictness {
    /// Measurements of which the medians are taken.
    pub(crate) rounds: usize,
    /// How long each takes.
    pub(crate) span: Duration,
    /// Cores that others may use.
    pub(crate) noise: f64,
    /// How often a measurement is repeated because others used more.
    pub(crate) retries: u32,
}

/// The findings of a part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Survey {
    /// Which.
    pub(crate) part: Part,
    /// When.
    pub(crate) measured: Stamp,
    /// In the order of the report.
    pub(crate) findings: Vec<Finding>,
    /// Those that have a bar.
    pub(crate) verdicts: Vec<Verdict>,
    /// Measurements kept.
    pub(crate) kept: usize,
    /// Of these, with others at work.
    pub(crate) noisy: usize,
    /// Measurements thrown away.
    pub(crate) discarded: u32,
}

/// A result, and what was used meanwhile.
type Measured<T> = Result<(T, Usage), BenchError>;

impl Survey {
    /// Runs the probes of a part; `None` of one that has none.
    pub(crate) fn run(part: Part, fleet: &Fleet, how: Strictness, measured: &Stamp) -> Option<Self> {
        let (findings, verdicts) = (Vec::new(), Vec::new());
        let measured = measured.clone();
        let mut survey = Self { part, measured, findings, verdicts, kept: 0, noisy: 0, discarded: 0 };
        match part {
            Part::Idle => survey.idle(fleet, how),
            Part::Handshakes => survey.handshakes(fleet, how),
            Part::Mixed => survey.mixed(fleet, how),
            Part::Rados => return None,
        }
        let noisy = survey.noisy > 0;
        survey.verdicts.iter_mut().for_each(|verdict| verdict.noisy = noisy);
        Some(survey)
    }

    /// Measures, again while others disturb it, at most as often as is allowed.
    fn measure<T>(&mut self, how: Strictness, once: impl Fn() -> Measured<T>) -> Result<T, BenchError> {
        for attempt in 0.. {
            let (value, usage) = once()?;
            let quiet = usage.others <= how.noise;
            if quiet || attempt >= how.retries {
                self.kept += 1;
                self.noisy += usize::from(!quiet);
                return Ok(value);
            }
            self.discarded += 1;
        }
        unreachable!("the last attempt is kept")
    }

    /// The results of all rounds, or a finding that says why there are none.
    fn good<T>(&mut self, what: &str, results: Vec<Result<T, BenchError>>) -> Option<Vec<T>> {
        let good: Result<Vec<T>, BenchError> = results.into_iter().collect();
        good.map_err(|error| self.failed(what, &error)).ok()
    }

    fn found(&mut self, what: String, values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let value = Spread::of(values);
        self.findings.push(Finding { what, value, failure: None });
        value
    }

    fn judged(&mut self, verdict: Verdict) {
        self.verdicts.push(verdict.at(&self.measured));
    }

    fn failed(&mut self, what: &str, why: &BenchError) {
        self.findings.push(Finding { what: what.into(), value: None, failure: Some(why.to_string()) });
    }
}

/// Waits for a probe's end, reads the clocks meanwhile, then what it found, and how long that was measured.
fn watch<T: DeserializeOwned>(
    mut client: Process,
    server: u32,
    limit: Duration,
    span: impl Fn(&T) -> Duration,
) -> Measured<T> {
    let meter = Meter::new(client.id(), server)?;
    let limit = Instant::now() + limit;
    let mut readings = Vec::new();
    while client.ended().is_none() {
        if Instant::now() > limit {
            return Err(BenchError::Late { who: "probe".into(), output: tail(&client.output()) });
        }
        readings.extend(meter.read().ok());
        thread::sleep(Duration::from_millis(5));
    }
    let output = result_of(&mut client)?;
    let found =
        json_in(&output).and_then(|found| middle(&readings, span(&found)).map(|usage| (found, usage)));
    found.ok_or_else(|| BenchError::NoResult { who: "probe".into(), output: tail(&output) })
}
