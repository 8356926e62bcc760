//! Method cephx: shared keys, tickets and authorizers.
//!
//! ```text
//! client                       monitor                                       service (osd, mds, mgr)
//!   | name, global id ------------->|                                              |
//!   |<------------ server challenge |                                              |
//!   | challenge, proof, old ticket >|                                              |
//!   |<-- AUTH ticket, connection    |   rotating service secrets (MAuth) --------->|
//!   |    secret, service tickets    |                                              |
//!   | authorizer: ticket + nonce under the ticket's session key ------------------>|
//!   |<----------------------------------------------------------------- challenge  |
//!   | authorizer again, with challenge + 1 --------------------------------------->|
//!   |<------------------------------------------- nonce + 1, connection secret     |
//! ```

mod authenticate;
mod authorizer;
mod authorizer_exchange;
mod connection_secret;
mod monitor_exchange;
mod proof;
mod renewal;
mod request_type;
mod rotating;
mod rotating_store;
mod self_issued;
mod service_exchange;
mod services;
mod ticket;
mod ticket_info;
mod ticket_reply;
mod ticket_store;
mod tickets;

pub use authorizer_exchange::AuthorizerExchange;
pub use connection_secret::CONNECTION_SECRET_LEN;
pub use monitor_exchange::MonClientExchange;
pub use rotating::{ExpiringKey, RotatingSecrets, rotating_request};
pub use rotating_store::{RotatingState, RotatingStore};
pub use services::Services;
pub use ticket::TicketBlob;
pub use ticket_store::TicketStore;
pub use tickets::{Ticket, Tickets};

#[cfg(test)]
pub(crate) use authorizer::{AuthorizeChallenge, AuthorizeReply};
pub(crate) use self_issued::self_issued;
pub(crate) use service_exchange::ServiceExchange;
#[cfg(any(test, feature = "testing"))]
pub(crate) use {
    authenticate::{Authenticate, ServerChallenge},
    authorizer::{Authorize, AuthorizerRef},
    connection_secret::ConnectionSecret,
    proof::proof,
    request_type::{RequestType, put_response},
    ticket::ServiceTicket,
    ticket_info::{AuthTicket, Caps, TicketInfo},
    ticket_reply::{Grant, put_ticket_reply},
};

/// First byte of an AUTH_REQUEST payload that talks to the monitor's authentication service; 10 to 19 all do.
pub(crate) const MON_MODE: u8 = 10;
/// First byte of an authorizer; as a first byte, 1 to 9 all mean one.
pub(crate) const AUTHORIZER_MODE: u8 = 1;
