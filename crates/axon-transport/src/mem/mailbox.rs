//! What others leave for a reactor: keys of sockets and listeners with news, wake-ups.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A reactor's mailbox. It is the only thing of a reactor that other threads touch.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    inbox: Mutex<Inbox>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Inbox {
    news: Vec<u64>,
    /// Somebody used the waker.
    rung: bool,
    /// Virtual time moved.
    nudged: bool,
    asleep: bool,
    /// Sleeps ended by the waker.
    wakes: u64,
}

impl Mailbox {
    /// Leaves word that there is news for `key`.
    pub(crate) fn note(&self, key: u64) {
        self.lock().news.push(key);
        self.bell.notify_one();
    }

    /// Makes the current or next `poll` return.
    pub(crate) fn ring(&self) {
        let mut inbox = self.lock();
        if inbox.asleep && !inbox.rung {
            inbox.wakes += 1;
        }
        inbox.rung = true;
        drop(inbox);
        self.bell.notify_one();
    }

    /// Makes a sleeping `poll` look at the clock.
    pub(crate) fn nudge(&self) {
        self.lock().nudged = true;
        self.bell.notify_one();
    }

    /// Moves the news to `news`, which is empty. Tells whether the waker was used.
    pub(crate) fn collect(&self, news: &mut Vec<u64>) -> bool {
        let mut inbox = self.lock();
        std::mem::swap(&mut inbox.news, news);
        inbox.nudged = false;
        std::mem::take(&mut inbox.rung)
    }

    /// Sleeps until something is left here, or for `limit`.
    pub(crate) fn wait(&self, limit: Option<Duration>) {
        let mut inbox = self.lock();
        inbox.asleep = true;
        let empty = |inbox: &mut Inbox| inbox.news.is_empty() && !inbox.rung && !inbox.nudged;
        // A poisoned lock means that a thread died elsewhere; the mailbox is whole after each statement.
        match limit {
            Some(limit) => drop(self.bell.wait_timeout_while(inbox, limit, empty)),
            None => drop(self.bell.wait_while(inbox, empty)),
        }
        self.lock().asleep = false;
    }

    /// Sleeps that the waker had to end.
    pub(crate) fn wakes(&self) -> u64 {
        self.lock().wakes
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sleeper_is_woken() {
        let mailbox = Mailbox::default();
        mailbox.ring();
        mailbox.wait(None);
        assert!(mailbox.collect(&mut Vec::new()));
        assert_eq!(mailbox.wakes(), 0, "it did not sleep");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !mailbox.lock().asleep {
                    std::thread::yield_now();
                }
                mailbox.ring();
                mailbox.ring();
            });
            mailbox.wait(None);
        });
        assert_eq!(mailbox.wakes(), 1);
    }
}
