//! The peers of this run: who is there, and how a pair of each is started.

mod axon;
mod clients;
mod debian;
mod ucx;

use crate::error::BenchError;
use crate::pair::{Client, Pair, Server};
use crate::peer::{PROFILES, Peer};
use crate::pinning::{End, Pinning};
use crate::probe::What;
use crate::scenario::{Mode, Pattern, Scenario, Wait};
use axon::Axon;
use axon_testbed::prepare;
use axon_testbed::{Load, Perf, Process, Release, Scratch, free_port};
use serde::de::DeserializeOwned;
use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long the measurement of a pair takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The measurement.
    pub(crate) measure: Duration,
    /// Before it.
    pub(crate) warm_up: Duration,
}

impl Span {
    /// A measurement with a warm-up of a tenth, as `axon bench` has it.
    pub(crate) fn of(measure: Duration) -> Self {
        Self { measure, warm_up: measure / 10 }
    }

    /// Messages that take about as long at `rate` per second.
    fn count(&self, rate: f64) -> u32 {
        ((self.measure + self.warm_up).as_secs_f64() * rate).clamp(100.0, 1e9) as u32
    }
}

/// Everything that pairs are started from.
pub(crate) struct Fleet {
    pinning: Pinning,
    scratch: Scratch,
    axon: Axon,
    perf: Result<Perf, String>,
    messengers: Result<PathBuf, String>,
    rados_rs: Result<PathBuf, String>,
    rados_rs_client: Result<PathBuf, String>,
}

impl Fleet {
    /// Finds the programs in `programs` and the peers on this machine; fetches what Debian has and is not there yet.
    ///
    /// # Errors
    /// When there is no place for files.
    pub(crate) fn gather(programs: &Path, pinning: Pinning) -> Result<Self, BenchError> {
        let scratch = Scratch::new("bench")?;
        let perf = prepare::release(Release::Reef).and_then(|_| Perf::new(Release::Reef));
        let perf = perf.map(|perf| match (pinning.core(End::Server), pinning.core(End::Client)) {
            (Some(server), Some(client)) => perf.on_cores(server, client),
            _ => perf,
        });
        Ok(Self {
            pinning,
            axon: Axon::new(programs.join("axon"), &scratch)?,
            perf: perf.map_err(|error| error.to_string()),
            messengers: prepare::packages(debian::MESSENGERS).map_err(|error| error.to_string()),
            rados_rs: found(programs.join("axon-bench-rados-rs")),
            rados_rs_client: found(programs.join("axon-bench-rados-rs-client")),
            scratch,
        })
    }

    /// Who is not there, and why.
    pub(crate) fn missing(&self) -> Vec<(Peer, String)> {
        let peers = PROFILES.iter().map(|profile| profile.peer);
        peers.filter_map(|peer| Some((peer, self.lacks(peer)?))).collect()
    }

    fn lacks(&self, peer: Peer) -> Option<String> {
        match peer {
            Peer::Axon => self.axon.lacks(),
            Peer::AxonToCpp | Peer::CppToAxon => {
                self.axon.lacks().or_else(|| self.perf.as_ref().err().cloned())
            }
            Peer::Cpp => self.perf.as_ref().err().cloned(),
            Peer::RadosRs => self.rados_rs.as_ref().err().cloned(),
            Peer::ZeroMq | Peer::Nng | Peer::Ucx => self.messengers.as_ref().err().cloned(),
            Peer::Raw | Peer::RawSum | Peer::Grpc => None,
        }
    }

    /// Axon's own version.
    pub(crate) fn axon_version(&self) -> String {
        self.axon.version()
    }

    /// Starts a pair; `rate` is about how many messages per second it moves, for those that are told a count.
    ///
    /// # Errors
    /// When either end does not start.
    pub(crate) fn start(
        &self,
        peer: Peer,
        scenario: &Scenario,
        span: Span,
        rate: f64,
    ) -> Result<Pair, BenchError> {
        match peer {
            Peer::Axon if scenario.pattern == Pattern::Stream => self.driven_pair(peer, scenario, span),
            Peer::Axon => self.axon_pair(scenario, span),
            Peer::Cpp => {
                let server = self.cpp_server()?;
                let client = self.cpp_client(server.addr(), scenario, span, rate)?;
                Ok(Pair { server, client })
            }
            Peer::AxonToCpp => {
                let server = self.cpp_server()?;
                let client = self.axon_client(server.addr(), scenario, span)?;
                Ok(Pair { server, client })
            }
            Peer::CppToAxon => {
                let server = self.axon_server(scenario)?;
                let client = self.cpp_client(server.addr(), scenario, span, rate)?;
                Ok(Pair { server, client })
            }
            Peer::Ucx => self.ucx_pair(scenario, span, rate),
            Peer::RadosRs | Peer::Raw | Peer::RawSum | Peer::ZeroMq | Peer::Nng | Peer::Grpc => {
                self.driven_pair(peer, scenario, span)
            }
        }
    }

    fn axon_pair(&self, scenario: &Scenario, span: Span) -> Result<Pair, BenchError> {
        let server = self.axon_server(scenario)?;
        let client = self.axon_client(server.addr(), scenario, span)?;
        Ok(Pair { server, client })
    }

    /// Axon's server in the mode of a scenario.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn axon_server(&self, scenario: &Scenario) -> Result<Server, BenchError> {
        let addr = loopback();
        let process = self.spawn("axon serve", End::Server, self.axon.serve(addr, scenario))?;
        Server::listening(process, addr, "listening")
    }

    /// Axon's server with keys, in one mode only.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn keyed_server(&self, mode: Mode) -> Result<Server, BenchError> {
        let addr = loopback();
        let process = self.spawn("axon serve", End::Server, self.axon.serve_keyed(addr, mode))?;
        Server::listening(process, addr, "listening")
    }

    fn axon_client(&self, addr: SocketAddr, scenario: &Scenario, span: Span) -> Result<Client, BenchError> {
        let command = self.axon.bench(addr, scenario, span);
        Ok(Client::reading(self.spawn("axon bench", End::Client, command)?, axon::report))
    }

    /// The C++ server.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn cpp_server(&self) -> Result<Server, BenchError> {
        Ok(Server::cpp(self.perf()?.server(1, Duration::ZERO)?))
    }

    fn cpp_client(
        &self,
        addr: SocketAddr,
        scenario: &Scenario,
        span: Span,
        rate: f64,
    ) -> Result<Client, BenchError> {
        let jobs = scenario.connections;
        let load = Load {
            jobs,
            // It keeps one more in flight than it is told.
            concurrency: scenario.depth_each() - 1,
            ios: span.count(rate) / jobs,
            think: Duration::ZERO,
            len: scenario.size,
        };
        Ok(Client::cpp(self.perf()?.start_client(addr, load)?, scenario))
    }

    fn perf(&self) -> Result<&Perf, BenchError> {
        self.perf.as_ref().map_err(|why| BenchError::Missing(why.clone()))
    }

    /// The client's end of a probe of `server`.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn probe(&self, what: What, server: SocketAddr, args: &[&str]) -> Result<Process, BenchError> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["probe", what.word(), &server.to_string()]).args(args);
        self.spawn("probe", End::Client, command)
    }

    /// The keyring with the key of Axon's server in secure mode.
    pub(crate) fn keyring(&self) -> &Path {
        self.axon.keyring()
    }

    /// The server's end of a peer that is driven from here.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn driven_server(&self, peer: Peer, scenario: &Scenario) -> Result<Server, BenchError> {
        let addr = loopback();
        let serve = self.driver(peer, "serve", addr, scenario, Span::of(Duration::ZERO))?;
        Server::listening(self.spawn(peer.profile().title, End::Server, serve)?, addr, "listening")
    }

    /// Both ends of bare sockets that do as if they shook hands, `at_once` at the same time.
    ///
    /// # Errors
    /// When either end does not start.
    pub(crate) fn bare_handshakes(
        &self,
        at_once: usize,
        span: Duration,
    ) -> Result<(Server, Process), BenchError> {
        let scenario = Scenario::requests(64, 1).over(at_once as u32);
        let command = |side: &str, addr: SocketAddr, span: Duration| {
            let mut command = self.driver(Peer::Raw, side, addr, &scenario, Span::of(span))?;
            command.arg("--handshakes");
            Ok::<_, BenchError>(command)
        };
        let addr = loopback();
        let serve = self.spawn("bare sockets", End::Server, command("serve", addr, Duration::ZERO)?)?;
        let server = Server::listening(serve, addr, "listening")?;
        let client = self.spawn("bare sockets", End::Client, command("load", addr, span)?)?;
        Ok((server, client))
    }

    fn driven_pair(&self, peer: Peer, scenario: &Scenario, span: Span) -> Result<Pair, BenchError> {
        let server = self.driven_server(peer, scenario)?;
        let load = self.driver(peer, "load", server.addr(), scenario, span)?;
        let client = Client::reporting(self.spawn(peer.profile().title, End::Client, load)?);
        Ok(Pair { server, client })
    }

    fn driver(
        &self,
        peer: Peer,
        side: &str,
        addr: SocketAddr,
        scenario: &Scenario,
        span: Span,
    ) -> Result<Command, BenchError> {
        let mut command = self.program(peer)?;
        command.args([side, &addr.to_string()]);
        command.args(["--size", &scenario.size.to_string(), "--depth", &scenario.depth.to_string()]);
        command.args(["--seconds", &span.measure.as_secs_f64().to_string()]);
        command.args(["--warm-up", &span.warm_up.as_secs_f64().to_string()]);
        if scenario.connections > 1 {
            command.args(["--connections", &scenario.connections.to_string()]);
        }
        let flags = [
            (scenario.pattern == Pattern::Stream, "--stream"),
            (scenario.wait == Wait::Spin, "--spin"),
            (peer == Peer::RawSum, "--checksum"),
        ];
        command.args(flags.into_iter().filter_map(|(applies, flag)| applies.then_some(flag)));
        Ok(command)
    }

    /// The program that drives the peer, up to the name of the end.
    fn program(&self, peer: Peer) -> Result<Command, BenchError> {
        let Some(library) = peer.library() else {
            let found = self.rados_rs.as_ref().map_err(|why| BenchError::Missing(why.clone()));
            return Ok(Command::new(found?));
        };
        let own = env::current_exe()?;
        let mut command = match peer {
            Peer::ZeroMq | Peer::Nng => self.under_debian(&own)?,
            _ => Command::new(own),
        };
        command.args(["drive", library.word()]);
        Ok(command)
    }

    fn spawn(&self, name: &'static str, end: End, command: Command) -> Result<Process, BenchError> {
        Ok(Process::spawn(name, &self.pinning.apply(end, command), &self.scratch.log())?)
    }
}

fn found(program: PathBuf) -> Result<PathBuf, String> {
    if program.exists() { Ok(program) } else { Err(format!("{} was not built", program.display())) }
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}

/// Reads the last line that is the JSON of a `T`.
pub(crate) fn json_in<T: DeserializeOwned>(output: &str) -> Option<T> {
    output.lines().rev().find_map(|line| serde_json::from_str(line).ok())
}
