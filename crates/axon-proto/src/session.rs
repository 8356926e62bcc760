//! The session: an ordered stream of messages each way, and what becomes of it when its socket breaks.
//!
//! ```text
//!               dial                 established
//!   Waiting ──────────► Dialling ───────────────────► Open
//!      ▲  ▲                │                           │
//!      │  └── back-off ────┤ fault                     │ fault
//!      │                   ▼                           ▼
//!      └──────────── decide_fault ◄────────────────────┘
//!                          │
//!                          ├──► Standby ── something to send ──► Dialling
//!                          └──► Closed
//! ```

mod back_off;
mod fault_table;
mod queue;

pub use back_off::BackOff;
pub use fault_table::{FaultFacts, FaultVerdict, decide_fault};
pub use queue::cost;

use crate::Policy;
use alloc::vec::Vec;
use axon_wire::{Message, MessageHeader};
use queue::SendQueue;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// A back-off is running before the next dial.
    Waiting,
    /// A dial or handshake is under way.
    Dialling,
    /// Messages flow.
    Open,
    /// Broken, and nobody needs it mended yet.
    Standby,
    /// Over.
    Closed,
}

/// What a received message's number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The next one, or one after a gap that the peer's revoked messages left.
    New,
    /// Seen before: drop it and go on.
    Old,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    policy: Policy,
    state: SessionState,
    queue: SendQueue,
    out_seq: u64,
    in_seq: u64,
}

impl Session {
    /// A session of which nothing was sent or received.
    pub fn new(policy: Policy, state: SessionState) -> Self {
        Self { policy, state, queue: SendQueue::default(), out_seq: 0, in_seq: 0 }
    }

    /// The policy; `lossy` follows what the server said.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where it stands.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// The one place where the state changes.
    pub fn set_state(&mut self, state: SessionState) {
        self.state = state;
    }

    /// The handshake agreed on a session.
    pub fn established(&mut self, lossy: bool) {
        self.policy.lossy = lossy;
        self.out_seq = 0;
        self.in_seq = 0;
        self.set_state(SessionState::Open);
    }

    /// Accepts a message for sending.
    pub fn enqueue(&mut self, message: Message) {
        self.queue.push(message);
    }

    /// Numbers the next message for the wire, highest priority first.
    pub fn next_message(&mut self) -> Option<Message> {
        let mut message = self.queue.pop()?;
        self.out_seq += 1;
        message.header.seq = self.out_seq;
        message.header.ack_seq = self.in_seq;
        Some(message)
    }

    /// Takes back the message that was numbered last, as it could not be written.
    pub fn take_back(&mut self, mut message: Message) {
        self.out_seq -= 1;
        (message.header.seq, message.header.ack_seq) = (0, 0);
        self.queue.push_front(message);
    }

    /// Judges the number of a received message.
    pub fn arrived(&mut self, header: &MessageHeader) -> Arrival {
        if header.seq <= self.in_seq {
            return Arrival::Old;
        }
        self.in_seq = header.seq;
        Arrival::New
    }

    /// What the messages waiting to be written take of a send budget; see [`cost`].
    pub fn queued_bytes(&self) -> usize {
        self.queue.bytes()
    }

    /// Whether nothing waits to be written.
    pub fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }

    /// Gives up on everything that was not written yet.
    pub fn take_unsent(&mut self) -> Vec<Message> {
        self.queue.drain()
    }

    /// What a fault means for this session.
    pub fn fault(&self, told_to_wait: bool) -> FaultVerdict {
        decide_fault(&FaultFacts {
            lossy: self.policy.lossy,
            server: self.policy.server,
            standby: self.policy.standby,
            established: self.state == SessionState::Open,
            idle: self.queue.is_empty(),
            told_to_wait,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(seq: u64) -> MessageHeader {
        MessageHeader { seq, ..MessageHeader::default() }
    }

    #[test]
    fn old_numbers_are_dropped_and_gaps_accepted() {
        let mut session = Session::new(Policy::lossy_client(), SessionState::Open);
        assert_eq!(session.arrived(&message(0)), Arrival::Old);
        assert_eq!(session.arrived(&message(1)), Arrival::New);
        assert_eq!(session.arrived(&message(1)), Arrival::Old);
        assert_eq!(session.arrived(&message(3)), Arrival::New);
        assert_eq!(session.arrived(&message(2)), Arrival::Old);
    }

    #[test]
    fn numbers_are_given_in_the_order_of_writing() {
        let mut session = Session::new(Policy::lossy_client(), SessionState::Open);
        session.arrived(&message(7));
        let with_priority = |tid, priority| {
            let mut m = Message::default();
            m.header.tid = tid;
            m.header.priority = priority;
            m
        };
        session.enqueue(with_priority(1, 63));
        session.enqueue(with_priority(2, 127));
        session.enqueue(with_priority(3, 127));
        let order: Vec<_> = core::iter::from_fn(|| session.next_message()).map(|m| m.header).collect();
        assert_eq!(order.iter().map(|h| h.tid).collect::<Vec<_>>(), [2, 3, 1]);
        assert_eq!(order.iter().map(|h| h.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(order.iter().all(|h| h.ack_seq == 7));
    }
}
