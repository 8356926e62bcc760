//! The tickets of a principal, shared by its connections.

use super::{Services, Tickets};
use crate::shared::visit;
use crate::{AuthError, Entropy, Method, Shared};
use alloc::sync::Arc;
use alloc::vec::Vec;
use axon_denc::EntityType;
use core::fmt;
use core::time::Duration;

/// A handle to shared [`Tickets`]; clones share them.
#[derive(Clone)]
pub struct TicketStore(Arc<dyn Shared<Tickets>>);

#[cfg(feature = "std")]
impl Default for TicketStore {
    fn default() -> Self {
        Self::new(Arc::new(std::sync::Mutex::new(Tickets::default())))
    }
}

impl TicketStore {
    /// Behind a lock of the host's choice.
    pub fn new(tickets: Arc<dyn Shared<Tickets>>) -> Self {
        Self(tickets)
    }

    /// Calls `look` with the tickets locked; it must not use the store.
    pub fn with<R>(&self, look: impl FnOnce(&mut Tickets) -> R) -> R {
        visit(&*self.0, look)
    }

    /// [`Tickets::method`].
    pub fn method(&self) -> Option<Method> {
        self.with(|t| t.method())
    }

    /// [`Tickets::global_id`].
    pub fn global_id(&self) -> u64 {
        self.with(|t| t.global_id())
    }

    /// [`Tickets::needs_renewal`].
    pub fn needs_renewal(&self, wanted: Services, now: Duration) -> Services {
        self.with(|t| t.needs_renewal(wanted, now))
    }

    /// [`Tickets::renewal_request`].
    ///
    /// # Errors
    /// As there.
    pub fn renewal_request(
        &self,
        services: Services,
        now: Duration,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, AuthError> {
        self.with(|t| t.renewal_request(services, now, entropy))
    }

    /// [`Tickets::apply_renewal`].
    ///
    /// # Errors
    /// As there.
    pub fn apply_renewal(&self, reply: &[u8], now: Duration) -> Result<Services, AuthError> {
        self.with(|t| t.apply_renewal(reply, now))
    }

    /// [`Tickets::forget`].
    pub fn forget(&self, service: EntityType) {
        self.with(|t| t.forget(service));
    }
}

impl fmt::Debug for TicketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|tickets| f.debug_tuple("TicketStore").field(tickets).finish())
    }
}
