//! Options that several commands have.

use axon_auth::Mode;
use axon_messenger::Modes;
use clap::ValueEnum;
use std::fmt;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    /// Checksums against accidents.
    Crc,
    /// Encryption: AES-128-GCM. Needs keys.
    Secure,
}

impl ModeArg {
    /// This mode and no other.
    pub(crate) fn modes(self) -> Modes {
        Modes::only(match self {
            Self::Crc => Mode::CRC,
            Self::Secure => Mode::SECURE,
        })
    }
}

impl fmt::Display for ModeArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crc => "crc",
            Self::Secure => "secure",
        })
    }
}
