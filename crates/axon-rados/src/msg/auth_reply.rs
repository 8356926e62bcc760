//! A monitor's answer in the authentication protocol.

use super::TypedMessage;
use axon_denc::{DecodeError, Decoder, Encode, Features};
use bytes::Bytes;

/// The answer to an [`MAuth`](super::MAuth).
///
/// ```text
/// le32 protocol | le32 result | le64 global id | blob payload | blob text
/// ```
///
/// Ceph: `src/messages/MAuthReply.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MAuthReply {
    /// The authentication method, as numbered on the wire.
    pub protocol: u32,
    /// 0 or a negative errno.
    pub result: i32,
    /// The client's id.
    pub global_id: u64,
    /// The method's answer.
    pub payload: Bytes,
    /// What a person is told.
    pub text: String,
}

impl TypedMessage for MAuthReply {
    const KIND: u16 = 18;
    const NAME: &'static str = "auth_reply";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        self.protocol.encode(out);
        self.result.encode(out);
        self.global_id.encode(out);
        self.payload[..].encode(out);
        self.text.encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol: front.u32()?,
            result: front.i32()?,
            global_id: front.u64()?,
            payload: Bytes::copy_from_slice(front.blob()?),
            text: String::from_utf8_lossy(front.blob()?).into_owned(),
        })
    }

    fn front_size(&self) -> usize {
        24 + self.payload.len() + self.text.len()
    }
}
