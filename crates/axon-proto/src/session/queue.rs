//! Messages waiting to be written, and messages written and not yet known to have arrived.
//!
//! ```text
//!            push            take_next                  acked
//!   ────► lanes by priority ───────► written ─────────────────────► gone
//!                              ▲        │ (kept only if the session is lossless)
//!                   take_next  │        │ requeue: the socket broke
//!                              └─ again ◄
//! ```
//!
//! First in, first out within a priority; higher priorities first; what has to be written again before everything else.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use axon_wire::Message;

/// What a queued message takes besides its body.
const OVERHEAD: usize = 256;

/// What a message takes of a budget: its body, and a fixed amount for itself, so that empty messages count too.
pub fn cost(message: &Message) -> usize {
    cost_of(message.body_len())
}

/// The same of a message whose front, middle and data have `body` bytes.
pub const fn cost_of(body: usize) -> usize {
    body + OVERHEAD
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Written and not acknowledged.
    Written,
    /// Written on a socket that broke; it will be written again.
    Again,
    /// Never written.
    Waiting,
}

/// The send queue of a session. Applications use few different priorities, so they are searched in order.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    /// By descending priority; a lane once made is kept.
    lanes: Vec<Lane>,
    /// Written before on a socket that broke, in the order of their numbers.
    again: VecDeque<Message>,
    /// Written and not acknowledged.
    written: VecDeque<Message>,
    /// What all of the above take of the send budget.
    held: usize,
    waiting: usize,
}

#[derive(Debug)]
struct Lane {
    priority: u16,
    messages: VecDeque<Message>,
}

impl SendQueue {
    #[inline]
    pub(super) fn push(&mut self, message: Message) {
        self.held += cost(&message);
        self.waiting += 1;
        self.lane(message.header.priority).messages.push_back(message);
    }

    /// The next message for the wire. It stays where it is until [`take_next`](Self::take_next).
    #[inline]
    pub(super) fn next(&mut self) -> Option<&mut Message> {
        self.first()?.front_mut()
    }

    /// The same, only to be looked at.
    pub(super) fn peek(&self) -> Option<&Message> {
        let lanes = self.lanes.iter().map(|lane| &lane.messages);
        core::iter::once(&self.again).chain(lanes).find_map(VecDeque::front)
    }

    /// The next message was written: lets it go, or with `keep` remembers it until it is acknowledged.
    #[inline]
    pub(super) fn take_next(&mut self, keep: bool) {
        let Some(message) = self.first().and_then(VecDeque::pop_front) else { return };
        self.waiting -= 1;
        if keep {
            self.written.push_back(message);
        } else {
            self.held -= cost(&message);
        }
    }

    /// The peer has everything up to `seq`.
    pub(super) fn acked(&mut self, seq: u64) {
        while self.written.front().is_some_and(|message| message.header.seq <= seq) {
            self.forget_written();
        }
    }

    /// The socket broke: what was written and not acknowledged goes first. Returns how many messages that are.
    pub(super) fn requeue(&mut self) -> usize {
        let count = self.written.len();
        self.waiting += count;
        while let Some(message) = self.written.pop_back() {
            self.again.push_front(message);
        }
        count
    }

    /// The peer turns out to have the first `count` of those to be written again. `false`, and nothing changes, if there
    /// are fewer.
    pub(super) fn skip_again(&mut self, count: u64) -> bool {
        let Some(count) = usize::try_from(count).ok().filter(|count| *count <= self.again.len()) else {
            return false;
        };
        for message in self.again.drain(..count) {
            self.held -= cost(&message);
            self.waiting -= 1;
        }
        true
    }

    /// Takes everything out: what was written at some time, and what never was.
    pub(super) fn drain(&mut self) -> (Vec<Message>, Vec<Message>) {
        self.requeue();
        let unknown: Vec<Message> = self.again.drain(..).collect();
        let not_sent = self.lanes.iter_mut().flat_map(|lane| lane.messages.drain(..)).collect();
        (self.held, self.waiting) = (0, 0);
        (unknown, not_sent)
    }

    /// How many messages are to be written again.
    pub(super) fn written_before(&self) -> usize {
        self.again.len()
    }

    /// All messages, each kind in the order of writing.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Progress, &Message)> {
        let written = self.written.iter().map(|message| (Progress::Written, message));
        let again = self.again.iter().map(|message| (Progress::Again, message));
        let waiting = self.lanes.iter().flat_map(|lane| &lane.messages);
        written.chain(again).chain(waiting.map(|message| (Progress::Waiting, message)))
    }

    /// How many messages have come so far.
    pub(super) fn count(&self, progress: Progress) -> usize {
        match progress {
            Progress::Written => self.written.len(),
            Progress::Again => self.again.len(),
            Progress::Waiting => self.waiting - self.again.len(),
        }
    }

    /// What all messages in here take of the send budget.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting == 0
    }

    /// Whether nothing is here at all.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0 && self.written.is_empty()
    }

    /// Where the next message is.
    #[inline]
    fn first(&mut self) -> Option<&mut VecDeque<Message>> {
        if !self.again.is_empty() {
            return Some(&mut self.again);
        }
        self.lanes.iter_mut().map(|lane| &mut lane.messages).find(|messages| !messages.is_empty())
    }

    fn forget_written(&mut self) {
        if let Some(message) = self.written.pop_front() {
            self.held -= cost(&message);
        }
    }

    #[inline]
    fn lane(&mut self, priority: u16) -> &mut Lane {
        let higher = self.lanes.iter().take_while(|lane| lane.priority > priority).count();
        if self.lanes.get(higher).is_none_or(|lane| lane.priority != priority) {
            self.lanes.insert(higher, Lane { priority, messages: VecDeque::new() });
        }
        &mut self.lanes[higher]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tid: u64, priority: u16) -> Message {
        let mut message = Message::new(1, &b"xy"[..]);
        message.header.tid = tid;
        message.header.priority = priority;
        message
    }

    fn write(queue: &mut SendQueue, seq: u64) -> u64 {
        let message = queue.next().unwrap();
        message.header.seq = seq;
        let tid = message.header.tid;
        queue.take_next(true);
        tid
    }

    /// Writes everything as a lossy session does.
    fn write_all(queue: &mut SendQueue) -> Vec<u64> {
        let next = |queue: &mut SendQueue| Some(queue.next()?.header.tid);
        core::iter::from_fn(|| next(queue).inspect(|_| queue.take_next(false))).collect()
    }

    /// A peer that claims more than there is changes nothing: what it claims comes back to the application.
    #[test]
    fn more_than_there_is_cannot_be_skipped() {
        let mut queue = SendQueue::default();
        queue.push(message(1, 127));
        write(&mut queue, 1);
        queue.requeue();
        for count in [2, u64::MAX] {
            assert!(!queue.skip_again(count));
        }
        assert_eq!(queue.drain().0.len(), 1);
    }

    #[test]
    fn higher_first_and_in_order_within() {
        let mut queue = SendQueue::default();
        for (tid, priority) in [(1, 64), (2, 196), (3, 127), (4, 196), (5, 64)] {
            queue.push(message(tid, priority));
        }
        assert_eq!(queue.held(), 5 * (2 + OVERHEAD));
        assert_eq!(write_all(&mut queue), [2, 4, 3, 1, 5]);
        assert!(queue.is_empty());
        assert_eq!(queue.held(), 0);
    }

    #[test]
    fn what_was_written_comes_first_again_in_its_order() {
        let mut queue = SendQueue::default();
        (1..=4).for_each(|tid| queue.push(message(tid, 127)));
        assert_eq!([write(&mut queue, 1), write(&mut queue, 2), write(&mut queue, 3)], [1, 2, 3]);
        queue.acked(1);
        queue.push(message(9, 255));
        let counts = |queue: &SendQueue| {
            let each = [Progress::Written, Progress::Again, Progress::Waiting];
            each.map(|progress| (queue.count(progress), queue.iter().filter(|(p, _)| *p == progress).count()))
        };
        assert_eq!(counts(&queue), [(2, 2), (0, 0), (2, 2)]);
        assert_eq!(queue.requeue(), 2);
        assert_eq!(counts(&queue), [(0, 0), (2, 2), (2, 2)]);
        assert_eq!(write(&mut queue, 2), 2);
        assert_eq!(queue.requeue(), 1);
        assert!(queue.skip_again(1));
        assert_eq!(write_all(&mut queue), [3, 9, 4]);
        assert_eq!(queue.held(), 0);
        assert!(queue.is_idle());
    }

    #[test]
    fn the_peer_cannot_have_more_than_was_written() {
        let mut queue = SendQueue::default();
        queue.push(message(1, 127));
        write(&mut queue, 1);
        queue.requeue();
        assert!(!queue.skip_again(2));
    }

    #[test]
    fn what_is_given_up_is_known_or_not() {
        let mut queue = SendQueue::default();
        (1..=3).for_each(|tid| queue.push(message(tid, 127)));
        write(&mut queue, 1);
        let (unknown, not_sent) = queue.drain();
        assert_eq!(unknown.iter().map(|m| m.header.tid).collect::<Vec<_>>(), [1]);
        assert_eq!(not_sent.iter().map(|m| m.header.tid).collect::<Vec<_>>(), [2, 3]);
        assert!(queue.is_empty());
        assert_eq!(queue.held(), 0);
    }
}
