//! Maps for tests that need no cluster, and how to damage them without their checksum saying so.

use crate::vectors::all_messages;
use axon_rados::msg::{MOSDMap, TypedMessage};
use axon_wire::default_provider;

/// A map or a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Full,
    Change,
}

/// Every map and change in the recorded messages.
pub(super) fn recorded() -> Vec<(Kind, Vec<u8>)> {
    let messages = all_messages().filter(|message| message.header.kind == MOSDMap::KIND);
    let maps = messages.map(|message| MOSDMap::decode(&message).unwrap()).collect::<Vec<_>>();
    let full = maps.iter().flat_map(|maps| maps.full.values()).map(|bytes| (Kind::Full, bytes.to_vec()));
    let changes = maps.iter().flat_map(|maps| maps.incremental.values());
    full.chain(changes.map(|bytes| (Kind::Change, bytes.to_vec()))).collect()
}

/// Makes the checksum that of the bytes.
pub(super) fn seal(kind: Kind, bytes: &mut [u8]) {
    let after = match kind {
        Kind::Full => 0,
        Kind::Change => 4,
    };
    let Some(at) = bytes.len().checked_sub(4 + after) else { return };
    let provider = default_provider();
    let crc = provider.crc32c(provider.crc32c(!0, &bytes[..at]), &bytes[at + 4..]);
    bytes[at..at + 4].copy_from_slice(&crc.to_le_bytes());
}
