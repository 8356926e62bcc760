//! What is to be done once the objecter's lock is released: waking those who wait.

use super::answer::Token;
use super::watch::Mailbox;
use crate::mon::MonClient;
use crate::objecter::{Asked, NotifyEnd, Outcome, WatchNews};
use bytes::Bytes;
use smallvec::SmallVec;
use std::sync::Arc;
use std::task::Waker;

/// What must not be done under the lock, in order; mostly one thing.
pub(super) type Deeds = SmallVec<[Deed; 1]>;

/// Something that must not be done under the lock.
#[derive(Debug)]
pub(super) enum Deed {
    /// A request ended.
    Finish(Token, Asked, Outcome),
    /// A notification ended.
    Notified(Token, Bytes, NotifyEnd),
    /// A token goes, and whoever waits for its outcome hears that there will be none.
    Drop(Token),
    /// A watcher hears something.
    News(Mailbox, WatchNews),
    /// The monitors are asked for a whole OSD map.
    AskWhole(Arc<MonClient>),
    /// A task looks at the map again.
    Wake(Waker),
}

impl Deed {
    /// Does it.
    pub(super) fn perform(self) {
        match self {
            Self::Finish(token, asked, outcome) => token.finish(asked, outcome),
            Self::Notified(token, object, end) => token.notified(&object, end),
            Self::Drop(token) => drop(token),
            Self::News(mailbox, news) => mailbox.put(news),
            Self::AskWhole(mon) => mon.ask_osdmaps(0),
            Self::Wake(waker) => waker.wake(),
        }
    }
}
