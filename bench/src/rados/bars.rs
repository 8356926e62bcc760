//! The bars of the clients: ours divided by theirs.

use super::{Client, Entry, Load};
use crate::bar::{Verdict, Want};
use crate::stamp::Stamp;

/// What is compared.
#[derive(Debug, Clone, Copy)]
enum Measure {
    /// Operations per second, and the client's processor time beside them.
    Operations,
    /// The mean latency.
    Latency,
    /// The client's processor time per operation.
    Cpu,
    /// The client's peak memory.
    Memory,
}

/// One bar.
struct Bar {
    load: Load,
    measure: Measure,
    ours: Client,
    theirs: Client,
    want: Want,
}

const fn beside_librados(load: Load, measure: Measure, want: Want) -> Bar {
    Bar { load, measure, ours: Client::Axon, theirs: Client::Librados, want }
}

/// Both in secure mode: rados-rs has no other.
const fn beside_rados_rs(load: Load, measure: Measure, want: Want) -> Bar {
    Bar { load, measure, ours: Client::AxonSecure, theirs: Client::RadosRs, want }
}

/// They are the project's goals, set before the figures.
const BARS: [Bar; 14] = [
    beside_librados(Load::READS, Measure::Operations, Want::FasterOrLeaner(1.3, 1.0, 0.5)),
    beside_librados(Load::WRITES, Measure::Operations, Want::AtLeast(1.0)),
    beside_librados(Load::WRITES, Measure::Cpu, Want::AtMost(0.5)),
    beside_librados(Load::LARGE, Measure::Operations, Want::AtLeast(1.0)),
    beside_librados(Load::LONE, Measure::Latency, Want::AtMost(0.65)),
    beside_librados(Load::LONE, Measure::Cpu, Want::AtMost(0.45)),
    beside_librados(Load::READS, Measure::Memory, Want::AtMost(1.0)),
    beside_librados(Load::WRITES, Measure::Memory, Want::AtMost(1.0)),
    beside_librados(Load::LARGE, Measure::Memory, Want::AtMost(1.0)),
    beside_librados(Load::LONE, Measure::Memory, Want::AtMost(1.0)),
    beside_rados_rs(Load::READS, Measure::Operations, Want::AtLeast(1.0)),
    beside_rados_rs(Load::READS, Measure::Cpu, Want::AtMost(1.0)),
    beside_rados_rs(Load::LONE, Measure::Latency, Want::AtMost(1.0)),
    beside_rados_rs(Load::LONE, Measure::Cpu, Want::AtMost(1.0)),
];

/// Holds what was measured with each release against the bars.
pub(crate) fn judge(entries: &[Entry]) -> Vec<Verdict> {
    let mut releases: Vec<&str> = entries.iter().map(|entry| entry.release.as_str()).collect();
    releases.dedup();
    releases.iter().flat_map(|release| BARS.iter().map(|bar| bar.judge(release, entries))).collect()
}

impl Bar {
    fn judge(&self, release: &str, entries: &[Entry]) -> Verdict {
        let find = |client| {
            entries.iter().find(|e| e.release == release && e.load == self.load && e.client == client)
        };
        let (ours, theirs) = (find(self.ours), find(self.theirs));
        let ratio = |measure: Measure| Some(measure.of(ours?)? / measure.of(theirs?)?);
        let cpu = matches!(self.measure, Measure::Operations).then(|| ratio(Measure::Cpu)).flatten();
        let verdict = Verdict::with_cpu(self.name(release), self.want, ratio(self.measure), cpu);
        let rounds = ours.into_iter().chain(theirs).flat_map(|entry| &entry.rounds);
        let noisy = rounds.filter(|round| round.sample.noisy).count() > 0;
        let measured = match (ours, theirs) {
            (Some(ours), Some(theirs)) => Stamp::both(&ours.measured, &theirs.measured),
            _ => String::new(),
        };
        Verdict { noisy, measured, ..verdict }
    }

    fn name(&self, release: &str) -> String {
        let Self { load, measure, ours, theirs, .. } = self;
        let (ours, theirs) = (ours.profile().title, theirs.profile().title);
        format!("{load}, Ceph {release}: {}, {ours} beside {theirs}", measure.name())
    }
}

impl Measure {
    fn of(self, entry: &Entry) -> Option<f64> {
        match self {
            Self::Operations => Some(entry.figures.messages_per_second?.median),
            Self::Latency => entry.mean_us(),
            Self::Cpu => Some(entry.figures.client_cpu_us?.median),
            Self::Memory => Some(entry.peak_mib?.median),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Operations => "operations/s",
            Self::Latency => "mean latency",
            Self::Cpu => "client's processor time per operation",
            Self::Memory => "client's peak memory",
        }
    }
}
