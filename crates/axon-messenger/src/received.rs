//! A message on its way to the application, and the budget it holds.

use crate::throttle::Permit;
use arrayvec::ArrayVec;
use axon_wire::Message;
use std::ops::Deref;

/// What a message takes of the budgets: messages and bytes of the peer's type, bytes of the messenger.
pub(crate) type Held = ArrayVec<Permit, 3>;

/// A received message. While it exists it counts against the budgets of the messenger and of the peer's type, so drop
/// it, or take the message out, when the work it stands for is done: that is the back-pressure on the peer.
#[derive(Debug)]
pub struct Received {
    message: Message,
    /// Given back when dropped.
    held: Held,
}

impl Received {
    pub(crate) fn new(message: Message, held: Held) -> Self {
        Self { message, held }
    }

    /// The message, and what it holds of the budgets.
    pub(crate) fn into_parts(self) -> (Message, Held) {
        (self.message, self.held)
    }

    /// The message alone; gives the budget back.
    pub fn into_message(self) -> Message {
        self.message
    }
}

impl Deref for Received {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}
