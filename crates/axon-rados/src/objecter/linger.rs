//! Watches and notifications: requests whose effect outlives their answer.
//!
//! ```text
//!           WATCH ok            connection or primary gone
//!   Begins ──────────> Stands ─────────────────────────────> Returns (RECONNECT)
//!     │                 │  ^   ping not known (once)            │  │
//!     │ error           │  └───────────── ok ───────────────────┘  │ error: the OSD has given it up
//!     v                 v ping fails, DISCONNECT                   v
//!    over             Lost <──────────────────────────────────────Lost
//! ```
//!
//! A watch that is lost stays until its watcher ends it, so that the OSD hears of that.

use super::op::Owner;
use super::{Action, ClusterMap, LinkId, Objecter, OpId, Outcome, Request, Waiting, map::Target};
use crate::client::Errno;
use crate::msg::{MWatchNotify, WatchEventKind};
use crate::ops::{Answer, Compound, Pick, ReadOp, WatchCall, WriteOp};
use crate::osd::ObjectLocator;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Names a watch or notification of this client: its cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LingerId(pub(crate) u64);

/// Which request of a watch or notification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LingerCall {
    Watch(WatchCall),
    Notify,
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
    locator: ObjectLocator,
}

#[derive(Debug)]
enum Linger<T> {
    Watch(Watch<T>),
    Notify(Notify<T>),
}

#[derive(Debug)]
struct Watch<T> {
    subject: Subject,
    /// How long the OSD waits for signs of life.
    timeout: Duration,
    generation: u32,
    /// Told when the watch stands, or cannot.
    token: Option<T>,
    standing: Standing,
    /// What the OSD was asked last, until it answers.
    call: Option<OpId>,
    /// The OSD did not know its last sign of life.
    doubted: bool,
}

/// How a watch is.
#[derive(Debug)]
enum Standing {
    /// It begins or returns.
    Asks,
    Stands {
        place: Place,
        ping_at: Instant,
    },
    /// Its watcher was told so. The OSD hears of its end all the same.
    Lost,
}

/// Where an OSD said yes. It forgets watches' connections and notifications when the connection goes, and when the group
/// is served in another way. Ceph: `PrimaryLogPG::on_change`.
#[derive(Debug)]
struct Place {
    link: LinkId,
    target: Option<Target>,
}

impl<T> Watch<T> {
    fn place(&self) -> Option<&Place> {
        match &self.standing {
            Standing::Stands { place, .. } => Some(place),
            Standing::Asks | Standing::Lost => None,
        }
    }

    /// When its next sign of life is due.
    fn ping_at(&self) -> Option<Instant> {
        match self.standing {
            Standing::Stands { ping_at, .. } => Some(ping_at),
            Standing::Asks | Standing::Lost => None,
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self.standing, Standing::Lost)
    }

    fn target(&self, map: &impl ClusterMap) -> Option<Target> {
        self.subject.target(map, true)
    }
}

#[derive(Debug)]
struct Notify<T> {
    subject: Subject,
    compound: ReadOp,
    token: Option<T>,
    until: Instant,
    /// The request that is on its way.
    op: Option<OpId>,
    /// The OSD's number of it is in its answer.
    number: Pick<u64>,
    /// Where the OSD said yes.
    accepted: Option<Place>,
    /// The number under which it was accepted last.
    last_number: Option<u64>,
}

impl<T> Notify<T> {
    /// Whether it is this notification that ended, and not one that was sent before it.
    fn is_ended_by(&self, link: LinkId, number: u64) -> bool {
        match &self.accepted {
            Some(accepted) => accepted.link == link && self.last_number.is_none_or(|last| last == number),
            None => self.last_number != Some(number), // the answer may come later than the end
        }
    }

    fn target(&self, map: &impl ClusterMap) -> Option<Target> {
        self.subject.target(map, false)
    }
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

/// How often a watcher gives a sign of life (Ceph: `objecter_tick_interval`).
pub(super) const PING_EVERY: Duration = Duration::from_secs(5);

impl<T> Lingers<T> {
    fn next_id(&mut self) -> LingerId {
        self.last += 1;
        LingerId(self.last)
    }

    /// When the next sign of life is due, or a notification's time is over.
    pub(super) fn next_ping(&self) -> Option<Instant> {
        let due = self.by_id.values().filter_map(|linger| match linger {
            Linger::Watch(watch) => watch.ping_at(),
            Linger::Notify(notify) => Some(notify.until),
        });
        due.min()
    }

    fn watch(&mut self, id: LingerId) -> Option<&mut Watch<T>> {
        match self.by_id.get_mut(&id)? {
            Linger::Watch(watch) => Some(watch),
            Linger::Notify(_) => None,
        }
    }
}

impl Subject {
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
    /// Begins a watch; `token` comes back with the outcome of the first request.
    pub(crate) fn watch(
        &mut self,
        object: Bytes,
        locator: ObjectLocator,
        timeout: Duration,
        within: Option<Duration>,
        token: T,
        now: Instant,
    ) -> LingerId {
        let id = self.lingers.next_id();
        let subject = Subject { object, locator };
        let watch = Watch {
            subject,
            timeout,
            generation: 0,
            token: Some(token),
            standing: Standing::Asks,
            call: None,
            doubted: false,
        };
        self.lingers.by_id.insert(id, Linger::Watch(watch));
        self.watch_call(id, WatchCall::Watch, within, now);
        id
    }

    /// Ends a watch; `token` comes back when the OSD knows, unless it is not needed.
    pub(crate) fn unwatch(&mut self, id: LingerId, within: Option<Duration>, token: Option<T>, now: Instant) {
        self.cancel_call(id, now);
        let Some(Linger::Watch(watch)) = self.lingers.by_id.remove(&id) else { return };
        let mut op = WriteOp::new();
        op.watch(WatchCall::Unwatch, id.0, watch.generation, watch.timeout);
        self.begin_free(watch.subject.request(op, within), token.map_or(Owner::Nobody, Owner::App), now);
    }

    /// Notifies the watchers of an object.
    pub(crate) fn notify(
        &mut self,
        object: Bytes,
        locator: ObjectLocator,
        what: Notification,
        token: T,
        now: Instant,
    ) -> LingerId {
        let id = self.lingers.next_id();
        let mut compound = ReadOp::new();
        let number = compound.notify(id.0, what.timeout, &what.payload);
        let notify = Notify {
            subject: Subject { object, locator },
            compound,
            token: Some(token),
            until: now + what.within,
            op: None,
            number,
            accepted: None,
            last_number: None,
        };
        self.lingers.by_id.insert(id, Linger::Notify(notify));
        self.send_notify(id, Self::begin, now);
        id
    }

    /// Forgets a notification.
    pub(crate) fn forget_notify(&mut self, id: LingerId, now: Instant) {
        if let Some(Linger::Notify(notify)) = self.lingers.by_id.remove(&id)
            && let Some(op) = notify.op
        {
            self.cancel(op, now);
        }
    }

    fn send_notify(
        &mut self,
        id: LingerId,
        begin: impl FnOnce(&mut Self, Request, Owner<T>, Instant) -> OpId,
        now: Instant,
    ) {
        let Some(Linger::Notify(notify)) = self.lingers.by_id.get_mut(&id) else { return };
        notify.accepted = None;
        let within = notify.until.saturating_duration_since(now);
        let request = notify.subject.request(notify.compound.clone(), Some(within));
        let op = begin(self, request, Owner::Linger(id, LingerCall::Notify), now);
        if let Some(Linger::Notify(notify)) = self.lingers.by_id.get_mut(&id) {
            notify.op = Some(op);
        }
    }

    /// Asks the OSD something about a watch, instead of what it has not answered yet. Only what begins the watch takes a
    /// part of the budget: the rest must not wait behind operations that are stuck.
    fn watch_call(&mut self, id: LingerId, call: WatchCall, within: Option<Duration>, now: Instant) {
        self.cancel_call(id, now);
        let Some(watch) = self.lingers.watch(id) else { return };
        let mut op = WriteOp::new();
        op.watch(call, id.0, watch.generation, watch.timeout);
        let request = watch.subject.request(op, within);
        let owner = Owner::Linger(id, LingerCall::Watch(call));
        let op = match call {
            WatchCall::Watch => self.begin(request, owner, now),
            _ => self.begin_free(request, owner, now),
        };
        if let Some(watch) = self.lingers.watch(id) {
            watch.call = Some(op);
        }
    }

    fn cancel_call(&mut self, id: LingerId, now: Instant) {
        if let Some(call) = self.lingers.watch(id).and_then(|watch| watch.call.take()) {
            self.cancel(call, now);
        }
    }

    /// A request of a watch or notification ended.
    pub(super) fn linger_ended(
        &mut self,
        id: LingerId,
        call: LingerCall,
        link: Option<LinkId>,
        outcome: Outcome,
        now: Instant,
    ) {
        let refused = match &outcome {
            Outcome::Replied(reply) => Errno::check(reply.result).err(),
            Outcome::NoPool => Some(Errno::ENOENT),
            Outcome::PoolEio(_) | Outcome::Unknown(_, Waiting::PoolEio(_)) => Some(Errno::EIO),
            _ => Some(Errno::ETIMEDOUT),
        };
        match (call, refused) {
            (LingerCall::Watch(_), None) => self.watch_stands(id, call, link, outcome, now),
            (LingerCall::Watch(WatchCall::Watch), Some(_)) => self.linger_fails(id, outcome),
            (LingerCall::Watch(WatchCall::Ping), Some(Errno::ETIMEDOUT)) => self.watch_is_doubted(id, now),
            (LingerCall::Watch(_), Some(errno)) => self.watch_is_lost(id, errno, now),
            (LingerCall::Notify, None) => self.notify_is_accepted(id, link, outcome),
            (LingerCall::Notify, Some(_)) => self.linger_fails(id, outcome),
        }
    }

    fn watch_stands(
        &mut self,
        id: LingerId,
        call: LingerCall,
        link: Option<LinkId>,
        outcome: Outcome,
        now: Instant,
    ) {
        let Some(watch) = self.lingers.watch(id) else { return };
        watch.call = None;
        if call == LingerCall::Watch(WatchCall::Ping) {
            watch.doubted = false;
            return;
        }
        let target = watch.target(&self.map);
        if let Some(link) = link {
            watch.standing = Standing::Stands { place: Place { link, target }, ping_at: now + PING_EVERY };
        }
        if let Some(token) = watch.token.take() {
            self.actions.push_back(Action::Finish(token, outcome));
        }
    }

    /// The OSD does not know the watch in this session. The group may be served in another way for a reason that the map
    /// does not show: the watch returns, once, and hears if it is really gone.
    fn watch_is_doubted(&mut self, id: LingerId, now: Instant) {
        match self.lingers.watch(id).map(|watch| std::mem::replace(&mut watch.doubted, true)) {
            Some(false) => self.watch_returns(id, now),
            Some(true) => self.watch_is_lost(id, Errno::ETIMEDOUT, now),
            None => {}
        }
    }

    fn notify_is_accepted(&mut self, id: LingerId, link: Option<LinkId>, outcome: Outcome) {
        let Some(Linger::Notify(notify)) = self.lingers.by_id.get_mut(&id) else { return };
        let target = notify.target(&self.map);
        notify.op = None;
        notify.accepted = link.map(|link| Place { link, target });
        if let Outcome::Replied(said) = outcome {
            notify.last_number = Answer::new(notify.subject.object.clone(), said).get(notify.number).ok();
        }
    }

    fn linger_fails(&mut self, id: LingerId, outcome: Outcome) {
        let token = match self.lingers.by_id.remove(&id) {
            Some(Linger::Watch(watch)) => watch.token,
            Some(Linger::Notify(notify)) => notify.token,
            None => None,
        };
        self.actions.extend(token.map(|token| Action::Finish(token, outcome)));
    }

    fn watch_is_lost(&mut self, id: LingerId, errno: Errno, now: Instant) {
        self.cancel_call(id, now);
        let Some(watch) = self.lingers.watch(id) else { return };
        if !matches!(std::mem::replace(&mut watch.standing, Standing::Lost), Standing::Lost) {
            self.actions.push_back(Action::News(id, WatchNews::Lost(errno)));
        }
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
            (WatchEventKind::Disconnect, Some(Linger::Watch(_))) => {
                self.watch_is_lost(id, Errno::ENOTCONN, now);
            }
            (WatchEventKind::NotifyComplete, Some(Linger::Notify(notify))) => {
                if notify.is_ended_by(event.link, notify_id)
                    && let Some(token) = notify.token.take()
                {
                    self.actions.push_back(Action::Notified(token, NotifyEnd { result, payload: answers }));
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
                    if notify.accepted.as_ref().is_some_and(|at| is_over(at, notify.target(&self.map))) =>
                {
                    self.send_notify(id, Self::begin_free, now);
                }
                _ => {}
            }
        }
    }

    fn watch_returns(&mut self, id: LingerId, now: Instant) {
        let Some(watch) = self.lingers.watch(id) else { return };
        watch.standing = Standing::Asks;
        watch.generation += 1;
        self.watch_call(id, WatchCall::Reconnect, None, now);
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
                Some(Linger::Notify(notify)) if notify.until <= now && notify.op.is_none() => {
                    if let Some(token) = notify.token.take() {
                        let end = NotifyEnd { result: -Errno::ETIMEDOUT.0, payload: Bytes::new() };
                        self.actions.push_back(Action::Notified(token, end));
                    }
                    self.lingers.by_id.remove(&id);
                }
                _ => {}
            }
        }
    }
}
