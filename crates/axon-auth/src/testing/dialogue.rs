//! A client and a server talk to each other without a handshake around them.

use crate::{Agreed, AuthError, ClientExchange, Identity, Method, Mode, Request, ServerExchange, Step};
use axon_denc::EntityType;

/// Both sides are done.
#[derive(Debug)]
pub struct Outcome {
    /// What the client goes on with.
    pub client: Agreed,
    /// What the server goes on with.
    pub server: Agreed,
    /// Who the server thinks the client is.
    pub identity: Identity,
}

/// One side gave up, or both did.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why the server refused last.
    pub server: Option<AuthError>,
    /// Why the client gave up; `None` if the server dropped the connection.
    pub client: Option<AuthError>,
}

/// Lets a client of type `peer` and a server talk until both are done or one gives up. A refusal after a challenge
/// ends the attempt, as it does in the handshake.
///
/// # Errors
/// [`Failure`] says who gave up and why.
pub fn converse(
    client: &mut dyn ClientExchange,
    server: &mut dyn ServerExchange,
    peer: EntityType,
    mode: Mode,
) -> Result<Outcome, Failure> {
    let mut request = client.request().map_err(client_failed)?;
    loop {
        match server.request(peer, request.method, mode, &request.payload) {
            Ok(step) => return finish(client, server, mode, request.method, step),
            Err(error) => request = refuse(client, server, request.method, error)?,
        }
    }
}

fn finish(
    client: &mut dyn ClientExchange,
    server: &mut dyn ServerExchange,
    mode: Mode,
    method: Method,
    mut step: Step,
) -> Result<Outcome, Failure> {
    loop {
        match step {
            Step::More(payload) => {
                let answer = client.more(&payload).map_err(client_failed)?;
                step = match server.more(&answer) {
                    Ok(step) => step,
                    Err(error) => return Err(refused_for_good(client, server, method, error)),
                };
            }
            Step::Done { payload, agreed, identity } => {
                let done = client.done(agreed.global_id, mode, &payload).map_err(client_failed)?;
                client.confirmed();
                return Ok(Outcome { client: done, server: agreed, identity });
            }
        }
    }
}

fn refuse(
    client: &mut dyn ClientExchange,
    server: &dyn ServerExchange,
    method: Method,
    error: AuthError,
) -> Result<Request, Failure> {
    if error.drops_connection() {
        return Err(Failure { server: Some(error), client: None });
    }
    let next = client.bad_method(method, error.errno(), &server.methods());
    next.map_err(|client| Failure { server: Some(error), client: Some(client) })
}

fn refused_for_good(
    client: &mut dyn ClientExchange,
    server: &dyn ServerExchange,
    method: Method,
    error: AuthError,
) -> Failure {
    let last = error.clone();
    refuse(client, server, method, error).err().unwrap_or(Failure { server: Some(last), client: None })
}

fn client_failed(error: AuthError) -> Failure {
    Failure { server: None, client: Some(error) }
}
