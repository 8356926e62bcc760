//! How messages are accepted for sending.

use super::{Connection, Route};
use crate::error::{Rejection, SendError};
use crate::mailbox::Mailbox;
use crate::park;
use crate::shared::Role;
use crate::throttle::{Permit, TooLarge};
use crate::worker::{Command, outbox};
use axon_proto::cost;
use axon_wire::{Limits, Message};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bytes of a body that is written on the caller's thread, at most: with a longer one it would keep the worker from its desk.
const AT_ONCE: usize = 64 << 10;

impl Connection {
    /// Sends a message, or hands it back if the budget is used up or the connection is closed. Never blocks. An
    /// accepted message keeps its order with the others of its priority.
    ///
    /// # Errors
    /// Why it was not accepted, and the message.
    pub fn send(&self, message: Message) -> Result<(), SendError> {
        self.try_send(message, Role::Any)
    }

    /// Sends a message as soon as the budget has room, first come, first served. Dropping the future before it is
    /// ready drops the message unsent.
    ///
    /// # Errors
    /// Why it was not accepted, and the message.
    pub async fn send_async(&self, message: Message) -> Result<(), SendError> {
        let size = match size_of(&message) {
            Ok(size) => size,
            Err(why) => return Err(rejected(why, message)),
        };
        match self.0.budget.acquire(size).await {
            Ok(permit) => self.hand_over(message, permit, Role::Any),
            Err(TooLarge { limit, .. }) => Err(rejected(Rejection::TooLarge { size, limit }, message)),
        }
    }

    /// Sends a message, blocking this thread until the budget has room, at most for `wait`. Not for worker threads.
    ///
    /// # Errors
    /// Why it was not accepted, and the message.
    pub fn send_timeout(&self, message: Message, wait: Duration) -> Result<(), SendError> {
        let size = match size_of(&message) {
            Ok(size) => size,
            Err(why) => return Err(rejected(why, message)),
        };
        match self.0.budget.acquire_deadline(size, park::deadline(wait)) {
            Ok(Some(permit)) => self.hand_over(message, permit, Role::Any),
            Ok(None) => Err(rejected(Rejection::DeadlinePassed, message)),
            Err(TooLarge { limit, .. }) => Err(rejected(Rejection::TooLarge { size, limit }, message)),
        }
    }

    pub(super) fn try_send(&self, message: Message, role: Role) -> Result<(), SendError> {
        let size = match size_of(&message) {
            Ok(size) => size,
            Err(why) => return Err(rejected(why, message)),
        };
        match self.0.budget.try_acquire(size) {
            Ok(Some(permit)) => self.hand_over(message, permit, role),
            Ok(None) => Err(rejected(Rejection::Full, message)),
            Err(TooLarge { limit, .. }) => Err(rejected(Rejection::TooLarge { size, limit }, message)),
        }
    }

    /// Whether somebody may still be handing over a message. Once the connection is closed and this is false, no message
    /// comes any more.
    pub(crate) fn has_senders(&self) -> bool {
        !self.0.gate.is_empty()
    }

    fn hand_over(&self, message: Message, permit: Permit, role: Role) -> Result<(), SendError> {
        if let Route::Worker(_, mailbox) = &self.0.route
            && outbox::is_open(mailbox)
        {
            return self.put_into_outbox(message, permit);
        }
        let Some(_sender) = self.0.gate.enter() else { return Err(rejected(Rejection::Closed, message)) };
        match &self.0.route {
            Route::Worker(worker, mailbox) if mailbox.is_asleep() && message.body_len() <= AT_ONCE => {
                self.send_at_once(*worker, mailbox, message, permit);
            }
            Route::Worker(_, mailbox) => mailbox.push(Command::Send(self.clone(), message, permit)),
            Route::Loopback => return self.send_locally(message, permit, role),
        }
        Ok(())
    }

    /// On the thread of the connection's worker, which looks for senders and takes what is in the outbox itself.
    fn put_into_outbox(&self, message: Message, permit: Permit) -> Result<(), SendError> {
        if self.0.gate.is_closed() {
            return Err(rejected(Rejection::Closed, message));
        }
        let slot = self.0.slot.load(Ordering::Relaxed);
        outbox::put(self.0.id, slot, message, permit);
        Ok(())
    }

    /// Waking the worker would take longer than writing the message on this thread.
    fn send_at_once(&self, worker: usize, mailbox: &Mailbox<Command>, message: Message, permit: Permit) {
        let mut parcel = Some((message, permit));
        if let Some(shared) = self.0.shared.upgrade() {
            shared.workers[worker].desk.visit(|worker| worker.send_for(self, &mut parcel));
        }
        if let Some((message, permit)) = parcel {
            mailbox.push(Command::Send(self.clone(), message, permit));
        }
    }

    /// The message holds its part of the send budget until it is handled: nothing else bounds what waits.
    fn send_locally(&self, message: Message, permit: Permit, role: Role) -> Result<(), SendError> {
        let Some(shared) = self.0.shared.upgrade() else { return Err(rejected(Rejection::Closed, message)) };
        let delivered = shared.deliver_locally(self, message, permit, role);
        delivered.map_err(|message| SendError { why: Rejection::Closed, message })
    }
}

pub(super) fn rejected(why: Rejection, message: Message) -> SendError {
    SendError { why, message: Box::new(message) }
}

/// What a message takes of the send budget, if the protocol has room for it: a peer breaks the connection over a longer
/// segment, which would be written again on the next one.
fn size_of(message: &Message) -> Result<usize, Rejection> {
    let limits = Limits::SESSION;
    for (segment, size, limit) in [
        ("front", message.front.len(), limits.front),
        ("middle", message.middle.len(), limits.middle),
        ("data", message.data.len(), limits.data),
    ] {
        let limit = limit as usize;
        if size > limit {
            return Err(Rejection::SegmentTooLong { segment, size, limit });
        }
    }
    Ok(cost(message))
}
