//! A queue for the model of the mailbox, deliberately no stronger than the protocol needs: the counter that says
//! whether it is empty orders pushes and pops among themselves but nothing against what the consumer does; only the
//! mailbox's own fences do.

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use std::collections::VecDeque;

pub(super) struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    len: AtomicUsize,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { items: Mutex::new(VecDeque::new()), len: AtomicUsize::new(0) }
    }

    pub(super) fn push(&self, item: T) {
        lock(&self.items).push_back(item);
        self.len.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn pop(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        self.len.fetch_sub(1, Ordering::AcqRel);
        lock(&self.items).pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
