//! `axon bench`: how fast messages move.

mod allocations;
mod bed;
mod clock;
mod conduct;
mod flight;
mod knife;
mod load;
mod raw;
mod recorder;
mod report;
pub(crate) mod responder;
mod sample;
mod stage;
mod stall;
mod wire;

use crate::cluster::ClusterArgs;
use crate::error::CliError;
use crate::machine::Machine;
use crate::options::{ModeArg, PolicyArg, RedialArgs, SpinArgs};
use crate::transport::{Load as Expected, TransportArg};
use crate::{output, units};
use axon_wire::Limits;
use bed::Bed;
use clap::{Args, ValueEnum};
use conduct::Run;
use load::Shape;
use raw::Pattern;
use report::{Report, Setup};
use sample::Sample;
use stage::{Plan, Span};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  axon bench                            both ends in this process
  axon bench --depth 1 --size 64        the latency of a lone small request
  axon bench --depth 1 --spin 0         the same between workers that sleep as soon as they can
  axon bench --mode secure --baseline   encrypted, next to bare sockets
  axon bench --connect 10.0.0.7:6800    against `axon serve` or ceph_perf_msgr_server
  axon bench --transport uring --baseline=tcp            io_uring next to epoll
  axon bench --policy lossless --cut-every 200ms         what it takes when connections break
  axon bench --policy lossless --baseline=lossy          what it costs when they do not
  axon bench --policy peer --connect 10.0.0.7:6800       against `axon serve --policy peer`

A request is an osd_op message that carries SIZE bytes of data, its reply an osd_op_reply without data. Latency is \
from the send to the reply. Processor time is that of this process: of both ends, unless --connect is given. The same \
is true of what is counted per message, that is, per request with its reply: system calls, wake-ups of sleeping \
workers, bytes copied between buffers, and allocations in builds with the feature count-allocations. Messages per write \
and per read count requests and replies. \
Figures of several rounds are medians, but for counts, the greatest latency and the longest stall: the longest time \
that a connection went without any reply while requests were on their way.

With --cut-every, one live connection after the other is cut on this side while requests are on their way. Of a \
lossless or peer session nothing may be lost, duplicated or reordered; the exit code is 1 if something is. A lossy one \
is followed by another, and what was on its way is counted as lost.

docs/command-line.md lists the keys of --json.

Against `axon serve --auth cephx` give the same --keyring, or the cluster whose monitors it asked for its keys.";

/// Messengers on this side: each has a thread for its worker and one for its dispatch queue.
const MOST_MESSENGERS: u32 = 1024;

/// Options of `axon bench`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArgs {
    /// The peer that answers; without it the responder runs in this process.
    #[arg(long, value_name = "ADDR", conflicts_with = "baseline")]
    connect: Option<String>,

    /// Bytes of data per request: 4096, 4k, 1M; at most 256M.
    #[arg(long, value_name = "BYTES", default_value = "4096", value_parser = parse_request_size)]
    size: u32,

    /// Requests in flight per connection: 1 to 65536.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    depth: u32,

    /// Connections: 1 to 65536. Lossless ones, 1024 at most, take a messenger each on this side, with a worker thread of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    connections: u32,

    /// Worker threads on each side: 1 to 1024.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    workers: u32,

    /// How long to measure, after a warm-up of a tenth of it.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = units::parse_seconds)]
    seconds: Duration,

    /// Stop after so many messages instead, and count all of them.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    #[command(flatten)]
    spin: SpinArgs,

    /// How the connections are protected.
    #[arg(long, value_enum, default_value_t = ModeArg::Crc)]
    mode: ModeArg,

    /// What the connections promise.
    #[arg(long, value_enum, default_value_t = PolicyArg::Lossy)]
    policy: PolicyArg,

    /// How bytes move.
    #[arg(long, value_enum, default_value_t = TransportArg::Auto)]
    transport: TransportArg,

    /// Cut a live connection every so often: 200ms, 500us, 0.5s.
    #[arg(long, value_name = "TIME", conflicts_with = "baseline", value_parser = units::parse_time)]
    cut_every: Option<Duration>,

    /// Which connections are cut is drawn from this.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "cut_every")]
    seed: u64,

    #[command(flatten)]
    redial: RedialArgs,

    /// Alternate with something else in the same run, and compare; bare sockets unless said.
    #[arg(long, value_enum, value_name = "WITH", num_args = 0..=1, require_equals = true, default_missing_value = "raw")]
    baseline: Option<BaselineArg>,

    /// Rounds into which a run with --baseline is split, 1 to 100; figures are their medians.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "baseline", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,

    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,

    /// How long connecting may take, and a reply before it counts as lost.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = units::parse_seconds)]
    timeout: Duration,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// What to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BaselineArg {
    /// Bare sockets that move the same bytes in the same pattern.
    Raw,
    /// The same load with --policy lossy.
    Lossy,
    /// The same load with --transport tcp.
    Tcp,
}

impl BenchArgs {
    /// Runs the command.
    pub(crate) fn run(mut self) -> Result<(), CliError> {
        self.transport = self.transport.choose(Some(self.expected()));
        self.check()?;
        let outcome = match self.baseline {
            Some(baseline) => self.alternate(baseline)?,
            None => self.alone()?,
        };
        let other = self.baseline.map(|baseline| (baseline, &outcome.baseline[..]));
        let report = Report::new(self.setup(), &outcome.axon, other);
        self.print(&report)?;
        match outcome.broken {
            Some(error) => Err(error),
            None => self.judge(&report),
        }
    }

    fn check(&self) -> Result<(), CliError> {
        let cluster = self.cluster.names_cluster() || self.cluster.keyring().is_some();
        if cluster && self.connect.is_none() {
            return Err(CliError::Usage {
                what: "the cluster options are about a peer elsewhere, and there is none",
                help: "add --connect ADDR, or leave them out: both ends in this process make their own key",
            });
        }
        if self.transport == TransportArg::Mem && self.connect.is_some() {
            return Err(CliError::Usage {
                what: "memory of this process leads to no peer elsewhere",
                help: "leave out --connect, or give another --transport",
            });
        }
        if self.baseline == Some(BaselineArg::Lossy) && self.policy.is_lossy() {
            return Err(CliError::Usage {
                what: "--baseline=lossy compares with what is measured anyway",
                help: "add --policy lossless or --policy peer",
            });
        }
        if self.baseline == Some(BaselineArg::Tcp) && self.transport == TransportArg::Tcp {
            return Err(CliError::Usage {
                what: "--baseline=tcp compares with what is measured anyway",
                help: "add --transport uring or --transport mem",
            });
        }
        if self.redial.is_given() && self.policy.is_lossy() && self.cut_every.is_none() {
            return Err(CliError::Usage {
                what: "--back-off has no effect: a lossy run ends with the first connection that breaks",
                help: "add --policy lossless, --policy peer or --cut-every TIME",
            });
        }
        if !self.policy.is_lossy() && self.connections > MOST_MESSENGERS {
            return Err(CliError::Usage {
                what: "too many connections: lossless ones take a messenger each, with a worker thread of its own",
                help: "give --connections 1024 at most, or --policy lossy",
            });
        }
        Ok(())
    }

    /// What is known of the load beforehand.
    fn expected(&self) -> Expected {
        Expected {
            per_worker: (self.connections / self.workers) as usize,
            on_the_way: (u64::from(self.size) * u64::from(self.depth)) as usize,
        }
    }

    fn setup(&self) -> Setup {
        Setup {
            size: self.size,
            depth: self.depth as usize,
            connections: self.connections as usize,
            workers: self.workers as usize,
            spin_us: self.spin.limit().as_secs_f64() * 1e6,
            mode: self.mode.name(),
            policy: self.policy.name(),
            transport: self.transport.name(),
        }
    }

    /// One round of the messenger.
    fn alone(&self) -> Result<Outcome, CliError> {
        let mut outcome = Outcome::default();
        let run = self.measure(self.policy, self.transport, self.plan(1, 0))?;
        outcome.axon.push(run.sample);
        outcome.broken = run.broken;
        Ok(outcome)
    }

    /// Rounds of the messenger and of its baseline in turn, so that both meet the same machine.
    fn alternate(&self, baseline: BaselineArg) -> Result<Outcome, CliError> {
        let rounds =
            self.rounds.min(self.count.map_or(u32::MAX, |count| u32::try_from(count).unwrap_or(u32::MAX)));
        let mut outcome = Outcome::default();
        for round in 0..rounds {
            let plan = self.plan(rounds, round);
            let run = self.measure(self.policy, self.transport, plan)?;
            outcome.axon.push(run.sample);
            outcome.broken = run.broken;
            if outcome.broken.is_some() {
                break;
            }
            let run = self.measure_baseline(baseline, plan)?;
            outcome.baseline.push(run.sample);
            outcome.broken = run.broken;
        }
        Ok(outcome)
    }

    fn measure(
        &self,
        policy: PolicyArg,
        transport: TransportArg,
        plan: Plan,
    ) -> Result<Run<CliError>, CliError> {
        Bed::start(self, policy, transport, plan)?.run()
    }

    fn measure_baseline(&self, baseline: BaselineArg, plan: Plan) -> Result<Run<CliError>, CliError> {
        match baseline {
            BaselineArg::Lossy => self.measure(PolicyArg::Lossy, self.transport, plan),
            BaselineArg::Tcp => self.measure(self.policy, TransportArg::Tcp, plan),
            BaselineArg::Raw => {
                let run = raw::run(&self.pattern(), plan).map_err(CliError::Raw)?;
                Ok(Run { sample: run.sample, broken: run.broken.map(CliError::Raw) })
            }
        }
    }

    /// The share of one round.
    fn plan(&self, rounds: u32, round: u32) -> Plan {
        Plan { span: self.span(rounds, round), patience: self.timeout }
    }

    fn span(&self, rounds: u32, round: u32) -> Span {
        match self.count {
            None => Span::Time(self.seconds / rounds),
            Some(count) => {
                let (rounds, round) = (u64::from(rounds), u64::from(round));
                Span::Count(count / rounds + u64::from(round < count % rounds))
            }
        }
    }

    fn shape(&self, span: Span) -> Shape {
        Shape { size: self.size, depth: self.depth as usize, span }
    }

    fn pattern(&self) -> Pattern {
        let (request, reply) = wire::sizes(self.size, self.mode);
        Pattern {
            request,
            reply,
            depth: self.depth as usize,
            connections: self.connections as usize,
            workers: self.workers as usize,
            spin: self.spin.limit(),
        }
    }

    /// An error if messages were not delivered as promised: once, in order, and all of them if connections that break
    /// are mended or none was broken on purpose.
    fn judge(&self, report: &Report) -> Result<(), CliError> {
        let figures = &report.axon;
        let (lost, duplicated, reordered) = (figures.lost, figures.duplicated, figures.reordered);
        let may_lose = self.policy.is_lossy() && self.cut_every.is_some();
        match duplicated + reordered + if may_lose { 0 } else { lost } {
            0 => Ok(()),
            _ => Err(CliError::Undelivered { messages: figures.messages, lost, duplicated, reordered }),
        }
    }

    fn print(&self, report: &Report) -> Result<(), CliError> {
        if self.json {
            return output::print_json(report);
        }
        let place = self.connect.as_deref().unwrap_or("both ends in this process");
        output::print(format_args!("{} ({place})\n{}\n\n{report}", self.setup(), Machine::here()))
    }
}

/// Reads the size of a request, which peers take up to a limit.
fn parse_request_size(text: &str) -> Result<u32, String> {
    let most = Limits::SESSION.data;
    match units::parse_size(text)? {
        size if size > most => Err(format!("a request carries at most {}M", most >> 20)),
        size => Ok(size),
    }
}

/// What all rounds came to.
#[derive(Default)]
struct Outcome {
    axon: Vec<Sample>,
    baseline: Vec<Sample>,
    /// Why it ended early.
    broken: Option<CliError>,
}
