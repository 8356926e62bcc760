//! Awaiting replies: who sent a request gets the message that comes back on the same connection with the same
//! transaction id and meets the caller's expectation, instead of the dispatcher.
//!
//! The id alone does not do: both ends of a connection may call, each numbers by itself, and a peer's request with the
//! id of a call of ours is no reply to it. Who calls knows what type answers (Ceph: src/osdc/Objecter.cc, ms_dispatch2).

use crate::park;
use crate::slot::Slot;
use axon_wire::Message;
use registry::{Call, Registry, Waiting};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

mod lookout;
mod registry;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use lookout::Lookout;

type Outcome = Result<Message, CallError>;

/// The calls in flight of a messenger. Cloning gives another handle of the same registry.
#[derive(Clone, Default)]
pub(crate) struct Replies(Arc<Registry>);

/// Which message is the reply to a call, besides coming over the same connection with the same transaction id.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Expect {
    /// One of this type. Right if the peer sends this type only to reply.
    Kind(u16),
    /// One for which this is true, where requests and replies are of one type. Called on the thread that read the
    /// message, like [`Dispatcher::can_fast_dispatch`](crate::Dispatcher::can_fast_dispatch).
    Matching(fn(&Message) -> bool),
}

/// Why no reply came. Unless stated otherwise the peer may or may not have acted on the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The deadline passed. A reply that comes later goes to the dispatcher.
    #[error("no reply came before the deadline")]
    TimedOut,
    /// The session was lost with the transport, or the peer lost it.
    #[error("the session ended before a reply came; the peer may have acted on the request")]
    Reset,
    /// This side marked the connection down.
    #[error("the connection was marked down before a reply came")]
    MarkedDown,
    /// Another call on this connection took the same transaction id, so that a reply would not say whose it is.
    #[error("another call on this connection uses the same transaction id")]
    IdReused,
    /// The messenger was shut down.
    #[error("the messenger was shut down before a reply came")]
    ShutDown,
}

impl Replies {
    /// Whether no call is in flight. One load: a messenger that never calls pays no more than this per message.
    ///
    /// A caller registers before it sends, so that whoever holds the reply of a call sees the call.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls in flight.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Awaits the message for `call`, a connection and a transaction id, that meets `expect`; do so before sending the
    /// request. A call that awaits the same already ends with [`CallError::IdReused`].
    ///
    /// With a `deadline`, a time on the clock of whoever calls [`Replies::expire`], it waits at most until then. Nobody
    /// ends a call that is registered after its connection was: look at the connection afterwards.
    pub(crate) fn register(&self, call: Call, expect: Expect, deadline: Option<Duration>) -> ReplyFuture {
        let slot = Arc::new(Slot::new());
        self.0.insert(call, Waiting { expect, deadline, slot: Arc::clone(&slot) });
        ReplyFuture { registry: Arc::clone(&self.0), call, slot }
    }

    /// Hands a received message to the call that awaits it; returns it if there is none.
    pub(crate) fn complete(&self, connection: u64, message: Message) -> Option<Message> {
        if self.is_empty() {
            return Some(message);
        }
        let Some(slot) = self.0.claim((connection, message.header.tid), &message) else {
            return Some(message);
        };
        match slot.put(Ok(message)) {
            Err(Ok(unclaimed)) => Some(unclaimed),
            Ok(()) | Err(Err(_)) => None,
        }
    }

    /// Ends all calls on a connection.
    pub(crate) fn fail_connection(&self, connection: u64, why: CallError) {
        if !self.is_empty() {
            fail(self.0.remove_connection(connection), why);
        }
    }

    /// Ends all calls.
    pub(crate) fn fail_all(&self, why: CallError) {
        fail(self.0.remove_all(), why);
    }

    /// Ends the calls whose deadline has come with [`CallError::TimedOut`]. Returns the next deadline, when to call this
    /// again; who registers an earlier one has to see to that. One load if no call has a deadline.
    pub(crate) fn expire(&self, now: Duration) -> Option<Duration> {
        let (overdue, next) = self.0.remove_overdue(now);
        fail(overdue, CallError::TimedOut);
        next
    }
}

/// Outside of all locks: this wakes tasks.
fn fail(calls: Vec<Arc<Slot<Outcome>>>, why: CallError) {
    for slot in calls {
        // Whoever dropped its future does not care.
        drop(slot.put(Err(why)));
    }
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").field("in_flight", &self.len()).finish()
    }
}

/// A reply to come. Runs on any runtime, or on none with [`ReplyFuture::wait`]. Dropping it forgets the call: a reply
/// that comes later goes to the dispatcher, one that has come already is dropped.
#[must_use = "a dropped call is forgotten"]
pub struct ReplyFuture {
    registry: Arc<Registry>,
    call: Call,
    slot: Arc<Slot<Outcome>>,
}

impl ReplyFuture {
    /// Connection and transaction id.
    pub fn call(&self) -> (u64, u64) {
        self.call
    }

    /// Blocks this thread until the reply comes or the call fails. Not for workers and handlers the reply depends on.
    ///
    /// # Errors
    /// Why there is no reply.
    pub fn wait(self) -> Result<Message, CallError> {
        park::wait(self)
    }

    /// The same for at most `limit`.
    ///
    /// # Errors
    /// Why there is no reply; [`CallError::TimedOut`] after `limit`.
    pub fn wait_timeout(self, limit: Duration) -> Result<Message, CallError> {
        // A limit beyond what the clock can express is none.
        let Some(deadline) = Instant::now().checked_add(limit) else { return self.wait() };
        park::wait_until(self, deadline).unwrap_or(Err(CallError::TimedOut))
    }
}

impl Future for ReplyFuture {
    type Output = Result<Message, CallError>;

    /// Once it was ready it stays pending.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.slot.poll(context)
    }
}

impl Drop for ReplyFuture {
    fn drop(&mut self) {
        self.registry.forget(self.call, &self.slot);
        drop(self.slot.abandon());
    }
}

impl fmt::Debug for ReplyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (connection, tid) = self.call;
        f.debug_struct("ReplyFuture")
            .field("connection", &connection)
            .field("tid", &tid)
            .finish_non_exhaustive()
    }
}
