//! Renewing service tickets over an established session with a monitor: the payloads of MAuth and MAuthReply.

use super::authorizer::{Authorize, put_authorizer};
use super::request_type::RequestType;
use super::ticket_reply::take_ticket_reply;
use super::{Services, Tickets};
use crate::surroundings::random_u64;
use crate::{AuthError, Entropy};
use alloc::vec::Vec;
use axon_denc::{Decoder, Encode, EntityType};
use core::time::Duration;

impl Tickets {
    /// The payload of an MAuth that asks for tickets for `services`:
    /// le16 0x0200, authorizer for AUTH without a challenge, u8 1, le32 services.
    ///
    /// # Errors
    /// If there is no valid AUTH ticket to show.
    pub fn renewal_request(
        &self,
        services: Services,
        now: Duration,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, AuthError> {
        let auth = self.usable(EntityType::Auth, now)?;
        let authorize = Authorize { nonce: random_u64(entropy), challenge_plus_one: None };
        let mut out = RequestType::Tickets.to_vec();
        put_authorizer(
            &mut out,
            self.global_id(),
            EntityType::Auth,
            &auth.blob,
            &auth.session_key,
            entropy,
            &authorize,
        )?;
        1u8.encode(&mut out);
        services.encode(&mut out);
        Ok(out)
    }

    /// Takes the tickets in the MAuthReply's result, received at `now`; returns for which services.
    /// On error nothing is changed.
    ///
    /// # Errors
    /// If the monitor refused, or the bytes do not decrypt or make no sense.
    pub fn apply_renewal(&mut self, reply: &[u8], now: Duration) -> Result<Services, AuthError> {
        let mut input = Decoder::new(reply);
        RequestType::Tickets.expect_response(&mut input)?;
        let key = &self.usable(EntityType::Auth, now)?.session_key;
        let granted = take_ticket_reply(&mut input, key, Some(key))?;
        Ok(self.install(granted, now))
    }
}
