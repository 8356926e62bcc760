//! What one measurement yields, and what several of them come to.

use crate::drive::Report;
use crate::meter::Usage;
use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// What the client reports.
    #[serde(flatten)]
    pub(crate) report: Report,
    /// The client's processor time per message, in microseconds.
    pub(crate) client_cpu_us: Option<f64>,
    /// The server's processor time per message, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
    /// Cores that other processes used meanwhile, if that could be read.
    pub(crate) others: Option<f64>,
    /// Whether they used too much, and no quieter time came.
    pub(crate) noisy: bool,
}

impl Sample {
    /// From a report and what was used meanwhile.
    pub(crate) fn new(report: Report, usage: Option<Usage>) -> Self {
        let per_message = |cores: f64| cores * 1e6 / report.messages_per_second;
        Self {
            client_cpu_us: usage.map(|usage| per_message(usage.client)),
            server_cpu_us: usage.map(|usage| per_message(usage.server)),
            others: usage.map(|usage| usage.others),
            noisy: false,
            report,
        }
    }

    /// Whether others used no more than `noise` cores: of what was not read, nobody knows.
    pub(crate) fn is_quiet(&self, noise: f64) -> bool {
        self.others.is_some_and(|others| others <= noise)
    }
}

/// The median of some values, the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    /// The value in the middle, or the mean of the two there.
    pub(crate) median: f64,
    /// The least.
    pub(crate) least: f64,
    /// The greatest.
    pub(crate) most: f64,
}

impl Spread {
    /// Of the values that are numbers; `None` of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), least, most })
    }

    /// Whether the rounds differ so much that the median says little: by more than twice.
    pub(crate) fn is_bimodal(self) -> bool {
        self.most > 2.0 * self.least
    }
}

/// What the rounds of one peer in one scenario come to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Messages per second.
    pub(crate) messages_per_second: Option<Spread>,
    /// Bytes of data per second.
    pub(crate) bytes_per_second: Option<Spread>,
    /// Latency: half of the round trips are faster.
    pub(crate) p50_us: Option<Spread>,
    /// Latency: nine of ten are faster.
    pub(crate) p90_us: Option<Spread>,
    /// Latency: 99 of 100 are faster.
    pub(crate) p99_us: Option<Spread>,
    /// Latency: 999 of 1,000 are faster.
    pub(crate) p999_us: Option<Spread>,
    /// Processor time per message, client.
    pub(crate) client_cpu_us: Option<Spread>,
    /// Processor time per message, server.
    pub(crate) server_cpu_us: Option<Spread>,
    /// Processor time per message, both together.
    pub(crate) cpu_us: Option<Spread>,
}

impl Figures {
    /// Of some samples.
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let spread = |value: fn(&Sample) -> Option<f64>| Spread::of(samples.iter().filter_map(value));
        Self {
            messages_per_second: spread(|s| Some(s.report.messages_per_second)),
            bytes_per_second: spread(|s| Some(s.report.bytes_per_second)),
            p50_us: spread(|s| Some(s.report.latency_us?.p50)),
            p90_us: spread(|s| quantile(s, 0.1, s.report.latency_us?.p90)),
            p99_us: spread(|s| quantile(s, 0.01, s.report.latency_us?.p99)),
            p999_us: spread(|s| quantile(s, 0.001, s.report.latency_us?.p999)),
            client_cpu_us: spread(|s| s.client_cpu_us),
            server_cpu_us: spread(|s| s.server_cpu_us),
            cpu_us: spread(|s| Some(s.client_cpu_us? + s.server_cpu_us?)),
        }
    }
}

/// A quantile, if enough messages were above it, whose share this is: else it is hardly more than a maximum.
fn quantile(sample: &Sample, share: f64, value: f64) -> Option<f64> {
    (sample.report.messages as f64 * share >= ABOVE).then_some(value)
}

/// So many values have to be above a quantile that is shown.
pub(crate) const ABOVE: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::Latency;

    #[test]
    fn medians_and_limits() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::NAN]), None);
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0]), Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
    }

    #[test]
    fn quantiles_need_values_above_them() {
        let latency_us = Some(Latency { p50: 1.0, p90: 2.0, p99: 3.0, p999: 4.0 });
        let report =
            |messages| Report { messages_per_second: 1.0, bytes_per_second: 1.0, latency_us, messages };
        let known = |messages| {
            let figures = Figures::of(&[Sample::new(report(messages), None)]);
            [figures.p50_us, figures.p90_us, figures.p99_us, figures.p999_us].map(|q| q.is_some())
        };
        assert_eq!(known(10_000), [true, true, true, true]);
        assert_eq!(known(9_999), [true, true, true, false]);
        assert_eq!(known(999), [true, true, false, false]);
        assert_eq!(known(99), [true, false, false, false]);
    }

    #[test]
    fn two_modes() {
        assert!(!Spread { median: 1.5, least: 1.0, most: 2.0 }.is_bimodal());
        assert!(Spread { median: 1.5, least: 1.0, most: 2.1 }.is_bimodal());
    }

    #[test]
    fn noise_that_is_not_known_is_not_quiet() {
        let report =
            || Report { messages_per_second: 1.0, bytes_per_second: 0.0, latency_us: None, messages: 1 };
        let quiet = |usage| Sample::new(report(), usage).is_quiet(0.15);
        let usage = |others| Some(Usage { client: 0.5, server: 0.5, others });
        assert_eq!([usage(0.15), usage(0.16), None].map(quiet), [true, false, false]);
    }

    #[test]
    fn processor_time_is_per_message() {
        let report =
            Report { messages_per_second: 1000.0, bytes_per_second: 0.0, latency_us: None, messages: 1000 };
        let sample = Sample::new(report, Some(Usage { client: 0.5, server: 0.25, others: 0.1 }));
        assert_eq!((sample.client_cpu_us, sample.server_cpu_us), (Some(500.0), Some(250.0)));
        let figures = Figures::of(&[sample]);
        assert_eq!(figures.cpu_us.map(|cpu| cpu.median), Some(750.0));
        assert_eq!(figures.p50_us, None);
    }
}
