//! What can go wrong with the monitors, and which of them said what.

use super::{PoolOp, Target};
use crate::conf::ConfError;
use crate::msg::{Fsid, MessageError};
use axon_messenger::{Fault, Rejection, StartError};
use std::fmt;
use std::time::Duration;

/// Why there is no session with a monitor, or no answer from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonError {
    /// The configuration does not say what is needed.
    #[error(transparent)]
    Conf(#[from] ConfError),
    /// The messenger or a thread could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Every monitor refused, for reasons that trying again does not change. Commands and changes of pools end so only if no
    /// monitor was handed them; otherwise as [`NoAnswer`](Self::NoAnswer).
    #[error("every monitor refused: {}", Attempts(attempts))]
    Refused {
        /// What each monitor answered.
        attempts: Vec<Attempt>,
    },
    /// No monitor could be reached in time. Commands and changes of pools end so only if no monitor was handed them;
    /// otherwise as [`NoAnswer`](Self::NoAnswer).
    #[error("no session with a monitor within {within:?}: {}", Attempts(attempts))]
    Unreachable {
        /// How long it was tried.
        within: Duration,
        /// What became of the last attempt with each monitor.
        attempts: Vec<Attempt>,
    },
    /// A monitor was handed the request and did not answer, or its answer was lost with its connection; it may still
    /// carry it out, or have done so. Commands and changes of pools end so whatever became of the session afterwards.
    #[error("{asked} did not answer {what} within {within:?}; it may still carry it out")]
    NoAnswer {
        /// Who was asked last.
        asked: Target,
        /// What was asked.
        what: Request,
        /// How long it had.
        within: Duration,
    },
    /// A monitor carried out the request and it failed.
    #[error("{asked} refused {what}: {}", Errno(*code, status))]
    Failed {
        /// Who was asked.
        asked: Target,
        /// What was asked.
        what: Request,
        /// A negative errno.
        code: i32,
        /// What a person is told; may be empty.
        status: String,
    },
    /// The request was not accepted for sending; no monitor has seen it.
    #[error("{what} was not sent to {asked}: {why}")]
    NotSent {
        /// Who would have been asked.
        asked: Target,
        /// What was to be asked.
        what: Request,
        /// Why it was not accepted.
        why: Rejection,
    },
    /// The request cannot be written for a monitor that lacks what it needs; the monitor has not seen it.
    #[error("{what} was not sent to {asked}: {source}")]
    Unsendable {
        /// Who would have been asked.
        asked: Target,
        /// What was to be asked.
        what: Request,
        /// What is in the way.
        source: Box<MessageError>,
    },
    /// A monitor's answer cannot be read.
    #[error("the answer of {asked} cannot be read: {source}")]
    Malformed {
        /// Who was asked.
        asked: Target,
        /// What is wrong with it.
        source: MessageError,
    },
    /// Too many requests wait for answers; this one was not asked.
    #[error("{limit} requests to the monitors wait for their answers already")]
    TooMany {
        /// How many may.
        limit: usize,
    },
    /// This side closed the session; what had been asked of a monitor before may still be carried out.
    #[error("the session with the monitors is closed")]
    Closed,
}

/// What was asked of a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// A command.
    Command(String),
    /// The newest version of a map.
    Version(String),
    /// The monitor map.
    MonMap,
    /// A change of a pool.
    PoolOp(PoolOp),
    /// How full the cluster is.
    StatFs,
    /// What is in pools.
    PoolStats,
    /// The service's rotating secrets.
    Secrets,
}

impl Request {
    /// Whether it matters that a monitor may carry it out although nobody heard of that.
    pub(super) fn may_change(&self) -> bool {
        matches!(self, Self::Command(_) | Self::PoolOp(_))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(json) => write!(f, "the command {json}"),
            Self::Version(map) => write!(f, "how new the {map} is"),
            Self::MonMap => f.write_str("with a monitor map"),
            Self::PoolOp(op) => op.fmt(f),
            Self::StatFs => f.write_str("how full the cluster is"),
            Self::PoolStats => f.write_str("what is in the pools"),
            Self::Secrets => f.write_str("with the service's rotating secrets"),
        }
    }
}

/// An attempt to get a session with a monitor, and why it failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The monitor.
    pub target: Target,
    /// What happened.
    pub why: Failure,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.target, self.why)
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The connection failed.
    #[error("{0}")]
    Fault(Fault),
    /// The monitor has no address for this protocol.
    #[error("it has no v2 address; msgr1 is not supported: enable v2 with 'ceph mon enable-msgr2'")]
    NoV2Address,
    /// The connection was not ready in time.
    #[error("not connected within {0:?}")]
    TooSlow(Duration),
    /// The connection is fine, but the monitor sent no monitor map.
    #[error("connected, but it sent no monitor map within {0:?}: it may have no quorum")]
    Silent(Duration),
    /// The session was open, but a request for tickets or keys was not answered.
    #[error("it did not answer a request for tickets or keys within {0:?}")]
    AuthSilent(Duration),
    /// The session was open, and a new monitor map no longer has a monitor at that address.
    #[error("the monitor map no longer has a monitor there")]
    Removed,
    /// The monitor map cannot be read.
    #[error("{0}")]
    Malformed(MessageError),
    /// The monitor is one of another cluster.
    #[error("it belongs to the cluster {}, not to {}: is the address right?", Uuid(actual), Uuid(expected))]
    OtherCluster {
        /// This cluster's id.
        expected: Fsid,
        /// The monitor's.
        actual: Fsid,
    },
}

impl Failure {
    /// Whether trying again does not help.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_permanent(),
            Self::NoV2Address | Self::Malformed(_) | Self::OtherCluster { .. } => true,
            Self::TooSlow(_) | Self::Silent(_) | Self::AuthSilent(_) | Self::Removed => false,
        }
    }
}

struct Attempts<'a>(&'a [Attempt]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none was tried");
        }
        for (i, attempt) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "; " };
            write!(f, "{comma}{attempt}")?;
        }
        Ok(())
    }
}

/// An error number, and what the monitor said with it.
struct Errno<'a>(i32, &'a str);

impl fmt::Display for Errno<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(code, status) = *self;
        let number = std::io::Error::from_raw_os_error(code.saturating_neg());
        match status.is_empty() {
            true => number.fmt(f),
            false => write!(f, "{status} ({number})"),
        }
    }
}

/// A cluster's id as people write it.
struct Uuid<'a>(&'a Fsid);

impl fmt::Display for Uuid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let dash = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}
