//! What applications send. Every part of a message follows from its letter and its transaction id, so that whoever gets
//! one can tell whether it is whole, and whose parts it has.

use crate::Random;
use axon_wire::{Message, MessageHeader};
use bytes::Bytes;

/// Type of a message that wants to be answered.
pub(super) const REQUEST: u16 = 41;
/// Type of any other.
const ONE_WAY: u16 = 42;

/// Bytes of every front.
const FRONT: usize = 5;
/// Of so many messages one has a middle.
const WITH_MIDDLE: u64 = 4;
/// No middle is longer.
const LONGEST_MIDDLE: u64 = 60;

/// What an application sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// Its priority.
    pub priority: u16,
    /// Bytes of data.
    pub size: usize,
    /// Whether the receiver answers it.
    pub request: bool,
}

/// The parts of a message's body.
#[derive(Clone, Copy)]
enum Part {
    Front,
    Middle,
    Data,
}

impl Letter {
    /// A small one of default priority that is not answered.
    pub const PLAIN: Self = Self { priority: Message::PRIORITY_DEFAULT, size: 3, request: false };

    /// The message of transaction `tid`.
    pub(crate) fn message(&self, tid: u64) -> Message {
        let kind = if self.request { REQUEST } else { ONE_WAY };
        let mut message = Message::new(kind, text(tid, Part::Front, FRONT));
        message.middle = text(tid, Part::Middle, middle_len(tid));
        message.data = text(tid, Part::Data, self.size);
        message.header = MessageHeader {
            tid,
            priority: self.priority,
            version: 1 + (tid % 5) as u16,
            data_off: (tid % 4096) as u16,
            ..message.header
        };
        message
    }

    /// Whether `message` is what was sent as transaction `tid`; the session fills in two numbers.
    pub(crate) fn is_whole(&self, tid: u64, message: &Message) -> bool {
        let sent = self.message(tid);
        let MessageHeader { seq, ack_seq, .. } = message.header;
        *message == Message { header: MessageHeader { seq, ack_seq, ..sent.header }, ..sent }
    }
}

fn middle_len(tid: u64) -> usize {
    let has_one = tid.is_multiple_of(WITH_MIDDLE);
    if has_one { 1 + (tid % LONGEST_MIDDLE) as usize } else { 0 }
}

/// Bytes that no other part of any message begins or goes on with.
fn text(tid: u64, part: Part, length: usize) -> Bytes {
    let mut random = Random::new(tid << 2 | part as u64);
    let mut text = Vec::with_capacity(length + 8);
    while text.len() < length {
        text.extend_from_slice(&random.bits().to_le_bytes());
    }
    text.truncate(length);
    text.into()
}

#[cfg(test)]
mod tests;
