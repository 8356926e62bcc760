//! Watches and notifications.

use super::answer::To;
use super::core::Core;
use super::slot::{Taker, slot};
use super::{Errno, IoCtx, Op, RadosError};
use crate::objecter::{LingerId, Notification, WatchNews};
use crate::ops::{NotifyReply, ReadOp};
use axon_messenger::park;
use bytes::Bytes;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a watcher hears.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// Somebody notifies, and waits for [`Watch::ack`].
    Notify {
        /// Names the notification.
        id: u64,
        /// The client that notifies.
        notifier: u64,
        /// What it says.
        payload: Bytes,
    },
    /// The watch is over, and notifications may have been missed: watch again, and look what changed.
    Lost(Errno),
}

/// What a notification led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notified {
    /// Who answered: client, its watch, what it said.
    pub answers: Vec<(u64, u64, Bytes)>,
    /// Who did not answer in time: client, its watch.
    pub missed: Vec<(u64, u64)>,
}

/// A watch. It survives broken connections and changes of the object's OSD. Dropping it ends it.
///
/// Events wait here until they are taken, up to 10,000 of them. Notifications beyond that are dropped: their notifiers
/// learn that this watcher did not answer, the watcher learns nothing. [`WatchEvent::Lost`] is never dropped.
#[derive(Debug)]
pub struct Watch {
    io: IoCtx,
    object: Bytes,
    id: LingerId,
    mailbox: Mailbox,
}

/// A notification under way: a future of what it leads to. Dropping it forgets the answer.
#[must_use = "the answers come here"]
#[derive(Debug)]
pub struct Notifying(Telling);

#[derive(Debug)]
enum Telling {
    Begun {
        core: Arc<Core>,
        id: LingerId,
        taker: Taker<Notified>,
    },
    /// It could not be begun.
    Failed(Option<RadosError>),
}

/// Where news of a watch wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Mailbox(Arc<Mutex<Letters>>);

#[derive(Debug, Default)]
struct Letters {
    waiting: VecDeque<WatchEvent>,
    waker: Option<Waker>,
    closed: bool,
}

/// News that nobody takes; more are dropped, and the notifiers learn that this watcher did not answer.
const MAX_LETTERS: usize = 10_000;
/// How much longer than the watchers the OSD has to say how a notification ended.
const GRACE: Duration = Duration::from_secs(5);
/// How long an OSD waits for signs of life, unless said (Ceph: `client_notify_timeout`, `osd_client_watch_timeout`).
const WATCH_TIMEOUT: Duration = Duration::from_secs(30);

impl IoCtx {
    /// Watches `object`, which must exist.
    ///
    /// # Errors
    /// [`RadosError::Refused`] with ENOENT if it does not, [`RadosError::EmptyObjectName`].
    pub async fn watch(&self, object: impl AsRef<[u8]>) -> Result<Watch, RadosError> {
        let object = named(object.as_ref())?;
        let (giver, taker) = slot();
        let token = self.token(To::Answer(giver));
        let mailbox = Mailbox::default();
        let (locator, within) = (self.locator.clone(), self.deadline);
        let core = &self.rados.0.core;
        let id = core.begin_watch(mailbox.clone(), |objecter, now| {
            objecter.watch(object.clone(), locator, WATCH_TIMEOUT, within, token, now)
        });
        let watch = Watch { io: self.clone(), object, id, mailbox };
        std::future::poll_fn(|context| taker.poll(context)).await?;
        Ok(watch)
    }

    /// The same, waiting.
    ///
    /// # Errors
    /// As there.
    pub fn watch_blocking(&self, object: impl AsRef<[u8]>) -> Result<Watch, RadosError> {
        park::wait(self.watch(object))
    }

    /// Tells everybody who watches `object`; they have `timeout` to answer. If the connection to the OSD breaks,
    /// or the object's OSDs change, they are told again.
    pub fn notify(
        &self,
        object: impl AsRef<[u8]>,
        payload: impl Into<Bytes>,
        timeout: Duration,
    ) -> Notifying {
        let name = match named(object.as_ref()) {
            Ok(name) => name,
            Err(error) => return Notifying(Telling::Failed(Some(error))),
        };
        let (giver, taker) = slot();
        let token = self.token(To::Notified(giver));
        let core = self.rados.0.core.clone();
        let (payload, locator): (Bytes, _) = (payload.into(), self.locator.clone());
        let id = core.with(|objecter, now| {
            objecter.notify(
                name,
                locator,
                Notification { payload, timeout, within: timeout.saturating_add(GRACE) },
                token,
                now,
            )
        });
        Notifying(Telling::Begun { core, id, taker })
    }
}

/// The name of an object: not empty.
fn named(object: &[u8]) -> Result<Bytes, RadosError> {
    match object {
        [] => Err(RadosError::EmptyObjectName),
        object => Ok(Bytes::copy_from_slice(object)),
    }
}

impl Watch {
    /// The watch's number, as [`Watcher::cookie`](crate::ops::Watcher) shows it.
    pub fn cookie(&self) -> u64 {
        self.id.0
    }

    /// The next event.
    ///
    /// # Errors
    /// [`RadosError::Closed`] once the session is.
    pub async fn next(&self) -> Result<WatchEvent, RadosError> {
        std::future::poll_fn(|context| self.mailbox.poll(context)).await
    }

    /// The next event, waiting at most for `limit`; `None` if there is none by then.
    ///
    /// # Errors
    /// As there.
    pub fn next_timeout(&self, limit: Duration) -> Result<Option<WatchEvent>, RadosError> {
        park::wait_until(std::pin::pin!(self.next()), park::deadline(limit)).transpose()
    }

    /// Answers a notification.
    pub fn ack(&self, notify_id: u64, answer: impl Into<Bytes>) -> Op<()> {
        let mut op = ReadOp::new();
        op.notify_ack(notify_id, self.id.0, &answer.into());
        self.io.operate_read(&self.object, op).read_with(|_| ())
    }

    /// Ends the watch, and waits until the OSD knows.
    ///
    /// # Errors
    /// [`RadosError`].
    pub async fn unwatch(self) -> Result<(), RadosError> {
        let (giver, taker) = slot();
        let token = self.io.token(To::Answer(giver));
        let within = self.io.deadline;
        self.io.rados.0.core.with(|objecter, now| objecter.unwatch(self.id, within, Some(token), now));
        std::future::poll_fn(|context| taker.poll(context)).await.map(|_| ())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let core = &self.io.rados.0.core;
        core.forget_watch(self.id);
        core.with(|objecter, now| objecter.unwatch(self.id, self.io.deadline, None, now));
    }
}

impl Notifying {
    /// Blocks until all watchers have answered, or their time is over.
    ///
    /// # Errors
    /// [`RadosError`].
    pub fn wait(self) -> Result<Notified, RadosError> {
        park::wait(self)
    }
}

impl Future for Notifying {
    type Output = Result<Notified, RadosError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Telling::Begun { taker, .. } => taker.poll(context),
            Telling::Failed(error) => Poll::Ready(Err(error.take().unwrap_or(RadosError::Closed))),
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if let Self::Begun { core, id, taker } = self
            && taker.is_awaited()
        {
            core.with(|objecter, now| objecter.forget_notify(*id, now));
        }
    }
}

impl From<NotifyReply> for Notified {
    fn from(reply: NotifyReply) -> Self {
        Self { answers: reply.answers, missed: reply.missed }
    }
}

impl From<WatchNews> for WatchEvent {
    fn from(news: WatchNews) -> Self {
        match news {
            WatchNews::Notified { notify_id, notifier, payload } => {
                Self::Notify { id: notify_id, notifier, payload }
            }
            WatchNews::Lost(errno) => Self::Lost(errno),
        }
    }
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts news in, and wakes who waits for them.
    pub(super) fn put(&self, news: WatchNews) {
        let mut letters = self.lock();
        if letters.waiting.len() < MAX_LETTERS || matches!(news, WatchNews::Lost(_)) {
            letters.waiting.push_back(news.into());
        }
        let waker = letters.waker.take();
        drop(letters);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Nothing will come any more.
    pub(super) fn close(&self) {
        let mut letters = self.lock();
        letters.closed = true;
        let waker = letters.waker.take();
        drop(letters);
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<WatchEvent, RadosError>> {
        let mut letters = self.lock();
        match letters.waiting.pop_front() {
            Some(event) => Poll::Ready(Ok(event)),
            None if letters.closed => Poll::Ready(Err(RadosError::Closed)),
            None => {
                letters.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
