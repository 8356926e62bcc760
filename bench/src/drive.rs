//! The two ends of the peers that bring no benchmark of their own, each in a process of its own.
//!
//! `axon-bench drive PEER serve ADDR` prints a line that begins with `listening` and answers, or pours out messages,
//! until it is killed; `axon-bench drive PEER load ADDR` measures, prints a [`Report`] as JSON and ends.

pub(crate) mod axon;
mod grpc;
mod nng;
mod raw;
mod recorder;
mod zeromq;

pub(crate) use recorder::{Latency, Report};

use clap::{Args, ValueEnum};
use recorder::Recorder;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// Bytes of a reply, whatever the request.
pub(crate) const REPLY: usize = 64;

/// Which end of which peer.
#[derive(Debug, Clone, Args)]
pub(crate) struct DriveArgs {
    /// The peer.
    #[arg(value_enum)]
    library: Library,
    /// Its end.
    #[arg(value_enum)]
    side: Side,
    /// Where it listens, or connects to.
    #[arg(default_value = "127.0.0.1:0")]
    addr: SocketAddr,
    #[command(flatten)]
    job: Job,
}

/// What both ends are to do.
#[derive(Debug, Clone, Args)]
pub(crate) struct Job {
    /// Bytes of a request, or of a message of a stream.
    #[arg(long, default_value_t = 64)]
    pub(crate) size: usize,
    /// Requests in flight.
    #[arg(long, default_value_t = 1)]
    pub(crate) depth: usize,
    /// Connections that share the depth, or that are being opened at the same time (raw sockets only).
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: usize,
    /// Messages in one direction only, as many as go.
    #[arg(long)]
    pub(crate) stream: bool,
    /// Connections that exchange as many bytes as a handshake of msgr2 without keys, and are closed (raw sockets only).
    #[arg(long)]
    pub(crate) handshakes: bool,
    /// Seconds before the measurement.
    #[arg(long, default_value_t = 0.1)]
    pub(crate) warm_up: f64,
    /// Seconds of the measurement.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,
    /// Look for bytes again and again instead of sleeping (Axon and raw sockets only).
    #[arg(long)]
    pub(crate) spin: bool,
    /// Compute the crc32c of each message where it is sent and where it is received (raw sockets only).
    #[arg(long)]
    pub(crate) checksum: bool,
}

impl Job {
    /// A recorder whose warm-up begins now.
    fn recorder(&self) -> Recorder {
        Recorder::new(self.size, Duration::from_secs_f64(self.warm_up), Duration::from_secs_f64(self.seconds))
    }
}

/// The peers that are driven from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Library {
    /// Axon through its interface.
    Axon,
    /// Bare sockets.
    Raw,
    /// libzmq.
    Zeromq,
    /// libnng.
    Nng,
    /// gRPC by tonic.
    Grpc,
}

impl Library {
    /// The word on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Axon => "axon",
            Self::Raw => "raw",
            Self::Zeromq => "zeromq",
            Self::Nng => "nng",
            Self::Grpc => "grpc",
        }
    }
}

/// The end of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// Answers requests, or pours out messages.
    Serve,
    /// Sends requests, or takes messages, and measures.
    Load,
    /// Prints the library's version.
    Version,
}

/// What ends a driver before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DriveError {
    /// A socket failed.
    #[error("socket: {0}")]
    Io(#[from] io::Error),
    /// The other end has gone.
    #[error("the other end closed the connection")]
    Gone,
    /// A shared library is not there, or lacks a function.
    #[error("library: {0}")]
    Library(#[from] libloading::Error),
    /// A function of a C library failed.
    #[error("{function} failed: {reason}")]
    Call {
        /// The function.
        function: &'static str,
        /// What the library says about it.
        reason: String,
    },
    /// Axon's requests are sent by its own program.
    #[error("Axon is driven from here for streams only: add --stream, or use `axon bench --connect`")]
    OnlyStreams,
    /// gRPC's transport failed.
    #[error("gRPC: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// gRPC's call failed.
    #[error("gRPC: {0}")]
    Status(Box<tonic::Status>),
}

impl DriveArgs {
    /// Runs the end; prints the report of [`Side::Load`].
    ///
    /// # Errors
    /// When the library, a socket or the other end fails.
    pub(crate) fn run(&self) -> Result<(), DriveError> {
        let (addr, job) = (self.addr, &self.job);
        match (self.library, self.side) {
            (Library::Axon, Side::Serve) => axon::serve(addr, job),
            (Library::Axon, Side::Load) if !job.stream => Err(DriveError::OnlyStreams),
            (Library::Axon, Side::Load) => print(&axon::load(addr, job)?),
            (Library::Raw, Side::Serve) => raw::serve(addr, job),
            (Library::Raw, Side::Load) => print(&raw::load(addr, job)?),
            (Library::Zeromq, Side::Serve) => zeromq::serve(addr, job),
            (Library::Zeromq, Side::Load) => print(&zeromq::load(addr, job)?),
            (Library::Nng, Side::Serve) => nng::serve(addr, job),
            (Library::Nng, Side::Load) => print(&nng::load(addr, job)?),
            (Library::Zeromq, Side::Version) => Ok(writeln!(io::stdout(), "{}", zeromq::version()?)?),
            (Library::Nng, Side::Version) => Ok(writeln!(io::stdout(), "{}", nng::version()?)?),
            // They are this program's, or the system's.
            (Library::Axon | Library::Raw | Library::Grpc, Side::Version) => Ok(()),
            (Library::Grpc, Side::Serve) => grpc::serve(addr, job),
            (Library::Grpc, Side::Load) => print(&grpc::load(addr, job)?),
        }
    }
}

/// Tells who started this that connections are welcome.
fn announce(addr: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "listening on {addr}")?;
    out.flush()
}

fn print(report: &Report) -> Result<(), DriveError> {
    let line = serde_json::to_string(report).map_err(io::Error::from)?;
    Ok(writeln!(io::stdout(), "{line}")?)
}
