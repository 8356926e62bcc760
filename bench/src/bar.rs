//! The bars of performance: which ratio each figure has to reach. They are the project's goals, set before the figures.

use crate::campaign::Cell;
use crate::peer::Peer;
use crate::sample::Spread;
use crate::scenario::{Pattern, SHARED_DEPTH, SIZES, Scenario};
use crate::stamp::Stamp;
use serde::{Deserialize, Serialize};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// Messages per second.
    Messages,
    /// Bytes of data per second.
    Bytes,
    /// The median latency.
    P50,
    /// Processor time per message, both ends together.
    Cpu,
}

/// What the ratio has to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Want {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// The first or more; or the second or more, if processor time is at most as much of theirs as the third says.
    FasterOrLeaner(f64, f64, f64),
}

/// A figure of one peer in one scenario.
type Place = (Peer, Scenario);

/// One bar: ours divided by theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    measure: Measure,
    ours: Place,
    theirs: Place,
    want: Want,
}

/// A bar with what was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// What is compared, in words.
    pub(crate) what: String,
    /// What the ratio has to be.
    pub(crate) want: Want,
    /// What it is, or the figure itself where the bar is no ratio; `None` where it was not measured.
    pub(crate) ratio: Option<f64>,
    /// The ratio of processor time, where that counts too.
    pub(crate) cpu: Option<f64>,
    /// Whether it is reached.
    pub(crate) holds: Option<bool>,
    /// The ratio when bare sockets do the same instead of Axon: what this machine allows. Only where that is compared.
    #[serde(default)]
    pub(crate) bare: Option<f64>,
    /// Whether other processes disturbed one of the two.
    pub(crate) noisy: bool,
    /// Whether the rounds of one of the two differ by more than twice.
    #[serde(default)]
    pub(crate) bimodal: bool,
    /// When the two were measured.
    pub(crate) measured: String,
}

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;

const fn bar(measure: Measure, ours: Place, theirs: Place, want: Want) -> Bar {
    Bar { measure, ours, theirs, want }
}

/// The same scenario by Axon and by a peer.
const fn beside(measure: Measure, scenario: Scenario, peer: Peer, want: Want) -> Bar {
    bar(measure, (Peer::Axon, scenario), (peer, scenario), want)
}

/// A lone request against bare sockets that wait in the same way.
const fn lone(ours: Scenario, theirs: Scenario, most: f64) -> Bar {
    bar(Measure::P50, (Peer::Axon, ours), (Peer::Raw, theirs), Want::AtMost(most))
}

const LONE: Scenario = Scenario::requests(64, 1);
/// Small requests, as many as are gathered.
const DEEP: Scenario = Scenario::requests(4 * KIB, 32);
/// Large requests, as many as the kernel holds.
const LARGE: Scenario = Scenario::requests(MIB, 16);
const SHARED: Scenario = Scenario::requests(4 * KIB, SHARED_DEPTH);

/// Bars with a number of their own.
const NAMED: &[Bar] = &[
    beside(Measure::Messages, Scenario::requests(64, 32), Peer::Cpp, Want::AtLeast(4.0)),
    beside(Measure::Messages, DEEP, Peer::Cpp, Want::AtLeast(3.0)),
    beside(Measure::Messages, LONE, Peer::Cpp, Want::AtLeast(2.5)),
    // The C++ messenger always sleeps.
    bar(Measure::Messages, (Peer::Axon, LONE.blocking()), (Peer::Cpp, LONE), Want::AtLeast(2.5)),
    beside(Measure::Bytes, LARGE, Peer::Cpp, Want::AtLeast(1.5)),
    beside(Measure::Cpu, DEEP, Peer::Cpp, Want::AtMost(1.0 / 3.0)),
    lone(LONE.spinning(), LONE.spinning(), 1.15),
    lone(LONE.blocking(), LONE.blocking(), 1.15),
    lone(LONE.secure().spinning(), LONE.spinning(), 1.35),
    lone(LONE.secure().blocking(), LONE.blocking(), 1.35),
    beside(Measure::Messages, DEEP.blocking(), Peer::RawSum, Want::AtLeast(0.75)),
    beside(Measure::Messages, DEEP.spinning(), Peer::RawSum, Want::AtLeast(0.75)),
    beside(Measure::Bytes, LARGE.blocking(), Peer::RawSum, Want::AtLeast(0.9)),
    beside(Measure::Bytes, LARGE.spinning(), Peer::RawSum, Want::AtLeast(0.9)),
    bar(
        Measure::Bytes,
        (Peer::Axon, Scenario::requests(64 * KIB, 16).secure()),
        (Peer::Axon, Scenario::requests(64 * KIB, 16)),
        Want::AtLeast(0.7),
    ),
    beside(Measure::Messages, Scenario::requests(4 * KIB, 16), Peer::RadosRs, Want::AtLeast(2.0)),
    beside(Measure::Cpu, Scenario::requests(4 * KIB, 16), Peer::RadosRs, Want::AtMost(0.5)),
    beside(Measure::P50, LONE.spinning(), Peer::Ucx, Want::AtMost(1.0)),
    beside(Measure::Messages, Scenario::stream(64).spinning(), Peer::Ucx, Want::AtLeast(1.0)),
    beside(Measure::Messages, Scenario::stream(4 * KIB).spinning(), Peer::Ucx, Want::AtLeast(1.0)),
    beside(Measure::Messages, Scenario::stream(64 * KIB).spinning(), Peer::Ucx, Want::AtLeast(1.0)),
    beside(Measure::Messages, Scenario::stream(MIB).spinning(), Peer::Ucx, Want::AtLeast(1.0)),
    connections(10),
    connections(100),
    connections(1000),
];

/// More connections at the same depth over all of them.
const fn connections(count: u32) -> Bar {
    bar(Measure::Messages, (Peer::Axon, SHARED.over(count)), (Peer::Axon, SHARED), Want::AtLeast(0.8))
}

/// Messengers that Axon has to be ahead of at every size and at depth 1.
const OVERTAKEN: [Peer; 3] = [Peer::ZeroMq, Peer::Nng, Peer::Grpc];

/// All bars, in the order of the report.
pub(crate) fn bars() -> Vec<Bar> {
    let ahead = OVERTAKEN.into_iter().flat_map(|peer| {
        let sizes = SIZES.into_iter().map(move |size| {
            let depth = if size < 64 * KIB { 32 } else { 16 };
            beside(Measure::Messages, Scenario::requests(size, depth), peer, Want::AtLeast(1.0))
        });
        sizes.chain([beside(Measure::P50, LONE, peer, Want::AtMost(1.0))])
    });
    NAMED.iter().copied().chain(ahead).collect()
}

/// Whether a bar needs what this peer does in this scenario.
pub(crate) fn need(peer: Peer, scenario: &Scenario) -> bool {
    bars().iter().any(|bar| {
        let bare = bar.bare().into_iter().flatten();
        [bar.ours, bar.theirs].into_iter().chain(bare).any(|place| place == (peer, *scenario))
    })
}

impl Measure {
    fn of(self, cell: &Cell) -> Option<Spread> {
        let figures = &cell.figures;
        match self {
            Self::Messages => figures.messages_per_second,
            Self::Bytes => figures.bytes_per_second,
            Self::P50 => figures.p50_us,
            Self::Cpu => figures.cpu_us,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages/s",
            Self::Bytes => "bytes/s",
            Self::P50 => "p50",
            Self::Cpu => "processor time per message",
        }
    }
}

impl Verdict {
    /// Of a figure that is no ratio.
    pub(crate) fn absolute(what: String, want: Want, value: f64) -> Self {
        Self::relative(what, want, Some(value))
    }

    /// Of a ratio, if it is known.
    pub(crate) fn relative(what: String, want: Want, ratio: Option<f64>) -> Self {
        Self::with_cpu(what, want, ratio, None)
    }

    /// Of a ratio beside which processor time counts, if they are known.
    pub(crate) fn with_cpu(what: String, want: Want, ratio: Option<f64>, cpu: Option<f64>) -> Self {
        let holds = ratio.map(|ratio| want.holds(ratio, cpu));
        let (bare, noisy, bimodal, measured) = (None, false, false, String::new());
        Self { what, want, ratio, cpu, holds, bare, noisy, bimodal, measured }
    }

    /// The same, with the ratio of bare sockets.
    pub(crate) fn beside_bare(self, bare: Option<f64>) -> Self {
        Self { bare, ..self }
    }

    /// The same, with when its figure was measured.
    pub(crate) fn at(self, stamp: &Stamp) -> Self {
        Self { measured: stamp.to_string(), ..self }
    }
}

impl Want {
    /// Whether a ratio is what is wanted, with one of processor time where that counts.
    pub(crate) fn holds(self, ratio: f64, cpu: Option<f64>) -> bool {
        match self {
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
            Self::FasterOrLeaner(faster, least, lean) => {
                ratio >= faster || (ratio >= least && cpu.is_some_and(|cpu| cpu <= lean))
            }
        }
    }
}

impl Bar {
    /// Holds what was measured against it.
    pub(crate) fn judge(&self, cells: &[Cell]) -> Verdict {
        let (ours, theirs) = (find(cells, self.ours), find(cells, self.theirs));
        let ratio = ours
            .zip(theirs)
            .and_then(|(ours, theirs)| Some(self.measure.of(ours)?.median / self.measure.of(theirs)?.median));
        let both = [ours, theirs];
        let noisy = both.iter().flatten().any(|cell| cell.rounds.iter().any(|r| r.noisy));
        let bimodal = both.iter().flatten().filter_map(|cell| self.measure.of(cell)).any(Spread::is_bimodal);
        let measured = match (ours, theirs) {
            (Some(ours), Some(theirs)) => Stamp::both(&ours.measured, &theirs.measured),
            _ => String::new(),
        };
        let verdict = Verdict::relative(self.name(), self.want, ratio).beside_bare(self.judge_bare(cells));
        Verdict { noisy, bimodal, measured, ..verdict }
    }

    /// Who does the same with bare sockets, and what that is divided by, where the kernel may be the limit.
    fn bare(&self) -> Option<[Place; 2]> {
        let scenario = self.ours.1;
        let other = match self.theirs.0 {
            Peer::Axon => Peer::Raw,
            Peer::Raw | Peer::RawSum => return None,
            other => other,
        };
        let is_moving = matches!(self.measure, Measure::Messages | Measure::Bytes);
        let is_kernels = scenario.size >= MIB || scenario.connections > 1;
        let is_request = scenario.pattern == Pattern::Requests;
        (is_moving && is_kernels && is_request).then_some([(Peer::Raw, scenario), (other, self.theirs.1)])
    }

    fn judge_bare(&self, cells: &[Cell]) -> Option<f64> {
        let [bare, other] =
            self.bare()?.map(|place| find(cells, place).and_then(|cell| self.measure.of(cell)));
        Some(bare?.median / other?.median)
    }

    fn name(&self) -> String {
        let (Self { measure, ours, theirs, .. }, title) = (self, self.theirs.0.profile().title);
        let other = match (ours.0 == theirs.0, ours.1 == theirs.1) {
            (true, _) => format!("itself at {}", theirs.1),
            (false, true) => title.to_owned(),
            (false, false) => format!("{title} at {}", theirs.1),
        };
        format!("{} at {}, beside {other}", measure.name(), ours.1)
    }
}

fn find(cells: &[Cell], (peer, scenario): Place) -> Option<&Cell> {
    cells.iter().find(|cell| cell.peer == peer && cell.scenario == scenario)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ROWS;

    #[test]
    fn every_bar_is_about_something_that_is_measured() {
        for bar in bars() {
            for (peer, scenario) in [bar.ours, bar.theirs] {
                let measured = ROWS.iter().any(|row| row.scenario == scenario && peer.takes_part(row));
                assert!(measured, "{:?} in {scenario}", peer);
            }
        }
    }

    #[test]
    fn not_everything_is_needed() {
        assert!(need(Peer::Axon, &LONE) && need(Peer::Cpp, &LONE));
        assert!(!need(Peer::Raw, &LONE), "compared only when both wait in the same way");
        assert!(!need(Peer::AxonToCpp, &LONE));
    }

    #[test]
    fn bare_sockets_are_measured_where_the_kernel_may_be_the_limit() {
        assert!(need(Peer::Raw, &LARGE) && need(Peer::Raw, &SHARED) && need(Peer::Raw, &SHARED.over(1000)));
        for bar in bars() {
            for (peer, scenario) in bar.bare().into_iter().flatten() {
                let measured = ROWS.iter().any(|row| row.scenario == scenario && peer.takes_part(row));
                assert!(measured, "{peer:?} in {scenario}");
            }
        }
    }

    #[test]
    fn wants() {
        let holds = |want: Want, ratio| want.holds(ratio, None);
        assert!(holds(Want::AtLeast(2.0), 2.0) && !holds(Want::AtLeast(2.0), 1.99));
        assert!(holds(Want::AtMost(0.5), 0.5) && !holds(Want::AtMost(0.5), 0.51));
    }

    #[test]
    fn faster_or_as_fast_with_less() {
        let want = Want::FasterOrLeaner(1.3, 1.0, 0.5);
        for (ratio, cpu, holds) in [
            (1.3, None, true),
            (1.3, Some(2.0), true),
            (1.29, Some(0.5), true),
            (1.29, Some(0.51), false),
            (1.29, None, false),
            (0.99, Some(0.1), false),
        ] {
            assert_eq!(want.holds(ratio, cpu), holds, "{ratio} {cpu:?}");
        }
    }

    #[test]
    fn what_was_not_measured_has_no_verdict() {
        let verdict = bars()[0].judge(&[]);
        assert_eq!((verdict.ratio, verdict.holds), (None, None));
        assert_eq!(verdict.what, "messages/s at 64 B, 32 in flight, beside C++ messenger");
    }
}
