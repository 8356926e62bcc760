//! The messenger benchmark of the C++ implementation: `ceph_perf_msgr_server` and `ceph_perf_msgr_client`.

use crate::prepare::Shim;
use crate::process::{run_ok, tail};
use crate::redirect::Redirects;
use crate::{Process, Release, Scratch, Tap, TestbedError, Tree, free_port};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// The benchmark of one release, with auth none and crc mode.
///
/// The server answers each MOSDOp with an MOSDOpReply; the client is a *lossless* client. Both run with a
/// library of ours that takes the 50 us sleep per message out of a think time of zero.
#[derive(Debug)]
pub struct Perf {
    tree: Tree,
    scratch: Scratch,
    redirects: Redirects,
    options: Vec<(String, String)>,
    /// The cores of servers and of clients.
    cores: Option<(usize, usize)>,
}

/// What a client is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Threads, each with a connection of its own.
    pub jobs: u32,
    /// Messages in flight per job.
    pub concurrency: u32,
    /// Messages per job.
    pub ios: u32,
    /// Pause in the client per message.
    pub think: Duration,
    /// Bytes of data per message.
    pub len: u32,
}

/// What a client did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerfResult {
    /// Messages sent and answered.
    pub ops: u64,
    /// The time they took.
    pub elapsed: Duration,
}

impl PerfResult {
    /// Answered messages per second.
    pub fn ops_per_second(&self) -> f64 {
        self.ops as f64 / self.elapsed.as_secs_f64()
    }
}

/// A server, until dropped.
#[derive(Debug)]
pub struct PerfServer {
    process: Process,
    addr: SocketAddr,
}

impl PerfServer {
    /// Where it listens for msgr2; its nonce is 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The process, to freeze or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// A client at work, killed when dropped.
#[derive(Debug)]
pub struct PerfClient {
    process: Process,
}

impl PerfClient {
    /// The process, to freeze or kill it, or to watch what it uses.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Waits until it has done its load.
    ///
    /// # Errors
    /// When it fails, whatever it printed before, or is not done after `timeout`.
    pub fn finish(mut self, timeout: Duration) -> Result<PerfResult, TestbedError> {
        let command = self.process.name().to_owned();
        let in_time = self.process.stop_within(timeout);
        let output = self.process.output();
        match self.process.ended() {
            Some(status) if in_time && status.success() => parse(&output),
            Some(status) if in_time => {
                Err(TestbedError::Failed { command, status, output: tail(&output, 40) })
            }
            _ => Err(TestbedError::TimedOut { command, after: timeout, output: tail(&output, 40) }),
        }
    }
}

impl Perf {
    /// The benchmark of `release`, which must be 16.2 or later.
    ///
    /// # Errors
    /// When the release is not prepared.
    pub fn new(release: Release) -> Result<Self, TestbedError> {
        let tree = Tree::find(release)?;
        let scratch = Scratch::new("perf")?;
        Ok(Self {
            tree,
            redirects: Redirects::new(scratch.path()),
            scratch,
            options: Vec::new(),
            cores: None,
        })
    }

    /// Sets a configuration option of the servers and clients started from now on.
    pub fn set(mut self, option: &str, value: &str) -> Self {
        self.options.push((option.into(), value.into()));
        self
    }

    /// Ties servers and clients started from now on to a core each (`taskset`).
    pub fn on_cores(mut self, server: usize, client: usize) -> Self {
        self.cores = Some((server, client));
        self
    }

    /// Sends connections of the clients to `from` (on 127.0.0.1) to `to` from now on; `from == to` undoes it.
    /// Both ends go on believing in `from`. For a [`Tap`](crate::Tap).
    ///
    /// # Errors
    /// When the table of redirections cannot be written.
    pub fn redirect(&self, from: u16, to: u16) -> Result<(), TestbedError> {
        self.redirects.set(from, to)
    }

    /// Leads all connections of the clients through a [`Tap::for_all`] from now on.
    ///
    /// # Errors
    /// When the table of redirections cannot be written.
    pub fn through(&self, tap: &Tap) -> Result<(), TestbedError> {
        self.redirects.all_to(tap)
    }

    /// Starts a server with `workers` threads that pauses for `think` per message.
    ///
    /// # Errors
    /// When it does not listen within 20 seconds.
    pub fn server(&self, workers: u32, think: Duration) -> Result<PerfServer, TestbedError> {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = self.command("ceph_perf_msgr_server", self.cores.map(|(server, _)| server))?;
        command.args([format!("v2:{addr}"), workers.to_string(), micros(think)]);
        let mut process = Process::spawn("ceph_perf_msgr_server", &command, &self.scratch.log())?;
        let start = Instant::now();
        while !process.listens_on(addr.port()) {
            if process.ended().is_some() || start.elapsed() > START_TIMEOUT {
                return Err(TestbedError::NotReady {
                    what: "ceph_perf_msgr_server".into(),
                    after: start.elapsed(),
                    log: process.output(),
                });
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(PerfServer { process, addr })
    }

    /// Runs a client against any server to its end.
    ///
    /// # Errors
    /// When it fails, or is not done after `timeout`.
    pub fn client(
        &self,
        server: SocketAddr,
        load: Load,
        timeout: Duration,
    ) -> Result<PerfResult, TestbedError> {
        let run = run_ok(&self.client_command(server, load)?, timeout)?;
        parse(&run.both())
    }

    /// Starts a client in the background.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_client(&self, server: SocketAddr, load: Load) -> Result<PerfClient, TestbedError> {
        let command = self.client_command(server, load)?;
        let process = Process::spawn("ceph_perf_msgr_client", &command, &self.scratch.log())?;
        Ok(PerfClient { process })
    }

    fn client_command(&self, server: SocketAddr, load: Load) -> Result<Command, TestbedError> {
        let mut command = self.command("ceph_perf_msgr_client", self.cores.map(|(_, client)| client))?;
        command.arg(format!("v2:{server}"));
        for number in [load.jobs, load.concurrency, load.ios] {
            command.arg(number.to_string());
        }
        command.args([micros(load.think), load.len.to_string()]);
        Ok(command)
    }

    fn command(&self, program: &str, core: Option<usize>) -> Result<Command, TestbedError> {
        let mut conf = String::from("[global]\nlog file =\nadmin socket =\n");
        for who in ["cluster", "service", "client"] {
            conf += &format!("auth {who} required = none\n");
        }
        for (option, value) in &self.options {
            conf += &format!("{option} = {value}\n");
        }
        let conf = self.scratch.write("ceph.conf", conf)?;
        let mut command = self.redirects.command(&self.tree, program, &[Shim::Nosleep])?;
        command.env("CEPH_CONF", conf);
        Ok(match core {
            Some(core) => tied(&command, core),
            None => command,
        })
    }
}

/// The same command on one core.
fn tied(command: &Command, core: usize) -> Command {
    let mut tied = Command::new("taskset");
    tied.args(["-c", &core.to_string()]).arg(command.get_program()).args(command.get_args());
    tied.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    tied
}

fn micros(time: Duration) -> String {
    time.as_micros().to_string()
}

/// Reads `Total op N run time Tus.`
fn parse(output: &str) -> Result<PerfResult, TestbedError> {
    let unexpected =
        || TestbedError::Unexpected { what: "ceph_perf_msgr_client".into(), output: tail(output, 40) };
    let (_, line) = output.rsplit_once("Total op ").ok_or_else(unexpected)?;
    let mut words = line.split_whitespace();
    let ops = words.next().and_then(|n| n.parse().ok());
    let time = words.find_map(|word| word.strip_suffix("us.")?.parse().ok());
    match (ops, time) {
        (Some(ops), Some(time)) => Ok(PerfResult { ops, elapsed: Duration::from_micros(time) }),
        _ => Err(unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_result() {
        let result = parse("noise\n Total op 20000 run time 356432us.\n").unwrap();
        assert_eq!(result.ops, 20000);
        assert_eq!(result.elapsed, Duration::from_micros(356_432));
        assert!(parse("Total op none").is_err());
        let twice = parse("Total op 1 run time 1us.\nTotal op 2 run time 1us.\n").unwrap();
        assert_eq!(twice.ops, 2, "the last word counts");
    }
}
