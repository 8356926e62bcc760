//! HELLO.

use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, EntityAddr, EntityType};

/// HELLO (1): who I am, and how you look from here.
///
/// ```text
/// u8 entity type | address
/// ```
///
/// Both sides send it right after reading the other's banner, without waiting for the other's HELLO. The connector sends
/// the address it dialled; the acceptor sends the address the socket came from, from which a connector that does not
/// know its own address learns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// The sender's type.
    pub entity_type: EntityType,
    /// The receiver's address as the sender sees it.
    pub peer_addr: EntityAddr,
}

impl Encode for Hello {
    fn encode(&self, out: &mut Vec<u8>) {
        self.entity_type.encode(out);
        self.peer_addr.encode(out);
    }
}

impl Decode for Hello {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { entity_type: EntityType::decode(input)?, peer_addr: EntityAddr::decode(input)? })
    }
}
