//! Who is measured: how each is started, and what it prints.

use super::Bed;
use super::bed::POOL;
use super::load::{Access, Load};
use crate::drive::Report;
use crate::error::BenchError;
use crate::fleet::{Fleet, json_in};
use serde::{Deserialize, Serialize};
use std::process::Command;

/// A client of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Client {
    /// Ceph's own, of the cluster's release.
    Librados,
    /// Axon as by default.
    Axon,
    /// Axon whose worker looks for answers before it sleeps.
    AxonSpinning,
    /// Axon with encryption.
    AxonSecure,
    /// rados-rs.
    RadosRs,
}

/// What is known about a client before it is measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ClientProfile {
    /// Which.
    pub(crate) client: Client,
    /// Its name in tables.
    pub(crate) title: &'static str,
    /// How it is started.
    pub(crate) start: &'static str,
    /// Its threads, and what they do when idle.
    pub(crate) settings: &'static str,
}

/// Every client, in the order of tables.
pub(crate) const CLIENTS: [ClientProfile; 5] = [
    ClientProfile {
        client: Client::Librados,
        title: "librados",
        start: "`rados bench SECONDS write/rand -t DEPTH`, `--no-cleanup --no-hints` and `--no-verify`, of the cluster's release",
        settings: "its defaults: messenger, finisher and one thread of the benchmark, which sleep when idle",
    },
    ClientProfile {
        client: Client::Axon,
        title: "Axon",
        start: "`axon rados bench SECONDS write/rand -t DEPTH --no-cleanup`",
        settings: "its defaults: one worker, which continues the operations it reads answers to, and sleeps when idle",
    },
    ClientProfile {
        client: Client::AxonSpinning,
        title: "Axon, spinning",
        start: "the same with `--spin 50us`",
        settings: "the worker looks for answers for up to 50 us before it sleeps, if that has paid of late",
    },
    ClientProfile {
        client: Client::AxonSecure,
        title: "Axon, secure",
        start: "the same with `--mode secure`",
        settings: "as Axon, for the comparison with rados-rs",
    },
    ClientProfile {
        client: Client::RadosRs,
        title: "rados-rs",
        start: "`bench/rados-rs`, `axon-bench-rados-rs-client`: the `IoCtx` of rados 0.1.4",
        settings: "tokio, one thread, which is the fastest; always secure mode, as it rejects the OSD's signature in \
                   crc mode; built with one condition corrected, without which OSDs \
                   before 19 refuse its requests (`xtask/src/bench/rados_rs.rs`)",
    },
];

impl Client {
    /// Its row of the table.
    pub(crate) fn profile(self) -> &'static ClientProfile {
        CLIENTS.iter().find(|profile| profile.client == self).unwrap_or(&CLIENTS[0])
    }

    /// Whether it reads objects that it wrote itself.
    pub(super) fn owns_objects(self) -> bool {
        !matches!(self, Self::AxonSpinning | Self::AxonSecure)
    }

    /// Whether it takes part in a load: looking matters where there is little to do, encryption is compared in
    /// small reads.
    pub(super) fn takes_part(self, load: &Load) -> bool {
        match self {
            Self::AxonSpinning => *load == Load::LONE,
            Self::AxonSecure => matches!(*load, Load::LONE | Load::READS),
            Self::Librados | Self::Axon | Self::RadosRs => true,
        }
    }

    /// Writes the objects that a load reads.
    pub(super) fn filling(self, fleet: &Fleet, bed: &Bed, load: &Load) -> Result<Command, BenchError> {
        let writes = Load { access: Access::Write, depth: 16, ..*load };
        let mut command = self.command(fleet, bed, &writes, 60, &load.set())?;
        command.args(["--max-objects", &load.objects().to_string()]);
        Ok(command)
    }

    /// Does what a load says for some seconds, with objects whose names `run` tells from those of other runs.
    pub(super) fn command(
        self,
        fleet: &Fleet,
        bed: &Bed,
        load: &Load,
        seconds: u64,
        run: &str,
    ) -> Result<Command, BenchError> {
        let cluster = bed.cluster();
        let mut command = match self {
            Self::Librados => cluster.command("rados")?,
            Self::Axon | Self::AxonSpinning | Self::AxonSecure => {
                let mut axon = Command::new(fleet.axon_program());
                axon.args(["rados", "--json", "--conf"]).arg(cluster.conf());
                axon
            }
            Self::RadosRs => {
                let program = fleet.rados_rs_client()?;
                let mut command = Command::new(program);
                command
                    .arg("--conf")
                    .arg(cluster.conf())
                    .arg("--keyring")
                    .arg(cluster.keyring("client.admin"));
                command
            }
        };
        let (seconds, depth, size) = (seconds.to_string(), load.depth.to_string(), load.size.to_string());
        let word = if load.access == Access::Write { "write" } else { "rand" };
        command.args(["-p", POOL, "bench", &seconds, word, "-t", &depth, "--run-name", run]);
        let objects = load.objects().to_string();
        let more: &[&str] = match (self, load.access) {
            // The others neither compare nor give hints.
            (Self::Librados, Access::Read) => &["--no-verify"],
            (Self::Librados, Access::Write) => &["-b", &size, "--no-cleanup", "--no-hints"],
            // It has no notes of what was written.
            (Self::RadosRs, Access::Read) => &["-b", &size, "--max-objects", &objects],
            (_, Access::Read) => &[],
            (_, Access::Write) => &["-b", &size, "--no-cleanup"],
        };
        command.args(more);
        command.args(match self {
            Self::AxonSpinning => &["--spin", "50us"][..],
            Self::AxonSecure => &["--mode", "secure"],
            Self::Librados | Self::Axon | Self::RadosRs => &[],
        });
        Ok(command)
    }

    /// Finds the result in what it printed.
    pub(super) fn read(self, output: &str, load: &Load) -> Option<Report> {
        match self {
            Self::Librados => librados(output, load),
            Self::Axon | Self::AxonSpinning | Self::AxonSecure => json_in::<AxonReport>(output)?.report(),
            Self::RadosRs => json_in(output),
        }
    }
}

/// What `axon rados bench --json` prints, as far as it matters.
#[derive(Deserialize)]
struct AxonReport {
    operations: u64,
    operations_per_second: f64,
    bytes_per_second: f64,
    latency_us: crate::drive::Latency,
    errors: u64,
}

impl AxonReport {
    /// A run with errors is none.
    fn report(self) -> Option<Report> {
        (self.errors == 0).then_some(Report {
            messages_per_second: self.operations_per_second,
            bytes_per_second: self.bytes_per_second,
            latency_us: Some(self.latency_us),
            messages: self.operations,
        })
    }
}

/// Reads what `rados bench` prints at its end. It tells no quantiles.
fn librados(output: &str, load: &Load) -> Option<Report> {
    let value = |name: &str| -> Option<f64> {
        let line = output.lines().find_map(|line| line.strip_prefix(name));
        line?.trim_start_matches(':').trim().parse().ok()
    };
    let made = value("Total reads made").or_else(|| value("Total writes made"))?;
    let rate = made / value("Total time run")?;
    Some(Report {
        messages_per_second: rate,
        bytes_per_second: rate * f64::from(load.size),
        latency_us: None,
        messages: made as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_rados_bench_is_read() {
        let output = "    0       0         0         0         0         0           -           0\n\
                      Total time run:       2.00\nTotal reads made:     4000\nRead size:            4096\n";
        let report = librados(output, &Load::READS).unwrap();
        assert_eq!((report.messages, report.messages_per_second), (4000, 2000.0));
        assert_eq!(report.bytes_per_second, 2000.0 * 4096.0);
        assert!(librados("error: no such pool", &Load::READS).is_none());
    }

    #[test]
    fn a_run_with_errors_is_no_result() {
        let json = |errors: u32| {
            format!(
                "{{\"operations\": 10, \"operations_per_second\": 5.0, \"bytes_per_second\": 1.0, \"errors\": {errors}, \
                 \"latency_us\": {{\"p50\": 1.0, \"p90\": 1.0, \"p99\": 1.0, \"p999\": 1.0, \"max\": 1.0}}}}"
            )
        };
        assert!(Client::Axon.read(&json(0), &Load::READS).is_some());
        assert!(Client::Axon.read(&json(1), &Load::READS).is_none());
    }
}
