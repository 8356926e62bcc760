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
pub use queue::{Progress, cost, cost_of};

use crate::{Fault, Policy};
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

/// The session's name, and how often who tried to carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionIds {
    /// The dialler's cookie; zero while there is none.
    pub client_cookie: u64,
    /// The acceptor's cookie; not zero once there is a session to resume.
    pub server_cookie: u64,
    /// How often the session was resumed.
    pub connect_seq: u64,
    /// The newest attempt of the peer.
    pub peer_global_seq: u64,
}

/// Messages that will not be delivered by their session any more.
#[derive(Debug, Default)]
pub struct Undelivered {
    /// Written to some socket: the peer may have them or not.
    pub unknown: Vec<Message>,
    /// Never written: the peer does not have them.
    pub not_sent: Vec<Message>,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    policy: Policy,
    state: SessionState,
    ids: SessionIds,
    queue: SendQueue,
    out_seq: u64,
    in_seq: u64,
    /// Something arrived that was not acknowledged.
    ack_due: bool,
    /// The peer is known to have the session too: it let this side in, or said something.
    mutual: bool,
}

impl Session {
    /// A session of which nothing was sent or received.
    pub fn new(policy: Policy, state: SessionState) -> Self {
        let (ids, queue) = (SessionIds::default(), SendQueue::default());
        Self { policy, state, ids, queue, out_seq: 0, in_seq: 0, ack_due: false, mutual: false }
    }

    /// The policy; `lossy` follows what the server said.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its name.
    pub fn ids(&self) -> &SessionIds {
        &self.ids
    }

    /// Its name, to be changed.
    pub fn ids_mut(&mut self) -> &mut SessionIds {
        &mut self.ids
    }

    /// The number of the last message that was ever written, on whichever socket.
    pub fn sent(&self) -> u64 {
        self.out_seq + self.queue.written_before() as u64
    }

    /// The last message written.
    pub fn out_seq(&self) -> u64 {
        self.out_seq
    }

    /// The last message received.
    pub fn in_seq(&self) -> u64 {
        self.in_seq
    }

    /// Where it stands.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// The one place where the state changes.
    pub fn set_state(&mut self, state: SessionState) {
        self.state = state;
    }

    /// From now on a fault ends it.
    pub fn mark_disposable(&mut self) {
        self.policy.lossy = true;
    }

    /// Whether the peer is known to have the session too, so that it will not ask for its beginning any more.
    pub fn is_mutual(&self) -> bool {
        self.mutual
    }

    /// A handshake began the session: both ends count from one. `mutual` if the peer began it before this side.
    pub fn begin(&mut self, lossy: bool, mutual: bool) {
        self.policy.lossy = lossy;
        self.renumber();
        self.mutual = mutual;
        self.set_state(SessionState::Open);
    }

    /// A handshake resumed the session; the peer has everything up to `peer_in_seq`.
    ///
    /// # Errors
    /// [`Fault::AckBeyond`] if the peer claims more than was sent.
    pub fn resume(&mut self, peer_in_seq: u64) -> Result<(), Fault> {
        let has = peer_in_seq.saturating_sub(self.out_seq);
        if !self.queue.skip_again(has) {
            return Err(Fault::AckBeyond { acked: peer_in_seq, sent: self.out_seq });
        }
        self.out_seq += has;
        self.mutual = true;
        self.set_state(SessionState::Open);
        Ok(())
    }

    /// The socket is gone: what was not acknowledged will be written again under the same numbers.
    pub fn requeue(&mut self) {
        self.out_seq -= self.queue.requeue() as u64;
        self.ack_due = false;
    }

    /// The peer has lost the session. With `full`, what was on its way is given up; otherwise the session never began
    /// there, and everything will be written in the new one.
    pub fn lose(&mut self, full: bool, cookie: u64) -> Undelivered {
        let undelivered = if full { self.take_all() } else { Undelivered::default() };
        let peer_global_seq = if full { 0 } else { self.ids.peer_global_seq };
        self.ids = SessionIds { client_cookie: cookie, server_cookie: 0, connect_seq: 0, peer_global_seq };
        self.renumber();
        undelivered
    }

    /// The peer insists on its own dial. If no session is at stake, whatever number that has will do: a peer that restarted
    /// with its clock set back would be turned away as older, and this side made to wait, until its numbers caught up.
    pub fn expect_restarted_peer(&mut self) {
        if self.ids.server_cookie == 0 {
            self.ids.peer_global_seq = 0;
        }
    }

    /// Accepts a message for sending.
    #[inline]
    pub fn enqueue(&mut self, message: Message) {
        self.queue.push(message);
    }

    /// Numbers the next message for the wire, highest priority first, unless its body has more than `room` bytes. It stays
    /// in the queue: [`written`](Self::written) or [`take_back`](Self::take_back) says what became of it.
    #[inline]
    pub fn next_message(&mut self, room: usize) -> Option<&Message> {
        let message = self.queue.next()?;
        if message.body_len() > room {
            return None;
        }
        self.out_seq += 1;
        message.header.seq = self.out_seq;
        message.header.ack_seq = self.in_seq;
        self.ack_due = false;
        Some(message)
    }

    /// Whether the next message for the wire has more than `room` bytes.
    pub fn overflows(&self, room: usize) -> bool {
        self.queue.peek().is_some_and(|message| message.body_len() > room)
    }

    /// The message that was numbered last is on its way. A lossless session keeps it until the peer has it.
    #[inline]
    pub fn written(&mut self) {
        self.queue.take_next(!self.policy.lossy);
    }

    /// The message that was numbered last could not be written: it is the next one again.
    pub fn take_back(&mut self) {
        self.out_seq -= 1;
        if let Some(message) = self.queue.next() {
            (message.header.seq, message.header.ack_seq) = (0, 0);
        }
    }

    /// Has the last acknowledgement repeated, unless a message is written: it changes nothing, and shows that this side
    /// lives. On lossy sessions, too, where acknowledgements are ignored (Ceph: `ProtocolV2::handle_message_ack`).
    pub fn owe_ack(&mut self) {
        self.ack_due = true;
    }

    /// Whether something arrived since the last acknowledgement.
    pub fn owes_ack(&self) -> bool {
        self.ack_due
    }

    /// The number to acknowledge, if something arrived since the last time and no message has carried it.
    #[inline]
    pub fn take_ack(&mut self) -> Option<u64> {
        core::mem::take(&mut self.ack_due).then_some(self.in_seq)
    }

    /// The peer has everything up to `seq`.
    ///
    /// # Errors
    /// [`Fault::AckBeyond`] if that is more than was sent.
    #[inline]
    pub fn acked(&mut self, seq: u64) -> Result<(), Fault> {
        if self.policy.lossy {
            return Ok(());
        }
        if seq > self.out_seq {
            return Err(Fault::AckBeyond { acked: seq, sent: self.out_seq });
        }
        self.queue.acked(seq);
        self.mutual = true;
        Ok(())
    }

    /// Judges the number of a received message.
    #[inline]
    pub fn arrived(&mut self, header: &MessageHeader) -> Arrival {
        self.ack_due = !self.policy.lossy;
        self.mutual = true;
        if header.seq <= self.in_seq {
            return Arrival::Old;
        }
        self.in_seq = header.seq;
        Arrival::New
    }

    /// What its messages take of the send budget; see [`cost`].
    pub fn held(&self) -> usize {
        self.queue.held()
    }

    /// The messages it holds and how far each has come, for reports.
    pub fn messages(&self) -> impl Iterator<Item = (Progress, &Message)> {
        self.queue.iter()
    }

    /// How many messages have come so far, for reports.
    pub fn count(&self, progress: Progress) -> usize {
        self.queue.count(progress)
    }

    /// Whether nothing waits to be written.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.queue.is_idle()
    }

    /// Whether everything accepted for sending was written, and acknowledged if it is lossless.
    pub fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }

    /// Gives up on everything accepted for sending.
    pub fn take_all(&mut self) -> Undelivered {
        let (unknown, not_sent) = self.queue.drain();
        Undelivered { unknown, not_sent }
    }

    /// What a fault depends on.
    pub fn fault_facts(&self, told_to_wait: bool) -> FaultFacts {
        FaultFacts {
            lossy: self.policy.lossy,
            server: self.policy.server,
            standby: self.policy.standby,
            established: self.state == SessionState::Open,
            idle: self.is_idle(),
            told_to_wait,
        }
    }

    fn renumber(&mut self) {
        (self.out_seq, self.in_seq, self.ack_due, self.mutual) = (0, 0, false, false);
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
    fn a_message_without_room_waits_and_keeps_its_turn() {
        let mut session = Session::new(Policy::lossy_client(), SessionState::Open);
        session.enqueue(Message::new(1, &b"0123456789"[..]));
        assert!(session.next_message(9).is_none());
        assert_eq!((session.out_seq(), session.is_idle()), (0, false));
        assert!(session.next_message(10).is_some());
        session.take_back();
        assert_eq!(session.next_message(10).map(|message| message.header.seq), Some(1));
        session.written();
        assert!(session.is_idle());
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
        let mut write = || {
            let header = session.next_message(usize::MAX)?.header;
            session.written();
            Some(header)
        };
        let order: Vec<_> = core::iter::from_fn(&mut write).collect();
        assert_eq!(order.iter().map(|h| h.tid).collect::<Vec<_>>(), [2, 3, 1]);
        assert_eq!(order.iter().map(|h| h.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(order.iter().all(|h| h.ack_seq == 7));
    }
}
