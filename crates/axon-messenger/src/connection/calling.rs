//! Requests that await their reply.

use super::Connection;
use super::sending::rejected;
use crate::error::{Rejection, SendError};
use crate::reply::{Expect, ReplyFuture};
use crate::shared::Role;
use axon_wire::Message;
use std::time::Duration;

impl Connection {
    /// Sends a request and awaits the reply: the message with the same transaction id that meets `reply`. A request
    /// without an id gets the next one of this connection. Needs no particular runtime; dropping the future forgets
    /// the reply.
    ///
    /// Both ends of a connection may call over it, under the same ids: a message that does not meet `reply` goes to the
    /// dispatcher, whatever its id.
    ///
    /// # Errors
    /// Why the request was not accepted for sending, and the request.
    pub fn call(&self, message: Message, reply: Expect) -> Result<ReplyFuture, SendError> {
        self.call_until(message, reply, None)
    }

    /// The same, but gives up after `limit`.
    ///
    /// # Errors
    /// Why the request was not accepted for sending, and the request.
    pub fn call_within(
        &self,
        message: Message,
        reply: Expect,
        limit: Duration,
    ) -> Result<ReplyFuture, SendError> {
        self.call_until(message, reply, Some(limit))
    }

    fn call_until(
        &self,
        mut message: Message,
        reply: Expect,
        limit: Option<Duration>,
    ) -> Result<ReplyFuture, SendError> {
        let Some(shared) = self.0.shared.upgrade() else { return Err(rejected(Rejection::Closed, message)) };
        if message.header.tid == 0 {
            message.header.tid = self.next_tid();
        }
        let deadline = limit.map(|limit| shared.call_deadline(limit));
        let reply = shared.replies.register((self.0.id, message.header.tid), reply, deadline);
        if let Some(deadline) = deadline {
            shared.watch_deadline(deadline);
        }
        self.try_send(message, Role::Request)?;
        Ok(reply)
    }
}
