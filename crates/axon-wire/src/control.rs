//! Control frames: everything but messages. Each has one segment, whose payload is the plain sequence of its fields.
//!
//! Bytes after the last known field are ignored, as every implementation does, so that fields can be added. Lists have
//! at most [`MAX_LIST`] entries. A frame's page says what its payload looks like, who sends it, and who awaits it in
//! which state.
//!
//! Ceph: `src/msg/async/frames_v2.h`.

mod auth;
mod compression;
mod hello;
mod ident;
mod liveness;
mod session;

pub use auth::{AuthBadMethod, AuthDone, AuthReplyMore, AuthRequest, AuthRequestMore, AuthSignature};
pub use compression::{CompressionDone, CompressionRequest};
pub use hello::Hello;
pub use ident::{ClientIdent, IDENT_LOSSY, IdentMissingFeatures, ServerIdent};
pub use liveness::{Ack, Keepalive2, Keepalive2Ack};
pub use session::{
    SessionReconnect, SessionReconnectOk, SessionReset, SessionRetry, SessionRetryGlobal, Wait,
};

use crate::{Tag, WireError};
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode};

/// The most entries decoded in a list of methods or modes. A handful exist.
pub const MAX_LIST: usize = 64;

macro_rules! controls {
    ($($name:ident)*) => {
        /// Any control frame.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Control {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )*
        }

        impl Control {
            /// The frame's tag.
            pub const fn tag(&self) -> Tag {
                match self { $(Self::$name(_) => Tag::$name,)* }
            }

            /// Appends the payload.
            pub fn encode(&self, out: &mut Vec<u8>) {
                match self { $(Self::$name(frame) => frame.encode(out),)* }
            }

            /// Reads the payload of a frame with this tag.
            ///
            /// # Errors
            /// [`WireError::Malformed`]; [`WireError::EarlyMessage`] for a message, which is no control frame.
            pub fn decode(tag: Tag, payload: &[u8]) -> Result<Self, WireError> {
                let frame = match tag {
                    $(Tag::$name => $name::from_bytes(payload).map(Self::$name),)*
                    Tag::Message => return Err(WireError::EarlyMessage),
                };
                frame.map_err(|source| WireError::Malformed { tag, source })
            }
        }

        $(
            impl From<$name> for Control {
                fn from(frame: $name) -> Self {
                    Self::$name(frame)
                }
            }
        )*
    };
}

controls! {
    Hello
    AuthRequest AuthBadMethod AuthReplyMore AuthRequestMore AuthDone AuthSignature
    ClientIdent ServerIdent IdentMissingFeatures
    SessionReconnect SessionReset SessionRetry SessionRetryGlobal SessionReconnectOk Wait
    Keepalive2 Keepalive2Ack Ack
    CompressionRequest CompressionDone
}

/// A list of numbers with a bounded count.
fn numbers(input: &mut Decoder<'_>, what: &'static str) -> Result<Vec<u32>, DecodeError> {
    let count = input.count(4)?;
    if count > MAX_LIST {
        return Err(DecodeError::TooLong { what, length: count as u64, limit: MAX_LIST as u64 });
    }
    (0..count).map(|_| input.u32()).collect()
}
