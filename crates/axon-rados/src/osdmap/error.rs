//! What can be wrong with a map.

use crate::crush::CrushError;
use axon_denc::DecodeError;

/// Why a map could not be read, changed or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The bytes make no sense.
    #[error("malformed {what}: {source}")]
    Malformed {
        /// Which kind of map.
        what: &'static str,
        /// What was wrong.
        source: DecodeError,
    },
    /// The encoding is one of releases this crate does not speak to.
    #[error("{what} has version {version}, the oldest one read is {oldest}: the cluster is too old")]
    TooOld {
        /// The struct.
        what: &'static str,
        /// Its version.
        version: u8,
        /// The oldest version read here.
        oldest: u8,
    },
    /// The checksum is not that of the bytes: they were damaged on their way or in their store.
    #[error("{what} is damaged: its checksum is {found:#010x}, it says {expected:#010x}")]
    BadCrc {
        /// Which kind of map.
        what: &'static str,
        /// What the map says.
        expected: u32,
        /// What its bytes give.
        found: u32,
    },
    /// The change is that of another epoch.
    #[error("a change to epoch {change} does not follow epoch {have}")]
    WrongEpoch {
        /// The map's epoch.
        have: u32,
        /// The epoch the change leads to.
        change: u32,
    },
    /// The change is that of another cluster.
    #[error("the change is that of another cluster")]
    WrongCluster,
    /// The change speaks of an OSD that cannot exist.
    #[error("the change speaks of osd.{osd}, there are {max_osd} at most")]
    NoOsd {
        /// The OSD.
        osd: u32,
        /// One more than the highest id.
        max_osd: u32,
    },
    /// The CRUSH map inside.
    #[error(transparent)]
    Crush(#[from] CrushError),
    /// There is no such pool.
    #[error("there is no pool {0}")]
    NoPool(i64),
}
