//! Watches.

use super::{Linger, LingerCall, LingerId, Place, Subject, WatchNews};
use crate::client::Errno;
use crate::objecter::map::Target;
use crate::objecter::op::Owner;
use crate::objecter::{Action, ClusterMap, LinkId, Objecter, OpId, Outcome};
use crate::ops::{WatchCall, WriteOp};
use crate::osd::ObjectLocator;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a watcher gives a sign of life (Ceph: `objecter_tick_interval`).
pub(in crate::objecter) const PING_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Watch<T> {
    pub(super) subject: Subject,
    /// How long the OSD waits for signs of life.
    pub(super) timeout: Duration,
    pub(super) generation: u32,
    pub(super) standing: Standing<T>,
    /// What the OSD was asked and has not answered, oldest first: several things only if they are signs of life.
    pub(super) calls: Vec<OpId>,
}

/// How a watch is.
#[derive(Debug)]
pub(super) enum Standing<T> {
    /// The OSD was asked for it; who is told when it stands, or cannot.
    Begins(T),
    /// It stood before, somewhere or on some connection else.
    Returns,
    Stands {
        place: Place,
        ping_at: Instant,
    },
    /// Its watcher was told so. The OSD hears of its end all the same.
    Lost,
}

impl<T> Standing<T> {
    /// The token of who waits for it to stand.
    pub(super) fn into_token(self) -> Option<T> {
        match self {
            Self::Begins(token) => Some(token),
            Self::Returns | Self::Stands { .. } | Self::Lost => None,
        }
    }
}

impl<T> Watch<T> {
    pub(super) fn place(&self) -> Option<&Place> {
        match &self.standing {
            Standing::Stands { place, .. } => Some(place),
            Standing::Begins(_) | Standing::Returns | Standing::Lost => None,
        }
    }

    /// How many signs of life may wait for their answers: as many as are given in the OSD's patience.
    fn max_pings(&self) -> usize {
        (self.timeout.as_secs() / PING_EVERY.as_secs()).clamp(1, 100) as usize
    }

    /// When its next sign of life is due.
    pub(super) fn ping_at(&self) -> Option<Instant> {
        match self.standing {
            Standing::Stands { ping_at, .. } => Some(ping_at),
            Standing::Begins(_) | Standing::Returns | Standing::Lost => None,
        }
    }

    /// Whether the OSD has not said yet that it stands, or cannot.
    pub(super) fn begins(&self) -> bool {
        matches!(self.standing, Standing::Begins(_))
    }

    pub(super) fn is_lost(&self) -> bool {
        matches!(self.standing, Standing::Lost)
    }

    pub(super) fn target(&self, map: &impl ClusterMap) -> Option<Target> {
        self.subject.target(map, true)
    }
}

impl<M: ClusterMap, T> Objecter<M, T> {
    /// Begins a watch; `token` comes back with the outcome of the first request.
    pub(crate) fn watch(
        &mut self,
        object: Bytes,
        locator: Arc<ObjectLocator>,
        timeout: Duration,
        within: Option<Duration>,
        token: T,
        now: Instant,
    ) -> LingerId {
        let id = self.lingers.next_id();
        let subject = Subject { object, locator };
        let watch =
            Watch { subject, timeout, generation: 0, standing: Standing::Begins(token), calls: Vec::new() };
        self.lingers.by_id.insert(id, Linger::Watch(watch));
        self.watch_call(id, WatchCall::Watch, within, now);
        id
    }

    /// Ends a watch; `token` comes back when the OSD knows, unless it is not needed.
    pub(crate) fn unwatch(&mut self, id: LingerId, within: Option<Duration>, token: Option<T>, now: Instant) {
        self.cancel_calls(id, now);
        let Some(Linger::Watch(watch)) = self.lingers.by_id.remove(&id) else { return self.forget(token) };
        self.forget(watch.standing.into_token());
        let mut op = WriteOp::new();
        op.watch(WatchCall::Unwatch, id.0, watch.generation, watch.timeout);
        self.begin_free(watch.subject.request(op, within), token.map_or(Owner::Nobody, Owner::App), now);
    }

    /// Asks the OSD something about a watch, instead of what it has not answered yet; but the answer to a sign of life
    /// counts even if the next one is due before it comes. Ceph: `Objecter::_linger_ping`.
    ///
    /// Only what begins the watch takes a part of the budget: the rest must not wait behind operations that are stuck.
    pub(super) fn watch_call(
        &mut self,
        id: LingerId,
        call: WatchCall,
        within: Option<Duration>,
        now: Instant,
    ) {
        match call {
            WatchCall::Ping => self.cancel_stale_pings(id, now),
            _ => self.cancel_calls(id, now),
        }
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
            watch.calls.push(op);
        }
    }

    fn cancel_calls(&mut self, id: LingerId, now: Instant) {
        self.cancel_calls_unless(id, |_, _| false, now);
    }

    /// The OSD answered one thing: what it was asked before that is not awaited any more.
    pub(super) fn call_ended(&mut self, id: LingerId, ended: OpId, now: Instant) {
        self.cancel_calls_unless(id, |_, call| call > ended, now);
    }

    /// Makes place for another sign of life among those that the OSD has.
    fn cancel_stale_pings(&mut self, id: LingerId, now: Instant) {
        let Some(watch) = self.lingers.watch(id) else { return };
        let surplus = (watch.calls.len() + 1).saturating_sub(watch.max_pings());
        let Some(oldest) = watch.calls.get(surplus).copied() else { return self.cancel_calls(id, now) };
        self.cancel_calls_unless(id, |objecter, call| call >= oldest && objecter.is_sent(call), now);
    }

    fn cancel_calls_unless(&mut self, id: LingerId, stays: impl Fn(&Self, OpId) -> bool, now: Instant) {
        let calls = self.lingers.watch(id).map(|watch| std::mem::take(&mut watch.calls)).unwrap_or_default();
        let (stay, go): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| stays(self, *call));
        go.into_iter().for_each(|call| self.cancel(call, now));
        if let Some(watch) = self.lingers.watch(id) {
            watch.calls = stay;
        }
    }

    pub(super) fn watch_stands(
        &mut self,
        id: LingerId,
        link: Option<LinkId>,
        outcome: Outcome,
        now: Instant,
    ) {
        let Some((watch, link)) = self.lingers.watch(id).zip(link) else { return };
        let ping_at = now + PING_EVERY;
        let place = Place { link, target: watch.target(&self.map) };
        if let Standing::Begins(token) =
            std::mem::replace(&mut watch.standing, Standing::Stands { place, ping_at })
        {
            let asked = watch.subject.clone().into_asked();
            self.actions.push_back(Action::Finish(token, asked, outcome));
        }
        self.note_due(Some(ping_at));
    }

    pub(super) fn watch_is_lost(&mut self, id: LingerId, errno: Errno, now: Instant) {
        self.cancel_calls(id, now);
        let Some(watch) = self.lingers.watch(id) else { return };
        if !matches!(std::mem::replace(&mut watch.standing, Standing::Lost), Standing::Lost) {
            self.actions.push_back(Action::News(id, WatchNews::Lost(errno)));
        }
    }

    /// The watch goes on where its object is served now. If the OSD has it no longer, it says so.
    pub(super) fn watch_returns(&mut self, id: LingerId, now: Instant) {
        let Some(watch) = self.lingers.watch(id) else { return };
        watch.standing = Standing::Returns;
        watch.generation += 1;
        self.watch_call(id, WatchCall::Reconnect, None, now);
    }
}
