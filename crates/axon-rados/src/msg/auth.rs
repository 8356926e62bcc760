//! A request of the authentication protocol within a session.

use super::{TypedMessage, paxos};
use axon_denc::{DecodeError, Decoder, Encode, Features};
use bytes::Bytes;

/// Asks a monitor for tickets or rotating keys.
///
/// ```text
/// paxos header | le32 protocol | blob payload | le32 epoch of the client's monitor map (absent in old ones)
/// ```
///
/// Ceph: `src/messages/MAuth.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MAuth {
    /// The authentication method, as numbered on the wire.
    pub protocol: u32,
    /// The method's request.
    pub payload: Bytes,
    /// The epoch of the client's monitor map; a monitor sends newer ones.
    pub monmap_epoch: u32,
}

impl TypedMessage for MAuth {
    const KIND: u16 = 17;
    const NAME: &'static str = "auth";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(0, out);
        self.protocol.encode(out);
        self.payload[..].encode(out);
        self.monmap_epoch.encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        paxos::read(front)?;
        Ok(Self {
            protocol: front.u32()?,
            payload: Bytes::copy_from_slice(front.blob()?),
            monmap_epoch: match front.is_empty() {
                true => 0,
                false => front.u32()?,
            },
        })
    }

    fn front_size(&self) -> usize {
        paxos::SIZE + 12 + self.payload.len()
    }
}
