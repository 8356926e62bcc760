//! The frames of an established session besides messages.

use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, UTime};

macro_rules! stamp_frame {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// The time stamp.
            pub timestamp: UTime,
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.timestamp.encode(out);
            }
        }

        impl Decode for $name {
            fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(Self { timestamp: UTime::decode(input)? })
            }
        }
    };
}

stamp_frame! {
    /// KEEPALIVE2 (18): asks whether the peer is alive.
    ///
    /// ```text
    /// le32 seconds | le32 nanoseconds
    /// ```
    ///
    /// Either side sends it at any time in an established session. Kernel clients do not know it: never send it to one.
    Keepalive2
}

stamp_frame! {
    /// KEEPALIVE2_ACK (19): answers KEEPALIVE2 with the stamp that came in it.
    ///
    /// ```text
    /// le32 seconds | le32 nanoseconds
    /// ```
    Keepalive2Ack
}

/// ACK (20): every message up to `seq` was received and need not be kept for a resend.
///
/// ```text
/// le64 seq
/// ```
///
/// Either side sends it in an established session when no message of its own carries the same news (`ack_seq`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The last message received.
    pub seq: u64,
}

impl Encode for Ack {
    fn encode(&self, out: &mut Vec<u8>) {
        self.seq.encode(out);
    }
}

impl Decode for Ack {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { seq: input.u64()? })
    }
}
