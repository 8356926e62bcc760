//! A monitor's answer to a subscription.

use super::{Fsid, TypedMessage};
use axon_denc::{DecodeError, Decoder, Encode, Features};

/// Confirms an [`MMonSubscribe`](super::MMonSubscribe): le32 interval, fsid.
///
/// Monitors of today send it only to clients that ask as of old.
///
/// Ceph: `src/messages/MMonSubscribeAck.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MMonSubscribeAck {
    /// Seconds after which the client shall ask again.
    pub interval: u32,
    /// The cluster.
    pub fsid: Fsid,
}

impl TypedMessage for MMonSubscribeAck {
    const KIND: u16 = 16;
    const NAME: &'static str = "mon_subscribe_ack";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        self.interval.encode(out);
        out.extend_from_slice(&self.fsid);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { interval: front.u32()?, fsid: front.array()? })
    }
}
