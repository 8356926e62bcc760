//! Axon's own ends: the program `axon`.

use super::{Span, json_in};
use crate::drive::Report;
use crate::error::BenchError;
use crate::scenario::{Mode, Scenario, Wait};
use axon_testbed::Scratch;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Encryption needs a key; this one protects nothing.
const KEYRING: &str = "[osd.0]\n\tkey = AQAAAAAAAAAAABAAYmVuY2htYXJrIGtleSAxNg==\n";

/// The program, and the key for secure mode.
pub(super) struct Axon {
    program: PathBuf,
    keyring: PathBuf,
}

impl Axon {
    pub(super) fn new(program: PathBuf, scratch: &Scratch) -> Result<Self, BenchError> {
        Ok(Self { program, keyring: scratch.write("keyring", KEYRING)? })
    }

    pub(super) fn lacks(&self) -> Option<String> {
        (!self.program.exists()).then(|| format!("{} was not built", self.program.display()))
    }

    /// What it says its version is.
    pub(super) fn version(&self) -> String {
        let output = Command::new(&self.program).arg("--version").output();
        output.map_or_else(|error| error.to_string(), |output| text(&output.stdout))
    }

    pub(super) fn keyring(&self) -> &Path {
        &self.keyring
    }

    pub(super) fn serve(&self, addr: SocketAddr, scenario: &Scenario) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["serve", &addr.to_string(), "--json"]);
        if scenario.mode == Mode::Secure {
            command.args(["--auth", "cephx"]);
        }
        self.protect(&mut command, scenario);
        command
    }

    /// With keys, in one mode only.
    pub(super) fn serve_keyed(&self, addr: SocketAddr, mode: Mode) -> Command {
        let word = match mode {
            Mode::Crc => "crc",
            Mode::Secure => "secure",
        };
        let mut command = Command::new(&self.program);
        command.args(["serve", &addr.to_string(), "--json", "--auth", "cephx", "--mode", word, "--keyring"]);
        command.arg(&self.keyring);
        command
    }

    /// The program itself.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn bench(&self, addr: SocketAddr, scenario: &Scenario, span: Span) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["bench", "--json", "--connect", &format!("v2:{addr}/0")]);
        let numbers = [
            ("--size", scenario.size),
            ("--depth", scenario.depth_each()),
            ("--connections", scenario.connections),
        ];
        for (option, number) in numbers {
            command.args([option, &number.to_string()]);
        }
        command.args(["--seconds", &span.measure.as_secs_f64().to_string()]);
        self.protect(&mut command, scenario);
        command
    }

    fn protect(&self, command: &mut Command, scenario: &Scenario) {
        if scenario.mode == Mode::Secure {
            command.args(["--mode", "secure", "--keyring"]).arg(&self.keyring);
        }
        match scenario.wait {
            Wait::Usual => {}
            Wait::Block => drop(command.args(["--spin", "0"])),
            Wait::Spin => drop(command.args(["--spin", "1s"])),
        }
    }
}

/// What `axon bench --json` prints, as far as it matters.
#[derive(Deserialize)]
struct AxonReport {
    #[serde(flatten)]
    report: Report,
    lost: u64,
    duplicated: u64,
    reordered: u64,
}

/// Reads what `axon bench --json` printed. A run that lost, repeated or reordered a message has no result.
pub(super) fn report(output: &str) -> Option<Report> {
    let AxonReport { report, lost, duplicated, reordered } = json_in(output)?;
    (lost + duplicated + reordered == 0).then_some(report)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_lost_repeated_or_reordered_is_no_result() {
        let json = |lost: u64, duplicated: u64, reordered: u64| {
            format!(
                "{{\"messages_per_second\": 5.0, \"bytes_per_second\": 1.0, \"messages\": 10, \"lost\": {lost}, \
                 \"duplicated\": {duplicated}, \"reordered\": {reordered}, \"cuts\": 0, \
                 \"latency_us\": {{\"p50\": 1.0, \"p90\": 1.0, \"p99\": 1.0, \"p999\": 1.0, \"max\": 1.0}}}}"
            )
        };
        assert_eq!(report(&json(0, 0, 0)).map(|report| report.messages), Some(10));
        for (lost, duplicated, reordered) in [(1, 0, 0), (0, 1, 0), (0, 0, 1)] {
            assert_eq!(report(&json(lost, duplicated, reordered)), None);
        }
        // Who does not count them is not believed either.
        assert_eq!(
            report("{\"messages_per_second\": 5.0, \"bytes_per_second\": 1.0, \"messages\": 10}"),
            None
        );
    }
}
