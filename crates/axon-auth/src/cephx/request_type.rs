//! The headers of requests to the monitor's authentication service and of its responses.

use crate::AuthError;
use alloc::vec::Vec;
#[cfg(any(test, feature = "testing"))]
use axon_denc::DecodeError;
use axon_denc::{Decoder, Encode};

/// What is asked of the monitor, le16 on the wire (Ceph: `src/auth/cephx/CephxProtocol.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum RequestType {
    /// Authenticate, and get an AUTH ticket.
    Authenticate = 0x0100,
    /// Tickets for services, for the AUTH ticket.
    Tickets = 0x0200,
    /// The rotating secrets of the daemon's own service.
    RotatingSecrets = 0x0400,
}

impl Encode for RequestType {
    fn encode(&self, out: &mut Vec<u8>) {
        (*self as u16).encode(out);
    }
}

impl RequestType {
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn take(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let value = input.u16()?;
        [Self::Authenticate, Self::Tickets, Self::RotatingSecrets]
            .into_iter()
            .find(|t| *t as u16 == value)
            .ok_or(DecodeError::Undefined { what: "cephx request type", value: value.into() })
    }

    /// Consumes a response's header (le16 request type, le32 status) and fails unless it is a success for `self`.
    pub(crate) fn expect_response(self, input: &mut Decoder<'_>) -> Result<(), AuthError> {
        let got = input.u16()?;
        if got != self as u16 {
            return Err(AuthError::WrongResponse { expected: self as u16, got });
        }
        match input.i32()? {
            0 => Ok(()),
            status => Err(AuthError::RequestFailed { status }),
        }
    }
}

/// Appends the header of a successful response.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn put_response(out: &mut Vec<u8>, request: RequestType) {
    request.encode(out);
    0i32.encode(out);
}
