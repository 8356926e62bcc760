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
    theirs: Client,
    want: Want,
}

const fn bar(load: Load, measure: Measure, theirs: Client, want: Want) -> Bar {
    Bar { load, measure, theirs, want }
}

/// They are the project's goals, set before the figures.
const BARS: [Bar; 14] = [
    bar(Load::READS, Measure::Operations, Client::Librados, Want::FasterOrLeaner(1.3, 1.0, 0.5)),
    bar(Load::WRITES, Measure::Operations, Client::Librados, Want::AtLeast(1.0)),
    bar(Load::WRITES, Measure::Cpu, Client::Librados, Want::AtMost(0.5)),
    bar(Load::LARGE, Measure::Operations, Client::Librados, Want::AtLeast(1.0)),
    bar(Load::LONE, Measure::Latency, Client::Librados, Want::AtMost(0.65)),
    bar(Load::LONE, Measure::Cpu, Client::Librados, Want::AtMost(0.45)),
    bar(Load::READS, Measure::Memory, Client::Librados, Want::AtMost(1.0)),
    bar(Load::WRITES, Measure::Memory, Client::Librados, Want::AtMost(1.0)),
    bar(Load::LARGE, Measure::Memory, Client::Librados, Want::AtMost(1.0)),
    bar(Load::LONE, Measure::Memory, Client::Librados, Want::AtMost(1.0)),
    bar(Load::READS, Measure::Operations, Client::RadosRs, Want::AtLeast(1.0)),
    bar(Load::READS, Measure::Cpu, Client::RadosRs, Want::AtMost(1.0)),
    bar(Load::LONE, Measure::Latency, Client::RadosRs, Want::AtMost(1.0)),
    bar(Load::LONE, Measure::Cpu, Client::RadosRs, Want::AtMost(1.0)),
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
        let (ours, theirs) = (find(Client::Axon), find(self.theirs));
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
        let Self { load, measure, theirs, .. } = self;
        format!("{load}, Ceph {release}: {} beside {}", measure.name(), theirs.profile().title)
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
