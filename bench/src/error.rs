//! Why a measurement could not be made.

use axon_testbed::TestbedError;
use std::io;
use std::process::ExitStatus;

/// What went wrong; texts are for the person who reads the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BenchError {
    /// A peer could not be prepared, started or ended.
    #[error(transparent)]
    Testbed(#[from] TestbedError),
    /// A file could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A process's clock could not be read: it has gone.
    #[error("processor time: {0}")]
    Clock(#[from] nix::Error),
    /// A process ended before its time.
    #[error("{who} ended early: {output}")]
    Early {
        /// The process.
        who: String,
        /// The end of what it printed.
        output: String,
    },
    /// A process failed.
    #[error("{who} failed with {status}: {output}")]
    Failed {
        /// The process.
        who: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// A process took too long.
    #[error("{who} was not done in time: {output}")]
    Late {
        /// The process.
        who: String,
        /// The end of what it printed.
        output: String,
    },
    /// What a client printed holds no result.
    #[error("{who} printed no result: {output}")]
    NoResult {
        /// The process.
        who: String,
        /// The end of what it printed.
        output: String,
    },
    /// A peer is not on this machine.
    #[error("{0}")]
    Missing(String),
    /// A word names nothing that could be measured.
    #[error(
        "nothing is called '{0}': --only takes idle, handshakes, mixed, rados, or some of the name of a peer or a scenario"
    )]
    Nothing(String),
    /// The figures that a part is to be merged into cannot be used.
    #[error("{path} cannot be merged with a new part: {why}; measure everything first")]
    Unmergeable {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}
