//! What handlers send on the thread of the worker that owns the connection: it takes that by itself, and needs no mailbox.
//!
//! # Why order holds
//!
//! A handler's message goes here only while the mailbox is empty: what was handed over before it has been taken out by the
//! worker, on this thread, and applied. The worker takes what is here before it opens the mailbox again, so that what is
//! handed over because of it comes later. Otherwise the message goes into the mailbox, behind what lies there.

use crate::Connection;
use crate::mailbox::{Inbox, Mailbox};
use crate::throttle::Permit;
use axon_wire::Message;
use std::cell::{Cell, RefCell};

/// A message that was accepted for sending.
pub(crate) type Letter = (Connection, Message, Permit);

thread_local! {
    /// The mailbox of the worker whose thread this is; 0 elsewhere.
    static HERE: Cell<usize> = const { Cell::new(0) };
    static LETTERS: RefCell<Vec<Letter>> = const { RefCell::new(Vec::new()) };
}

/// This thread is that of the worker who reads `inbox`.
pub(super) fn open<T>(inbox: &Inbox<T>) {
    HERE.set(inbox.id());
}

/// Whether the calling thread is that of the worker who reads `mailbox`, and may [`put`] messages here.
pub(crate) fn is_open<T>(mailbox: &Mailbox<T>) -> bool {
    HERE.get() == mailbox.id() && mailbox.is_empty()
}

/// Hands over a message, in order with what was handed over before.
pub(crate) fn put(letter: Letter) {
    LETTERS.with_borrow_mut(|letters| letters.push(letter));
}

/// Whether nothing was put here.
pub(super) fn is_empty() -> bool {
    LETTERS.with_borrow(Vec::is_empty)
}

/// Exchanges what was put here for `empty`, whose memory serves for what comes next.
pub(super) fn swap(empty: &mut Vec<Letter>) {
    LETTERS.with_borrow_mut(|letters| std::mem::swap(letters, empty));
}
