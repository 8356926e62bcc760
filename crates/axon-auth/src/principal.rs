//! Who dials: a name, its key, and the tickets it was given.

use crate::cephx::{AuthorizerExchange, MonClientExchange, Services, TicketStore, self_issued};
use crate::error::errno;
use crate::none::NoneExchange;
use crate::{
    Agreed, AuthError, AuthName, ClientAuth, ClientExchange, CryptoKey, Method, Mode, Request, Surroundings,
    check_payload,
};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use axon_denc::EntityType;
use core::fmt;

/// An identity that authenticates its connections: to monitors with its key, to daemons with the monitors' tickets.
///
/// Methods are tried in order. Daemons are shown the method that the last monitor session agreed on.
#[derive(Clone)]
pub struct Principal {
    name: AuthName,
    key: Option<CryptoKey>,
    /// The key all monitors share, if this is a monitor.
    shared_secret: Option<CryptoKey>,
    methods: Vec<Method>,
    wanted: Services,
    tickets: TicketStore,
    surroundings: Surroundings,
}

impl Principal {
    /// Without a key, with methods cephx then none, wanting tickets for the whole cluster.
    pub fn new(name: AuthName, tickets: TicketStore, surroundings: Surroundings) -> Self {
        Self {
            name,
            key: None,
            shared_secret: None,
            methods: vec![Method::CEPHX, Method::NONE],
            wanted: Services::CLUSTER,
            tickets,
            surroundings,
        }
    }

    /// With the key from its keyring.
    pub fn with_key(mut self, key: CryptoKey) -> Self {
        self.key = Some(key);
        self
    }

    /// With the methods allowed, in order of preference (Ceph: `auth_client_required`).
    pub fn with_methods(mut self, methods: &[Method]) -> Self {
        self.methods = methods.to_vec();
        self
    }

    /// With the services for which it wants tickets.
    pub fn with_services(mut self, wanted: Services) -> Self {
        self.wanted = wanted;
        self
    }

    /// As a monitor: other monitors are shown a ticket made with the key that all share.
    pub fn with_mon_secret(mut self, shared: CryptoKey) -> Self {
        self.shared_secret = Some(shared);
        self
    }

    /// Its name.
    pub fn name(&self) -> &AuthName {
        &self.name
    }

    /// Its tickets.
    pub fn tickets(&self) -> &TicketStore {
        &self.tickets
    }

    /// The services for which it wants tickets.
    pub fn services(&self) -> Services {
        self.wanted
    }

    /// The methods worth trying with a monitor: cephx needs a key.
    fn methods_for_mon(&self) -> Vec<Method> {
        let has_key = self.key.is_some();
        let usable = |method: &Method| match *method {
            Method::CEPHX => has_key,
            method => method == Method::NONE,
        };
        self.methods.iter().copied().filter(usable).collect()
    }

    fn start_with_mon(&self) -> Result<Box<dyn ClientExchange>, AuthError> {
        if let Some(shared) = &self.shared_secret {
            let ticket = self_issued(self.name.clone(), shared, &self.surroundings)?;
            let exchange = AuthorizerExchange::new(EntityType::Mon, 0, ticket, &self.surroundings);
            return Ok(Box::new(exchange));
        }
        let mut rest = self.methods_for_mon().into_iter();
        let first = rest.next().ok_or_else(|| self.no_key())?;
        Ok(Box::new(MonAttempt {
            current: self.mon_exchange(first)?,
            rest: rest.collect(),
            principal: self.clone(),
        }))
    }

    /// One method with a monitor.
    fn mon_exchange(&self, method: Method) -> Result<Box<dyn ClientExchange>, AuthError> {
        if method == Method::NONE {
            let exchange = NoneExchange::new(self.name.clone(), self.tickets.global_id(), EntityType::Mon);
            return Ok(Box::new(exchange.remember_in(self.tickets.clone())));
        }
        let key = self.key.clone().ok_or_else(|| self.no_key())?;
        Ok(Box::new(MonClientExchange::new(
            self.name.clone(),
            key,
            self.wanted,
            self.tickets.clone(),
            &self.surroundings,
        )))
    }

    /// The method agreed with the monitor; before that none only if there is nothing else.
    fn start_with_daemon(&self, peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError> {
        let only_none = self.methods_for_mon() == [Method::NONE];
        let method = self.tickets.method();
        if method == Some(Method::NONE) || (method.is_none() && only_none) {
            let global_id = self.tickets.global_id();
            return Ok(Box::new(NoneExchange::new(self.name.clone(), global_id, peer)));
        }
        let exchange = AuthorizerExchange::from_store(peer, &self.tickets, &self.surroundings)?;
        Ok(Box::new(exchange))
    }

    fn no_key(&self) -> AuthError {
        AuthError::NoKey { name: self.name.clone() }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("name", &self.name)
            .field("key", &self.key)
            .field("methods", &self.methods)
            .field("services", &self.wanted)
            .finish_non_exhaustive()
    }
}

impl ClientAuth for Principal {
    fn start(&self, peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError> {
        match peer {
            EntityType::Mon => self.start_with_mon(),
            peer => self.start_with_daemon(peer),
        }
    }
}

/// An attempt with a monitor, which may go through several methods.
struct MonAttempt {
    principal: Principal,
    current: Box<dyn ClientExchange>,
    /// Not tried yet, in order of preference.
    rest: Vec<Method>,
}

impl MonAttempt {
    /// The next method that the monitor allows; those before it are given up.
    fn next_method(&mut self, allowed: &[Method]) -> Option<Method> {
        let at = self.rest.iter().position(|m| allowed.contains(m))?;
        self.rest.drain(..=at).next_back()
    }
}

impl ClientExchange for MonAttempt {
    fn request(&mut self) -> Result<Request, AuthError> {
        self.current.request()
    }

    fn bad_method(&mut self, method: Method, errno: i32, methods: &[Method]) -> Result<Request, AuthError> {
        let refused = self.current.bad_method(method, errno, methods);
        let Some(next) = self.next_method(methods) else {
            return refused;
        };
        self.current = self.principal.mon_exchange(next)?;
        self.current.request()
    }

    fn more(&mut self, payload: &[u8]) -> Result<Vec<u8>, AuthError> {
        check_payload(payload)?;
        self.current.more(payload)
    }

    fn done(&mut self, global_id: u64, mode: Mode, payload: &[u8]) -> Result<Agreed, AuthError> {
        check_payload(payload)?;
        self.current.done(global_id, mode, payload)
    }

    fn confirmed(&mut self) {
        self.current.confirmed();
    }
}

/// The error for an AUTH_BAD_METHOD; `denied` makes the one for "method and mode are fine, you are not".
///
/// The error number counts more than the list: monitors have been seen to send an empty one with any number.
pub(crate) fn refusal(
    method: Method,
    error: i32,
    allowed: &[Method],
    denied: impl FnOnce() -> AuthError,
) -> AuthError {
    match error {
        errno::EACCES | errno::EPERM => denied(),
        errno::EOPNOTSUPP if allowed.is_empty() => AuthError::NothingAllowed { tried: method },
        errno::EOPNOTSUPP if allowed.contains(&method) => AuthError::ModeRefused { method },
        errno::EOPNOTSUPP => AuthError::MethodRefused { tried: method, allowed: allowed.to_vec() },
        errno => AuthError::Refused { method, errno },
    }
}
