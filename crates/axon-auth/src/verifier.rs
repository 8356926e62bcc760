//! Who accepts: a service that verifies its clients.

use crate::cephx::{MON_MODE, RotatingStore, ServiceExchange};
use crate::{
    AuthError, CryptoKey, Method, Mode, ServerAuth, ServerExchange, Step, Surroundings, check_payload,
    check_round, none,
};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use axon_denc::{DecodeError, EntityType};
use core::fmt;

/// A daemon's side of authentication: verifies authorizers with the rotating secrets of its service.
#[derive(Clone)]
pub struct Verifier {
    service: EntityType,
    methods: Vec<Method>,
    secrets: RotatingStore,
    shared_secret: Option<CryptoKey>,
    surroundings: Surroundings,
}

impl Verifier {
    /// For a daemon of type `service`, allowing cephx only. While `secrets` is empty it answers [`AuthError::NotReady`].
    pub fn new(service: EntityType, secrets: RotatingStore, surroundings: Surroundings) -> Self {
        Self { service, methods: vec![Method::CEPHX], secrets, shared_secret: None, surroundings }
    }

    /// With the methods allowed (Ceph: `auth_service_required`).
    pub fn with_methods(mut self, methods: &[Method]) -> Self {
        self.methods = methods.to_vec();
        self
    }

    /// As a monitor: believes tickets made with the key that all monitors share.
    pub fn with_mon_secret(mut self, shared: CryptoKey) -> Self {
        self.shared_secret = Some(shared);
        self
    }

    /// The service's secrets.
    pub fn secrets(&self) -> &RotatingStore {
        &self.secrets
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("service", &self.service)
            .field("methods", &self.methods)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

impl ServerAuth for Verifier {
    fn start(&self) -> Box<dyn ServerExchange> {
        Box::new(Acceptance {
            methods: self.methods.clone(),
            cephx: ServiceExchange::new(
                self.service,
                self.secrets.clone(),
                self.shared_secret.clone(),
                &self.surroundings,
            ),
            rounds: 0,
        })
    }
}

/// One attempt by somebody who just connected.
struct Acceptance {
    methods: Vec<Method>,
    cephx: ServiceExchange,
    rounds: u32,
}

impl ServerExchange for Acceptance {
    fn methods(&self) -> Vec<Method> {
        self.methods.clone()
    }

    fn request(
        &mut self,
        peer: EntityType,
        method: Method,
        mode: Mode,
        payload: &[u8],
    ) -> Result<Step, AuthError> {
        check_round(&mut self.rounds)?;
        check_payload(payload)?;
        if !self.methods.contains(&method) {
            return Err(AuthError::MethodNotAllowed { method });
        }
        match method {
            Method::NONE => none::accept(peer, mode, payload),
            Method::CEPHX => {
                check_authorizer(payload)?;
                self.cephx.request(mode, payload)
            }
            method => Err(AuthError::MethodNotAllowed { method }),
        }
    }

    fn more(&mut self, payload: &[u8]) -> Result<Step, AuthError> {
        check_round(&mut self.rounds)?;
        check_payload(payload)?;
        self.cephx.more(payload)
    }
}

/// The first byte says what a cephx request is: an authorizer, or a greeting to the monitor's service.
fn check_authorizer(payload: &[u8]) -> Result<(), AuthError> {
    match payload.first() {
        Some(1..MON_MODE) => Ok(()),
        Some(MON_MODE..20) => Err(AuthError::NotAMonitor),
        Some(mode) => {
            Err(DecodeError::Undefined { what: "authentication mode", value: (*mode).into() }.into())
        }
        None => Err(DecodeError::Truncated { needed: 1, left: 0 }.into()),
    }
}
