//! What can be wrong with a CRUSH map.

use super::Item;
use axon_denc::DecodeError;

/// Why a CRUSH map could not be read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrushError {
    /// The bytes make no sense.
    #[error("malformed CRUSH map: {0}")]
    Malformed(#[from] DecodeError),
    /// A bucket says it is another one.
    #[error("CRUSH bucket {expected} says it is {found}")]
    WrongId {
        /// What its place says.
        expected: Item,
        /// What it says itself.
        found: Item,
    },
    /// A bucket contains itself, directly or through others.
    #[error("CRUSH bucket {0} contains itself")]
    Cycle(Item),
    /// Alternative weights or ids are not as many as the items of their bucket.
    #[error("alternative weights or ids for CRUSH bucket {bucket} are {found}, it has {expected} items")]
    WrongChooseArgs {
        /// The bucket.
        bucket: Item,
        /// How many items it has; 0 if there is no such bucket.
        expected: usize,
        /// How many weights or ids there are.
        found: usize,
    },
    /// The placement was given up: no sane map needs so much work.
    #[error("CRUSH rule {rule} still finds no place after drawing from {limit} items")]
    TooMuchWork {
        /// The rule.
        rule: u32,
        /// The limit, [`CrushMap::MAX_DRAWS`](super::CrushMap::MAX_DRAWS).
        limit: u64,
    },
}
