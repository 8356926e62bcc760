//! When tickets and rotating secrets are due, and what to ask for them.

use super::MonConfig;
use super::logins::Logins;
use crate::client::Errno;
use crate::msg::{MAuth, MAuthReply};
use axon_auth::cephx::{RotatingSecrets, rotating_request};
use axon_auth::{AuthError, CryptoKey, Method, RotatingStore, Services, Surroundings, TicketStore};
use axon_denc::EntityType;
use std::time::Duration;

/// How often a daemon looks whether its secrets are due: a ticket made with newer ones may come at any time.
const SECRETS_INTERVAL: Duration = Duration::from_secs(1);
/// Between two tries to renew something that the monitor refused.
const RETRY: Duration = Duration::from_secs(10);

/// Keeps tickets and secrets fresh.
pub(super) struct Renewal {
    logins: Logins,
    tickets: TicketStore,
    wanted: Services,
    /// What the monitors granted in this session: what is missing of it is asked for again, what they never granted
    /// is not.
    granted: Services,
    secrets: Option<(RotatingStore, CryptoKey)>,
    surroundings: Surroundings,
    /// No request for tickets, and no new login, before this time of day.
    not_before: Duration,
    /// The monitor says that the ticket which renews the others is none any more; only a new login brings another.
    refused: bool,
}

/// A request in the authentication protocol whose answer is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthRequest {
    /// New tickets.
    Tickets,
    /// The service's rotating secrets.
    Secrets,
}

impl Renewal {
    pub(super) fn new(config: &MonConfig, logins: Logins) -> Self {
        Self {
            logins,
            tickets: config.tickets.clone(),
            wanted: config.services,
            granted: Services::NONE,
            secrets: config.secrets.clone().zip(config.key.clone()),
            surroundings: config.surroundings.clone(),
            not_before: Duration::ZERO,
            refused: false,
        }
    }

    /// A session began, in which the monitors call us `global_id`: its login brought what tickets there are.
    pub(super) fn session_began(&mut self, global_id: u64) {
        self.logins.adopt(global_id);
        self.granted = self.tickets.with(|t| self.wanted.iter().filter(|s| t.get(*s).is_some()).collect());
        self.not_before = Duration::ZERO;
        self.refused = false;
    }

    /// Whether to log in again because the ticket that renews the others is due, or of no use any more.
    pub(super) fn take_login_due(&mut self) -> bool {
        let now = self.now();
        let renew_after = self.tickets.with(|t| t.get(EntityType::Auth).map(|ticket| ticket.renew_after));
        let is_due = self.refused || renew_after.is_some_and(|at| at <= now);
        let due = self.is_cephx() && now >= self.not_before && is_due;
        if due {
            self.refused = false;
            self.not_before = now + RETRY;
        }
        due
    }

    /// What to ask now, other than what is in `awaited`.
    pub(super) fn take_due(&mut self, awaited: &[AuthRequest]) -> Vec<(AuthRequest, Vec<u8>)> {
        let mut due = Vec::new();
        if !self.is_cephx() {
            return due;
        }
        if !awaited.contains(&AuthRequest::Tickets) {
            due.extend(self.tickets_request().map(|payload| (AuthRequest::Tickets, payload)));
        }
        if !awaited.contains(&AuthRequest::Secrets) && self.take_secrets_due() {
            due.push((AuthRequest::Secrets, rotating_request()));
        }
        due
    }

    /// How long until something other than what is in `awaited` may be due.
    pub(super) fn next_look(&self, awaited: &[AuthRequest]) -> Option<Duration> {
        if !self.is_cephx() {
            return None;
        }
        let now = self.now();
        let services = || self.wanted.iter().chain([EntityType::Auth]);
        let first = self.tickets.with(|t| services().filter_map(|s| t.get(s)).map(|t| t.renew_after).min());
        let tickets = first.map(|at| at.max(self.not_before).saturating_sub(now));
        let tickets = tickets.filter(|_| !awaited.contains(&AuthRequest::Tickets));
        let secrets = self.secrets.as_ref().map(|_| SECRETS_INTERVAL);
        tickets.into_iter().chain(secrets).min()
    }

    /// Takes a monitor's answer.
    pub(super) fn apply(&mut self, request: AuthRequest, reply: &MAuthReply) -> Result<(), AuthError> {
        let applied = match reply.result {
            0 => self.apply_payload(request, &reply.payload),
            status => Err(AuthError::RequestFailed { status }),
        };
        if let Err(error) = &applied {
            self.refused |= request == AuthRequest::Tickets && is_refusal(error);
            self.not_before = self.now() + RETRY;
        }
        applied
    }

    /// Whether the secrets are there.
    pub(super) fn has_secrets(&self) -> bool {
        self.secrets.as_ref().is_some_and(|(store, _)| store.with(|secrets| !secrets.is_empty()))
    }

    fn apply_payload(&mut self, request: AuthRequest, payload: &[u8]) -> Result<(), AuthError> {
        match (request, &self.secrets) {
            (AuthRequest::Tickets, _) => {
                let now = self.now();
                self.granted |= self.tickets.apply_renewal(payload, now)?;
            }
            (AuthRequest::Secrets, Some((store, key))) => store.replace(RotatingSecrets::open(payload, key)?),
            (AuthRequest::Secrets, None) => {}
        }
        Ok(())
    }

    fn tickets_request(&mut self) -> Option<Vec<u8>> {
        let now = self.now();
        if now < self.not_before {
            return None;
        }
        let due = self.tickets.needs_renewal(self.granted, now);
        if due.is_empty() {
            return None;
        }
        let mut entropy = self.surroundings.entropy.entropy();
        match self.tickets.renewal_request(due, now, &mut *entropy) {
            Ok(payload) => Some(payload),
            Err(error) => {
                tracing::warn!(%error, "cannot ask for new tickets");
                self.not_before = now + RETRY;
                None
            }
        }
    }

    fn take_secrets_due(&self) -> bool {
        self.secrets.as_ref().is_some_and(|(store, _)| store.take_need(self.now()))
    }

    fn is_cephx(&self) -> bool {
        self.tickets.method() == Some(Method::CEPHX)
    }

    fn now(&self) -> Duration {
        self.surroundings.clock.now()
    }
}

/// Whether the monitor does not believe the ticket it was shown, rather than failed to answer.
fn is_refusal(error: &AuthError) -> bool {
    matches!(error, AuthError::RequestFailed { status } if [-Errno::EPERM.0, -Errno::EACCES.0].contains(status))
}

/// The message that carries a request.
pub(super) fn auth_message(payload: Vec<u8>, monmap_epoch: u32) -> MAuth {
    MAuth { protocol: Method::CEPHX.0, payload: payload.into(), monmap_epoch }
}
