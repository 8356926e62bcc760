//! Who may still hand a message to the worker, and whether more may.

use crate::sync::atomic::{AtomicUsize, Ordering};

/// Set once the connection is over.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// Lets senders through until it is closed, and knows whether all that came through are out again.
///
/// Both are one atomic word: of a sender and whoever closes at the same time, either the sender was counted before, and is
/// waited for, or it finds the gate closed, and keeps its message. So a session that ends misses no message.
#[derive(Debug, Default)]
pub(super) struct Gate(AtomicUsize);

/// A sender on its way; it is out when this is dropped, and what it did before is seen by whoever finds the gate empty.
pub(super) struct Sender<'a>(&'a Gate);

impl Gate {
    /// Lets a sender in, unless it is closed.
    pub(super) fn enter(&self) -> Option<Sender<'_>> {
        let before = self.0.fetch_add(1, Ordering::Acquire);
        let sender = Sender(self);
        (before & CLOSED == 0).then_some(sender)
    }

    /// Whether nobody is let in any more. Who cannot be on the way while somebody looks for senders, being on that thread,
    /// need not be counted.
    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Lets nobody in from now on.
    pub(super) fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// Whether nobody is on the way. Once it is closed, that lasts.
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) & !CLOSED == 0
    }
}

impl Drop for Sender<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_lets_nobody_in_and_knows_who_is_inside() {
        let gate = Gate::default();
        let (first, second) = (gate.enter(), gate.enter());
        assert!(!gate.is_closed());
        gate.close();
        assert!(gate.is_closed());
        assert!(gate.enter().is_none());
        drop(first);
        assert!(second.is_some() && !gate.is_empty());
        drop(second);
        assert!(gate.is_empty() && gate.enter().is_none());
    }
}

#[cfg(all(test, loom))]
mod exhaustive {
    use super::*;
    use crate::sync::{Mutex, lock};
    use loom::sync::Arc;
    use loom::thread;

    /// What was sent when the gate is closed and empty is all that ever is.
    #[test]
    fn no_message_comes_after_the_end() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let shared = Arc::new((Gate::default(), Mutex::new(0)));
            let senders = [(); 2].map(|()| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let sender = shared.0.enter();
                    *lock(&shared.1) += usize::from(sender.is_some());
                })
            });
            let (gate, sent) = &*shared;
            gate.close();
            while !gate.is_empty() {
                thread::yield_now();
            }
            let at_the_end = *lock(sent);
            senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
            assert_eq!(*lock(sent), at_the_end);
        });
    }
}
