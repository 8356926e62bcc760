//! The monitor's authentication service, as far as clients and daemons meet it.
//!
//! It follows the rules of real monitors for proofs, reclaimed ids, ticket keys and rotation, and keeps everything in
//! memory.

use crate::cephx::{
    AuthTicket, Authorize, AuthorizerRef, Caps, ExpiringKey, Grant, RequestType, RotatingSecrets,
    ServiceTicket, Services, TicketBlob, TicketInfo, put_response, put_ticket_reply,
};
use crate::cipher::{KeyUsage, open_value, put_sealed, seal};
use crate::{
    AuthError, AuthName, CryptoKey, Entropy, Identity, KeyType, Method, ServerAuth, ServerExchange,
    Surroundings,
};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use axon_denc::{Decoder, EntityType};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod exchange;
use exchange::ToyExchange;

/// Good for this long: AUTH tickets.
const AUTH_TTL: Duration = Duration::from_secs(72 * 3600);
/// Good for this long: service tickets; also the term of a service secret.
const SERVICE_TTL: Duration = Duration::from_secs(3600);

/// A monitor's authentication service in memory; clones are the same monitor.
#[derive(Clone)]
pub struct ToyMonitor {
    cluster: Arc<Mutex<Cluster>>,
    surroundings: Surroundings,
}

struct Cluster {
    methods: Vec<Method>,
    entities: BTreeMap<AuthName, Entity>,
    services: BTreeMap<EntityType, RotatingSecrets>,
    next_global_id: u64,
}

struct Entity {
    key: CryptoKey,
    caps: BTreeMap<EntityType, String>,
}

/// A client that proved itself.
struct Client {
    name: AuthName,
    key: CryptoKey,
    global_id: u64,
    /// Session key of the AUTH ticket by which it kept its global id.
    old_key: Option<CryptoKey>,
}

impl ToyMonitor {
    /// Service secrets have type `kind`; method cephx only.
    pub fn new(kind: KeyType, surroundings: Surroundings) -> Self {
        let cluster = Cluster {
            methods: vec![Method::CEPHX],
            entities: BTreeMap::new(),
            services: BTreeMap::new(),
            next_global_id: 4100,
        };
        let monitor = Self { cluster: Arc::new(Mutex::new(cluster)), surroundings };
        for service in EntityType::ALL {
            for term in 0..3 {
                monitor.add_secret(kind, service, term);
            }
        }
        monitor
    }

    /// Allows these methods.
    pub fn allow(&self, methods: &[Method]) {
        self.lock().methods = methods.to_vec();
    }

    /// Creates an entity with a random key of type `kind` and returns the key.
    pub fn create(&self, name: AuthName, kind: KeyType, caps: &[(EntityType, &str)]) -> CryptoKey {
        let mut entropy = self.surroundings.entropy.entropy();
        let key = CryptoKey::generate(kind, &*self.surroundings.clock, &mut *entropy);
        let caps = caps.iter().map(|(service, text)| (*service, (*text).into()));
        let entity = Entity { key: key.clone(), caps: caps.collect() };
        self.lock().entities.insert(name, entity);
        key
    }

    /// Deletes an entity.
    pub fn delete(&self, name: &AuthName) {
        self.lock().entities.remove(name);
    }

    /// Rotates the secrets of `service`: the next becomes the current, a new next is made.
    pub fn rotate(&self, service: EntityType) {
        let kind = self.kind_of(service);
        self.add_secret(kind, service, 2);
    }

    /// The secrets of `service`, as its daemons would fetch them.
    pub fn secrets(&self, service: EntityType) -> RotatingSecrets {
        self.lock().services[&service].clone()
    }

    /// Answers an MAuth of an established session.
    ///
    /// # Errors
    /// What a monitor refuses.
    pub fn answer(&self, session: &Identity, payload: &[u8]) -> Result<Vec<u8>, AuthError> {
        let mut input = Decoder::new(payload);
        match RequestType::take(&mut input)? {
            RequestType::Tickets => self.renew(&mut input),
            RequestType::RotatingSecrets => self.send_secrets(&session.name),
            RequestType::Authenticate => {
                Err(AuthError::OutOfTurn { state: "Established", got: "CephXAuthenticate" })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the secret whose term ends `terms` + 1 terms from now.
    fn add_secret(&self, kind: KeyType, service: EntityType, terms: u32) {
        let clock = &*self.surroundings.clock;
        let mut entropy = self.surroundings.entropy.entropy();
        let secret = ExpiringKey {
            key: CryptoKey::generate(kind, clock, &mut *entropy),
            expires: clock.now() + SERVICE_TTL * terms,
        };
        self.lock().services.entry(service).or_default().add(secret);
    }

    fn kind_of(&self, service: EntityType) -> KeyType {
        let secrets = self.secrets(service);
        secrets.current().map_or(KeyType::None, |(_, s)| s.key.kind())
    }

    fn renew(&self, input: &mut Decoder<'_>) -> Result<Vec<u8>, AuthError> {
        let authorizer = AuthorizerRef::take(input)?;
        let info = self.open_auth_ticket(&authorizer.ticket)?;
        let _: Authorize = open_value(&info.session_key, KeyUsage::Authorize, authorizer.sealed)?;
        if info.ticket.global_id != authorizer.global_id {
            return Err(AuthError::GlobalIdMismatch {
                authorizer: authorizer.global_id,
                ticket: info.ticket.global_id,
            });
        }
        input.u8()?;
        let wanted = Services::from_bits(input.u32()?);
        let client = Client {
            key: self.entity_key(&info.ticket.name)?,
            name: info.ticket.name,
            global_id: info.ticket.global_id,
            old_key: None,
        };
        let mut entropy = self.surroundings.entropy.entropy();
        let grants = self.service_grants(&client, wanted, &mut *entropy)?;
        let mut out = Vec::new();
        put_response(&mut out, RequestType::Tickets);
        put_ticket_reply(&mut out, &info.session_key, &mut *entropy, &grants)?;
        Ok(out)
    }

    fn send_secrets(&self, name: &AuthName) -> Result<Vec<u8>, AuthError> {
        let mut out = Vec::new();
        put_response(&mut out, RequestType::RotatingSecrets);
        put_sealed(
            &mut out,
            &self.entity_key(name)?,
            KeyUsage::RotatingSecrets,
            &mut *self.surroundings.entropy.entropy(),
            &self.secrets(name.kind),
        )?;
        Ok(out)
    }

    fn entity_key(&self, name: &AuthName) -> Result<CryptoKey, AuthError> {
        let cluster = self.lock();
        let entity = cluster.entities.get(name);
        let unknown = || AuthError::UnknownEntity { name: name.clone() };
        entity.map(|e| e.key.clone()).ok_or_else(unknown)
    }

    fn caps(&self, name: &AuthName, service: EntityType) -> Option<String> {
        self.lock().entities.get(name)?.caps.get(&service).cloned()
    }

    /// Session key, client's half and service's half of a ticket.
    fn grant(
        &self,
        client: &Client,
        service: EntityType,
        validity: Duration,
        entropy: &mut dyn Entropy,
    ) -> Result<Grant, AuthError> {
        let secrets = self.secrets(service);
        let (secret_id, secret) = secrets.current().ok_or(AuthError::NotReady)?;
        let kind = client.key.kind().min(secret.key.kind());
        let session_key = CryptoKey::generate(kind, &*self.surroundings.clock, entropy);
        let now = self.surroundings.clock.now();
        let info = TicketInfo {
            ticket: AuthTicket {
                name: client.name.clone(),
                global_id: client.global_id,
                created: now,
                expires: now + validity,
                caps: Caps {
                    allow_all: false,
                    text: self.caps(&client.name, service).unwrap_or_default().into(),
                },
                flags: 0,
            },
            session_key: session_key.clone(),
        };
        Ok(Grant {
            service,
            blob: TicketBlob { secret_id, blob: seal(&secret.key, KeyUsage::TicketInfo, entropy, &info)? },
            ticket: ServiceTicket { session_key, validity },
            old_key: None,
        })
    }

    /// Tickets for those of `wanted` for which the client has caps; AUTH is not a service of this kind.
    fn service_grants(
        &self,
        client: &Client,
        wanted: Services,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<Grant>, AuthError> {
        wanted
            .iter()
            .filter(|service| *service != EntityType::Auth)
            .filter(|service| self.caps(&client.name, *service).is_some())
            .map(|service| self.grant(client, service, SERVICE_TTL, entropy))
            .collect()
    }

    fn open_auth_ticket(&self, ticket: &TicketBlob) -> Result<TicketInfo, AuthError> {
        let secrets = self.secrets(EntityType::Auth);
        let secret =
            secrets.get(ticket.secret_id).ok_or(AuthError::UnknownSecret { id: ticket.secret_id })?;
        open_value(secret, KeyUsage::TicketInfo, &ticket.blob)
    }
}

impl ServerAuth for ToyMonitor {
    fn start(&self) -> Box<dyn ServerExchange> {
        Box::new(ToyExchange::new(self.clone()))
    }
}
