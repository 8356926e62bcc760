//! What handlers send on the thread of the worker that owns the connection: it takes that by itself, and needs no mailbox.
//!
//! # Why order holds
//!
//! A handler's message goes here only while the mailbox is empty: what was handed over before it has been taken out by the
//! worker, on this thread, and applied. The worker takes what is here before it opens the mailbox again, so that what is
//! handed over because of it comes later. Otherwise the message goes into the mailbox, behind what lies there.

use crate::mailbox::{Inbox, Mailbox};
use crate::throttle::Permit;
use axon_wire::Message;
use std::cell::Cell;

/// A message that was accepted for sending.
pub(super) struct Letter {
    /// The connection's number, and where the worker keeps its machine: it is the worker's own, so that neither changes
    /// before the letter is taken.
    pub(super) connection: u64,
    pub(super) slot: usize,
    pub(super) message: Message,
    pub(super) permit: Permit,
}

thread_local! {
    /// The mailbox of the worker whose thread this is; 0 elsewhere.
    static HERE: Cell<usize> = const { Cell::new(0) };
    /// Taken out and put back by whoever uses it, so that letters are not moved through closures.
    static LETTERS: Cell<Vec<Letter>> = const { Cell::new(Vec::new()) };
    /// Whether there are any.
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

/// This thread is that of the worker who reads `inbox`.
pub(super) fn open<T>(inbox: &Inbox<T>) {
    HERE.set(inbox.id());
}

/// Whether the calling thread is that of the worker who reads `mailbox`, and may [`put`] messages here.
pub(crate) fn is_open<T>(mailbox: &Mailbox<T>) -> bool {
    HERE.get() == mailbox.id() && mailbox.is_empty()
}

/// Hands over a message of a connection of this worker, in order with what was handed over before.
#[inline]
pub(crate) fn put(connection: u64, slot: usize, message: Message, permit: Permit) {
    let mut letters = LETTERS.take();
    letters.push(Letter { connection, slot, message, permit });
    LETTERS.with(|place| place.set(letters)); // without what the key's own `set` does for a first use
    WAITING.set(true);
}

/// Whether nothing was put here.
pub(super) fn is_empty() -> bool {
    !WAITING.get()
}

/// Exchanges what was put here for `empty`, whose memory serves for what comes next.
pub(super) fn exchange(empty: Vec<Letter>) -> Vec<Letter> {
    WAITING.set(false);
    LETTERS.replace(empty)
}
