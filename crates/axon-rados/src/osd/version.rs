//! Versions of objects and placement groups.

use axon_denc::{Decode, DecodeError, Decoder, Encode};
use std::fmt;

/// A version within the epoch it was written in (`eversion_t`): le64 version, le32 epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EVersion {
    /// Counts the changes of a placement group.
    pub version: u64,
    /// The epoch of the OSD map.
    pub epoch: u32,
}

impl fmt::Display for EVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'{}", self.epoch, self.version)
    }
}

impl Encode for EVersion {
    fn encode(&self, out: &mut Vec<u8>) {
        self.version.encode(out);
        self.epoch.encode(out);
    }
}

impl Decode for EVersion {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { version: input.u64()?, epoch: input.u32()? })
    }
}
