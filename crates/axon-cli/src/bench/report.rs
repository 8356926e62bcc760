//! The result: as JSON for programs, as a table for people.

use super::sample::Sample;
use crate::units;
use serde::Serialize;
use std::fmt::{self, Write};

/// What was run: the part of the report that is known before.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Setup {
    /// Bytes of data per request.
    pub(crate) size: u32,
    /// Requests in flight per connection.
    pub(crate) depth: usize,
    /// Connections.
    pub(crate) connections: usize,
    /// Worker threads on each side.
    pub(crate) workers: usize,
    /// `crc` or `secure`.
    pub(crate) mode: &'static str,
    /// `lossy`.
    pub(crate) policy: &'static str,
    /// `tcp` or `mem`.
    pub(crate) transport: &'static str,
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

/// What was measured: medians over the rounds, but for the greatest latency and the counts, which are of all rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figures {
    pub(crate) messages_per_second: f64,
    pub(crate) bytes_per_second: f64,
    pub(crate) latency_us: Latency,
    pub(crate) cpu_us_per_message: f64,
    pub(crate) messages: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    #[serde(flatten)]
    pub(crate) setup: Setup,
}

/// The messenger's figures divided by those of bare sockets.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Ratio {
    pub(crate) messages_per_second: f64,
    pub(crate) p50: f64,
}

/// The whole result.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) axon: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio_to_raw: Option<Ratio>,
}

impl Figures {
    /// Of one or more rounds.
    pub(crate) fn new(setup: Setup, rounds: &[Sample]) -> Self {
        let median = |of: &dyn Fn(&Sample) -> f64| median(rounds.iter().map(of).collect());
        let sum = |of: fn(&Sample) -> u64| rounds.iter().map(of).sum();
        let rate = median(&Sample::rate);
        Self {
            messages_per_second: rate,
            bytes_per_second: rate * f64::from(setup.size),
            latency_us: Latency {
                p50: median(&|s| s.latency_at(0.5)),
                p90: median(&|s| s.latency_at(0.9)),
                p99: median(&|s| s.latency_at(0.99)),
                p999: median(&|s| s.latency_at(0.999)),
                max: rounds.iter().map(Sample::latency_max).fold(0.0, f64::max),
            },
            cpu_us_per_message: median(&Sample::cpu_per_message),
            messages: sum(Sample::messages),
            lost: sum(|s| s.lost),
            duplicated: sum(|s| s.duplicated),
            reordered: sum(|s| s.reordered),
            setup,
        }
    }
}

impl Report {
    /// Of the messenger's rounds and those of bare sockets between them, if there were any.
    pub(crate) fn new(setup: Setup, axon: &[Sample], raw: &[Sample]) -> Self {
        let axon = Figures::new(setup, axon);
        if raw.is_empty() {
            return Self { axon, raw: None, ratio_to_raw: None };
        }
        let raw = Figures::new(Setup { mode: "none", policy: "none", transport: "tcp", ..setup }, raw);
        let ratio = Ratio {
            messages_per_second: ratio(axon.messages_per_second, raw.messages_per_second),
            p50: ratio(axon.latency_us.p50, raw.latency_us.p50),
        };
        Self { axon, raw: Some(raw), ratio_to_raw: Some(ratio) }
    }
}

fn ratio(one: f64, other: f64) -> f64 {
    if other > 0.0 { one / other } else { 0.0 }
}

/// The middle value, or the mean of the two in the middle; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A line of the table: what it says, and how it says it of some figures.
type Line = (&'static str, fn(&Figures) -> String, fn(&Figures) -> f64);

const LINES: [Line; 8] = [
    ("messages/s", |f| units::grouped(f.messages_per_second as u64), |f| f.messages_per_second),
    ("data/s", |f| units::bytes(f.bytes_per_second), |f| f.bytes_per_second),
    ("latency p50", |f| units::micros(f.latency_us.p50), |f| f.latency_us.p50),
    ("latency p90", |f| units::micros(f.latency_us.p90), |f| f.latency_us.p90),
    ("latency p99", |f| units::micros(f.latency_us.p99), |f| f.latency_us.p99),
    ("latency p99.9", |f| units::micros(f.latency_us.p999), |f| f.latency_us.p999),
    ("latency max", |f| units::micros(f.latency_us.max), |f| f.latency_us.max),
    ("cpu/message", |f| units::micros(f.cpu_us_per_message), |f| f.cpu_us_per_message),
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.raw.is_some() {
            writeln!(f, "{:<14} {:>14} {:>14} {:>8}", "", "axon", "raw sockets", "ratio")?;
        }
        for (name, text, value) in LINES {
            write!(f, "{name:<14} {:>14}", text(&self.axon))?;
            if let Some(raw) = &self.raw {
                write!(f, " {:>14} {:>8.2}", text(raw), ratio(value(&self.axon), value(raw)))?;
            }
            f.write_char('\n')?;
        }
        let Figures { messages, lost, duplicated, reordered, .. } = self.axon;
        let messages = units::grouped(messages);
        write!(
            f,
            "{:<14} {messages:>14}   lost {lost}, duplicated {duplicated}, reordered {reordered}",
            "messages"
        )
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, depth, connections, workers, mode, policy, transport } = self;
        let connections = units::counted(*connections as u64, "connection");
        let workers = units::counted(*workers as u64, "worker");
        write!(
            f,
            "{size} B requests, {depth} in flight, {connections}, {workers}, {mode}, {policy}, {transport}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SETUP: Setup = Setup {
        size: 4096,
        depth: 8,
        connections: 1,
        workers: 1,
        mode: "crc",
        policy: "lossy",
        transport: "tcp",
    };

    fn sample(messages: u64, micros: u64) -> Sample {
        let mut sample =
            Sample { elapsed: Duration::from_secs(1), cpu: Duration::from_millis(10), ..Sample::default() };
        sample.latency.record_n(micros * 1000, messages).unwrap();
        sample
    }

    fn keys(value: &serde_json::Value) -> Vec<&str> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
    }

    #[test]
    fn rounds_become_medians_and_sums() {
        let rounds = [sample(100, 50), sample(300, 10), sample(200, 20)];
        let report = Report::new(SETUP, &rounds, &[sample(400, 5)]);
        assert_eq!(report.axon.messages_per_second, 200.0);
        assert_eq!(report.axon.messages, 600);
        assert!((report.axon.latency_us.p50 - 20.0).abs() < 0.1);
        assert!((report.axon.latency_us.max - 50.0).abs() < 0.1);
        let ratio = report.ratio_to_raw.unwrap();
        assert_eq!(ratio.messages_per_second, 0.5);
        assert!((ratio.p50 - 4.0).abs() < 0.01);
    }

    #[test]
    fn the_keys_are_those_promised() {
        let own = [
            "bytes_per_second",
            "connections",
            "cpu_us_per_message",
            "depth",
            "duplicated",
            "latency_us",
            "lost",
            "messages",
            "messages_per_second",
            "mode",
            "policy",
            "reordered",
            "size",
            "transport",
            "workers",
        ];
        let alone = serde_json::to_value(Report::new(SETUP, &[sample(1, 1)], &[])).unwrap();
        assert_eq!(keys(&alone), own);
        assert_eq!(keys(&alone["latency_us"]), ["max", "p50", "p90", "p99", "p999"]);
        let both = serde_json::to_value(Report::new(SETUP, &[sample(1, 1)], &[sample(1, 1)])).unwrap();
        assert_eq!(keys(&both["raw"]), own);
        assert_eq!(keys(&both["ratio_to_raw"]), ["messages_per_second", "p50"]);
    }

    #[test]
    fn an_empty_run_divides_by_nothing() {
        let report = Report::new(SETUP, &[Sample::default()], &[Sample::default()]);
        assert!(report.to_string().contains("lost 0"));
        assert_eq!(report.ratio_to_raw.unwrap().p50, 0.0);
    }
}
