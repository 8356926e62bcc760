//! The frames that open a new session.

use alloc::vec::Vec;
use axon_denc::{AddrVec, Decode, DecodeError, Decoder, Encode, EntityAddr, Features};

/// The flag of CLIENT_IDENT and SERVER_IDENT that says the sender treats the session as lossy: a fault ends it.
pub const IDENT_LOSSY: u64 = 1;

/// CLIENT_IDENT (8): the connector opens a new session.
///
/// ```text
/// address vector | address target | le64 gid | le64 global seq | le64 supported | le64 required | le64 flags | le64 cookie
/// ```
///
/// Sent by the connector after AUTH_SIGNATURE (or COMPRESSION_DONE) when it has no session to resume, and on the same
/// socket after SESSION_RESET. The acceptor awaits it after AUTH_SIGNATURE, and after its refusals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdent {
    /// Where the connector can be reached; port 0 if it does not listen.
    pub addrs: AddrVec,
    /// The address it dialled, by which an acceptor notices that it is not the one meant.
    pub target_addr: EntityAddr,
    /// The number of the connector's name; with the type in HELLO, its name.
    pub gid: i64,
    /// The connector's counter of attempts, to tell old from new.
    pub global_seq: u64,
    /// Features of messages it supports.
    pub features_supported: Features,
    /// Features of messages it insists on.
    pub features_required: Features,
    /// See [`IDENT_LOSSY`].
    pub flags: u64,
    /// The connector's half of the session's name; 0 for none.
    pub client_cookie: u64,
}

impl Encode for ClientIdent {
    fn encode(&self, out: &mut Vec<u8>) {
        self.addrs.encode(out);
        self.target_addr.encode(out);
        self.gid.encode(out);
        self.global_seq.encode(out);
        self.features_supported.encode(out);
        self.features_required.encode(out);
        self.flags.encode(out);
        self.client_cookie.encode(out);
    }
}

impl Decode for ClientIdent {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            addrs: AddrVec::decode(input)?,
            target_addr: EntityAddr::decode(input)?,
            gid: input.i64()?,
            global_seq: input.u64()?,
            features_supported: Features::decode(input)?,
            features_required: Features::decode(input)?,
            flags: input.u64()?,
            client_cookie: input.u64()?,
        })
    }
}

/// SERVER_IDENT (9): the acceptor grants a new session.
///
/// ```text
/// address vector | le64 gid | le64 global seq | le64 supported | le64 required | le64 flags | le64 cookie
/// ```
///
/// Awaited by the connector after CLIENT_IDENT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerIdent {
    /// Where the acceptor can be reached. Kernel clients insist that the address they dialled is among them.
    pub addrs: AddrVec,
    /// The number of the acceptor's name.
    pub gid: i64,
    /// The acceptor's counter of attempts.
    pub global_seq: u64,
    /// Features of messages it supports.
    pub features_supported: Features,
    /// Features of messages it insists on.
    pub features_required: Features,
    /// See [`IDENT_LOSSY`].
    pub flags: u64,
    /// The acceptor's half of the session's name; 0 in a lossy session.
    pub server_cookie: u64,
}

impl Encode for ServerIdent {
    fn encode(&self, out: &mut Vec<u8>) {
        self.addrs.encode(out);
        self.gid.encode(out);
        self.global_seq.encode(out);
        self.features_supported.encode(out);
        self.features_required.encode(out);
        self.flags.encode(out);
        self.server_cookie.encode(out);
    }
}

impl Decode for ServerIdent {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            addrs: AddrVec::decode(input)?,
            gid: input.i64()?,
            global_seq: input.u64()?,
            features_supported: Features::decode(input)?,
            features_required: Features::decode(input)?,
            flags: input.u64()?,
            server_cookie: input.u64()?,
        })
    }
}

/// IDENT_MISSING_FEATURES (10): the acceptor refuses a connector that lacks features.
///
/// ```text
/// le64 missing
/// ```
///
/// Awaited by the connector after CLIENT_IDENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentMissingFeatures {
    /// The bits the connector lacks.
    pub features: Features,
}

impl Encode for IdentMissingFeatures {
    fn encode(&self, out: &mut Vec<u8>) {
        self.features.encode(out);
    }
}

impl Decode for IdentMissingFeatures {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { features: Features::decode(input)? })
    }
}
