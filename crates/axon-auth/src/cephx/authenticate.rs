//! The two messages by which a client proves its key to a monitor.

use super::Services;
use super::ticket::TicketBlob;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode};

/// The monitor's challenge (Ceph: `CephXServerChallenge`): u8 1, le64.
pub(crate) struct ServerChallenge(pub(crate) u64);

impl Encode for ServerChallenge {
    fn encode(&self, out: &mut Vec<u8>) {
        1u8.encode(out);
        self.0.encode(out);
    }
}

impl Decode for ServerChallenge {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        Ok(Self(input.u64()?))
    }
}

/// The client's answer (Ceph: `CephXAuthenticate`): u8 3, le64 client challenge, le64 proof, old ticket, le32 services.
pub(crate) struct Authenticate {
    pub(crate) client_challenge: u64,
    pub(crate) proof: u64,
    /// The AUTH ticket whose global id is reclaimed; empty for a new id.
    pub(crate) old_ticket: TicketBlob,
    /// Tickets wanted besides AUTH's. Never empty: the monitor sends no connection secret to who wants nothing.
    pub(crate) other_keys: Services,
}

impl Encode for Authenticate {
    fn encode(&self, out: &mut Vec<u8>) {
        3u8.encode(out);
        self.client_challenge.encode(out);
        self.proof.encode(out);
        self.old_ticket.encode(out);
        self.other_keys.encode(out);
    }
}

impl Decode for Authenticate {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        Ok(Self {
            client_challenge: input.u64()?,
            proof: input.u64()?,
            old_ticket: TicketBlob::decode(input)?,
            other_keys: Services::from_bits(input.u32()?),
        })
    }
}
