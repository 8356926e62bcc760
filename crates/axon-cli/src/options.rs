//! Options that several commands have.

use crate::units;
use axon_auth::Mode;
use axon_messenger::{BackOff, Builder, Modes, Policy};
use clap::{Args, ValueEnum};
use std::fmt;
use std::time::Duration;

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

/// Options of those whose workers wait.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct SpinArgs {
    /// How long a worker looks for more work before it sleeps, if that has paid of late: 50us, 0 for not at all.
    #[arg(long, value_name = "TIME", default_value = "50us", value_parser = units::parse_pause)]
    spin: Duration,
}

impl SpinArgs {
    /// Tells a messenger.
    pub(crate) fn configure(&self, builder: Builder) -> Builder {
        builder.spin(self.spin)
    }

    /// The time.
    pub(crate) fn limit(&self) -> Duration {
        self.spin
    }
}

/// Options of those who dial again.
#[derive(Debug, Clone, Args)]
pub(crate) struct RedialArgs {
    /// The first pause after a failed attempt to connect again; pauses double up to 15 s [default: 200ms].
    #[arg(long, value_name = "TIME", value_parser = units::parse_time)]
    back_off: Option<Duration>,
}

impl RedialArgs {
    /// Whether the command line says anything of it.
    pub(crate) fn is_given(&self) -> bool {
        self.back_off.is_some()
    }

    /// Tells a messenger.
    pub(crate) fn configure(&self, builder: Builder) -> Builder {
        match self.back_off {
            Some(initial) => builder.back_off(BackOff::new(initial, BackOff::default().max.max(initial))),
            None => builder,
        }
    }
}
