//! The three decisions of a session, as values.

use crate::arbitration::{
    Existing, IdentVerdict, IncomingIdent, IncomingReconnect, ReconnectVerdict, decide_client_ident,
    decide_reconnect,
};
use crate::session::{FaultFacts, FaultVerdict, decide_fault};

/// The decision tables a connection follows. Replace one only to find out what becomes of sessions without it.
#[derive(Clone, Copy)]
pub struct Tables {
    /// What a broken socket means.
    pub fault: fn(&FaultFacts) -> FaultVerdict,
    /// What a CLIENT_IDENT means.
    pub client_ident: fn(Option<&Existing>, &IncomingIdent) -> IdentVerdict,
    /// What a SESSION_RECONNECT means.
    pub reconnect: fn(Option<&Existing>, &IncomingReconnect) -> ReconnectVerdict,
}

impl Default for Tables {
    fn default() -> Self {
        Self { fault: decide_fault, client_ident: decide_client_ident, reconnect: decide_reconnect }
    }
}
