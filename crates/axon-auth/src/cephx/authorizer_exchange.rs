//! A client shows its ticket to a service.
//!
//! ```text
//! Idle --request--> AwaitChallenge --more--> AwaitDone --done--> Ended
//! ```

use super::TicketStore;
use super::authorizer::{Authorize, AuthorizeChallenge, AuthorizeReply, put_authorizer};
use super::tickets::Ticket;
use crate::cipher::{KeyUsage, open_value, take_sealed_value};
use crate::principal::refusal;
use crate::surroundings::random_u64;
use crate::{Agreed, AuthError, ClientExchange, Clock, Entropy, Method, Mode, Request, Surroundings};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use axon_denc::{Decoder, EntityType};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// One attempt to authenticate to a service with a ticket.
pub struct AuthorizerExchange {
    service: EntityType,
    global_id: u64,
    ticket: Ticket,
    /// Where a refused ticket is doubted; `None` for tickets that are made anew each time.
    store: Option<TicketStore>,
    clock: Arc<dyn Clock>,
    entropy: Box<dyn Entropy>,
    nonce: u64,
    state: State,
}

enum State {
    Idle,
    AwaitChallenge,
    AwaitDone,
    Ended,
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::AwaitChallenge => "AwaitChallenge",
            Self::AwaitDone => "AwaitDone",
            Self::Ended => "Ended",
        }
    }
}

impl AuthorizerExchange {
    /// For `service`, with the ticket that the store holds.
    ///
    /// # Errors
    /// [`AuthError::NoMonSession`], [`AuthError::NoTicket`], [`AuthError::TicketExpired`].
    pub fn from_store(
        service: EntityType,
        store: &TicketStore,
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        let now = surroundings.clock.now();
        let (global_id, ticket) = store.with(|tickets| {
            let ticket = tickets.usable(service, now)?.clone();
            Ok::<_, AuthError>((tickets.global_id(), ticket))
        })?;
        let mut exchange = Self::new(service, global_id, ticket, surroundings);
        exchange.store = Some(store.clone());
        Ok(exchange)
    }

    /// For `service`, with this ticket.
    pub fn new(service: EntityType, global_id: u64, ticket: Ticket, surroundings: &Surroundings) -> Self {
        Self {
            service,
            global_id,
            ticket,
            store: None,
            clock: surroundings.clock.clone(),
            entropy: surroundings.entropy.entropy(),
            nonce: 0,
            state: State::Idle,
        }
    }

    fn authorizer(&mut self, challenge_plus_one: Option<u64>) -> Result<Vec<u8>, AuthError> {
        let authorize = Authorize { nonce: self.nonce, challenge_plus_one };
        let mut out = Vec::new();
        put_authorizer(
            &mut out,
            self.global_id,
            self.service,
            &self.ticket.blob,
            &self.ticket.session_key,
            &mut *self.entropy,
            &authorize,
        )?;
        Ok(out)
    }

    fn doubt_ticket(&self) {
        if let Some(store) = &self.store {
            let now = self.clock.now();
            store.with(|tickets| tickets.doubt(self.service, &self.ticket.blob, now));
        }
    }

    fn out_of_turn(&self, got: &'static str) -> AuthError {
        AuthError::OutOfTurn { state: self.state.name(), got }
    }
}

impl ClientExchange for AuthorizerExchange {
    fn request(&mut self) -> Result<Request, AuthError> {
        let State::Idle = self.state else {
            return Err(self.out_of_turn("a second start"));
        };
        self.nonce = random_u64(&mut *self.entropy);
        let payload = self.authorizer(None)?;
        self.state = State::AwaitChallenge;
        Ok(Request { method: Method::CEPHX, payload })
    }

    fn bad_method(&mut self, method: Method, errno: i32, methods: &[Method]) -> Result<Request, AuthError> {
        self.state = State::Ended;
        Err(refusal(method, errno, methods, || {
            self.doubt_ticket();
            AuthError::TicketRefused { service: self.service }
        }))
    }

    fn more(&mut self, payload: &[u8]) -> Result<Vec<u8>, AuthError> {
        let State::AwaitChallenge = self.state else {
            return Err(self.out_of_turn("AUTH_REPLY_MORE"));
        };
        self.state = State::Ended;
        let AuthorizeChallenge(challenge) =
            open_value(&self.ticket.session_key, KeyUsage::AuthorizeChallenge, payload)?;
        let answer = self.authorizer(Some(challenge.wrapping_add(1)))?;
        self.state = State::AwaitDone;
        Ok(answer)
    }

    /// The global id in AUTH_DONE is ours repeated; the one that counts came from the monitor.
    fn done(&mut self, _global_id: u64, mode: Mode, payload: &[u8]) -> Result<Agreed, AuthError> {
        let State::AwaitDone = self.state else {
            return Err(self.out_of_turn("AUTH_DONE"));
        };
        self.state = State::Ended;
        let reply: AuthorizeReply = take_sealed_value(
            &mut Decoder::new(payload),
            &self.ticket.session_key,
            KeyUsage::AuthorizeReply,
        )?;
        let expected = self.nonce.wrapping_add(1);
        if !bool::from(reply.nonce_plus_one.ct_eq(&expected)) {
            return Err(AuthError::ServerUnproven { service: self.service });
        }
        Ok(Agreed {
            session_key: Some(Zeroizing::new(self.ticket.session_key.secret().to_vec())),
            connection_secret: reply.connection_secret.agreed(mode)?,
            global_id: self.global_id,
        })
    }
}
