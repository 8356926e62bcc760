//! Runs the probes and holds their findings against their bars.

use crate::bar::{Verdict, Want};
use crate::drive::Latency;
use crate::error::BenchError;
use crate::fleet::{Fleet, json_in};
use crate::meter::Meter;
use crate::pair::{Server, wait_for};
use crate::peer::Peer;
use crate::probe::What;
use crate::probe::findings::{Handshakes, Pings};
use crate::sample::Spread;
use crate::scenario::Scenario;
use axon_testbed::Process;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::thread;
use std::time::Duration;

/// Idle connections.
const IDLE: usize = 10_000;
/// How long they are watched.
const WATCH: Duration = Duration::from_secs(3);
/// How long opening them may take.
const OPENING: Duration = Duration::from_secs(60);
/// Connections that are being opened at the same time.
const OPENED_AT_ONCE: usize = 16;

/// A part of a latency.
type Quantile = (&'static str, fn(&Latency) -> f64);

/// Those that are reported of small requests.
const QUANTILES: [Quantile; 3] = [("p50", |l| l.p50), ("p99", |l| l.p99), ("p99.9", |l| l.p999)];

/// What a probe found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    /// What, with its unit.
    pub(crate) what: String,
    /// Over the rounds.
    pub(crate) value: Option<Spread>,
    /// Why there is none.
    pub(crate) failure: Option<String>,
}

/// All findings.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Survey {
    /// In the order of the report.
    pub(crate) findings: Vec<Finding>,
    /// Those that have a bar.
    #[serde(skip)]
    pub(crate) verdicts: Vec<Verdict>,
}

/// What idle connections cost one end.
struct Cost {
    resident: f64,
    threads: f64,
    cores: f64,
}

impl Survey {
    /// Runs all probes, so many rounds of so many seconds.
    pub(crate) fn run(fleet: &Fleet, rounds: usize, span: Duration) -> Self {
        let mut survey = Self::default();
        survey.idle(fleet);
        survey.handshakes(fleet, rounds, span);
        survey.mixed(fleet, rounds, span);
        survey
    }

    fn idle(&mut self, fleet: &Fleet) {
        let costs = match hold(fleet) {
            Ok(costs) => costs,
            Err(error) => return self.failed(&format!("{IDLE} idle connections"), &error),
        };
        for (end, cost) in costs {
            let bars = [
                ("resident bytes each", cost.resident, 4096.0),
                ("more threads", cost.threads, 0.0),
                ("cores used", cost.cores, 0.01),
            ];
            for (what, value, most) in bars {
                let what = format!("{IDLE} idle connections, {end}: {what}");
                self.verdicts.push(Verdict::absolute(what.clone(), Want::AtMost(most), value));
                self.found(what, [value]);
            }
        }
    }

    fn handshakes(&mut self, fleet: &Fleet, rounds: usize, span: Duration) {
        let (mut ours, mut theirs, mut keyed) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(
                fleet.axon_server(&Scenario::requests(64, 1)).and_then(|s| dial(fleet, s, span, false)),
            );
            theirs.push(fleet.cpp_server().and_then(|server| dial(fleet, server, span, false)));
            let secure = Scenario::requests(64, 1).secure();
            keyed.push(fleet.axon_server(&secure).and_then(|server| dial(fleet, server, span, true)));
        }
        let ours = self.rounds("handshakes per second, none, Axon's server", ours);
        let theirs = self.rounds("handshakes per second, none, C++ server", theirs);
        self.rounds("handshakes per second, cephx and secure mode, Axon's server", keyed);
        let ratio = ours.zip(theirs).map(|(ours, theirs)| ours.median / theirs.median);
        let beside = |how: &str| format!("handshakes/s, {how}, beside C++ messenger, both dialled by Axon");
        self.verdicts.push(Verdict::relative(beside("none"), Want::AtLeast(3.0), ratio));
        // The server of the C++ benchmark knows no keys.
        self.verdicts.push(Verdict::relative(beside("cephx"), Want::AtLeast(3.0), None));
    }

    fn mixed(&mut self, fleet: &Fleet, rounds: usize, span: Duration) {
        let whats = [
            (What::Alone, "alone"),
            (What::BesideLower, "beside 4 MiB messages of lower priority"),
            (What::BesideHigher, "beside 4 MiB messages of higher priority"),
        ];
        let mut all = whats.map(|_| Vec::new());
        for _ in 0..rounds {
            for ((what, _), results) in whats.iter().zip(&mut all) {
                results.push(pings(fleet, *what, span));
            }
        }
        for ((_, name), results) in whats.iter().zip(all) {
            self.pings(name, results);
        }
    }

    fn pings(&mut self, name: &str, results: Vec<Result<Pings, BenchError>>) {
        let mut good = Vec::new();
        for result in results {
            match result {
                Ok(pings) => good.push(pings),
                Err(error) => return self.failed(&format!("64 B requests {name}"), &error),
            }
        }
        for (quantile, value) in QUANTILES {
            let values = good.iter().map(|pings| value(&pings.latency_us));
            self.found(format!("64 B requests {name}: {quantile}, us"), values);
        }
        let large = good.iter().map(|pings| pings.large_bytes_per_second / 1e6);
        self.found(format!("64 B requests {name}: the large ones, MB/s"), large);
    }

    /// The findings of several rounds; of a failure the first.
    fn rounds(&mut self, what: &str, results: Vec<Result<f64, BenchError>>) -> Option<Spread> {
        let mut values = Vec::new();
        for result in results {
            match result {
                Ok(value) => values.push(value),
                Err(error) => {
                    self.failed(what, &error);
                    return None;
                }
            }
        }
        self.found(what.to_owned(), values)
    }

    fn found(&mut self, what: String, values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let value = Spread::of(values);
        self.findings.push(Finding { what, value, failure: None });
        value
    }

    fn failed(&mut self, what: &str, why: &BenchError) {
        self.findings.push(Finding { what: what.into(), value: None, failure: Some(why.to_string()) });
    }
}

/// Opens the connections and watches both ends.
fn hold(fleet: &Fleet) -> Result<[(&'static str, Cost); 2], BenchError> {
    let mut server = fleet.axon_server(&Scenario::requests(64, 1))?;
    let mut client = fleet.probe(What::Idle, &server, &["--connections", &IDLE.to_string()])?;
    wait_for(&mut client, "ready", OPENING)?;
    let before = [status(client.id()), status(server.id())];
    wait_for(&mut client, "open", OPENING)?;
    // What opening them left to do is done.
    thread::sleep(Duration::from_secs(1));
    let meter = Meter::new(client.id(), server.id()).map_err(std::io::Error::from)?;
    let start = meter.read().map_err(std::io::Error::from)?;
    thread::sleep(WATCH);
    let usage = meter.read().map_err(std::io::Error::from)?.since(&start);
    let after = [status(client.id()), status(server.id())];
    let cost = |index: usize, cores| Cost {
        resident: (after[index].0 - before[index].0) / IDLE as f64,
        threads: after[index].1 - before[index].1,
        cores,
    };
    Ok([("client", cost(0, usage.client)), ("server", cost(1, usage.server))])
}

/// Resident bytes and threads of a process (proc_pid_status(5)).
fn status(id: u32) -> (f64, f64) {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let number = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
    };
    (number("VmRSS:") * 1024.0, number("Threads:"))
}

fn dial(fleet: &Fleet, server: Server, span: Duration, keyed: bool) -> Result<f64, BenchError> {
    let (at_once, seconds) = (OPENED_AT_ONCE.to_string(), span.as_secs_f64().to_string());
    let keyring = fleet.keyring().display().to_string();
    let mut args = vec!["--connections", &at_once, "--seconds", &seconds];
    if keyed {
        args.extend(["--keyring", &keyring]);
    }
    let client = fleet.probe(What::Handshakes, &server, &args)?;
    Ok(finding::<Handshakes>(client, span)?.per_second)
}

fn pings(fleet: &Fleet, what: What, span: Duration) -> Result<Pings, BenchError> {
    let server = fleet.driven_server(Peer::Axon, &Scenario::requests(64, 1))?;
    finding(fleet.probe(what, &server, &["--seconds", &span.as_secs_f64().to_string()])?, span)
}

/// Waits for a probe's end and reads what it found.
fn finding<T: DeserializeOwned>(mut client: Process, span: Duration) -> Result<T, BenchError> {
    if !client.stop_within(patience(span)) {
        return Err(BenchError::Late { who: "probe".into(), output: client.output() });
    }
    json_in(&client.output())
        .ok_or_else(|| BenchError::NoResult { who: "probe".into(), output: client.output() })
}

/// How long a probe may take.
fn patience(span: Duration) -> Duration {
    span * 3 + Duration::from_secs(20)
}
