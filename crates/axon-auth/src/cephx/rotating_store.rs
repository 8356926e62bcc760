//! The secrets of a service, shared by its connections and replaced as they rotate.

use super::RotatingSecrets;
use crate::shared::visit;
use crate::{AuthError, CryptoKey, Shared};
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

/// Shortest time between two requests for secrets.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// What a [`RotatingStore`] shares.
#[derive(Debug, Default)]
pub struct RotatingState {
    secrets: RotatingSecrets,
    /// A ticket came whose secret is newer than ours.
    missed: bool,
    requested: Option<Duration>,
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
        visit(&*self.0, |state| {
            state.secrets = secrets;
            state.missed = false;
        });
    }

    /// Calls `look` with the secrets locked; it must not use the store.
    pub fn with<R>(&self, look: impl FnOnce(&RotatingSecrets) -> R) -> R {
        visit(&*self.0, |state| look(&state.secrets))
    }

    /// Whether to send a [`super::rotating_request`] now: secrets are missing, about to expire, or a ticket came that
    /// was made with a newer one. True at most once a second, and taken as the request's time when it is.
    pub fn take_need(&self, now: Duration) -> bool {
        visit(&*self.0, |state| {
            let recent =
                state.requested.is_some_and(|at| now.saturating_sub(at) < REQUEST_INTERVAL && at <= now);
            let due = !recent && (state.missed || state.secrets.need_new_secrets(now));
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
            state.missed |= id > state.secrets.max_version();
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
