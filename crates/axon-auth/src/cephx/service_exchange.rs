//! A service verifies an authorizer.
//!
//! ```text
//! AwaitAuthorizer --authorizer--> AwaitAnswer(challenge) --authorizer--> Ended
//! ```
//! The challenge is not optional: without it, whoever recorded an authorizer could use it again.

use super::RotatingStore;
use super::authorizer::{Authorize, AuthorizeChallenge, AuthorizeReply, AuthorizerRef};
use super::connection_secret::ConnectionSecret;
use super::ticket::TicketBlob;
use super::ticket_info::TicketInfo;
use crate::cipher::{KeyUsage, open_value, put_sealed, seal};
use crate::surroundings::random_u64;
use crate::{Agreed, AuthError, Clock, CryptoKey, Entropy, Identity, Mode, Step, Surroundings};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use axon_denc::{Decoder, EntityType};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The service's side of one attempt with cephx.
pub(crate) struct ServiceExchange {
    service: EntityType,
    secrets: RotatingStore,
    /// The key all monitors share; tickets made with it are believed.
    shared_secret: Option<CryptoKey>,
    clock: Arc<dyn Clock>,
    entropy: Box<dyn Entropy>,
    state: State,
}

enum State {
    AwaitAuthorizer,
    AwaitAnswer { mode: Mode, challenge: u64 },
    Ended,
}

/// An authorizer whose ticket and key fit.
struct Verified {
    info: TicketInfo,
    authorize: Authorize,
}

impl ServiceExchange {
    pub(crate) fn new(
        service: EntityType,
        secrets: RotatingStore,
        shared_secret: Option<CryptoKey>,
        surroundings: &Surroundings,
    ) -> Self {
        Self {
            service,
            secrets,
            shared_secret,
            clock: surroundings.clock.clone(),
            entropy: surroundings.entropy.entropy(),
            state: State::AwaitAuthorizer,
        }
    }

    /// The first authorizer. Whatever it says about challenges, it gets one: a second AUTH_REQUEST starts again.
    pub(crate) fn request(&mut self, mode: Mode, payload: &[u8]) -> Result<Step, AuthError> {
        self.state = State::Ended;
        let verified = self.verify(payload)?;
        let challenge = random_u64(&mut *self.entropy);
        let sealed = seal(
            &verified.info.session_key,
            KeyUsage::AuthorizeChallenge,
            &mut *self.entropy,
            &AuthorizeChallenge(challenge),
        )?;
        self.state = State::AwaitAnswer { mode, challenge };
        Ok(Step::More(sealed))
    }

    /// The authorizer that answers the challenge.
    pub(crate) fn more(&mut self, payload: &[u8]) -> Result<Step, AuthError> {
        let state = core::mem::replace(&mut self.state, State::Ended);
        let State::AwaitAnswer { mode, challenge } = state else {
            return Err(AuthError::OutOfTurn {
                state: match state {
                    State::AwaitAuthorizer => "AwaitAuthorizer",
                    _ => "Ended",
                },
                got: "AUTH_REQUEST_MORE",
            });
        };
        let verified = self.verify(payload)?;
        check_answer(&verified.authorize, challenge)?;
        self.accept(verified, mode)
    }

    fn verify(&self, payload: &[u8]) -> Result<Verified, AuthError> {
        let authorizer = AuthorizerRef::take(&mut Decoder::new(payload))?;
        if authorizer.service != self.service {
            return Err(AuthError::WrongService { expected: self.service, got: authorizer.service });
        }
        let secret = self.secret(authorizer.ticket.secret_id)?;
        let info: TicketInfo = open_value(&secret, KeyUsage::TicketInfo, &authorizer.ticket.blob)?;
        self.check_ticket(&info, authorizer.global_id)?;
        let authorize = open_value(&info.session_key, KeyUsage::Authorize, authorizer.sealed)?;
        Ok(Verified { info, authorize })
    }

    fn secret(&self, id: u64) -> Result<CryptoKey, AuthError> {
        match &self.shared_secret {
            Some(key) if id == TicketBlob::SHARED_SECRET => Ok(key.clone()),
            _ => self.secrets.secret(id),
        }
    }

    fn check_ticket(&self, info: &TicketInfo, global_id: u64) -> Result<(), AuthError> {
        let ticket = &info.ticket;
        if ticket.global_id != global_id {
            return Err(AuthError::GlobalIdMismatch { authorizer: global_id, ticket: ticket.global_id });
        }
        if self.clock.now() >= ticket.deadline() {
            return Err(AuthError::ExpiredTicket { name: ticket.name.clone() });
        }
        Ok(())
    }

    fn accept(&mut self, verified: Verified, mode: Mode) -> Result<Step, AuthError> {
        let Verified { info, authorize } = verified;
        let reply = AuthorizeReply {
            nonce_plus_one: authorize.nonce.wrapping_add(1),
            connection_secret: ConnectionSecret::generate(mode, &mut *self.entropy),
        };
        let mut payload = Vec::new();
        put_sealed(&mut payload, &info.session_key, KeyUsage::AuthorizeReply, &mut *self.entropy, &reply)?;
        let agreed = Agreed {
            session_key: Some(Zeroizing::new(info.session_key.secret().to_vec())),
            connection_secret: reply.connection_secret.agreed(mode)?,
            global_id: info.ticket.global_id,
        };
        let identity = Identity {
            name: info.ticket.name,
            global_id: info.ticket.global_id,
            caps: info.ticket.caps.text,
            allow_all: info.ticket.caps.allow_all,
        };
        Ok(Step::Done { payload, agreed, identity })
    }
}

fn check_answer(authorize: &Authorize, challenge: u64) -> Result<(), AuthError> {
    let expected = challenge.wrapping_add(1);
    match authorize.challenge_plus_one {
        Some(answer) if answer.ct_eq(&expected).into() => Ok(()),
        _ => Err(AuthError::ChallengeUnanswered),
    }
}
