//! Axon beside Ceph's C++ messenger and beside raw sockets, alternated in one run.

use crate::steps::{Outcome, Steps};
use axon_testbed::{Load, Perf, Release};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Bytes of data per request, and requests in flight.
const LOADS: [(u32, u32); 4] = [(64, 32), (4096, 32), (64, 1), (1 << 20, 8)];

/// Measures, and prints a table in Markdown.
pub(crate) fn run(rounds: u32, seconds: u32) -> Steps {
    let mut steps = Steps::default();
    steps.step("build axon", build);
    for (size, depth) in LOADS {
        steps.step(&format!("{size} B, {depth} in flight"), || {
            load(size, depth, rounds, seconds).map_err(|error| error.to_string())
        });
    }
    steps.step("round trips against raw sockets", || {
        against_raw(rounds, seconds).map_err(|error| error.to_string())
    });
    steps
}

type Failure = Box<dyn std::error::Error>;

fn build() -> Outcome {
    let built = Command::new("cargo").args(["build", "--release", "--quiet", "-p", "axon-cli"]).status();
    match built {
        Ok(status) if status.success() => Ok(String::new()),
        Ok(status) => Err(format!("cargo build ended with {status}")),
        Err(error) => Err(error.to_string()),
    }
}

/// One row: both pairs in turn, each a server and a client in processes of their own.
fn load(size: u32, depth: u32, rounds: u32, seconds: u32) -> Result<String, Failure> {
    let perf = Perf::new(Release::Reef)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        theirs.push(cpp_pair(&perf, size, depth, seconds)?);
        ours.push(axon_pair(size, depth, seconds)?);
    }
    let (axon, cpp) = (median(&mut ours), median(&mut theirs));
    Ok(format!(
        "axon {axon:.0}/s ({}), C++ {cpp:.0}/s ({}), ratio {:.2}",
        spread(&ours),
        spread(&theirs),
        axon / cpp
    ))
}

fn cpp_pair(perf: &Perf, size: u32, depth: u32, seconds: u32) -> Result<f64, Failure> {
    let server = perf.server(1, Duration::ZERO)?;
    // The C++ client keeps one more in flight than it is told, and runs for a number of messages, not a time.
    let concurrency = depth.saturating_sub(1).max(1);
    let ios = match size {
        0..=4096 if depth > 1 => 40_000,
        0..=4096 => 10_000,
        _ => 2_000,
    } * seconds;
    let load = Load { jobs: 1, concurrency, ios, think: Duration::ZERO, len: size };
    Ok(perf.client(server.addr(), load, Duration::from_secs(120))?.ops_per_second())
}

fn axon_pair(size: u32, depth: u32, seconds: u32) -> Result<f64, Failure> {
    let (server, addr) = serve()?;
    let server = Ended(server);
    let report = bench(&["--connect", &format!("v2:{addr}/0")], size, depth, seconds)?;
    drop(server);
    number(&report, &["messages_per_second"])
}

/// A process that ends with its owner.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve() -> Result<(Child, SocketAddr), Failure> {
    let mut child = axon().args(["serve", "127.0.0.1:0", "--json"]).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    let stdout = child.stdout.as_mut().ok_or("no output")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let digits = line.split("127.0.0.1:").nth(1).ok_or("axon serve printed no address")?;
    let port: String = digits.chars().take_while(char::is_ascii_digit).collect();
    Ok((child, SocketAddr::from(([127, 0, 0, 1], port.parse()?))))
}

/// The ratio of medians that `axon bench --baseline` itself finds in its alternated rounds.
fn against_raw(rounds: u32, seconds: u32) -> Result<String, Failure> {
    let rounds = rounds.to_string();
    let report = bench(&["--baseline", "--rounds", &rounds], 64, 1, seconds * 5)?;
    let ratio = number(&report, &["ratio_to_raw", "p50"])?;
    let ours = number(&report, &["latency_us", "p50"])?;
    let raw = number(&report, &["raw", "latency_us", "p50"])?;
    Ok(format!("p50 {ours:.1} us, raw sockets {raw:.1} us, ratio {ratio:.2}"))
}

fn bench(more: &[&str], size: u32, depth: u32, seconds: u32) -> Result<Value, Failure> {
    let (size, depth, seconds) = (size.to_string(), depth.to_string(), seconds.to_string());
    let output = axon()
        .args(["bench", "--json", "--size", &size, "--depth", &depth, "--seconds", &seconds])
        .args(more)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn axon() -> Command {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_string());
    Command::new(format!("{target}/release/axon"))
}

fn number(report: &Value, path: &[&str]) -> Result<f64, Failure> {
    let value = path.iter().fold(report, |value, key| &value[*key]);
    value.as_f64().ok_or_else(|| format!("the report has no {}", path.join(".")).into())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Smallest and largest of sorted values.
fn spread(values: &[f64]) -> String {
    let (least, most) = (values.first().copied(), values.last().copied());
    format!("{:.0} to {:.0}", least.unwrap_or(f64::NAN), most.unwrap_or(f64::NAN))
}
