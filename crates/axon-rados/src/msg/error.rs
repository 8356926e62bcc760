//! What can be wrong with a message.

use axon_denc::{DecodeError, Features};

/// Why a message could not be read, or not be written for this peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The message is of another type.
    #[error("expected {expected} (type {kind}), got a message of type {got}")]
    WrongKind {
        /// The type's name.
        expected: &'static str,
        /// Its number.
        kind: u16,
        /// The message's number.
        got: u16,
    },
    /// The sender says that only newer decoders may read it.
    #[error(
        "{message} needs a decoder of version {compat}, this one knows {known}: the peer is newer than this program"
    )]
    TooNew {
        /// The type's name.
        message: &'static str,
        /// The version it demands.
        compat: u16,
        /// The newest version known here.
        known: u16,
    },
    /// The version is one of releases this crate does not speak to.
    #[error("{message} has version {version}, the oldest one read is {oldest}: the peer is too old")]
    TooOld {
        /// The type's name.
        message: &'static str,
        /// The message's version.
        version: u16,
        /// The oldest version read here.
        oldest: u16,
    },
    /// The peer lacks features without which the type cannot be written for it.
    #[error("{message} cannot be sent to this peer, which lacks the features {missing}")]
    MissingFeatures {
        /// The type's name.
        message: &'static str,
        /// What is missing.
        missing: Features,
    },
    /// A part of the message is longer than peers take.
    #[error("the {segment} of {message} would have {size} bytes, where {limit} are the most")]
    TooLong {
        /// The type's name.
        message: &'static str,
        /// front or data, or both together as the body.
        segment: &'static str,
        /// Bytes it would have.
        size: usize,
        /// Bytes that are taken: what peers do, or what this side lets wait for one of them.
        limit: usize,
    },
    /// The bytes make no sense.
    #[error("malformed {message}: {source}")]
    Malformed {
        /// The type's name.
        message: &'static str,
        /// What was wrong.
        source: DecodeError,
    },
}
