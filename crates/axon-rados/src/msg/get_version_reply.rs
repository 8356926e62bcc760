//! How new a map is.

use super::TypedMessage;
use axon_denc::{DecodeError, Decoder, Encode, Features};

/// The answer to an [`MMonGetVersion`](super::MMonGetVersion): le64 handle, le64 newest, le64 oldest (version 2).
///
/// Ceph: `src/messages/MMonGetVersionReply.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MMonGetVersionReply {
    /// The question's handle.
    pub handle: u64,
    /// The newest version the monitors have.
    pub newest: u64,
    /// The oldest version they keep.
    pub oldest: u64,
}

const VERSION_OLDEST: u16 = 2;

impl TypedMessage for MMonGetVersionReply {
    const KIND: u16 = 20;
    const NAME: &'static str = "mon_get_version_reply";
    const HEAD_VERSION: u16 = VERSION_OLDEST;
    const COMPAT_VERSION: u16 = VERSION_OLDEST;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        self.handle.encode(out);
        self.newest.encode(out);
        self.oldest.encode(out);
    }

    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            handle: front.u64()?,
            newest: front.u64()?,
            oldest: match version >= VERSION_OLDEST {
                true => front.u64()?,
                false => 0,
            },
        })
    }
}
