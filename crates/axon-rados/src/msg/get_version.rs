//! Asking how new a map is.

use super::TypedMessage;
use axon_denc::{DecodeError, Decoder, Encode, Features};

/// Asks a monitor for the newest version of a map: le64 handle, blob what.
///
/// Ceph: `src/messages/MMonGetVersion.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MMonGetVersion {
    /// Repeated by the answer.
    pub handle: u64,
    /// The map: "osdmap", "mdsmap", ..
    pub what: String,
}

impl TypedMessage for MMonGetVersion {
    const KIND: u16 = 19;
    const NAME: &'static str = "mon_get_version";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        self.handle.encode(out);
        self.what.encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { handle: front.u64()?, what: front.string("map name")? })
    }
}
