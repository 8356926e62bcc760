//! What a frame is: the first byte of its preamble.

use crate::WireError;
use core::fmt;

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $value:literal $text:literal,)*) => {
        /// The kind of a frame, as numbered on the wire.
        ///
        /// Ceph: `src/msg/async/frames_v2.h`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Tag { $($(#[$doc])* $name = $value,)* }

        impl Tag {
            /// Every tag, in the order of the numbers.
            pub const ALL: [Tag; 22] = [$(Tag::$name,)*];

            /// The tag with this wire number.
            ///
            /// # Errors
            /// [`WireError::UnknownTag`].
            pub const fn from_wire(value: u8) -> Result<Self, WireError> {
                match value {
                    $($value => Ok(Tag::$name),)*
                    _ => Err(WireError::UnknownTag { value }),
                }
            }

            /// The name in Ceph's words, `SESSION_RECONNECT`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Tag::$name => $text,)* }
            }
        }
    };
}

tags! {
    /// See [`Hello`](crate::Hello).
    Hello = 1 "HELLO",
    /// See [`AuthRequest`](crate::AuthRequest).
    AuthRequest = 2 "AUTH_REQUEST",
    /// See [`AuthBadMethod`](crate::AuthBadMethod).
    AuthBadMethod = 3 "AUTH_BAD_METHOD",
    /// See [`AuthReplyMore`](crate::AuthReplyMore).
    AuthReplyMore = 4 "AUTH_REPLY_MORE",
    /// See [`AuthRequestMore`](crate::AuthRequestMore).
    AuthRequestMore = 5 "AUTH_REQUEST_MORE",
    /// See [`AuthDone`](crate::AuthDone).
    AuthDone = 6 "AUTH_DONE",
    /// See [`AuthSignature`](crate::AuthSignature).
    AuthSignature = 7 "AUTH_SIGNATURE",
    /// See [`ClientIdent`](crate::ClientIdent).
    ClientIdent = 8 "CLIENT_IDENT",
    /// See [`ServerIdent`](crate::ServerIdent).
    ServerIdent = 9 "SERVER_IDENT",
    /// See [`IdentMissingFeatures`](crate::IdentMissingFeatures).
    IdentMissingFeatures = 10 "IDENT_MISSING_FEATURES",
    /// See [`SessionReconnect`](crate::SessionReconnect).
    SessionReconnect = 11 "SESSION_RECONNECT",
    /// See [`SessionReset`](crate::SessionReset).
    SessionReset = 12 "SESSION_RESET",
    /// See [`SessionRetry`](crate::SessionRetry).
    SessionRetry = 13 "SESSION_RETRY",
    /// See [`SessionRetryGlobal`](crate::SessionRetryGlobal).
    SessionRetryGlobal = 14 "SESSION_RETRY_GLOBAL",
    /// See [`SessionReconnectOk`](crate::SessionReconnectOk).
    SessionReconnectOk = 15 "SESSION_RECONNECT_OK",
    /// See [`Wait`](crate::Wait).
    Wait = 16 "WAIT",
    /// See [`Message`](crate::Message); every other tag is a [`Control`](crate::Control) frame.
    Message = 17 "MESSAGE",
    /// See [`Keepalive2`](crate::Keepalive2).
    Keepalive2 = 18 "KEEPALIVE2",
    /// See [`Keepalive2Ack`](crate::Keepalive2Ack).
    Keepalive2Ack = 19 "KEEPALIVE2_ACK",
    /// See [`Ack`](crate::Ack).
    Ack = 20 "ACK",
    /// See [`CompressionRequest`](crate::CompressionRequest).
    CompressionRequest = 21 "COMPRESSION_REQUEST",
    /// See [`CompressionDone`](crate::CompressionDone).
    CompressionDone = 22 "COMPRESSION_DONE",
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_from_1_to_22() {
        for value in 0..=255u8 {
            let expected = Tag::ALL.into_iter().find(|t| *t as u8 == value);
            assert_eq!(Tag::from_wire(value).ok(), expected);
            assert_eq!(expected.is_some(), (1..=22).contains(&value));
        }
    }
}
