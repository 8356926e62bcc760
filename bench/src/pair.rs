//! A client and a server at work.

use crate::drive::{Latency, Report};
use crate::error::BenchError;
use crate::fleet::json_in;
use crate::meter::{Meter, Reading};
use crate::scenario::Scenario;
use axon_testbed::{PerfClient, PerfServer, Process};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);
/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Both ends, until dropped.
pub(crate) struct Pair {
    /// The one that answers.
    pub(crate) server: Server,
    /// The one that measures.
    pub(crate) client: Client,
}

/// A server that listens.
pub(crate) struct Server {
    what: What,
    addr: SocketAddr,
}

enum What {
    Plain(Process),
    Cpp(PerfServer),
}

/// A client on its way to its result.
pub(crate) struct Client {
    work: Work,
}

/// Finds the result in what a client printed.
type Reader = Box<dyn Fn(&str) -> Option<Report>>;

enum Work {
    /// It prints a report.
    Reporting(Process),
    /// It prints something else.
    Reading(Process, Reader),
    Cpp(PerfClient, Scenario),
}

impl Server {
    /// A process that says `word` when it listens.
    ///
    /// # Errors
    /// When it ends, or does not say so in time.
    pub(crate) fn listening(mut process: Process, addr: SocketAddr, word: &str) -> Result<Self, BenchError> {
        wait_for(&mut process, word, START)?;
        Ok(Self { what: What::Plain(process), addr })
    }

    /// A process that does not say when it listens: the kernel does.
    ///
    /// # Errors
    /// When it ends, or does not listen in time.
    pub(crate) fn bound(mut process: Process, addr: SocketAddr) -> Result<Self, BenchError> {
        until(&mut process, START, |process| process.listens_on(addr.port()))?;
        Ok(Self { what: What::Plain(process), addr })
    }

    /// The server of the C++ benchmark.
    pub(crate) fn cpp(server: PerfServer) -> Self {
        Self { addr: server.addr(), what: What::Cpp(server) }
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process id.
    pub(crate) fn id(&mut self) -> u32 {
        match &mut self.what {
            What::Plain(process) => process.id(),
            What::Cpp(server) => server.process().id(),
        }
    }
}

impl Client {
    /// A process whose last line is a [`Report`].
    pub(crate) fn reporting(process: Process) -> Self {
        Self { work: Work::Reporting(process) }
    }

    /// A process whose output `read` understands.
    pub(crate) fn reading(process: Process, read: impl Fn(&str) -> Option<Report> + 'static) -> Self {
        Self { work: Work::Reading(process, Box::new(read)) }
    }

    /// The client of the C++ benchmark.
    pub(crate) fn cpp(client: PerfClient, scenario: &Scenario) -> Self {
        Self { work: Work::Cpp(client, *scenario) }
    }

    fn process(&mut self) -> &mut Process {
        match &mut self.work {
            Work::Reporting(process) | Work::Reading(process, _) => process,
            Work::Cpp(client, _) => client.process(),
        }
    }

    fn finish(self) -> Result<Report, BenchError> {
        let (report, output) = match self.work {
            Work::Reporting(mut process) => {
                let output = result_of(&mut process)?;
                (json_in(&output), output)
            }
            Work::Reading(mut process, read) => {
                let output = result_of(&mut process)?;
                (read(&output), output)
            }
            Work::Cpp(client, scenario) => return Ok(cpp_report(client, &scenario)?),
        };
        report.ok_or_else(|| BenchError::NoResult { who: "client".into(), output: tail(&output) })
    }
}

impl Pair {
    /// Waits for the client's result, at most for `limit`, and reads the clocks meanwhile.
    ///
    /// # Errors
    /// When the client fails or takes too long.
    pub(crate) fn watch(mut self, limit: Duration) -> Result<(Report, Vec<Reading>), BenchError> {
        let meter = Meter::new(self.client.process().id(), self.server.id()).ok();
        let mut readings = Vec::new();
        let start = Instant::now();
        while self.client.process().ended().is_none() {
            if start.elapsed() > limit {
                return Err(BenchError::Late {
                    who: "client".into(),
                    output: tail(&self.client.process().output()),
                });
            }
            readings.extend(meter.and_then(|meter| meter.read().ok()));
            thread::sleep(LOOK);
        }
        Ok((self.client.finish()?, readings))
    }
}

/// Waits until a process has printed `word`.
///
/// # Errors
/// When it ends, or does not print it in time.
pub(crate) fn wait_for(process: &mut Process, word: &str, limit: Duration) -> Result<(), BenchError> {
    until(process, limit, |process| process.output().contains(word))
}

/// What a process printed that has ended.
///
/// # Errors
/// When it failed, whatever it printed before; or has not ended.
pub(crate) fn result_of(process: &mut Process) -> Result<String, BenchError> {
    let ended = process.ended();
    let (who, output) = (process.name().to_owned(), process.output());
    match ended {
        Some(status) if status.success() => Ok(output),
        Some(status) => Err(BenchError::Failed { who, status, output: tail(&output) }),
        None => Err(BenchError::Late { who, output: tail(&output) }),
    }
}

/// Waits until a process is `ready`.
fn until(process: &mut Process, limit: Duration, ready: impl Fn(&Process) -> bool) -> Result<(), BenchError> {
    let start = Instant::now();
    while !ready(process) {
        if process.ended().is_some() {
            return Err(BenchError::Early {
                who: process.name().to_owned(),
                output: tail(&process.output()),
            });
        }
        if start.elapsed() > limit {
            return Err(BenchError::Late { who: process.name().to_owned(), output: tail(&process.output()) });
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

fn cpp_report(client: PerfClient, scenario: &Scenario) -> Result<Report, axon_testbed::TestbedError> {
    let result = client.finish(Duration::from_secs(5))?;
    let rate = result.ops_per_second();
    // It tells no latencies; of a lone request the mean is known.
    let mean = 1e6 / rate;
    let lone = scenario.depth == 1;
    Ok(Report {
        messages_per_second: rate,
        bytes_per_second: rate * f64::from(scenario.size),
        latency_us: lone.then_some(Latency { p50: mean, p90: f64::NAN, p99: f64::NAN, p999: f64::NAN }),
        messages: result.ops,
    })
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axon_testbed::Scratch;
    use std::process::Command;

    /// What comes of a client that prints a good report and then ends so.
    fn report_of(end: &str) -> Result<Report, BenchError> {
        let scratch = Scratch::new("pair").unwrap();
        let mut command = Command::new("sh");
        let json = r#"{"messages_per_second": 1.0, "bytes_per_second": 1.0, "messages": 1}"#;
        command.args(["-c", &format!("echo '{json}'; {end}")]);
        let mut process = Process::spawn("client", &command, &scratch.log()).unwrap();
        assert!(process.stop_within(Duration::from_secs(60)));
        Client::reporting(process).finish()
    }

    #[test]
    fn a_client_that_fails_after_its_report_has_no_result() {
        assert_eq!(report_of("exit 0").unwrap().messages, 1);
        for end in ["exit 1", "kill -KILL $$"] {
            let failed = report_of(end).unwrap_err();
            assert!(matches!(failed, BenchError::Failed { .. }), "{failed}");
        }
    }
}
