//! A client of ours in the place of the recorded one: with the recorded key and the recorded random numbers it has
//! to say the same bytes, and to get the same secrets out of the answers.

use crate::authorizer;
use axon_auth::cephx::Services;
use axon_auth::{
    Agreed, AuthName, ClientAuth, ClientExchange, CryptoKey, Entropy, Method, Mode, Principal, Surroundings,
    TicketStore,
};
use axon_denc::EntityType;
use axon_testbed::{Direction, Vector};
use axon_wire::{AuthDone, AuthRequest, AuthRequestMore, Control};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where the client's challenge and the wanted services are in CephXAuthenticate, after the request type.
const CHALLENGE: std::ops::Range<usize> = 3..11;

/// The dialling end of the conversations of one vector.
pub(crate) struct Client {
    name: AuthName,
    key: Option<CryptoKey>,
    random: Arc<Mutex<VecDeque<u8>>>,
    /// Of each session with a monitor so far.
    stores: Vec<TicketStore>,
    attempt: Attempt,
}

#[derive(Default)]
struct Attempt {
    peer: Option<EntityType>,
    request: Option<AuthRequest>,
    challenge: Option<Vec<u8>>,
    exchange: Option<Box<dyn ClientExchange>>,
    /// Of the ticket shown to a daemon.
    session_key: Option<CryptoKey>,
}

impl Client {
    /// `client.admin`, with the key that the vector holds, if it does.
    pub(crate) fn of(vector: &Vector) -> Self {
        let key = vector.note("key client.admin").map(|text| text.parse().expect("a key"));
        Self {
            name: AuthName { kind: EntityType::Client, id: "admin".into() },
            key,
            random: Arc::default(),
            stores: Vec::new(),
            attempt: Attempt::default(),
        }
    }

    /// Another connection begins.
    pub(crate) fn start(&mut self) {
        self.attempt = Attempt::default();
    }

    /// Follows the conversation. Once AUTH_DONE is there: what was agreed, if it can be known.
    pub(crate) fn hears(&mut self, direction: Direction, control: &Control) -> Option<Agreed> {
        match (direction, control) {
            (Direction::ToClient, Control::Hello(hello)) => self.attempt.peer = Some(hello.entity_type),
            (_, Control::AuthRequest(request)) => self.requests(request),
            (_, Control::AuthReplyMore(reply)) => self.attempt.challenge = Some(reply.payload.clone()),
            (_, Control::AuthRequestMore(more)) => self.answers(more),
            (_, Control::AuthDone(done)) => return self.finishes(done),
            _ => {}
        }
        None
    }

    fn requests(&mut self, request: &AuthRequest) {
        self.attempt.request = Some(request.clone());
        let peer = self.attempt.peer.expect("HELLO comes before AUTH_REQUEST");
        if request.method == Method::NONE.0 {
            // Whatever the name: the exchange's own request is compared where the name is known.
            let exchange = self.principal(TicketStore::default(), Services::CLUSTER).start(EntityType::Mon);
            self.attempt.exchange = Some(exchange.expect("method none needs nothing"));
            let ours = self.attempt.exchange.as_mut().expect("just set").request().expect("a request");
            assert_eq!(ours.method, Method::NONE);
        } else if peer != EntityType::Mon {
            self.attempt.exchange = self.authorizes(peer, &request.payload);
        }
    }

    /// The client's second payload, which holds its challenge in the clear if it speaks to a monitor.
    fn answers(&mut self, more: &AuthRequestMore) {
        let challenge = self.attempt.challenge.take().expect("a challenge comes before its answer");
        if self.attempt.peer == Some(EntityType::Mon) && self.key.is_some() {
            let wanted = more.payload.last_chunk().expect("services at the end");
            let store = self.store_for_session();
            let principal = self.principal(store.clone(), Services::from_bits(u32::from_le_bytes(*wanted)));
            self.draw(&more.payload[CHALLENGE]);
            let mut exchange = principal.start(EntityType::Mon).expect("a key");
            let request = exchange.request().expect("a request");
            let recorded = self.attempt.request.as_ref().expect("AUTH_REQUEST came first");
            assert_eq!(request.payload, recorded.payload, "AUTH_REQUEST to a monitor");
            self.attempt.exchange = Some(exchange);
        }
        if let Some(key) = &self.attempt.session_key {
            let drawn =
                authorizer::open(&more.payload, key).expect("the second authorizer is like the first");
            self.draw(&drawn.confounder);
        }
        if let Some(exchange) = &mut self.attempt.exchange {
            let ours = exchange.more(&challenge).expect("an answer to the challenge");
            assert_eq!(ours, more.payload, "AUTH_REQUEST_MORE");
        }
    }

    /// The tickets of the session whose global id the recorded client reclaims, or none at all.
    fn store_for_session(&mut self) -> TicketStore {
        let request = self.attempt.request.as_ref().expect("AUTH_REQUEST came first");
        let global_id = u64::from_le_bytes(*request.payload.last_chunk().expect("a global id at the end"));
        let known = self.stores.iter().find(|store| store.global_id() == global_id);
        let store = known.cloned().filter(|_| global_id != 0).unwrap_or_default();
        self.stores.push(store.clone());
        store
    }

    fn finishes(&mut self, done: &AuthDone) -> Option<Agreed> {
        let mut exchange = self.attempt.exchange.take()?;
        let agreed = exchange.done(done.global_id, Mode(done.mode), &done.payload).expect("AUTH_DONE");
        exchange.confirmed();
        Some(agreed)
    }

    /// The exchange with a daemon, with whichever recorded ticket makes the recorded authorizer.
    fn authorizes(&mut self, peer: EntityType, payload: &[u8]) -> Option<Box<dyn ClientExchange>> {
        for store in self.stores.clone() {
            let ticket = store.with(|tickets| tickets.get(peer).cloned());
            let Some(ticket) = ticket else { continue };
            let Some(drawn) = authorizer::open(payload, &ticket.session_key) else { continue };
            self.draw(&[&drawn.nonce[..], &drawn.confounder].concat());
            self.attempt.session_key = Some(ticket.session_key);
            let mut exchange = self.principal(store, Services::CLUSTER).start(peer).expect("a ticket");
            let ours = exchange.request().expect("a request");
            assert_eq!(ours.payload, payload, "AUTH_REQUEST to a daemon");
            return Some(exchange);
        }
        assert!(self.key.is_none(), "no recorded ticket makes this authorizer");
        None
    }

    fn principal(&self, store: TicketStore, wanted: Services) -> Principal {
        let random = Arc::clone(&self.random);
        let entropy = move || Box::new(Recorded(Arc::clone(&random))) as Box<dyn Entropy>;
        let surroundings = Surroundings::new(|| Duration::from_secs(1_700_000_000), entropy);
        let principal = Principal::new(self.name.clone(), store, surroundings).with_services(wanted);
        match &self.key {
            Some(key) => principal.with_key(key.clone()),
            None => principal,
        }
    }

    /// The next random bytes.
    fn draw(&self, bytes: &[u8]) {
        let mut random = self.random.lock().expect("no test panics with it");
        random.clear();
        random.extend(bytes);
    }
}

/// Random bytes as the recorded client drew them.
struct Recorded(Arc<Mutex<VecDeque<u8>>>);

impl Entropy for Recorded {
    fn fill(&mut self, out: &mut [u8]) {
        let mut random = self.0.lock().expect("no test panics with it");
        for byte in out {
            *byte = random.pop_front().expect("no more random bytes than were recorded");
        }
    }
}
