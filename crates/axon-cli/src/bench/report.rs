//! The result: as JSON for programs, as a table for people.

mod per_message;

use super::BaselineArg;
use super::sample::Sample;
use crate::options::PolicyArg;
use crate::transport::TransportArg;
use crate::units;
use per_message::PerMessage;
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
    /// How long workers look for more before they sleep.
    pub(crate) spin_us: f64,
    /// `crc` or `secure`.
    pub(crate) mode: &'static str,
    /// `lossy`, `lossless` or `peer`.
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
    /// Not of bare sockets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_message: Option<PerMessage>,
    /// Not of bare sockets.
    #[serde(flatten)]
    pub(crate) sessions: Option<Sessions>,
    #[serde(flatten)]
    pub(crate) setup: Setup,
}

/// What happened to the sessions, over all rounds, warm-up and drain included.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sessions {
    /// Connections cut on purpose.
    pub(crate) cuts: u64,
    /// Connections made in place of broken ones.
    pub(crate) reconnects: u64,
    /// The longest time that a connection went without any reply while requests were on their way.
    pub(crate) longest_stall_us: f64,
}

/// The messenger's figures divided by those of its baseline.
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
    #[serde(flatten)]
    pub(crate) comparison: Option<Comparison>,
}

/// The baseline's figures, and how the messenger's relate to them.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Comparison {
    /// With bare sockets.
    Raw { raw: Figures, ratio_to_raw: Ratio },
    /// With the messenger under another policy.
    Lossy { lossy: Figures, ratio_to_lossy: Ratio },
    /// With the messenger over epoll.
    Tcp { tcp: Figures, ratio_to_tcp: Ratio },
}

impl Comparison {
    fn new(axon: &Figures, baseline: BaselineArg, rounds: &[Sample]) -> Self {
        let setup = axon.setup;
        match baseline {
            BaselineArg::Raw => {
                let setup = Setup { mode: "none", policy: "none", transport: "tcp", ..setup };
                let raw = Figures { sessions: None, per_message: None, ..Figures::new(setup, rounds) };
                Self::Raw { raw, ratio_to_raw: Ratio::new(axon, &raw) }
            }
            BaselineArg::Lossy => {
                let lossy = Figures::new(Setup { policy: PolicyArg::Lossy.name(), ..setup }, rounds);
                Self::Lossy { lossy, ratio_to_lossy: Ratio::new(axon, &lossy) }
            }
            BaselineArg::Tcp => {
                let tcp = Figures::new(Setup { transport: TransportArg::Tcp.name(), ..setup }, rounds);
                Self::Tcp { tcp, ratio_to_tcp: Ratio::new(axon, &tcp) }
            }
        }
    }

    /// The heading over the baseline's figures, and those.
    fn column(&self) -> (&'static str, &Figures) {
        match self {
            Self::Raw { raw, .. } => ("raw sockets", raw),
            Self::Lossy { lossy, .. } => ("lossy", lossy),
            Self::Tcp { tcp, .. } => ("tcp", tcp),
        }
    }
}

impl Ratio {
    fn new(one: &Figures, other: &Figures) -> Self {
        Self {
            messages_per_second: ratio(one.messages_per_second, other.messages_per_second),
            p50: ratio(one.latency_us.p50, other.latency_us.p50),
        }
    }
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
                max: greatest(rounds, Sample::latency_max),
            },
            cpu_us_per_message: median(&Sample::cpu_per_message),
            messages: sum(Sample::messages),
            lost: sum(|s| s.lost),
            duplicated: sum(|s| s.duplicated),
            reordered: sum(|s| s.reordered),
            per_message: PerMessage::of(rounds),
            sessions: Some(Sessions {
                cuts: sum(|s| s.cuts),
                reconnects: sum(|s| s.reconnects),
                longest_stall_us: greatest(rounds, |s| units::as_micros(s.longest_stall)),
            }),
            setup,
        }
    }
}

impl Report {
    /// Of the messenger's rounds, and those of its baseline between them, if there is one.
    pub(crate) fn new(setup: Setup, axon: &[Sample], baseline: Option<(BaselineArg, &[Sample])>) -> Self {
        let axon = Figures::new(setup, axon);
        let comparison = baseline.map(|(baseline, rounds)| Comparison::new(&axon, baseline, rounds));
        Self { axon, comparison }
    }
}

fn ratio(one: f64, other: f64) -> f64 {
    if other > 0.0 { one / other } else { 0.0 }
}

fn greatest(rounds: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    rounds.iter().map(of).fold(0.0, f64::max)
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
        let column = self.comparison.as_ref().map(Comparison::column);
        if let Some((heading, _)) = column {
            writeln!(f, "{:<14} {:>14} {heading:>14} {:>8}", "", self.heading(), "ratio")?;
        }
        for (name, text, value) in LINES {
            write!(f, "{name:<14} {:>14}", text(&self.axon))?;
            if let Some((_, other)) = column {
                write!(f, " {:>14} {:>8.2}", text(other), ratio(value(&self.axon), value(other)))?;
            }
            f.write_char('\n')?;
        }
        self.write_deliveries(f)
    }
}

impl Report {
    fn heading(&self) -> &'static str {
        match self.comparison {
            Some(Comparison::Lossy { .. }) => self.axon.setup.policy,
            _ => "axon",
        }
    }

    /// The last lines: what messages cost, what became of them, and of the sessions.
    fn write_deliveries(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { messages, lost, duplicated, reordered, sessions, .. } = self.axon;
        let messages = units::grouped(messages);
        let deliveries = format_args!("lost {lost}, duplicated {duplicated}, reordered {reordered}");
        if let Some(per_message) = self.axon.per_message {
            writeln!(f, "{:<14} {per_message}", "per message")?;
        }
        write!(f, "{:<14} {messages:>14}   {deliveries}", "messages")?;
        let Some(Sessions { cuts, reconnects, longest_stall_us }) = sessions else { return Ok(()) };
        let stall = units::micros(longest_stall_us);
        let breaks = format_args!("cuts {}, reconnects {}", units::grouped(cuts), units::grouped(reconnects));
        write!(f, "\n{:<14} {stall:>14}   {breaks}", "longest stall")
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, depth, connections, workers, spin_us, mode, policy, transport } = self;
        let connections = units::counted(*connections as u64, "connection");
        let workers = units::counted(*workers as u64, "worker");
        write!(f, "{size} B requests, {depth} in flight, {connections}, {workers}, ")?;
        match *spin_us {
            0.0 => {}
            limit => write!(f, "up to {limit} us of spinning, ")?,
        }
        write!(f, "{mode}, {policy}, {transport}")
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
        spin_us: 50.0,
        mode: "crc",
        policy: "lossy",
        transport: "tcp",
    };

    fn sample(messages: u64, micros: u64) -> Sample {
        let mut sample = Sample {
            elapsed: Duration::from_secs(1),
            cpu: Duration::from_millis(10),
            counted: Some(axon_messenger::Snapshot::default()),
            ..Sample::default()
        };
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
        let report = Report::new(SETUP, &rounds, Some((BaselineArg::Raw, &[sample(400, 5)])));
        assert_eq!(report.axon.messages_per_second, 200.0);
        assert_eq!(report.axon.messages, 600);
        assert!((report.axon.latency_us.p50 - 20.0).abs() < 0.1);
        assert!((report.axon.latency_us.max - 50.0).abs() < 0.1);
        let Some(Comparison::Raw { ratio_to_raw: ratio, .. }) = report.comparison else {
            panic!("{report:?}")
        };
        assert_eq!(ratio.messages_per_second, 0.5);
        assert!((ratio.p50 - 4.0).abs() < 0.01);
    }

    #[test]
    fn the_keys_are_those_promised() {
        let raw = [
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
            "spin_us",
            "transport",
            "workers",
        ];
        let mut own = raw.to_vec();
        own.extend(["cuts", "longest_stall_us", "per_message", "reconnects"]);
        own.sort_unstable();
        let some = [sample(1, 1)];
        let value = |baseline: Option<BaselineArg>| {
            serde_json::to_value(Report::new(SETUP, &some, baseline.map(|with| (with, &some[..])))).unwrap()
        };
        let alone = value(None);
        assert_eq!(keys(&alone), own);
        assert_eq!(keys(&alone["latency_us"]), ["max", "p50", "p90", "p99", "p999"]);
        let both = value(Some(BaselineArg::Raw));
        assert_eq!(keys(&both["raw"]), raw);
        assert_eq!(keys(&both["ratio_to_raw"]), ["messages_per_second", "p50"]);
        let policies = value(Some(BaselineArg::Lossy));
        assert_eq!(keys(&policies["lossy"]), own);
        assert_eq!(policies["lossy"]["policy"], "lossy");
        assert_eq!(keys(&policies["ratio_to_lossy"]), ["messages_per_second", "p50"]);
    }

    #[test]
    fn breaks_are_summed_and_the_longest_stall_counts() {
        let round = |cuts, stall| Sample {
            cuts,
            reconnects: cuts + 1,
            longest_stall: Duration::from_micros(stall),
            ..sample(10, 5)
        };
        let report = Report::new(SETUP, &[round(3, 700), round(4, 2500)], None);
        let sessions = report.axon.sessions.unwrap();
        assert_eq!((sessions.cuts, sessions.reconnects), (7, 9));
        assert_eq!(sessions.longest_stall_us, 2500.0);
        let text = report.to_string();
        assert!(text.contains("2.50 ms   cuts 7, reconnects 9"), "{text}");
    }

    #[test]
    fn an_empty_run_divides_by_nothing() {
        let empty = [Sample::default()];
        let report = Report::new(SETUP, &empty, Some((BaselineArg::Raw, &empty)));
        assert!(report.to_string().contains("lost 0"));
        assert!(
            matches!(report.comparison, Some(Comparison::Raw { ratio_to_raw, .. }) if ratio_to_raw.p50 == 0.0)
        );
    }
}
