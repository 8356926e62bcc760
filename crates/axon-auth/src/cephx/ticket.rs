//! A ticket's two halves: the blob that the service opens, and what the client is told.

use crate::CryptoKey;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, UTime};
use core::fmt;
use core::time::Duration;

/// The half that only the service can open (Ceph: `CephXTicketBlob`): u8 1, le64 secret id, blob.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TicketBlob {
    /// Which of the service's rotating secrets it was made with.
    pub secret_id: u64,
    /// Encrypted; empty for no ticket.
    pub blob: Vec<u8>,
}

impl TicketBlob {
    /// The secret id that says: made with the key that all monitors share.
    pub const SHARED_SECRET: u64 = u64::MAX;
}

impl fmt::Debug for TicketBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketBlob")
            .field("secret_id", &self.secret_id)
            .field("blob_len", &self.blob.len())
            .finish()
    }
}

impl Encode for TicketBlob {
    fn encode(&self, out: &mut Vec<u8>) {
        1u8.encode(out);
        self.secret_id.encode(out);
        self.blob.as_slice().encode(out);
    }
}

impl Decode for TicketBlob {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        Ok(Self { secret_id: input.u64()?, blob: input.blob()?.to_vec() })
    }
}

/// The half for the client (Ceph: `CephXServiceTicket`): u8 1, key, le32 + le32 validity.
#[derive(Debug)]
pub(crate) struct ServiceTicket {
    /// Shared by client and service.
    pub(crate) session_key: CryptoKey,
    /// How long the ticket is good from its receipt on.
    pub(crate) validity: Duration,
}

impl Encode for ServiceTicket {
    fn encode(&self, out: &mut Vec<u8>) {
        1u8.encode(out);
        self.session_key.encode(out);
        UTime::from_duration(self.validity).encode(out);
    }
}

impl Decode for ServiceTicket {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        Ok(Self { session_key: CryptoKey::decode(input)?, validity: UTime::decode(input)?.to_duration() })
    }
}
