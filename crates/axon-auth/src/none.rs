//! Method none: the name is believed.

use crate::cephx::{AUTHORIZER_MODE, MON_MODE, TicketStore};
use crate::{
    Agreed, AuthError, AuthName, ClientAuth, ClientExchange, Identity, Method, Mode, Request, ServerAuth,
    ServerExchange, Step, check_payload, check_round,
};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use axon_denc::{Decode, Decoder, Encode, EntityType};

/// A client that says its name and proves nothing.
#[derive(Debug, Clone)]
pub struct NoneClient {
    name: AuthName,
    global_id: u64,
}

impl NoneClient {
    /// `global_id` is what it tells daemons; a monitor gives another one.
    pub fn new(name: AuthName, global_id: u64) -> Self {
        Self { name, global_id }
    }
}

impl ClientAuth for NoneClient {
    fn start(&self, peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError> {
        Ok(Box::new(NoneExchange::new(self.name.clone(), self.global_id, peer)))
    }
}

/// The client's side of one attempt.
pub(crate) struct NoneExchange {
    name: AuthName,
    global_id: u64,
    peer: EntityType,
    /// Remembers a session with a monitor, once it is confirmed.
    store: Option<TicketStore>,
    /// The number that a monitor gave.
    given: Option<u64>,
}

impl NoneExchange {
    pub(crate) fn new(name: AuthName, global_id: u64, peer: EntityType) -> Self {
        Self { name, global_id, peer, store: None, given: None }
    }

    /// Puts the id that a monitor gives into `store`.
    pub(crate) fn remember_in(mut self, store: TicketStore) -> Self {
        self.store = Some(store);
        self
    }

    fn is_mon(&self) -> bool {
        self.peer == EntityType::Mon
    }
}

impl ClientExchange for NoneExchange {
    fn request(&mut self) -> Result<Request, AuthError> {
        let mode = if self.is_mon() { MON_MODE } else { AUTHORIZER_MODE };
        let mut payload = vec![mode];
        self.name.encode(&mut payload);
        self.global_id.encode(&mut payload);
        Ok(Request { method: Method::NONE, payload })
    }

    fn bad_method(&mut self, method: Method, errno: i32, methods: &[Method]) -> Result<Request, AuthError> {
        let refused = || AuthError::Refused { method, errno };
        Err(crate::principal::refusal(method, errno, methods, refused))
    }

    fn more(&mut self, _payload: &[u8]) -> Result<Vec<u8>, AuthError> {
        Err(AuthError::OutOfTurn { state: "AwaitDone", got: "AUTH_REPLY_MORE" })
    }

    fn done(&mut self, global_id: u64, mode: Mode, _payload: &[u8]) -> Result<Agreed, AuthError> {
        check_mode(mode)?;
        if self.is_mon() {
            self.global_id = global_id;
            self.given = Some(global_id);
        }
        Ok(agreed(self.global_id))
    }

    fn confirmed(&mut self) {
        if let Some((store, global_id)) = self.store.as_ref().zip(self.given.take()) {
            store.with(|tickets| tickets.begin_session(Method::NONE, global_id));
        }
    }
}

/// A service that believes every name.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoneServer;

impl ServerAuth for NoneServer {
    fn start(&self) -> Box<dyn ServerExchange> {
        Box::new(NoneAcceptance { rounds: 0 })
    }
}

struct NoneAcceptance {
    rounds: u32,
}

impl ServerExchange for NoneAcceptance {
    fn methods(&self) -> Vec<Method> {
        vec![Method::NONE]
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
            Method::NONE => accept(peer, mode, payload),
            _ => Err(AuthError::MethodNotAllowed { method }),
        }
    }

    fn more(&mut self, _payload: &[u8]) -> Result<Step, AuthError> {
        Err(AuthError::OutOfTurn { state: "AwaitRequest", got: "AUTH_REQUEST_MORE" })
    }
}

/// Believes the name in `payload`: u8 mode, name, le64 global id. An empty payload, as Ceph's own test programs send,
/// is a client without a name.
pub(crate) fn accept(peer: EntityType, mode: Mode, payload: &[u8]) -> Result<Step, AuthError> {
    check_mode(mode)?;
    let (name, global_id) = match payload {
        [] => (AuthName::new(peer, ""), 0),
        _ => take_claim(&mut Decoder::new(payload))?,
    };
    let identity = Identity { name, global_id, caps: Vec::new(), allow_all: true };
    Ok(Step::Done { payload: Vec::new(), agreed: agreed(global_id), identity })
}

fn take_claim(input: &mut Decoder<'_>) -> Result<(AuthName, u64), AuthError> {
    input.u8()?;
    Ok((AuthName::decode(input)?, input.u64()?))
}

fn check_mode(mode: Mode) -> Result<(), AuthError> {
    match mode {
        Mode::SECURE => Err(AuthError::SecureWithoutKeys),
        _ => Ok(()),
    }
}

fn agreed(global_id: u64) -> Agreed {
    Agreed { session_key: None, connection_secret: None, global_id }
}
