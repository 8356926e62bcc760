//! Messages waiting to be written: first in, first out within a priority; higher priorities first.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use axon_wire::Message;

/// What a queued message takes besides its body.
const OVERHEAD: usize = 256;

/// What a message takes of a send budget: its body, and a fixed amount for itself, so that empty messages count too.
pub fn cost(message: &Message) -> usize {
    message.body_len() + OVERHEAD
}

/// The send queue of a session. Applications use few different priorities, so they are searched in order.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    /// By descending priority; a lane once made is kept.
    lanes: Vec<Lane>,
    bytes: usize,
    messages: usize,
}

#[derive(Debug)]
struct Lane {
    priority: u16,
    messages: VecDeque<Message>,
}

impl SendQueue {
    pub(super) fn push(&mut self, message: Message) {
        self.bytes += cost(&message);
        self.messages += 1;
        self.lane(message.header.priority).messages.push_back(message);
    }

    /// Puts back what was popped last.
    pub(super) fn push_front(&mut self, message: Message) {
        self.bytes += cost(&message);
        self.messages += 1;
        self.lane(message.header.priority).messages.push_front(message);
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.lanes.iter_mut().find_map(|lane| lane.messages.pop_front())?;
        self.bytes -= cost(&message);
        self.messages -= 1;
        Some(message)
    }

    pub(super) fn drain(&mut self) -> Vec<Message> {
        core::iter::from_fn(|| self.pop()).collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    fn lane(&mut self, priority: u16) -> &mut Lane {
        let at = match self.lanes.binary_search_by(|lane| priority.cmp(&lane.priority)) {
            Ok(at) => at,
            Err(at) => {
                self.lanes.insert(at, Lane { priority, messages: VecDeque::new() });
                at
            }
        };
        &mut self.lanes[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_first_and_in_order_within() {
        let mut queue = SendQueue::default();
        for (tid, priority) in [(1, 64), (2, 196), (3, 127), (4, 196), (5, 64)] {
            let mut message = Message::new(1, &b"xy"[..]);
            message.header.tid = tid;
            message.header.priority = priority;
            queue.push(message);
        }
        assert_eq!(queue.bytes(), 5 * (2 + OVERHEAD));
        let order: Vec<u64> = queue.drain().iter().map(|m| m.header.tid).collect();
        assert_eq!(order, [2, 4, 3, 1, 5]);
        assert!(queue.is_empty());
        assert_eq!(queue.bytes(), 0);
    }
}
