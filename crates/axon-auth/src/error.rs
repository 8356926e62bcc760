//! What can go wrong in an exchange, by whose fault.

use axon_denc::DecodeError;

/// Why an attempt to authenticate ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The peer's bytes make no sense.
    #[error("malformed authentication payload: {0}")]
    Malformed(#[from] DecodeError),
}
