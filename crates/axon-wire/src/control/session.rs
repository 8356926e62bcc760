//! The frames that resume a session after its socket was lost, and the acceptor's answers.

use alloc::vec::Vec;
use axon_denc::{AddrVec, Decode, DecodeError, Decoder, Encode};

/// SESSION_RECONNECT (11): the connector resumes a session on a new socket.
///
/// ```text
/// address vector | le64 client cookie | le64 server cookie | le64 global seq | le64 connect seq | le64 msg seq
/// ```
///
/// Sent by the connector in place of CLIENT_IDENT when it has a server cookie. The acceptor awaits it after
/// AUTH_SIGNATURE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionReconnect {
    /// Where the connector can be reached; finds the session on the acceptor.
    pub addrs: AddrVec,
    /// The connector's half of the session's name.
    pub client_cookie: u64,
    /// The acceptor's half of the session's name.
    pub server_cookie: u64,
    /// The connector's counter of attempts.
    pub global_seq: u64,
    /// How often the session was reconnected.
    pub connect_seq: u64,
    /// The last message received: what follows must be sent again.
    pub msg_seq: u64,
}

impl Encode for SessionReconnect {
    fn encode(&self, out: &mut Vec<u8>) {
        self.addrs.encode(out);
        self.client_cookie.encode(out);
        self.server_cookie.encode(out);
        self.global_seq.encode(out);
        self.connect_seq.encode(out);
        self.msg_seq.encode(out);
    }
}

impl Decode for SessionReconnect {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            addrs: AddrVec::decode(input)?,
            client_cookie: input.u64()?,
            server_cookie: input.u64()?,
            global_seq: input.u64()?,
            connect_seq: input.u64()?,
            msg_seq: input.u64()?,
        })
    }
}

/// SESSION_RESET (12): the acceptor cannot resume the session. The connector starts over with CLIENT_IDENT.
///
/// ```text
/// u8 full
/// ```
///
/// Awaited by the connector after SESSION_RECONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionReset {
    /// Whether the connector must drop the session's messages too. If not, it keeps them and its cookie, and only
    /// establishes the session anew; kernel clients do not accept that.
    pub full: bool,
}

impl Encode for SessionReset {
    fn encode(&self, out: &mut Vec<u8>) {
        self.full.encode(out);
    }
}

impl Decode for SessionReset {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { full: input.bool()? })
    }
}

macro_rules! number_frame {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: u64,
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.$field.encode(out);
            }
        }

        impl Decode for $name {
            fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(Self { $field: input.u64()? })
            }
        }
    };
}

number_frame! {
    /// SESSION_RETRY (13): the connect seq of a SESSION_RECONNECT is out of date; try again with a higher one.
    ///
    /// ```text
    /// le64 connect seq
    /// ```
    ///
    /// Awaited by the connector after SESSION_RECONNECT.
    SessionRetry {
        /// The acceptor's count of reconnects.
        connect_seq
    }
}

number_frame! {
    /// SESSION_RETRY_GLOBAL (14): the global seq of a SESSION_RECONNECT is out of date; try again with a higher one.
    ///
    /// ```text
    /// le64 global seq
    /// ```
    ///
    /// Awaited by the connector after SESSION_RECONNECT.
    SessionRetryGlobal {
        /// The highest the acceptor has seen from the connector.
        global_seq
    }
}

number_frame! {
    /// SESSION_RECONNECT_OK (15): the session goes on.
    ///
    /// ```text
    /// le64 msg seq
    /// ```
    ///
    /// Awaited by the connector after SESSION_RECONNECT.
    SessionReconnectOk {
        /// The last message the acceptor received: what follows must be sent again.
        msg_seq
    }
}

/// WAIT (16): both ends dialled each other and the acceptor's own attempt won; the connector waits for it.
///
/// Its payload is empty. Awaited by the connector after CLIENT_IDENT and SESSION_RECONNECT between lossless peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait;

impl Encode for Wait {
    fn encode(&self, _out: &mut Vec<u8>) {}
}

impl Decode for Wait {
    fn decode(_input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}
