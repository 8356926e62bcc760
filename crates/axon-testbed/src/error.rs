//! Why a peer could not be had, or did not do as it was told.

use crate::Release;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// What went wrong between a test and its peer. Texts are for the person who reads the failed test.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestbedError {
    /// The release is not unpacked on this machine.
    #[error("Ceph {release} is not at {}: run `cargo xtask peers` first", path.display())]
    NotPrepared {
        /// The release asked for.
        release: Release,
        /// Where it would be.
        path: PathBuf,
    },
    /// Debian's packages could not be fetched or unpacked.
    #[error("cannot prepare {what}: {step} failed\n{output}")]
    Prepare {
        /// What was asked for: a release of Ceph, or other packages.
        what: String,
        /// What was being done.
        step: &'static str,
        /// What the tool printed.
        output: String,
    },
    /// A program could not be started at all.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or socket operation failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program ended with failure.
    #[error("{command}: {status}\n{output}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it printed on both streams.
        output: String,
    },
    /// A program did not end in time and was killed.
    #[error("{command}: no end after {after:?}\n{output}")]
    TimedOut {
        /// The command line.
        command: String,
        /// The time it was given.
        after: Duration,
        /// What it printed on both streams so far.
        output: String,
    },
    /// A daemon did not come up.
    #[error("{what} is not ready after {after:?}; its log ends:\n{log}")]
    NotReady {
        /// The daemon or service.
        what: String,
        /// The time it was given.
        after: Duration,
        /// The end of its log.
        log: String,
    },
    /// A peer's output is not what it should be.
    #[error("{what} printed something unexpected:\n{output}")]
    Unexpected {
        /// The program or file.
        what: String,
        /// What it printed.
        output: String,
    },
}

impl TestbedError {
    /// An [`TestbedError::Io`] maker for `map_err`.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
