//! What the front of every message to or from the monitors' services begins with.

use axon_denc::{DecodeError, Decoder, Encode};

/// Bytes of the header.
pub(super) const SIZE: usize = 18;

/// Stands where the number of a monitor session used to be.
const NO_MON: u16 = u16::MAX;
/// Stands where the session's transaction id used to be.
const NO_TID: u64 = 0;

/// Appends the header: le64 version, le16 -1, le64 0. `version` is the map version the sender knows, or 0.
///
/// Ceph: `src/messages/PaxosServiceMessage.h`.
pub(super) fn put(version: u64, out: &mut Vec<u8>) {
    version.encode(out);
    NO_MON.encode(out);
    NO_TID.encode(out);
}

/// Reads the header and returns the version.
pub(super) fn read(front: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    let version = front.u64()?;
    front.u16()?;
    front.u64()?;
    Ok(version)
}
