//! Authentication of the messenger's connections.
//!
//! Several monitors may be tried at a time, and each of them gives a client that is new a number and tickets of its
//! own. Tickets belong to the number, so each attempt keeps what it was given to itself, and when a session is open its
//! number says which of them everybody uses from then on.

use super::MonConfig;
use axon_auth::{
    Agreed, AuthError, ClientAuth, ClientExchange, Method, Mode, Principal, Request, TicketStore,
};
use axon_denc::EntityType;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Attempts to log in that succeeded and did not become a session yet: more than are tried at a time.
const MAX_GRANTED: usize = 64;

/// Who logs in; clones are the same.
#[derive(Clone)]
pub(super) struct Logins {
    config: Arc<MonConfig>,
    /// With the tickets that count.
    principal: Principal,
    /// What monitors gave, by the number they gave.
    granted: Arc<Mutex<Vec<(u64, TicketStore)>>>,
}

impl Logins {
    pub(super) fn new(config: &MonConfig) -> Self {
        Self { config: Arc::new(config.clone()), principal: config.principal(), granted: Arc::default() }
    }

    /// A session with this number is open: its tickets count from now on, those of other attempts are forgotten.
    pub(super) fn adopt(&self, global_id: u64) {
        let mut granted = self.lock();
        let newest = granted.iter().rev().find(|(id, _)| *id == global_id);
        if let Some((_, tickets)) = newest {
            let tickets = tickets.with(|tickets| tickets.clone());
            self.config.tickets.with(|shared| *shared = tickets);
        }
        granted.clear();
    }

    /// An attempt of its own with a monitor, which begins with the tickets that count, to keep the number.
    fn start_with_mon(&self) -> Result<Box<dyn ClientExchange>, AuthError> {
        let tickets = TicketStore::default();
        let known = self.config.tickets.with(|tickets| tickets.clone());
        tickets.with(|own| *own = known);
        let own = MonConfig { tickets: tickets.clone(), ..(*self.config).clone() };
        let exchange = own.principal().start(EntityType::Mon)?;
        Ok(Box::new(Login { exchange, tickets, logins: self.clone(), given: None }))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, TicketStore)>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientAuth for Logins {
    fn start(&self, peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError> {
        match peer {
            EntityType::Mon => self.start_with_mon(),
            peer => self.principal.start(peer),
        }
    }
}

/// An attempt to log in to a monitor.
struct Login {
    exchange: Box<dyn ClientExchange>,
    tickets: TicketStore,
    logins: Logins,
    /// The number that the monitor says it gave.
    given: Option<u64>,
}

impl ClientExchange for Login {
    fn request(&mut self) -> Result<Request, AuthError> {
        self.exchange.request()
    }

    /// A number that a monitor refuses to give again is given up for everybody.
    fn bad_method(&mut self, method: Method, errno: i32, methods: &[Method]) -> Result<Request, AuthError> {
        let next = self.exchange.bad_method(method, errno, methods);
        if let Err(AuthError::ReclaimRefused { .. }) = next {
            self.logins.config.tickets.forget(EntityType::Auth);
        }
        next
    }

    fn more(&mut self, payload: &[u8]) -> Result<Vec<u8>, AuthError> {
        self.exchange.more(payload)
    }

    fn done(&mut self, global_id: u64, mode: Mode, payload: &[u8]) -> Result<Agreed, AuthError> {
        let agreed = self.exchange.done(global_id, mode, payload)?;
        self.given = Some(agreed.global_id);
        Ok(agreed)
    }

    fn confirmed(&mut self) {
        self.exchange.confirmed();
        let Some(given) = self.given.take() else { return };
        let mut granted = self.logins.lock();
        if granted.len() >= MAX_GRANTED {
            granted.remove(0);
        }
        granted.push((given, self.tickets.clone()));
    }
}

#[cfg(test)]
mod tests;
