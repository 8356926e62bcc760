//! The tickets a principal holds, and when to renew them.

use super::Services;
use super::ticket::TicketBlob;
use super::ticket_reply::Granted;
use crate::{AuthError, CryptoKey, Method};
use alloc::collections::BTreeMap;
use axon_denc::EntityType;
use core::time::Duration;

/// A ticket for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Shared with the service.
    pub session_key: CryptoKey,
    /// What the service opens.
    pub blob: TicketBlob,
    /// How long it is good.
    pub validity: Duration,
    /// When to ask for a new one, since the Unix epoch: a quarter of the validity before it expires, or earlier if it was
    /// refused.
    pub renew_after: Duration,
    /// When it stops being good, since the Unix epoch.
    pub expires: Duration,
}

impl Ticket {
    /// A ticket received at `now`.
    pub fn new(session_key: CryptoKey, blob: TicketBlob, validity: Duration, now: Duration) -> Self {
        let expires = now.saturating_add(validity);
        Self { session_key, blob, validity, renew_after: expires.saturating_sub(validity / 4), expires }
    }

    /// Whether it is still good at `now`.
    pub fn is_valid(&self, now: Duration) -> bool {
        now < self.expires
    }
}

/// Between two renewals of a service's ticket that were asked for because it was refused: another ticket may be no better.
const BETWEEN_DOUBTS: Duration = Duration::from_secs(10);

/// What the monitors gave a principal: its global id, and a ticket per service.
#[derive(Debug, Clone, Default)]
pub struct Tickets {
    method: Option<Method>,
    global_id: u64,
    tickets: BTreeMap<EntityType, Ticket>,
    /// When a ticket was last made due because it was refused.
    doubted: BTreeMap<EntityType, Duration>,
}

impl Tickets {
    /// The method agreed with a monitor last; daemons are shown the same. `None` before the first session.
    pub fn method(&self) -> Option<Method> {
        self.method
    }

    /// The id the monitors gave; 0 before the first session.
    pub fn global_id(&self) -> u64 {
        self.global_id
    }

    /// The ticket for `service`, good or not.
    pub fn get(&self, service: EntityType) -> Option<&Ticket> {
        self.tickets.get(&service)
    }

    /// The ticket for `service` if it can be used at `now`.
    ///
    /// # Errors
    /// [`AuthError::NoMonSession`], [`AuthError::NoTicket`], [`AuthError::TicketExpired`].
    pub fn usable(&self, service: EntityType, now: Duration) -> Result<&Ticket, AuthError> {
        if self.method.is_none() {
            return Err(AuthError::NoMonSession { service });
        }
        match self.get(service) {
            None => Err(AuthError::NoTicket { service }),
            Some(ticket) if ticket.is_valid(now) => Ok(ticket),
            Some(_) => Err(AuthError::TicketExpired { service }),
        }
    }

    /// Which of `wanted` are absent or due for renewal at `now`. AUTH itself is renewed by authenticating to a
    /// monitor again, the others over the session ([`Tickets::renewal_request`]).
    pub fn needs_renewal(&self, wanted: Services, now: Duration) -> Services {
        wanted.iter().filter(|service| self.get(*service).is_none_or(|t| t.renew_after <= now)).collect()
    }

    /// Forgets the ticket for `service`: it is not shown any more.
    pub fn forget(&mut self, service: EntityType) {
        self.tickets.remove(&service);
    }

    /// One of the service's daemons refused `ticket` at `now`: it is due for renewal, and stays in use until the new one
    /// is there, as the others may accept it: a daemon refuses every ticket while it has no keys or its clock is off.
    /// Nothing changes if a newer one has taken its place. Refusals make a ticket due once in 10 s.
    /// Ceph: `MonClient::handle_auth_bad_method` keeps the ticket, too.
    pub fn doubt(&mut self, service: EntityType, ticket: &TicketBlob, now: Duration) {
        let Some(held) = self.tickets.get_mut(&service).filter(|held| held.blob == *ticket) else { return };
        let latest = now.saturating_add(BETWEEN_DOUBTS); // also if the clock was set back
        let due = match self.doubted.get(&service) {
            Some(last) => last.saturating_add(BETWEEN_DOUBTS).clamp(now, latest),
            None => now,
        };
        if due < held.renew_after {
            held.renew_after = due;
            self.doubted.insert(service, due);
        }
    }

    /// Puts a ticket in place of the service's earlier one.
    pub fn insert(&mut self, service: EntityType, ticket: Ticket) {
        self.tickets.insert(service, ticket);
    }

    /// Starts a session: another global id makes the tickets of the earlier one worthless.
    pub(crate) fn begin_session(&mut self, method: Method, global_id: u64) {
        if self.global_id != global_id {
            self.tickets.clear();
        }
        self.method = Some(method);
        self.global_id = global_id;
    }

    /// Takes what a monitor granted at `now`; returns for which services.
    pub(crate) fn install(&mut self, granted: alloc::vec::Vec<Granted>, now: Duration) -> Services {
        let services = granted.iter().map(|g| g.service).collect();
        for Granted { service, ticket, blob } in granted {
            let ticket = Ticket::new(ticket.session_key, blob, ticket.validity, now);
            self.insert(service, ticket);
        }
        services
    }
}
