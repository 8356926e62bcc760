//! Authentication that is a puppet: as many rounds and such secrets as a test wants.

use axon_auth::{
    Agreed, AuthError, AuthName, ClientAuth, ClientExchange, Identity, Method, Mode, Request, ServerAuth,
    ServerExchange, Step,
};
use axon_denc::EntityType;
use zeroize::Zeroizing;

/// Both sides of a method that proves nothing.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    /// How often the server asks for more.
    pub(crate) rounds: u32,
    /// Both ends agree on this.
    pub(crate) session_key: Option<Vec<u8>>,
    pub(crate) connection_secret: Option<Vec<u8>>,
    /// What the client tries, in order.
    pub(crate) tries: Vec<Method>,
    /// What the server allows.
    pub(crate) allows: Vec<Method>,
    /// What the server says to whoever gets to the end.
    pub(crate) refuses: Option<AuthError>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            rounds: 0,
            session_key: None,
            connection_secret: None,
            tries: vec![Method::CEPHX],
            allows: vec![Method::CEPHX],
            refuses: None,
        }
    }

    pub(crate) fn rounds(rounds: u32) -> Self {
        Self { rounds, ..Self::new() }
    }

    fn agreed(&self) -> Agreed {
        Agreed {
            session_key: self.session_key.clone().map(Zeroizing::new),
            connection_secret: self.connection_secret.clone().map(Zeroizing::new),
            global_id: 4100,
        }
    }

    fn step(&mut self) -> Result<Step, AuthError> {
        if let Some(rounds) = self.rounds.checked_sub(1) {
            self.rounds = rounds;
            return Ok(Step::More(b"more?".to_vec()));
        }
        if let Some(error) = &self.refuses {
            return Err(error.clone());
        }
        let name = AuthName::new(EntityType::Client, "fake");
        let identity = Identity { name, global_id: 4100, caps: Vec::new(), allow_all: false };
        Ok(Step::Done { payload: Vec::new(), agreed: self.agreed(), identity })
    }
}

impl ClientAuth for Fake {
    fn start(&self, _peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError> {
        Ok(Box::new(self.clone()))
    }
}

impl ServerAuth for Fake {
    fn start(&self) -> Box<dyn ServerExchange> {
        Box::new(self.clone())
    }
}

impl ClientExchange for Fake {
    fn request(&mut self) -> Result<Request, AuthError> {
        Ok(Request { method: self.tries[0], payload: b"let me in".to_vec() })
    }

    fn bad_method(&mut self, method: Method, errno: i32, methods: &[Method]) -> Result<Request, AuthError> {
        let tried =
            self.tries.iter().position(|m| *m == method).ok_or(AuthError::Refused { method, errno })?;
        self.tries.drain(..=tried);
        if self.tries.is_empty() {
            return Err(AuthError::MethodRefused { tried: method, allowed: methods.to_vec() });
        }
        ClientExchange::request(self)
    }

    fn more(&mut self, _payload: &[u8]) -> Result<Vec<u8>, AuthError> {
        Ok(b"more".to_vec())
    }

    fn done(&mut self, _global_id: u64, _mode: Mode, _payload: &[u8]) -> Result<Agreed, AuthError> {
        Ok(self.agreed())
    }
}

impl ServerExchange for Fake {
    fn methods(&self) -> Vec<Method> {
        self.allows.clone()
    }

    fn request(
        &mut self,
        _peer: EntityType,
        method: Method,
        _mode: Mode,
        _payload: &[u8],
    ) -> Result<Step, AuthError> {
        if self.allows.contains(&method) { self.step() } else { Err(AuthError::MethodNotAllowed { method }) }
    }

    fn more(&mut self, _payload: &[u8]) -> Result<Step, AuthError> {
        self.step()
    }
}
