//! UCX: its own benchmark `ucx_perftest`.
//!
//! Source: `ucx_perftest -h` of 1.18, and what it prints.

use super::{Fleet, Span, loopback};
use crate::drive::{Latency, Report};
use crate::error::BenchError;
use crate::pair::{Client, Pair, Server};
use crate::pinning::End;
use crate::scenario::{Pattern, Scenario};
use std::net::SocketAddr;
use std::process::Command;

/// Messages before the measurement.
const WARM_UP: u32 = 200;

impl Fleet {
    pub(super) fn ucx_pair(&self, scenario: &Scenario, span: Span, rate: f64) -> Result<Pair, BenchError> {
        let addr = loopback();
        let server = self.spawn("ucx_perftest", End::Server, self.perftest(addr)?)?;
        // What it prints stays in its buffer.
        let server = Server::bound(server, addr)?;
        let mut command = self.perftest(addr)?;
        let (test, size) = match scenario.pattern {
            Pattern::Requests => ("ucp_am_lat", scenario.size),
            Pattern::Stream => ("ucp_am_bw", scenario.size),
        };
        command.args([addr.ip().to_string().as_str(), "-t", test, "-f", "-v"]);
        for (option, number) in [("-s", size), ("-n", span.count(rate)), ("-w", WARM_UP)] {
            command.args([option, &number.to_string()]);
        }
        let process = self.spawn("ucx_perftest", End::Client, command)?;
        let scenario = *scenario;
        let client = Client::reading(process, move |output| report(output, &scenario));
        Ok(Pair { server, client })
    }

    fn perftest(&self, addr: SocketAddr) -> Result<Command, BenchError> {
        let mut command = self.under_debian(&self.packaged("usr/bin/ucx_perftest")?)?;
        // Without -P 0 it takes itself for an MPI program where standard input is no terminal.
        command.args(["-P", "0", "-p", &addr.port().to_string()]);
        command.envs([("UCX_TLS", "tcp"), ("UCX_NET_DEVICES", "lo"), ("UCX_WARN_UNUSED_ENV_VARS", "n")]);
        Ok(command)
    }
}

/// Reads the last line of figures: iterations, then latency in microseconds (median, average, overall), then megabytes
/// per second and messages per second (average, overall each).
fn report(output: &str, scenario: &Scenario) -> Option<Report> {
    let figures: Vec<f64> = output.lines().rev().find_map(figures)?;
    let &[messages, median, _, overall, _, _, _, rate] = figures.first_chunk::<8>()?;
    let messages = messages as u64;
    let per_second = match scenario.pattern {
        Pattern::Stream => rate,
        // Half a round trip is what it calls latency.
        Pattern::Requests => 1e6 / (2.0 * overall),
    };
    let p50 = 2.0 * median;
    let unknown = f64::NAN;
    let latency = Latency { p50, p90: unknown, p99: unknown, p999: unknown };
    Some(Report {
        messages_per_second: per_second,
        bytes_per_second: per_second * f64::from(scenario.size),
        latency_us: (scenario.pattern == Pattern::Requests).then_some(latency),
        messages,
    })
}

fn figures(line: &str) -> Option<Vec<f64>> {
    let words = line.split([',', ' ']).filter(|word| !word.is_empty());
    let figures: Vec<f64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
    (figures.len() >= 8).then_some(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: &str = "iterations,50.0_percentile_lat,avg_lat,overall_lat,avg_bw,overall_bw,avg_mr,overall_mr\n\
                           20000,4.967,5.5,5.0,0.86,1.14,14023,18664\n";

    #[test]
    fn a_round_trip_is_twice_what_it_calls_latency() {
        let report = report(LATENCY, &Scenario::requests(64, 1)).unwrap();
        assert_eq!((report.messages, report.messages_per_second), (20_000, 100_000.0));
        assert_eq!(report.latency_us.map(|latency| latency.p50), Some(9.934));
    }

    #[test]
    fn streams_have_a_rate_and_no_latency() {
        let report = report(LATENCY, &Scenario::stream(100)).unwrap();
        assert_eq!((report.messages_per_second, report.bytes_per_second), (18_664.0, 1_866_400.0));
        assert_eq!(report.latency_us, None);
    }

    #[test]
    fn other_output_is_no_result() {
        assert_eq!(report("Waiting for connection...\n1,2,3\n", &Scenario::stream(1)), None);
    }
}
