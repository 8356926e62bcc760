//! The frames of authentication.

use super::numbers;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, put_blob, put_list};

/// AUTH_REQUEST (2): the connector starts an attempt to authenticate.
///
/// ```text
/// le32 method | le32 n, le32 preferred mode [n] | blob payload
/// ```
///
/// Sent by the connector after HELLO, and again, with another method, after AUTH_BAD_METHOD. The acceptor awaits it after
/// its HELLO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthRequest {
    /// The method: 1 none, 2 cephx.
    pub method: u32,
    /// The connection modes the connector would take, best first: 1 crc, 2 secure.
    pub preferred_modes: Vec<u32>,
    /// The method's own bytes.
    pub payload: Vec<u8>,
}

impl Encode for AuthRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        self.method.encode(out);
        put_list(out, &self.preferred_modes);
        put_blob(out, &self.payload);
    }
}

impl Decode for AuthRequest {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            method: input.u32()?,
            preferred_modes: numbers(input, "preferred modes")?,
            payload: input.blob()?.to_vec(),
        })
    }
}

/// AUTH_BAD_METHOD (3): the acceptor refuses an AUTH_REQUEST.
///
/// ```text
/// le32 method | le32 result, signed | le32 n, le32 allowed method [n] | le32 n, le32 allowed mode [n]
/// ```
///
/// Awaited by the connector after AUTH_REQUEST; it may try another of the allowed methods on the same socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthBadMethod {
    /// The refused method.
    pub method: u32,
    /// Why: a negative errno.
    pub result: i32,
    /// Methods the acceptor would take.
    pub allowed_methods: Vec<u32>,
    /// Modes the acceptor would take.
    pub allowed_modes: Vec<u32>,
}

impl Encode for AuthBadMethod {
    fn encode(&self, out: &mut Vec<u8>) {
        self.method.encode(out);
        self.result.encode(out);
        put_list(out, &self.allowed_methods);
        put_list(out, &self.allowed_modes);
    }
}

impl Decode for AuthBadMethod {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            method: input.u32()?,
            result: input.i32()?,
            allowed_methods: numbers(input, "allowed methods")?,
            allowed_modes: numbers(input, "allowed modes")?,
        })
    }
}

macro_rules! payload_frame {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            /// The method's own bytes.
            pub payload: Vec<u8>,
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                put_blob(out, &self.payload);
            }
        }

        impl Decode for $name {
            fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(Self { payload: input.blob()?.to_vec() })
            }
        }
    };
}

payload_frame! {
    /// AUTH_REPLY_MORE (4): the acceptor needs another round, for example to pose a challenge.
    ///
    /// ```text
    /// blob payload
    /// ```
    ///
    /// Awaited by the connector after AUTH_REQUEST or AUTH_REQUEST_MORE.
    AuthReplyMore
}

payload_frame! {
    /// AUTH_REQUEST_MORE (5): the connector's answer to AUTH_REPLY_MORE.
    ///
    /// ```text
    /// blob payload
    /// ```
    AuthRequestMore
}

/// AUTH_DONE (6): the acceptor knows who the connector is. The last frame in the clear.
///
/// ```text
/// le64 global id | le32 connection mode | blob payload
/// ```
///
/// Awaited by the connector after AUTH_REQUEST or AUTH_REQUEST_MORE. Whatever follows in either direction is framed in the
/// mode it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthDone {
    /// The id the monitor gave the connector; 0 where there is none.
    pub global_id: u64,
    /// The mode the acceptor chose: 1 crc, 2 secure.
    pub mode: u32,
    /// The method's own bytes.
    pub payload: Vec<u8>,
}

impl Encode for AuthDone {
    fn encode(&self, out: &mut Vec<u8>) {
        self.global_id.encode(out);
        self.mode.encode(out);
        put_blob(out, &self.payload);
    }
}

impl Decode for AuthDone {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { global_id: input.u64()?, mode: input.u32()?, payload: input.blob()?.to_vec() })
    }
}

/// AUTH_SIGNATURE (7): proof that nobody edited the frames in the clear.
///
/// ```text
/// 32 bytes
/// ```
///
/// Both sides send it right after AUTH_DONE and await the other's. It is the HMAC-SHA256, under the session key, of every
/// byte its sender received on this socket up to then; zeros where there is no session key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthSignature {
    /// The HMAC.
    pub signature: [u8; 32],
}

impl Encode for AuthSignature {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.signature);
    }
}

impl Decode for AuthSignature {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { signature: input.array()? })
    }
}
