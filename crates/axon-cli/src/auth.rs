//! Keys, and what is made of them.

use crate::error::CliError;
use axon_auth::{
    AuthError, AuthName, ClientAuth, ClientExchange, CryptoKey, KeyType, Keyring, Principal, RotatingStore,
    ServerAuth, TicketStore, Verifier,
};
use axon_denc::EntityType;
use axon_messenger::OsEntropy;
use axon_rados::mon::system_surroundings;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The key of `name` in a keyring file.
pub(crate) fn key_in(path: &Path, name: &AuthName) -> Result<CryptoKey, CliError> {
    let unreadable = |source| CliError::Unreadable { path: path.into(), source };
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(unreadable)?;
    let keyring: Keyring = text.parse().map_err(|source| CliError::Keyring { path: path.into(), source })?;
    match keyring.get(name) {
        Some(entry) => Ok(entry.key.clone()),
        None => {
            let others = keyring.iter().map(|(name, _)| name.clone()).collect();
            Err(CliError::NoEntry { path: path.into(), name: name.clone(), others })
        }
    }
}

/// A key for one run.
pub(crate) fn throwaway_key() -> CryptoKey {
    CryptoKey::generate(KeyType::Aes, &*system_surroundings().clock, &mut OsEntropy)
}

/// A client of a whole cluster: it shows its key to monitors, and the tickets they give it to other daemons.
pub(crate) fn principal(name: AuthName, key: Option<CryptoKey>) -> Principal {
    let principal = Principal::new(name, TicketStore::default(), system_surroundings());
    match key {
        Some(key) => principal.with_key(key),
        None => principal,
    }
}

/// A client that holds the key of the service itself and needs no monitor: it makes its own tickets, in the way that
/// monitors make them for each other.
pub(crate) fn service_key_client(name: AuthName, key: CryptoKey) -> Arc<dyn ClientAuth> {
    Arc::new(KeyHolder(principal(name, None).with_mon_secret(key)))
}

/// The service that believes such clients.
pub(crate) fn service_key_server(key: CryptoKey) -> Arc<dyn ServerAuth> {
    let verifier = Verifier::new(EntityType::Mon, RotatingStore::default(), system_surroundings());
    Arc::new(verifier.with_mon_secret(key))
}

/// A daemon whose service's secrets the monitors give.
pub(crate) fn rotating_key_server(service: EntityType, secrets: RotatingStore) -> Arc<dyn ServerAuth> {
    Arc::new(Verifier::new(service, secrets, system_surroundings()))
}

/// Shows the tickets of monitors to everybody.
struct KeyHolder(Principal);

impl ClientAuth for KeyHolder {
    fn start(&self, _peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError> {
        self.0.start(EntityType::Mon)
    }
}
