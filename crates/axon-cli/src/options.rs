//! Options that several commands have.

use axon_auth::Mode;
use axon_messenger::{Modes, Policy};
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

    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc => "crc",
            Self::Secure => "secure",
        }
    }
}

impl fmt::Display for ModeArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What connections promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyArg {
    /// A broken connection ends the session.
    Lossy,
    /// The client reconnects; nothing is lost or repeated.
    Lossless,
    /// Either side reconnects; nothing is lost or repeated.
    Peer,
}

impl PolicyArg {
    /// Of the side that connects first.
    pub(crate) fn client(self) -> Policy {
        match self {
            Self::Lossy => Policy::lossy_client(),
            Self::Lossless => Policy::lossless_client(),
            Self::Peer => Policy::lossless_peer(),
        }
    }

    /// Of the side that listens.
    pub(crate) fn server(self) -> Policy {
        match self {
            Self::Lossy => Policy::stateless_server(),
            Self::Lossless => Policy::stateful_server(),
            Self::Peer => Policy::lossless_peer(),
        }
    }

    /// Whether a broken connection ends the session.
    pub(crate) fn is_lossy(self) -> bool {
        self == Self::Lossy
    }

    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lossy => "lossy",
            Self::Lossless => "lossless",
            Self::Peer => "peer",
        }
    }
}
