//! What a client shows a service: its ticket, and that it knows the ticket's session key.

use super::AUTHORIZER_MODE;
use super::connection_secret::ConnectionSecret;
use super::ticket::TicketBlob;
use crate::cipher::{KeyUsage, put_sealed};
use crate::name::take_service;
use crate::{AuthError, CryptoKey, Entropy};
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, EntityType};

/// An authorizer as it is received: u8 1, le64 global id, le32 service, ticket blob, enc([`Authorize`]).
pub(crate) struct AuthorizerRef<'a> {
    pub(crate) global_id: u64,
    pub(crate) service: EntityType,
    pub(crate) ticket: TicketBlob,
    /// [`Authorize`] in its envelope.
    pub(crate) sealed: &'a [u8],
}

impl<'a> AuthorizerRef<'a> {
    /// Consumes one from `input`.
    pub(crate) fn take(input: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        input.u8()?;
        Ok(Self {
            global_id: input.u64()?,
            service: take_service(input)?,
            ticket: TicketBlob::decode(input)?,
            sealed: input.blob()?,
        })
    }
}

/// Appends an authorizer.
pub(crate) fn put_authorizer(
    out: &mut Vec<u8>,
    global_id: u64,
    service: EntityType,
    ticket: &TicketBlob,
    session_key: &CryptoKey,
    entropy: &mut dyn Entropy,
    authorize: &Authorize,
) -> Result<(), AuthError> {
    AUTHORIZER_MODE.encode(out);
    global_id.encode(out);
    u32::from(service as u8).encode(out);
    ticket.encode(out);
    put_sealed(out, session_key, KeyUsage::Authorize, entropy, authorize)
}

/// The encrypted part (Ceph: `CephXAuthorize`): u8 2, le64 nonce, u8 have challenge, le64 challenge + 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authorize {
    pub(crate) nonce: u64,
    /// The server's challenge plus one (wrapping), once there was one.
    pub(crate) challenge_plus_one: Option<u64>,
}

impl Encode for Authorize {
    fn encode(&self, out: &mut Vec<u8>) {
        2u8.encode(out);
        self.nonce.encode(out);
        self.challenge_plus_one.is_some().encode(out);
        self.challenge_plus_one.unwrap_or(0).encode(out);
    }
}

impl Decode for Authorize {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let version = input.u8()?;
        let nonce = input.u64()?;
        // Version 1 knew no challenges.
        let challenge_plus_one = match version >= 2 && input.bool()? {
            true => Some(input.u64()?),
            false => None,
        };
        Ok(Self { nonce, challenge_plus_one })
    }
}

/// The service's challenge (Ceph: `CephXAuthorizeChallenge`): u8 1, le64.
pub(crate) struct AuthorizeChallenge(pub(crate) u64);

impl Encode for AuthorizeChallenge {
    fn encode(&self, out: &mut Vec<u8>) {
        1u8.encode(out);
        self.0.encode(out);
    }
}

impl Decode for AuthorizeChallenge {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.u8()?;
        Ok(Self(input.u64()?))
    }
}

/// The service's answer (Ceph: `CephXAuthorizeReply`): u8 2, le64 nonce + 1, string connection secret; or u8 1 and no
/// secret.
pub(crate) struct AuthorizeReply {
    pub(crate) nonce_plus_one: u64,
    pub(crate) connection_secret: ConnectionSecret,
}

impl Encode for AuthorizeReply {
    fn encode(&self, out: &mut Vec<u8>) {
        let version: u8 = if self.connection_secret.0.is_empty() { 1 } else { 2 };
        version.encode(out);
        self.nonce_plus_one.encode(out);
        if version >= 2 {
            self.connection_secret.encode(out);
        }
    }
}

impl Decode for AuthorizeReply {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let version = input.u8()?;
        let nonce_plus_one = input.u64()?;
        let connection_secret = match version {
            0..2 => ConnectionSecret(Vec::new().into()),
            2.. => ConnectionSecret::decode(input)?,
        };
        Ok(Self { nonce_plus_one, connection_secret })
    }
}
