//! Runs the probes and holds their findings against their bars.

use crate::bar::{Verdict, Want};
use crate::drive::Latency;
use crate::error::BenchError;
use crate::fleet::{Fleet, json_in};
use crate::meter::{Meter, Usage, middle};
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
use std::time::{Duration, Instant};

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

/// All findings.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Survey {
    /// In the order of the report.
    pub(crate) findings: Vec<Finding>,
    /// Those that have a bar.
    #[serde(skip)]
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

/// What idle connections cost one end.
struct Cost {
    resident: f64,
    threads: f64,
    cores: f64,
}

impl Survey {
    /// Runs all probes.
    pub(crate) fn run(fleet: &Fleet, how: Strictness) -> Self {
        let mut survey = Self::default();
        survey.idle(fleet, how);
        survey.handshakes(fleet, how);
        survey.mixed(fleet, how);
        survey
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

    fn idle(&mut self, fleet: &Fleet, how: Strictness) {
        let costs = match self.measure(how, || hold(fleet)) {
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

    /// Both rates are limited by the client, which is Axon's and the same; what a server could do with a core for itself
    /// is what its processor time per handshake allows.
    fn handshakes(&mut self, fleet: &Fleet, how: Strictness) {
        let (plain, secure) = (Scenario::requests(64, 1), Scenario::requests(64, 1).secure());
        let (mut ours, mut theirs, mut keyed) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..how.rounds {
            ours.push(self.measure(how, || dial(fleet, fleet.axon_server(&plain)?, how.span, false)));
            theirs.push(self.measure(how, || dial(fleet, fleet.cpp_server()?, how.span, false)));
            keyed.push(self.measure(how, || dial(fleet, fleet.axon_server(&secure)?, how.span, true)));
        }
        let ours = self.dialled("none, Axon's server", ours);
        let theirs = self.dialled("none, C++ server", theirs);
        self.dialled("cephx and secure mode, Axon's server", keyed);
        let ratio = ours.zip(theirs).map(|(ours, theirs)| ours.median / theirs.median);
        let beside =
            |how: &str| format!("handshakes per second and core of the server, {how}, beside C++ messenger");
        self.verdicts.push(Verdict::relative(beside("none"), Want::AtLeast(3.0), ratio));
        let why = BenchError::Missing("the server of the C++ benchmark knows no keys".into());
        self.failed("handshakes per second, cephx, C++ server", &why);
        self.verdicts.push(Verdict::relative(beside("cephx"), Want::AtLeast(3.0), None));
    }

    /// The findings about one server; the spread of what it could do with a core.
    fn dialled(&mut self, who: &str, results: Vec<Result<Dialled, BenchError>>) -> Option<Spread> {
        let dialled = self.good(&format!("handshakes, {who}"), results)?;
        self.found(format!("handshakes per second, {who}"), dialled.iter().map(|d| d.per_second));
        let per_core = dialled.iter().map(|d| d.per_second / d.server);
        self.found(format!("handshakes per second and core of the server, {who}"), per_core)
    }

    fn mixed(&mut self, fleet: &Fleet, how: Strictness) {
        let whats = [
            (What::Alone, "alone"),
            (What::BesideLower, "beside 4 MiB messages of lower priority"),
            (What::BesideHigher, "beside 4 MiB messages of higher priority"),
        ];
        let mut all = whats.map(|_| Vec::new());
        for _ in 0..how.rounds {
            for ((what, _), results) in whats.iter().zip(&mut all) {
                results.push(self.measure(how, || pings(fleet, *what, how.span)));
            }
        }
        for ((_, name), results) in whats.iter().zip(all) {
            self.pings(name, results);
        }
    }

    fn pings(&mut self, name: &str, results: Vec<Result<Pings, BenchError>>) {
        let Some(good) = self.good(&format!("64 B requests {name}"), results) else { return };
        for (quantile, value) in QUANTILES {
            let values = good.iter().map(|pings| value(&pings.latency_us));
            self.found(format!("64 B requests {name}: {quantile}, us"), values);
        }
        let large = good.iter().map(|pings| pings.large_bytes_per_second / 1e6);
        self.found(format!("64 B requests {name}: the large ones, MB/s"), large);
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

    fn failed(&mut self, what: &str, why: &BenchError) {
        self.findings.push(Finding { what: what.into(), value: None, failure: Some(why.to_string()) });
    }
}

/// Opens the connections and watches both ends.
fn hold(fleet: &Fleet) -> Measured<[(&'static str, Cost); 2]> {
    let mut server = fleet.axon_server(&Scenario::requests(64, 1))?;
    let mut client = fleet.probe(What::Idle, &server, &["--connections", &IDLE.to_string()])?;
    wait_for(&mut client, "ready", OPENING)?;
    let before = [status(client.id()), status(server.id())];
    wait_for(&mut client, "open", OPENING)?;
    // What opening them left to do is done.
    thread::sleep(Duration::from_secs(1));
    let meter = Meter::new(client.id(), server.id())?;
    let start = meter.read()?;
    thread::sleep(WATCH);
    let usage = meter.read()?.since(&start);
    let after = [status(client.id()), status(server.id())];
    let cost = |index: usize, cores| Cost {
        resident: (after[index].0 - before[index].0) / IDLE as f64,
        threads: after[index].1 - before[index].1,
        cores,
    };
    Ok(([("client", cost(0, usage.client)), ("server", cost(1, usage.server))], usage))
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

/// Handshakes with one server.
struct Dialled {
    per_second: f64,
    /// Cores the server used.
    server: f64,
}

fn dial(fleet: &Fleet, mut server: Server, span: Duration, keyed: bool) -> Measured<Dialled> {
    let (at_once, seconds) = (OPENED_AT_ONCE.to_string(), span.as_secs_f64().to_string());
    let keyring = fleet.keyring().display().to_string();
    let mut args = vec!["--connections", &at_once, "--seconds", &seconds];
    if keyed {
        args.extend(["--keyring", &keyring]);
    }
    let client = fleet.probe(What::Handshakes, &server, &args)?;
    let (found, usage): (Handshakes, _) = watch(client, &mut server, span)?;
    Ok((Dialled { per_second: found.per_second, server: usage.server }, usage))
}

fn pings(fleet: &Fleet, what: What, span: Duration) -> Measured<Pings> {
    let mut server = fleet.driven_server(Peer::Axon, &Scenario::requests(64, 1))?;
    let client = fleet.probe(what, &server, &["--seconds", &span.as_secs_f64().to_string()])?;
    watch(client, &mut server, span)
}

/// Waits for a probe's end, reads the clocks meanwhile, then what it found.
fn watch<T: DeserializeOwned>(mut client: Process, server: &mut Server, span: Duration) -> Measured<T> {
    let meter = Meter::new(client.id(), server.id())?;
    let limit = Instant::now() + span * 3 + Duration::from_secs(20);
    let mut readings = Vec::new();
    while client.ended().is_none() {
        if Instant::now() > limit {
            return Err(BenchError::Late { who: "probe".into(), output: client.output() });
        }
        readings.extend(meter.read().ok());
        thread::sleep(Duration::from_millis(5));
    }
    let output = client.output();
    let found = json_in(&output).zip(middle(&readings, span));
    found.ok_or_else(|| BenchError::NoResult { who: "probe".into(), output })
}
