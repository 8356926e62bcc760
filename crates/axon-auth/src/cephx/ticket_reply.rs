//! The list of tickets in a monitor's response.
//!
//! ```text
//! u8 1, le32 n, n x { le32 service, u8 1, enc(ServiceTicket, reply key), u8 encrypted,
//!                     encrypted ? enc(blob(TicketBlob), old session key) : blob(TicketBlob) }
//! ```

use super::ticket::{ServiceTicket, TicketBlob};
use crate::cipher::{KeyUsage, take_sealed, take_sealed_value};
use crate::name::take_service;
use crate::{AuthError, CryptoKey};
use alloc::vec::Vec;
use axon_denc::{Decode, Decoder, EntityType};

/// The least one entry takes: service, version, two lengths, flag.
const MIN_ENTRY: usize = 14;

/// One ticket of the list, opened.
pub(crate) struct Granted {
    pub(crate) service: EntityType,
    pub(crate) ticket: ServiceTicket,
    pub(crate) blob: TicketBlob,
}

/// Consumes a list. `old_key` opens the blobs that the monitor encrypted under an earlier session key.
pub(crate) fn take_ticket_reply(
    input: &mut Decoder<'_>,
    reply_key: &CryptoKey,
    old_key: Option<&CryptoKey>,
) -> Result<Vec<Granted>, AuthError> {
    input.u8()?;
    let count = input.count(MIN_ENTRY)?;
    (0..count).map(|_| take_granted(input, reply_key, old_key)).collect()
}

fn take_granted(
    input: &mut Decoder<'_>,
    reply_key: &CryptoKey,
    old_key: Option<&CryptoKey>,
) -> Result<Granted, AuthError> {
    let service = take_service(input)?;
    input.u8()?;
    let ticket = take_sealed_value(input, reply_key, KeyUsage::ServiceTicket)?;
    let blob = if input.bool()? {
        let undecryptable = AuthError::Undecryptable { what: KeyUsage::TicketBlob };
        let key = old_key.ok_or(undecryptable)?;
        let opened = take_sealed(input, key, KeyUsage::TicketBlob)?;
        TicketBlob::from_bytes(Decoder::new(&opened).blob()?)?
    } else {
        TicketBlob::from_bytes(input.blob()?)?
    };
    Ok(Granted { service, ticket, blob })
}

#[cfg(any(test, feature = "testing"))]
mod put {
    use super::{ServiceTicket, TicketBlob};
    use crate::cipher::{KeyUsage, put_sealed};
    use crate::{AuthError, CryptoKey, Entropy};
    use alloc::vec::Vec;
    use axon_denc::{Encode, EntityType, put_sized};

    /// One ticket to be sent.
    pub(crate) struct Grant {
        pub(crate) service: EntityType,
        pub(crate) ticket: ServiceTicket,
        pub(crate) blob: TicketBlob,
        /// Encrypts the blob: the client's earlier session key.
        pub(crate) old_key: Option<CryptoKey>,
    }

    /// Appends a list.
    pub(crate) fn put_ticket_reply(
        out: &mut Vec<u8>,
        reply_key: &CryptoKey,
        entropy: &mut dyn Entropy,
        grants: &[Grant],
    ) -> Result<(), AuthError> {
        1u8.encode(out);
        (grants.len() as u32).encode(out);
        grants.iter().try_for_each(|grant| put_grant(out, reply_key, entropy, grant))
    }

    fn put_grant(
        out: &mut Vec<u8>,
        reply_key: &CryptoKey,
        entropy: &mut dyn Entropy,
        grant: &Grant,
    ) -> Result<(), AuthError> {
        u32::from(grant.service as u8).encode(out);
        1u8.encode(out);
        put_sealed(out, reply_key, KeyUsage::ServiceTicket, entropy, &grant.ticket)?;
        grant.old_key.is_some().encode(out);
        match &grant.old_key {
            Some(key) => {
                let blob = grant.blob.to_vec();
                put_sealed(out, key, KeyUsage::TicketBlob, entropy, blob.as_slice())
            }
            None => {
                put_sized(out, |out| grant.blob.encode(out));
                Ok(())
            }
        }
    }
}

#[cfg(any(test, feature = "testing"))]
pub(crate) use put::{Grant, put_ticket_reply};
