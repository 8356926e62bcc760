//! Counts and times messages between the end of the warm-up and the end of the measurement.

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize};
use std::time::{Duration, Instant};

/// Latencies that differ by less than this share are counted together: three digits.
const DIGITS: u8 = 3;
/// Longer latencies count as this, a minute in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// What one end measured; the keys are those of `axon bench --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Messages per second: those answered, or those of a stream that arrived.
    pub(crate) messages_per_second: f64,
    /// Bytes of data per second.
    pub(crate) bytes_per_second: f64,
    /// From the send to the reply; not of streams.
    pub(crate) latency_us: Option<Latency>,
    /// Messages measured.
    pub(crate) messages: u64,
}

/// Quantiles in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// The median.
    pub(crate) p50: f64,
    /// Nine of ten stay below.
    #[serde(deserialize_with = "or_unknown")]
    pub(crate) p90: f64,
    /// 99 of 100.
    #[serde(deserialize_with = "or_unknown")]
    pub(crate) p99: f64,
    /// 999 of 1,000.
    #[serde(deserialize_with = "or_unknown")]
    pub(crate) p999: f64,
}

/// JSON has no word for a figure that is not known but `null`.
fn or_unknown<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(input)?.unwrap_or(f64::NAN))
}

impl Report {
    /// How long the measurement took.
    pub(crate) fn span(&self) -> Duration {
        let seconds = self.messages as f64 / self.messages_per_second;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

impl Latency {
    /// The quantiles of a histogram of nanoseconds.
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) }
    }
}

/// Collects what arrives.
pub(crate) struct Recorder {
    size: usize,
    begin: Instant,
    end: Instant,
    messages: u64,
    latency: Histogram<u64>,
}

impl Recorder {
    /// Begins with the warm-up.
    pub(crate) fn new(size: usize, warm_up: Duration, span: Duration) -> Self {
        let begin = Instant::now() + warm_up;
        let latency = Histogram::new_with_bounds(1, LONGEST, DIGITS)
            .unwrap_or_else(|_| unreachable!("a constant that is valid"));
        Self { size, begin, end: begin + span, messages: 0, latency }
    }

    /// Whether the time is over at `now`.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    /// A reply came at `now` to what left at `sent`.
    pub(crate) fn reply(&mut self, sent: Instant, now: Instant) {
        if self.counts(now) {
            let nanos = u64::try_from((now - sent).as_nanos()).unwrap_or(u64::MAX);
            self.latency.saturating_record(nanos);
            self.messages += 1;
        }
    }

    /// So many messages of a stream came at `now`.
    pub(crate) fn arrived(&mut self, messages: usize, now: Instant) {
        if self.counts(now) {
            self.messages += messages as u64;
        }
    }

    fn counts(&self, now: Instant) -> bool {
        now >= self.begin && now < self.end
    }

    /// The result.
    pub(crate) fn report(&self) -> Report {
        let per_second = self.messages as f64 / (self.end - self.begin).as_secs_f64();
        Report {
            messages_per_second: per_second,
            bytes_per_second: per_second * self.size as f64,
            latency_us: (!self.latency.is_empty()).then(|| Latency::of(&self.latency)),
            messages: self.messages,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_in_the_span_counts() {
        let mut recorder = Recorder::new(100, Duration::from_secs(1), Duration::from_secs(2));
        let start = recorder.begin;
        let at = |millis| start + Duration::from_millis(millis);
        recorder.reply(start - Duration::from_millis(20), start - Duration::from_millis(10));
        recorder.reply(start, at(4));
        recorder.reply(at(0), at(1999));
        recorder.reply(at(0), at(2000));
        assert!(!recorder.is_over(at(1999)) && recorder.is_over(at(2000)));
        let report = recorder.report();
        assert_eq!((report.messages, report.messages_per_second, report.bytes_per_second), (2, 1.0, 100.0));
        let p50 = report.latency_us.map_or(0.0, |latency| latency.p50);
        assert!((p50 - 4000.0).abs() < 4.0, "{p50}");
    }

    #[test]
    fn unknown_figures_survive_json() {
        let latency = Latency { p50: 1.5, p90: f64::NAN, p99: f64::NAN, p999: f64::NAN };
        let json = serde_json::to_string(&latency).unwrap();
        let read: Latency = serde_json::from_str(&json).unwrap();
        assert!(read.p50 == 1.5 && read.p90.is_nan() && read.p999.is_nan());
    }

    #[test]
    fn streams_have_no_latency() {
        let mut recorder = Recorder::new(1, Duration::ZERO, Duration::from_secs(1));
        recorder.arrived(7, recorder.begin);
        assert_eq!((recorder.report().messages, recorder.report().latency_us), (7, None));
    }
}
