//! The toy monitor's side of one attempt.

use super::{AUTH_TTL, Client, ToyMonitor};
use crate::cephx::{
    Authenticate, ConnectionSecret, Grant, RequestType, ServerChallenge, Services, TicketBlob, proof,
    put_response, put_ticket_reply,
};
use crate::cipher::{KeyUsage, put_sealed};
use crate::surroundings::random_u64;
use crate::{
    Agreed, AuthError, AuthName, CryptoKey, Entropy, Identity, Method, Mode, ServerExchange, Step,
    check_payload, check_round, none,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, EntityType, put_sized};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(super) struct ToyExchange {
    monitor: ToyMonitor,
    entropy: Box<dyn Entropy>,
    rounds: u32,
    awaited: Option<Awaited>,
}

/// What came before the challenge.
struct Awaited {
    mode: Mode,
    challenge: u64,
    name: AuthName,
    /// 0 for a new one.
    global_id: u64,
}

impl ToyExchange {
    pub(super) fn new(monitor: ToyMonitor) -> Self {
        let entropy = monitor.surroundings.entropy.entropy();
        Self { monitor, entropy, rounds: 0, awaited: None }
    }
}

impl ServerExchange for ToyExchange {
    fn methods(&self) -> Vec<Method> {
        self.monitor.lock().methods.clone()
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
        match method {
            _ if !self.methods().contains(&method) => Err(AuthError::MethodNotAllowed { method }),
            Method::NONE => self.accept_none(none::accept(peer, mode, payload)?),
            _ => self.challenge(mode, payload),
        }
    }

    fn more(&mut self, payload: &[u8]) -> Result<Step, AuthError> {
        check_round(&mut self.rounds)?;
        check_payload(payload)?;
        let awaited = self
            .awaited
            .take()
            .ok_or(AuthError::OutOfTurn { state: "AwaitRequest", got: "AUTH_REQUEST_MORE" })?;
        let mut input = Decoder::new(payload);
        match RequestType::take(&mut input)? {
            RequestType::Authenticate => {}
            _ => {
                return Err(AuthError::OutOfTurn { state: "AwaitProof", got: "another request" });
            }
        }
        let authenticate = Authenticate::decode(&mut input)?;
        let client = self.verify(&awaited, &authenticate)?;
        self.accept(awaited.mode, client, authenticate.other_keys)
    }
}

impl ToyExchange {
    fn next_global_id(&self) -> u64 {
        let mut cluster = self.monitor.lock();
        cluster.next_global_id += 1;
        cluster.next_global_id
    }

    fn accept_none(&self, mut step: Step) -> Result<Step, AuthError> {
        if let Step::Done { agreed, identity, .. } = &mut step {
            if identity.global_id == 0 {
                identity.global_id = self.next_global_id();
            }
            agreed.global_id = identity.global_id;
        }
        Ok(step)
    }

    fn challenge(&mut self, mode: Mode, payload: &[u8]) -> Result<Step, AuthError> {
        let mut input = Decoder::new(payload);
        let auth_mode = input.u8()?;
        if !(10..20).contains(&auth_mode) {
            return Err(
                DecodeError::Undefined { what: "authentication mode", value: auth_mode.into() }.into()
            );
        }
        let awaited = Awaited {
            mode,
            challenge: random_u64(&mut *self.entropy),
            name: AuthName::decode(&mut input)?,
            global_id: input.u64()?,
        };
        let challenge = ServerChallenge(awaited.challenge).to_vec();
        self.awaited = Some(awaited);
        Ok(Step::More(challenge))
    }

    fn verify(&mut self, awaited: &Awaited, shown: &Authenticate) -> Result<Client, AuthError> {
        let name = awaited.name.clone();
        let key = self.monitor.entity_key(&name)?;
        let expected = proof(&key, &mut *self.entropy, awaited.challenge, shown.client_challenge)?;
        if !bool::from(expected.ct_eq(&shown.proof)) {
            return Err(AuthError::BadProof { name });
        }
        if self.monitor.caps(&name, EntityType::Mon).is_none() {
            return Err(AuthError::NoMonCaps { name });
        }
        let old_key = self.check_reclaim(awaited, &shown.old_ticket)?;
        let global_id = match awaited.global_id {
            0 => self.next_global_id(),
            reclaimed => reclaimed,
        };
        Ok(Client { name, key, global_id, old_key })
    }

    /// A new id comes without a ticket; an old one with the AUTH ticket that names it.
    fn check_reclaim(
        &self,
        awaited: &Awaited,
        old_ticket: &TicketBlob,
    ) -> Result<Option<CryptoKey>, AuthError> {
        let refused = || AuthError::BadReclaim { name: awaited.name.clone(), global_id: awaited.global_id };
        if awaited.global_id == 0 {
            return match old_ticket.blob.is_empty() {
                true => Ok(None),
                false => Err(refused()),
            };
        }
        let info = self.monitor.open_auth_ticket(old_ticket).map_err(|_| refused())?;
        let now = self.monitor.surroundings.clock.now();
        let fits = info.ticket.global_id == awaited.global_id
            && info.ticket.name == awaited.name
            && now < info.ticket.deadline();
        match fits {
            true => Ok(Some(info.session_key)),
            false => Err(refused()),
        }
    }

    fn accept(&mut self, mode: Mode, client: Client, wanted: Services) -> Result<Step, AuthError> {
        let entropy = &mut *self.entropy;
        let mut auth = self.monitor.grant(&client, EntityType::Auth, AUTH_TTL, entropy)?;
        auth.old_key = client.old_key.clone();
        let session_key = auth.ticket.session_key.clone();
        let secret = ConnectionSecret::generate(mode, entropy);

        let mut payload = Vec::new();
        put_response(&mut payload, RequestType::Authenticate);
        put_ticket_reply(&mut payload, &client.key, entropy, &[auth])?;
        if !wanted.is_empty() {
            let others = self.monitor.service_grants(&client, wanted, entropy)?;
            put_extras(&mut payload, &session_key, entropy, &secret, &others)?;
        }
        let caps = self.monitor.caps(&client.name, EntityType::Mon);
        Ok(Step::Done {
            payload,
            agreed: Agreed {
                session_key: Some(Zeroizing::new(session_key.secret().to_vec())),
                connection_secret: secret.agreed(mode)?,
                global_id: client.global_id,
            },
            identity: Identity {
                name: client.name,
                global_id: client.global_id,
                caps: caps.unwrap_or_default().into(),
                allow_all: false,
            },
        })
    }
}

/// The connection secret and the tickets for services, each a blob of its own.
fn put_extras(
    out: &mut Vec<u8>,
    session_key: &CryptoKey,
    entropy: &mut dyn Entropy,
    secret: &ConnectionSecret,
    others: &[Grant],
) -> Result<(), AuthError> {
    let mut sealed = Vec::new();
    put_sealed(&mut sealed, session_key, KeyUsage::ConnectionSecret, entropy, secret)?;
    sealed.as_slice().encode(out);
    let mut result = Ok(());
    put_sized(out, |out| {
        if !others.is_empty() {
            result = put_ticket_reply(out, session_key, entropy, others);
        }
    });
    result
}
