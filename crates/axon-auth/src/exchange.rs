//! What a handshake needs from an authentication method: one object per attempt, on each side.

use crate::AuthError;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use axon_denc::EntityType;
use core::fmt;
use zeroize::Zeroizing;

/// Authentication methods as numbered on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Method(pub u32);

impl Method {
    /// No authentication: the name is believed.
    pub const NONE: Method = Method(1);
    /// Shared-key tickets.
    pub const CEPHX: Method = Method(2);
}

/// The name used in configurations.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => f.write_str("none"),
            Self::CEPHX => f.write_str("cephx"),
            Self(number) => write!(f, "{number}"),
        }
    }
}

/// Connection modes as numbered on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mode(pub u32);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CRC => f.write_str("crc"),
            Self::SECURE => f.write_str("secure"),
            Self(number) => write!(f, "mode {number}"),
        }
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Mode {
    /// Integrity against accidents: crc32c.
    pub const CRC: Mode = Mode(1);
    /// Confidentiality and integrity: AES-128-GCM.
    pub const SECURE: Mode = Mode(2);
}

/// What both ends know once authentication is done. Printing it shows no secret.
pub struct Agreed {
    /// Key of the AUTH_SIGNATURE frames; `None` (method none) means zero signatures.
    pub session_key: Option<Zeroizing<Vec<u8>>>,
    /// At least 40 bytes when the mode is secure; `None` or empty in crc mode.
    pub connection_secret: Option<Zeroizing<Vec<u8>>>,
    /// The id the monitor gave the client.
    pub global_id: u64,
}

impl fmt::Debug for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |secret: &Option<Zeroizing<Vec<u8>>>| secret.as_ref().map(|s| s.len());
        f.debug_struct("Agreed")
            .field("session_key_len", &length(&self.session_key))
            .field("connection_secret_len", &length(&self.connection_secret))
            .field("global_id", &self.global_id)
            .finish()
    }
}

/// What an AUTH_REQUEST carries besides the modes, which the handshake's mode policy supplies.
#[derive(Debug)]
pub struct Request {
    /// The method tried.
    pub method: Method,
    /// The method's payload.
    pub payload: Vec<u8>,
}

/// The client's side of one attempt.
pub trait ClientExchange: Send {
    /// The first AUTH_REQUEST.
    ///
    /// # Errors
    /// Why there is nothing to ask with, such as a key or ticket that is missing or has expired.
    fn request(&mut self) -> Result<Request, AuthError>;
    /// The server refused `method` with `errno` (negative as on the wire) and allows `methods`.
    /// Returns another request.
    ///
    /// # Errors
    /// What ends the attempt: why the peer refuses, if nothing else is worth trying.
    fn bad_method(&mut self, method: Method, errno: i32, methods: &[Method]) -> Result<Request, AuthError>;
    /// Answers AUTH_REPLY_MORE.
    ///
    /// # Errors
    /// What is wrong with the peer's payload, or that it comes out of turn.
    fn more(&mut self, payload: &[u8]) -> Result<Vec<u8>, AuthError>;
    /// Consumes AUTH_DONE. Until it is [`confirmed`](Self::confirmed) nothing outside the attempt may depend on it: the payload
    /// of another attempt, sent again, opens as well.
    ///
    /// # Errors
    /// What is wrong with the payload: what it proves, or how it is encoded.
    fn done(&mut self, global_id: u64, mode: Mode, payload: &[u8]) -> Result<Agreed, AuthError>;
    /// The peer's AUTH_SIGNATURE shows that it knows what was agreed and saw the same frames: what [`done`](Self::done) brought
    /// counts from now on.
    fn confirmed(&mut self) {}
}

/// Who authenticated to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The authenticated name; for cephx clients the text id of the keyring (`client.admin`).
    pub name: AuthName,
    /// The id the monitor gave the client.
    pub global_id: u64,
    /// The capability string for this service; empty with method none.
    pub caps: Vec<u8>,
    /// Whether the caps say "everything" without a string.
    pub allow_all: bool,
}

/// A name as keyrings and tickets spell it: type and text id, `client.admin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuthName {
    /// The entity's type.
    pub kind: EntityType,
    /// The part after the dot.
    pub id: String,
}

/// The server's answer to a request.
#[derive(Debug)]
pub enum Step {
    /// Send AUTH_REPLY_MORE with this payload.
    More(Vec<u8>),
    /// Send AUTH_DONE.
    Done {
        /// AUTH_DONE's payload.
        payload: Vec<u8>,
        /// What the handshake goes on with.
        agreed: Agreed,
        /// Who it is.
        identity: Identity,
    },
}

/// The server's side of one attempt.
pub trait ServerExchange: Send {
    /// The methods offered in AUTH_BAD_METHOD.
    fn methods(&self) -> Vec<Method>;
    /// Consumes AUTH_REQUEST; `mode` was chosen by the handshake's policy.
    ///
    /// # Errors
    /// Why the peer is not believed.
    fn request(
        &mut self,
        peer: EntityType,
        method: Method,
        mode: Mode,
        payload: &[u8],
    ) -> Result<Step, AuthError>;
    /// Consumes AUTH_REQUEST_MORE.
    ///
    /// # Errors
    /// Why the peer is not believed, or that the payload comes out of turn.
    fn more(&mut self, payload: &[u8]) -> Result<Step, AuthError>;
}

/// Random bytes for keys, challenges and connection secrets; must be the operating system's generator outside tests.
pub trait Entropy: Send {
    /// Fills `out`.
    fn fill(&mut self, out: &mut [u8]);
}

/// Makes exchanges for outgoing connections. The messenger holds one per configured identity.
pub trait ClientAuth: Send + Sync {
    /// Starts an attempt to authenticate to a peer of type `peer`.
    ///
    /// # Errors
    /// Why no attempt makes sense now, such as a ticket that is missing. The dial fails with it, and is tried again.
    fn start(&self, peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError>;
}

/// Makes exchanges for accepted connections.
pub trait ServerAuth: Send + Sync {
    /// Starts an attempt by somebody who just connected.
    fn start(&self) -> Box<dyn ServerExchange>;
}
