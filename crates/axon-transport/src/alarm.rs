//! Waking a reactor out of its sleep, for the price of one atomic swap while it is awake.

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// The reactor runs; it looks at the state before it sleeps.
const AWAKE: u8 = 0;
/// The reactor sleeps or is about to: only the event wakes it.
const ASLEEP: u8 = 1;
/// Somebody woke the reactor, which has not noticed yet.
const RUNG: u8 = 2;

/// Whether the reactor sleeps, and the event that ends its sleep.
///
/// No wake-up is lost: both sides change the state with one atomic swap, so one of them comes first. If the waker comes
/// first, the reactor finds `RUNG` and does not sleep (and sees all that the waker's thread wrote before). If the
/// reactor comes first, the waker finds `ASLEEP` and writes the event.
#[derive(Debug)]
pub(crate) struct Alarm {
    state: AtomicU8,
    event: OwnedFd,
    events_written: AtomicU64,
}

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            state: AtomicU8::new(AWAKE),
            event: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            events_written: AtomicU64::new(0),
        })
    }

    /// Any thread: ends the reactor's sleep, or keeps it from falling asleep once.
    pub(crate) fn ring(&self) {
        if self.state.swap(RUNG, Ordering::AcqRel) == ASLEEP {
            self.events_written.fetch_add(1, Ordering::Relaxed);
            // Cannot fail: the counter would need 2^64 wake-ups to be full.
            let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
        }
    }

    /// The reactor: declares sleep. `false` if it was woken meanwhile and must not sleep.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The reactor: declares that it runs, and thereby notices a wake-up. `true` if there was one.
    pub(crate) fn get_up(&self) -> bool {
        // Not to write a shared line in each round of a spinning reactor.
        self.state.load(Ordering::Relaxed) != AWAKE && self.state.swap(AWAKE, Ordering::AcqRel) == RUNG
    }

    /// Events written so far, that is, wake-ups which cost a system call.
    pub(crate) fn events_written(&self) -> u64 {
        self.events_written.load(Ordering::Relaxed)
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_written_only_for_a_sleeper() {
        let alarm = Alarm::new().unwrap();
        alarm.ring();
        alarm.ring();
        assert_eq!(alarm.events_written(), 0);
        assert!(!alarm.fall_asleep(), "it was rung");
        assert!(alarm.get_up());
        assert!(!alarm.get_up());
        assert!(alarm.fall_asleep());
        alarm.ring();
        alarm.ring();
        assert_eq!(alarm.events_written(), 1);
        assert!(alarm.get_up());
    }
}
