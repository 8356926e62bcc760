//! A client authenticates to a monitor and gets its tickets.
//!
//! ```text
//! Idle --request--> AwaitChallenge --more--> AwaitDone --done--> AwaitConfirmation --confirmed--> Ended
//! ```

use super::authenticate::{Authenticate, ServerChallenge};
use super::connection_secret::ConnectionSecret;
use super::proof::proof;
use super::request_type::RequestType;
use super::ticket::TicketBlob;
use super::ticket_reply::{Granted, take_ticket_reply};
use super::{MON_MODE, Services, TicketStore};
use crate::cipher::{KeyUsage, open_value};
use crate::principal::refusal;
use crate::surroundings::random_u64;
use crate::{
    Agreed, AuthError, AuthName, ClientExchange, Clock, CryptoKey, Entropy, Method, Mode, Request,
    Surroundings,
};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use axon_denc::{Decode, Decoder, Encode, EntityType};
use core::mem;
use core::time::Duration;
use zeroize::Zeroizing;

/// One attempt to authenticate to a monitor with cephx.
///
/// If the store holds a valid AUTH ticket, its global id is reclaimed; else the monitor gives a new one. When it is
/// confirmed, the store holds the new tickets.
pub struct MonClientExchange {
    name: AuthName,
    key: CryptoKey,
    wanted: Services,
    tickets: TicketStore,
    clock: Arc<dyn Clock>,
    entropy: Box<dyn Entropy>,
    reclaim: Option<Reclaim>,
    state: State,
}

enum State {
    Idle,
    AwaitChallenge,
    AwaitDone,
    AwaitConfirmation(Given),
    Ended,
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::AwaitChallenge => "AwaitChallenge",
            Self::AwaitDone => "AwaitDone",
            Self::AwaitConfirmation(_) => "AwaitConfirmation",
            Self::Ended => "Ended",
        }
    }
}

/// What AUTH_DONE brought, which may be that of another attempt.
struct Given {
    global_id: u64,
    granted: Vec<Granted>,
    /// When it came.
    at: Duration,
}

/// What the client shows to keep its global id.
struct Reclaim {
    global_id: u64,
    ticket: TicketBlob,
    session_key: CryptoKey,
}

impl MonClientExchange {
    /// For `name`, whose keyring key is `key`, asking for tickets for `wanted`.
    pub fn new(
        name: AuthName,
        key: CryptoKey,
        wanted: Services,
        tickets: TicketStore,
        surroundings: &Surroundings,
    ) -> Self {
        Self {
            name,
            key,
            wanted,
            tickets,
            clock: surroundings.clock.clone(),
            entropy: surroundings.entropy.entropy(),
            reclaim: None,
            state: State::Idle,
        }
    }

    /// The earlier session's id and ticket, if the ticket is still good.
    fn find_reclaim(&self) -> Option<Reclaim> {
        let now = self.clock.now();
        self.tickets.with(|tickets| {
            let auth = tickets.usable(EntityType::Auth, now).ok()?;
            Some(Reclaim {
                global_id: tickets.global_id(),
                ticket: auth.blob.clone(),
                session_key: auth.session_key.clone(),
            })
        })
    }

    fn authenticate(&mut self, server_challenge: u64) -> Result<Vec<u8>, AuthError> {
        let client_challenge = random_u64(&mut *self.entropy);
        let proof = proof(&self.key, &mut *self.entropy, server_challenge, client_challenge)?;
        let authenticate = Authenticate {
            client_challenge,
            proof,
            old_ticket: self.reclaim.as_ref().map_or_else(TicketBlob::default, |r| r.ticket.clone()),
            // AUTH is always in it, so that it is never empty.
            other_keys: self.wanted | EntityType::Auth,
        };
        let mut out = RequestType::Authenticate.to_vec();
        authenticate.encode(&mut out);
        Ok(out)
    }

    /// Opens AUTH_DONE's payload: the AUTH ticket, the connection secret under its session key, the other tickets.
    fn open_done(&self, payload: &[u8]) -> Result<Opened, AuthError> {
        let mut input = Decoder::new(payload);
        RequestType::Authenticate.expect_response(&mut input)?;
        let old_key = self.reclaim.as_ref().map(|r| &r.session_key);
        let mut granted = take_ticket_reply(&mut input, &self.key, old_key)?;
        let auth = granted.iter().find(|g| g.service == EntityType::Auth);
        let session_key = auth
            .map(|g| g.ticket.session_key.clone())
            .ok_or(AuthError::NoTicket { service: EntityType::Auth })?;
        let secret = open_secret(input.blob()?, &session_key)?;
        let others = input.blob()?;
        if !others.is_empty() {
            let mut others = Decoder::new(others);
            granted.extend(take_ticket_reply(&mut others, &session_key, Some(&session_key))?);
        }
        Ok(Opened { session_key, secret, granted })
    }

    fn out_of_turn(&self, got: &'static str) -> AuthError {
        AuthError::OutOfTurn { state: self.state.name(), got }
    }
}

struct Opened {
    session_key: CryptoKey,
    secret: ConnectionSecret,
    granted: Vec<Granted>,
}

/// The connection secret: a blob in a blob, empty if there is none.
fn open_secret(blob: &[u8], session_key: &CryptoKey) -> Result<ConnectionSecret, AuthError> {
    if blob.is_empty() {
        return Ok(ConnectionSecret(Zeroizing::default()));
    }
    let sealed = Decoder::new(blob).blob()?;
    open_value(session_key, KeyUsage::ConnectionSecret, sealed)
}

impl ClientExchange for MonClientExchange {
    fn request(&mut self) -> Result<Request, AuthError> {
        let State::Idle = self.state else {
            return Err(self.out_of_turn("a second start"));
        };
        self.reclaim = self.find_reclaim();
        self.state = State::AwaitChallenge;
        let mut payload = MON_MODE.to_vec();
        self.name.encode(&mut payload);
        self.reclaim.as_ref().map_or(0, |r| r.global_id).encode(&mut payload);
        Ok(Request { method: Method::CEPHX, payload })
    }

    fn bad_method(&mut self, method: Method, errno: i32, methods: &[Method]) -> Result<Request, AuthError> {
        self.state = State::Ended;
        Err(refusal(method, errno, methods, || match &self.reclaim {
            Some(reclaim) => {
                self.tickets.forget(EntityType::Auth);
                AuthError::ReclaimRefused { name: self.name.clone(), global_id: reclaim.global_id }
            }
            None => AuthError::KeyRejected { name: self.name.clone() },
        }))
    }

    fn more(&mut self, payload: &[u8]) -> Result<Vec<u8>, AuthError> {
        let State::AwaitChallenge = self.state else {
            return Err(self.out_of_turn("AUTH_REPLY_MORE"));
        };
        self.state = State::Ended;
        let ServerChallenge(challenge) = ServerChallenge::from_bytes(payload)?;
        let answer = self.authenticate(challenge)?;
        self.state = State::AwaitDone;
        Ok(answer)
    }

    fn done(&mut self, global_id: u64, mode: Mode, payload: &[u8]) -> Result<Agreed, AuthError> {
        let State::AwaitDone = self.state else {
            return Err(self.out_of_turn("AUTH_DONE"));
        };
        self.state = State::Ended;
        let opened = self.open_done(payload)?;
        let connection_secret = opened.secret.agreed(mode)?;
        let given = Given { global_id, granted: opened.granted, at: self.clock.now() };
        self.state = State::AwaitConfirmation(given);
        Ok(Agreed {
            session_key: Some(Zeroizing::new(opened.session_key.secret().to_vec())),
            connection_secret,
            global_id,
        })
    }

    fn confirmed(&mut self) {
        if let State::AwaitConfirmation(given) = mem::replace(&mut self.state, State::Ended) {
            self.tickets.with(|tickets| {
                tickets.begin_session(Method::CEPHX, given.global_id);
                tickets.install(given.granted, given.at);
            });
        }
    }
}
