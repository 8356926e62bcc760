//! The secrets of a service, shared by its connections and replaced as they rotate.

use super::RotatingSecrets;
use crate::shared::visit;
use crate::{AuthError, CryptoKey, Shared};
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

/// Shortest time between two requests for secrets.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);
/// Longest time between two requests for newer ones that others speak of, as long as there are none: whoever dials can speak of
/// any.
const LONGEST_INTERVAL: Duration = Duration::from_secs(30);
/// So much newer than the newest secret known may that of a ticket be: as many as monitors keep (Ceph: `KEY_ROTATE_NUM`).
const NEWER: u64 = 3;

/// What a [`RotatingStore`] shares.
#[derive(Debug, Default)]
pub struct RotatingState {
    secrets: RotatingSecrets,
    /// A ticket came whose secret is newer than ours.
    missed: bool,
    requested: Option<Duration>,
    /// How long not to ask for newer ones: longer each time that there were none.
    pause: Duration,
}

impl RotatingState {
    fn replace(&mut self, secrets: RotatingSecrets) {
        let in_vain = self.missed && secrets.max_version() <= self.secrets.max_version();
        self.pause = match in_vain {
            true => (2 * self.pause.max(REQUEST_INTERVAL)).min(LONGEST_INTERVAL),
            false => REQUEST_INTERVAL,
        };
        self.secrets = secrets;
        self.missed = false;
    }

    /// Takes note of a secret that is not here.
    fn miss(&mut self, id: u64) {
        let newest = self.secrets.max_version();
        self.missed |= id > newest && id <= newest.saturating_add(NEWER);
    }

    /// How long after a request the next one follows; `None` if there is nothing to ask for.
    fn interval(&self, now: Duration) -> Option<Duration> {
        match (self.secrets.need_new_secrets(now), self.missed) {
            (true, _) => Some(REQUEST_INTERVAL),
            (false, true) => Some(self.pause.max(REQUEST_INTERVAL)),
            (false, false) => None,
        }
    }
}

/// A handle to a service's secrets; clones share them. Until secrets are in it, nobody can be verified.
#[derive(Clone)]
pub struct RotatingStore(Arc<dyn Shared<RotatingState>>);

#[cfg(feature = "std")]
impl Default for RotatingStore {
    fn default() -> Self {
        Self::new(Arc::new(std::sync::Mutex::new(RotatingState::default())))
    }
}

impl RotatingStore {
    /// Behind a lock of the host's choice.
    pub fn new(state: Arc<dyn Shared<RotatingState>>) -> Self {
        Self(state)
    }

    /// Replaces the secrets by newly fetched ones.
    pub fn replace(&self, secrets: RotatingSecrets) {
        visit(&*self.0, |state| state.replace(secrets));
    }

    /// Calls `look` with the secrets locked; it must not use the store.
    pub fn with<R>(&self, look: impl FnOnce(&RotatingSecrets) -> R) -> R {
        visit(&*self.0, |state| look(&state.secrets))
    }

    /// Whether to send a [`super::rotating_request`] now: secrets are missing, about to expire, or a ticket came that
    /// was made with a newer one. True at most once a second, and taken as the request's time when it is. Who may not even
    /// be let in can speak of newer ones: if there are none they are asked for ever more seldom, down to every 30 s.
    pub fn take_need(&self, now: Duration) -> bool {
        visit(&*self.0, |state| {
            let Some(interval) = state.interval(now) else { return false };
            let recent = |at: Duration| now.saturating_sub(at) < interval && at <= now;
            let due = !state.requested.is_some_and(recent);
            if due {
                state.requested = Some(now);
            }
            due
        })
    }

    /// Whether the secrets are missing or about to expire; see [`RotatingSecrets::need_new_secrets`].
    pub fn need_new_secrets(&self, now: Duration) -> bool {
        self.with(|secrets| secrets.need_new_secrets(now))
    }

    /// The secret with this id.
    ///
    /// # Errors
    /// [`AuthError::NotReady`] if there are no secrets at all, [`AuthError::UnknownSecret`].
    pub(crate) fn secret(&self, id: u64) -> Result<CryptoKey, AuthError> {
        visit(&*self.0, |state| {
            if let Some(key) = state.secrets.get(id) {
                return Ok(key.clone());
            }
            state.miss(id);
            match state.secrets.is_empty() {
                true => Err(AuthError::NotReady),
                false => Err(AuthError::UnknownSecret { id }),
            }
        })
    }
}

impl fmt::Debug for RotatingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        visit(&*self.0, |state| f.debug_tuple("RotatingStore").field(state).finish())
    }
}
