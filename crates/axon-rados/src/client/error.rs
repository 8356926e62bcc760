//! What can go wrong with objects, and what is then known.

use super::Errno;
use crate::mon::MonError;
use crate::objecter::Waiting;
use crate::osdmap::MapFault;
use axon_denc::DecodeError;
use std::fmt;
use std::time::Duration;

/// Why an operation has no result.
///
/// The variants say what is known: after [`Refused`](Self::Refused), [`TooLarge`](Self::TooLarge),
/// [`TooManySteps`](Self::TooManySteps), [`TooLargeForOsd`](Self::TooLargeForOsd), [`Full`](Self::Full),
/// [`PoolEio`](Self::PoolEio), [`NoPool`](Self::NoPool), [`OtherPool`](Self::OtherPool),
/// [`EmptyObjectName`](Self::EmptyObjectName), [`EmptyPoolName`](Self::EmptyPoolName),
/// [`Unsendable`](Self::Unsendable) and [`NotDone`](Self::NotDone) nothing was changed. After
/// [`Unknown`](Self::Unknown) and [`Closed`](Self::Closed) it may have been, or may still be.
/// After [`BadAnswer`](Self::BadAnswer) it was. [`Mon`](Self::Mon) says it by its own variants: see [`MonError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RadosError {
    /// The monitors cannot be asked, or refused.
    #[error(transparent)]
    Mon(#[from] MonError),
    /// A monitor answered a command with an error.
    #[error("{what}: {status} ({errno})")]
    Command {
        /// What was asked.
        what: String,
        /// The error.
        errno: Errno,
        /// What the monitor says to people.
        status: String,
    },
    /// A pool must have a name.
    #[error("the name of the pool is empty")]
    EmptyPoolName,
    /// An object must have a name.
    #[error("the name of the object is empty")]
    EmptyObjectName,
    /// There is no such pool.
    #[error("there is no pool '{0}'")]
    NoPool(String),
    /// A cursor is of a listing of another pool than this one.
    #[error("the cursor is not of pool '{0}'")]
    OtherPool(String),
    /// The OSD refused, or is known to: nothing was changed.
    #[error("{object}: {errno}")]
    Refused {
        /// The object.
        object: String,
        /// Why.
        errno: Errno,
    },
    /// The request is larger than this session allows ([`RadosConfig::max_write`](super::RadosConfig::max_write)); it was
    /// not sent.
    #[error(
        "{object}: {size} bytes in one request exceed this session's limit of {limit} (max_write): write in pieces"
    )]
    TooLarge {
        /// The object.
        object: String,
        /// Bytes of the request.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A request has more operations than fit into one, which are 65,535; it was not sent.
    #[error("{object}: {steps} operations in one request, where 65,535 are the most: do it in parts")]
    TooManySteps {
        /// The object.
        object: String,
        /// Its operations.
        steps: usize,
    },
    /// The request is larger than its OSD allows, which does not say how much that is.
    #[error(
        "{object}: {size} bytes in one request exceed the OSD's osd_max_write_size, 90 MiB unless set: write in pieces"
    )]
    TooLargeForOsd {
        /// The object.
        object: String,
        /// Bytes of the request.
        size: u64,
    },
    /// Writing is not possible now and the operation does not wait; it was not sent.
    #[error("{object}: {why}")]
    Full {
        /// The object.
        object: String,
        /// What is full.
        why: Waiting,
    },
    /// The pool, or the one it is a cache of, is marked so that everything on it fails (`ceph osd pool set <pool> eio
    /// true`). Ceph: `pg_pool_t::FLAG_EIO`.
    #[error("{object}: {why}")]
    PoolEio {
        /// The object.
        object: String,
        /// Which pool is marked.
        why: Waiting,
    },
    /// The deadline passed, and the operation was certainly not done.
    #[error("{object}: not done within {within:?}: {why}")]
    NotDone {
        /// The object.
        object: String,
        /// How long it had.
        within: Duration,
        /// What it waited for.
        why: Waiting,
    },
    /// There is no answer, and the operation may have been done, or may still be.
    #[error("{object}: whether it was done is not known after {after:?}: {why}")]
    Unknown {
        /// The object.
        object: String,
        /// How long ago it was begun.
        after: Duration,
        /// What it waited for.
        why: Waiting,
    },
    /// The OSD's answer cannot be read; the operation itself succeeded.
    #[error("{object}: the answer of the OSD cannot be read: {source}")]
    BadAnswer {
        /// The object.
        object: String,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The OSD cannot be sent this request: it is too old for it, or the request is longer than peers take (16 MiB of names,
    /// snapshots and operations, 256 MiB of data) or than may wait for one. It was not sent.
    #[error("{object}: {source}")]
    Unsendable {
        /// The object.
        object: String,
        /// Why.
        source: crate::msg::MessageError,
    },
    /// The OSD map did not become as new as it should.
    #[error("no OSD map of epoch {epoch} within {within:?}, only {have}: {}", NoMapWhy(*fault))]
    NoMap {
        /// The epoch waited for.
        epoch: u32,
        /// The epoch there is, 0 for none.
        have: u32,
        /// How long it was waited for.
        within: Duration,
        /// Why maps that came were of no use, if any came.
        fault: Option<MapFault>,
    },
    /// This side was closed before there was an answer. A request that was sent by then may have been done, or may
    /// still be.
    #[error("the session with the cluster is closed")]
    Closed,
}

impl RadosError {
    /// The number an OSD or monitor answered, if one did, or would have answered.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { errno, .. } | Self::Command { errno, .. } => Some(*errno),
            Self::TooLarge { .. } | Self::TooLargeForOsd { .. } => Some(Errno::EMSGSIZE),
            Self::Full { .. } => Some(Errno::ENOSPC),
            Self::PoolEio { .. } => Some(Errno::EIO),
            _ => None,
        }
    }

    /// Whether the object does not exist, or the snapshot of a pool: ENOENT. An object without the attribute that was asked
    /// for is there, and its [`errno`](Self::errno) is [`Errno::ENODATA`].
    pub fn is_not_found(&self) -> bool {
        self.errno() == Some(Errno::ENOENT)
    }
}

/// Why a map did not come.
struct NoMapWhy(Option<MapFault>);

impl fmt::Display for NoMapWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("the monitors do not send it"),
            Some(fault) => write!(f, "what came cannot be read: {fault}"),
        }
    }
}
