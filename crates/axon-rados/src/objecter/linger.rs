//! Watches and notifications: requests whose effect outlives their answer.
//!
//! ```text
//!           WATCH ok            connection or primary gone
//!   Begins ──────────> Stands ─────────────────────────────> Returns (RECONNECT)
//!     │                 │  ^   ping not known                   │  │
//!     │ error           │  └───────────── ok ───────────────────┘  │ error: the OSD has given it up
//!     v                 v ping fails, DISCONNECT                   v
//!    over             Lost <──────────────────────────────────────Lost
//! ```
//!
//! A watch that is lost stays until its watcher ends it, so that the OSD hears of that.

mod notify;
mod watch;

pub(super) use watch::PING_EVERY;

use super::{Action, Asked, ClusterMap, LinkId, Objecter, OpId, Outcome, Request, Waiting, map::Target};
use crate::client::Errno;
use crate::msg::{MWatchNotify, WatchEventKind};
use crate::ops::{Compound, WatchCall};
use crate::osd::ObjectLocator;
use bytes::Bytes;
use notify::Notify;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use watch::{Standing, Watch};

/// Names a watch or notification of this client: its cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LingerId(pub(crate) u64);

/// Which request of a watch or notification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LingerCall {
    Watch(WatchCall),
    Notify,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) op: OpId,
    /// The connection it was sent on.
    pub(super) link: Option<LinkId>,
    pub(super) outcome: Outcome,
}

/// What a watcher hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WatchNews {
    /// Somebody notifies.
    Notified { notify_id: u64, notifier: u64, payload: Bytes },
    /// The watch is over: notifications may have been missed.
    Lost(Errno),
}

/// What watchers are told.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    /// What they are told.
    pub(crate) payload: Bytes,
    /// How long they have to answer.
    pub(crate) timeout: Duration,
    /// How long the OSD has to say how it ended.
    pub(crate) within: Duration,
}

/// How a notification ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotifyEnd {
    /// 0, or a negative errno.
    pub(crate) result: i32,
    /// Who answered what, and who did not.
    pub(crate) payload: Bytes,
}

/// A message about a watch or notification.
pub(super) struct LingerEvent {
    link: LinkId,
    message: MWatchNotify,
}

impl LingerEvent {
    pub(super) fn of(link: LinkId, message: MWatchNotify) -> Self {
        Self { link, message }
    }
}

/// What is asked of an object again and again.
#[derive(Debug, Clone)]
struct Subject {
    object: Bytes,
    locator: Arc<ObjectLocator>,
}

#[derive(Debug)]
enum Linger<T> {
    Watch(Watch<T>),
    Notify(Notify<T>),
}

impl<T> Linger<T> {
    /// What it is about, and the token of who still waits for its outcome.
    fn into_parts(self) -> (Subject, Option<T>) {
        match self {
            Self::Watch(watch) => (watch.subject, watch.standing.into_token()),
            Self::Notify(notify) => (notify.subject, notify.token),
        }
    }
}

/// Where an OSD said yes. It forgets watches' connections and notifications when the connection goes, and when the group
/// is served in another way. Ceph: `PrimaryLogPG::on_change`.
#[derive(Debug)]
struct Place {
    link: LinkId,
    target: Option<Target>,
}

/// All watches and notifications of a client.
#[derive(Debug)]
pub(super) struct Lingers<T> {
    by_id: BTreeMap<LingerId, Linger<T>>,
    last: u64,
}

impl<T> Default for Lingers<T> {
    fn default() -> Self {
        Self { by_id: BTreeMap::new(), last: 0 }
    }
}

impl<T> Lingers<T> {
    fn next_id(&mut self) -> LingerId {
        self.last += 1;
        LingerId(self.last)
    }

    /// The tokens of those who still wait for outcomes.
    pub(super) fn into_tokens(self) -> impl Iterator<Item = T> {
        self.by_id.into_values().filter_map(|linger| linger.into_parts().1)
    }

    /// When signs of life are due, and notifications' time is over.
    pub(super) fn dues(&self) -> impl Iterator<Item = Instant> {
        self.by_id.values().filter_map(|linger| match linger {
            Linger::Watch(watch) => watch.ping_at(),
            Linger::Notify(notify) => notify.until,
        })
    }

    fn watch(&mut self, id: LingerId) -> Option<&mut Watch<T>> {
        match self.by_id.get_mut(&id)? {
            Linger::Watch(watch) => Some(watch),
            Linger::Notify(_) => None,
        }
    }
}

impl Subject {
    fn into_asked(self) -> Asked {
        Asked { object: self.object, size: 0 }
    }

    fn request(&self, compound: impl Into<Compound>, within: Option<Duration>) -> Request {
        let compound = compound.into();
        let flags = compound.flags();
        let (ops, data) = compound.into_parts();
        let request = Request::new(self.object.clone(), self.locator.clone(), ops, data, flags);
        Request { within, ..request }
    }

    /// Where watches stand, which are writes, and where notifications are.
    fn target(&self, map: &impl ClusterMap, write: bool) -> Option<Target> {
        map.tier_target(&self.locator, &self.object, write)
    }
}

impl<M: ClusterMap, T> Objecter<M, T> {
    /// A request of a watch or notification ended.
    pub(super) fn linger_ended(&mut self, id: LingerId, call: LingerCall, ended: Ended, now: Instant) {
        let Ended { op, link, outcome } = ended;
        self.call_ended(id, op, now);
        let refused = match &outcome {
            Outcome::Replied(reply) => Errno::check(reply.result).err(),
            Outcome::NoPool => Some(Errno::ENOENT),
            Outcome::PoolEio(_) | Outcome::Unknown(_, Waiting::PoolEio(_)) => Some(Errno::EIO),
            _ => Some(Errno::ETIMEDOUT),
        };
        match (call, refused) {
            (LingerCall::Watch(WatchCall::Ping), None) => {}
            (LingerCall::Watch(_), None) => self.watch_stands(id, link, outcome, now),
            (LingerCall::Watch(WatchCall::Watch), Some(_)) => self.linger_fails(id, outcome),
            // The watch is not one of this session: the group may be served in another way for a reason that the map does
            // not show. Ceph: `PrimaryLogPG::do_osd_ops`.
            (LingerCall::Watch(WatchCall::Ping), Some(Errno::ETIMEDOUT)) => self.watch_returns(id, now),
            (LingerCall::Watch(_), Some(errno)) => self.watch_is_lost(id, errno, now),
            (LingerCall::Notify, None) => self.notify_is_accepted(id, link, outcome),
            (LingerCall::Notify, Some(_)) => self.linger_fails(id, outcome),
        }
    }

    fn linger_fails(&mut self, id: LingerId, outcome: Outcome) {
        let Some(linger) = self.lingers.by_id.remove(&id) else { return };
        let (subject, token) = linger.into_parts();
        self.actions.extend(token.map(|token| Action::Finish(token, subject.into_asked(), outcome)));
    }

    /// A message about a watch or notification.
    pub(super) fn linger_event(&mut self, event: LingerEvent, now: Instant) {
        let MWatchNotify { event: kind, cookie, notify_id, payload, result, notifier, answers, .. } =
            event.message;
        let id = LingerId(cookie);
        match (kind, self.lingers.by_id.get_mut(&id)) {
            (WatchEventKind::Notify, Some(Linger::Watch(watch))) if !watch.is_lost() => {
                self.actions
                    .push_back(Action::News(id, WatchNews::Notified { notify_id, notifier, payload }));
            }
            // One that has not begun hears so by the answer that is still to come.
            (WatchEventKind::Disconnect, Some(Linger::Watch(watch))) if !watch.begins() => {
                self.watch_is_lost(id, Errno::ENOTCONN, now);
            }
            (WatchEventKind::NotifyComplete, Some(Linger::Notify(notify))) => {
                if notify.is_ended_by(event.link, notify_id)
                    && let Some(token) = notify.token.take()
                {
                    let end = NotifyEnd { result, payload: answers };
                    self.actions.push_back(Action::Notified(token, notify.subject.object.clone(), end));
                    self.forget_notify(id, now);
                }
            }
            _ => tracing::debug!(cookie, ?kind, "news of a watch that is over"),
        }
    }

    /// Watches whose OSD lost them return, notifications whose OSD forgot them are sent again.
    pub(super) fn recheck_lingers(&mut self, skipped: bool, now: Instant) {
        let ids: Vec<_> = self.lingers.by_id.keys().copied().collect();
        for id in ids {
            let is_over = |place: &Place, target: Option<Target>| {
                skipped || place.target != target || self.sessions.features(place.link).is_none()
            };
            match self.lingers.by_id.get(&id) {
                Some(Linger::Watch(watch))
                    if watch.place().is_some_and(|place| is_over(place, watch.target(&self.map))) =>
                {
                    self.watch_returns(id, now);
                }
                Some(Linger::Notify(notify))
                    if notify.place().is_some_and(|place| is_over(place, notify.target(&self.map))) =>
                {
                    self.send_notify(id, Self::begin_free, now);
                }
                _ => {}
            }
        }
    }

    /// Gives the signs of life that are due, whether or not the last ones were answered, and ends notifications whose time is over.
    pub(super) fn ping_watches(&mut self, now: Instant) {
        let ids: Vec<_> = self.lingers.by_id.keys().copied().collect();
        for id in ids {
            match self.lingers.by_id.get_mut(&id) {
                Some(Linger::Watch(Watch { standing: Standing::Stands { ping_at, .. }, .. }))
                    if *ping_at <= now =>
                {
                    *ping_at = now + PING_EVERY;
                    self.watch_call(id, WatchCall::Ping, None, now);
                }
                Some(Linger::Notify(notify))
                    if notify.until.is_some_and(|until| until <= now) && !notify.is_asked() =>
                {
                    if let Some(token) = notify.token.take() {
                        let end = NotifyEnd { result: -Errno::ETIMEDOUT.0, payload: Bytes::new() };
                        self.actions.push_back(Action::Notified(token, notify.subject.object.clone(), end));
                    }
                    self.lingers.by_id.remove(&id);
                }
                _ => {}
            }
        }
    }
}
