//! Where locks and atomics come from, so that loom can replace them in the models of the lock-free parts.

use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

/// Locks `mutex`. Every critical section leaves its data whole, and no code of a user runs in one, so that poison says
/// nothing; but for a worker's desk, where handlers run and callers' buffers are dropped.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
