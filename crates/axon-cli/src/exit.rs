//! Exit codes: what kind of thing went wrong, for scripts.

use std::process::ExitCode;

/// Printed at the end of `axon --help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  success
  1  any other failure
  2  wrong usage: an option, an address, a file named on the command line, the configuration, input of a wrong size
  3  cannot connect: nothing listens there, or the network does not reach it
  4  authentication refused: wrong key, unknown entity, method not allowed
  5  incompatible: not a Ceph daemon, msgr1 only, mode refused, protocol broken
  6  no answer in time

RUST_LOG (for example axon_messenger=debug) overrides -v; logs go to standard error.";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All went well.
    Success = 0,
    /// A failure without a code of its own.
    Failure = 1,
    /// The command line, its input, or a file that it or the environment names, makes no sense. clap uses the same number.
    Usage = 2,
    /// There is nobody to talk to.
    CannotConnect = 3,
    /// The peer does not believe us, or we have nothing to show.
    Refused = 4,
    /// The peer speaks something else, or the two ends do not fit together.
    Incompatible = 5,
    /// The peer did not answer in time.
    TimedOut = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
