//! What a run measured.

use crate::error::CliError;
use crate::rados::Options;
use crate::{output, units};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// What a run measured.
pub(super) struct Report {
    load: &'static str,
    size: u32,
    depth: usize,
    latency: Histogram<u64>,
    errors: u64,
    first_errors: Vec<String>,
    elapsed: Duration,
    cpu: Duration,
}

/// The keys of the JSON report.
#[derive(Debug, Serialize)]
struct Figures {
    load: &'static str,
    block_size: u32,
    depth: usize,
    seconds: f64,
    operations: u64,
    operations_per_second: f64,
    bytes_per_second: f64,
    latency_us: Latency,
    cpu_us_per_operation: f64,
    errors: u64,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

/// An hour in nanoseconds; longer latencies count as this.
const LONGEST: u64 = 3_600_000_000_000;
/// How many errors are named.
const NAMED: usize = 3;

impl Report {
    pub(super) fn new(load: &'static str, size: u32, depth: usize) -> Self {
        Self {
            load,
            size,
            depth,
            latency: Histogram::new_with_max(LONGEST, 3).expect("an hour in three digits fits a histogram"),
            errors: 0,
            first_errors: Vec::new(),
            elapsed: Duration::ZERO,
            cpu: Duration::ZERO,
        }
    }

    /// An operation is over.
    pub(super) fn add(&mut self, took: Duration, result: Result<(), String>) {
        match result {
            Ok(()) => self.latency.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
            Err(error) => {
                self.errors += 1;
                if self.first_errors.len() < NAMED {
                    self.first_errors.push(error);
                }
            }
        }
    }

    /// How many operations succeeded.
    pub(super) fn succeeded(&self) -> u64 {
        self.latency.len()
    }

    pub(super) fn finish(&mut self, elapsed: Duration, cpu: Duration) {
        (self.elapsed, self.cpu) = (elapsed, cpu);
    }

    /// Prints it.
    pub(super) fn print(&self, options: &Options) -> Result<(), CliError> {
        let figures = self.figures();
        match options.json {
            true => options.tell(&figures),
            false => output::print(figures.text()),
        }
    }

    /// An error if operations failed, which says why.
    pub(super) fn verdict(self) -> Result<(), CliError> {
        match self.errors {
            0 => Ok(()),
            failed => Err(CliError::BenchFailed { failed, first: self.first_errors }),
        }
    }

    fn figures(&self) -> Figures {
        let operations = self.succeeded();
        let per_second = operations as f64 / self.elapsed.as_secs_f64().max(1e-9);
        let at = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1e3;
        Figures {
            load: self.load,
            block_size: self.size,
            depth: self.depth,
            seconds: self.elapsed.as_secs_f64(),
            operations,
            operations_per_second: per_second,
            bytes_per_second: per_second * f64::from(self.size),
            latency_us: Latency {
                p50: at(0.5),
                p90: at(0.9),
                p99: at(0.99),
                p999: at(0.999),
                max: self.latency.max() as f64 / 1e3,
            },
            cpu_us_per_operation: self.cpu.as_secs_f64() * 1e6 / operations.max(1) as f64,
            errors: self.errors,
        }
    }
}

impl Figures {
    fn text(&self) -> String {
        let Latency { p50, p99, max, .. } = self.latency_us;
        format!(
            "{}: {} operations of {} in {:.1} s, {} in flight\n\
             {} operations/s, {}/s\nlatency p50 {}, p99 {}, max {}; processor {} per operation; {} errors",
            self.load,
            units::grouped(self.operations),
            units::bytes(self.block_size.into()),
            self.seconds,
            self.depth,
            units::grouped(self.operations_per_second as u64),
            units::bytes(self.bytes_per_second),
            units::micros(p50),
            units::micros(p99),
            units::micros(max),
            units::micros(self.cpu_us_per_operation),
            self.errors,
        )
    }
}

/// Processor time of this process.
pub(super) fn process_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_figures() {
        let mut report = Report::new("write", 4096, 16);
        report.add(Duration::from_micros(100), Ok(()));
        report.add(Duration::from_micros(300), Ok(()));
        report.add(Duration::from_micros(900), Err("no".into()));
        assert_eq!(report.succeeded(), 2);
        report.finish(Duration::from_secs(2), Duration::from_micros(50));
        let json = serde_json::to_value(report.figures()).unwrap();
        assert_eq!((&json["operations"], &json["errors"]), (&2.into(), &1.into()));
        assert_eq!(json["operations_per_second"], 1.0);
        assert_eq!(json["bytes_per_second"], 4096.0);
        assert_eq!(json["cpu_us_per_operation"], 25.0);
        let max = json["latency_us"]["max"].as_f64().unwrap();
        assert!((299.0..301.0).contains(&max), "{max}");
        assert!(report.figures().text().contains("1 errors"));
        assert_eq!(report.verdict().unwrap_err().to_string(), "1 operations failed: no");
    }
}
