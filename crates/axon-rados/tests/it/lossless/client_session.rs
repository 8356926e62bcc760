//! The session of a file system client with a metadata server.

use axon_denc::{DecodeError, Decoder, Encode, Features, put_blob};
use axon_rados::msg::TypedMessage;

/// Opens, renews or closes a file system client's session, or answers that.
///
/// ```text
/// le32 op | le64 seq | le32 seconds, le32 nanoseconds | le32 max caps | le32 max leases
/// le32 n | { blob key | blob value }[n] | blob features | u8 1, u8 1, blob metrics | le32 flags (version 5)
/// ```
///
/// Servers write version 1, which ends with the first line.
///
/// Ceph: `src/messages/MClientSession.h`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct MClientSession {
    pub(super) op: u32,
    pub(super) seq: u64,
    /// What a client tells of itself.
    pub(super) metadata: Vec<(String, String)>,
}

impl MClientSession {
    pub(super) const REQUEST_OPEN: u32 = 0;
    pub(super) const OPEN: u32 = 1;
    pub(super) const REQUEST_CLOSE: u32 = 2;
    pub(super) const CLOSE: u32 = 3;
    pub(super) const REQUEST_RENEW_CAPS: u32 = 4;
    pub(super) const RENEW_CAPS: u32 = 5;
}

/// The features of file system clients that a metadata server of 16.2 knows: bits 0 to 15.
const CLIENT_FEATURES: [u8; 8] = [0xff, 0xff, 0, 0, 0, 0, 0, 0];

impl TypedMessage for MClientSession {
    const KIND: u16 = 22;
    const NAME: &'static str = "client_session";
    const HEAD_VERSION: u16 = 5;
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        self.op.encode(out);
        self.seq.encode(out);
        out.extend_from_slice(&[0; 16]);
        (self.metadata.len() as u32).encode(out);
        for (key, value) in &self.metadata {
            key.encode(out);
            value.encode(out);
        }
        put_blob(out, &CLIENT_FEATURES);
        out.extend_from_slice(&[1, 1]);
        put_blob(out, &[0; 4]);
        0u32.encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { op: front.u32()?, seq: front.u64()?, metadata: Vec::new() })
    }
}
