//! The objecter's rules applied to a messenger.

mod map;

#[cfg(test)]
mod tests;

use super::answer::Token;
use super::deed::{Deed, Deeds};
use super::map_damage::{AskWhole, OnMapDamage};
use super::map_wait::MapWaiters;
use super::watch::Mailbox;
use crate::mon::{MapVersions, MonClient, Pending};
use crate::msg::{Fsid, MOSDOp, MessageError, TypedMessage};
use crate::objecter::{Action, Budget, KnownMap, LingerId, LinkId, Objecter};
use axon_denc::{AddrVec, EntityType};
use axon_messenger::{Connection, Messenger, Rejection, SendError};
use axon_wire::Message;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// The objecter, shared by handles, the messenger's callbacks and the keeper.
///
/// Dialling, sending and closing are done under the lock, which keeps requests in order: none of them blocks. Waking
/// those who wait for outcomes is done after it.
pub(super) struct Core {
    state: Mutex<State>,
    /// The keeper has something to look at.
    changed: Condvar,
}

pub(super) type Objects = Objecter<KnownMap, Token>;

struct State {
    objecter: Objects,
    links: BTreeMap<LinkId, Connection>,
    by_connection: FxHashMap<u64, LinkId>,
    watchers: BTreeMap<LingerId, Mailbox>,
    /// Gone once the session is closed.
    cluster: Option<Cluster>,
    /// The question how new the map is, on its way.
    latest: Option<Pending<MapVersions>>,
    /// When a whole OSD map is asked for.
    ask_whole: AskWhole,
    map_waiters: MapWaiters,
    on_map_damage: Option<OnMapDamage>,
    /// When the keeper looks next by itself.
    nap_ends: Option<Instant>,
}

#[derive(Clone)]
struct Cluster {
    fsid: Fsid,
    messenger: Arc<Messenger>,
    mon: Arc<MonClient>,
}

/// How long the monitors have to say how new the map is; then they are asked again.
const LATEST_WITHIN: Duration = Duration::from_secs(10);

impl Core {
    pub(super) fn new(budget: Budget, on_map_damage: Option<OnMapDamage>) -> Self {
        let state = State {
            objecter: Objecter::new(KnownMap::default(), budget),
            links: BTreeMap::new(),
            by_connection: FxHashMap::default(),
            watchers: BTreeMap::new(),
            cluster: None,
            latest: None,
            ask_whole: AskWhole::new(),
            map_waiters: MapWaiters::default(),
            on_map_damage,
            nap_ends: None,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Begins to use the messenger.
    pub(super) fn begin(&self, mon: Arc<MonClient>) {
        let cluster = Cluster { fsid: mon.fsid(), messenger: mon.messenger().clone(), mon };
        self.lock().cluster = Some(cluster);
        self.changed.notify_all();
    }

    /// Ends everything that is under way.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.objecter.close();
        let mut deeds = Deeds::new();
        state.act(&mut deeds, Instant::now());
        let cluster = state.cluster.take();
        let watchers = std::mem::take(&mut state.watchers);
        let latest = state.latest.take();
        drop(state);
        self.changed.notify_all();
        deeds.into_iter().for_each(Deed::perform);
        watchers.into_values().for_each(|mailbox| mailbox.close());
        drop((cluster, latest));
    }

    /// Uses the objecter, and does what it wants done. Inlined, as a request that goes to it is large.
    #[inline]
    pub(super) fn with<R>(&self, use_it: impl FnOnce(&mut Objects, Instant) -> R) -> R {
        let mut state = self.lock();
        let now = Instant::now();
        let result = use_it(&mut state.objecter, now);
        self.finish(state, now);
        result
    }

    /// Uses the objecter to begin a watch, whose news go to `mailbox`.
    pub(super) fn begin_watch(
        &self,
        mailbox: Mailbox,
        begin: impl FnOnce(&mut Objects, Instant) -> LingerId,
    ) -> LingerId {
        let mut state = self.lock();
        let now = Instant::now();
        let id = begin(&mut state.objecter, now);
        state.watchers.insert(id, mailbox);
        self.finish(state, now);
        id
    }

    /// Forgets a watch's mailbox.
    pub(super) fn forget_watch(&self, id: LingerId) {
        let mailbox = self.lock().watchers.remove(&id);
        drop(mailbox);
    }

    /// Uses the objecter for news of `connection`; `None` if that is none of its connections.
    pub(super) fn with_link<R>(
        &self,
        connection: &Connection,
        use_it: impl FnOnce(&mut Objects, LinkId, Instant) -> R,
    ) -> Option<R> {
        let mut state = self.lock();
        let link = *state.by_connection.get(&connection.id())?;
        let now = Instant::now();
        let result = use_it(&mut state.objecter, link, now);
        self.finish(state, now);
        Some(result)
    }

    /// A connection is over; its name is free.
    pub(super) fn lost(&self, connection: &Connection) -> bool {
        let mut state = self.lock();
        let Some(link) = state.by_connection.remove(&connection.id()) else { return false };
        state.links.remove(&link);
        let now = Instant::now();
        state.objecter.failed(link, now);
        self.finish(state, now);
        true
    }

    /// The monitors' client, until the session is closed.
    pub(super) fn mon(&self) -> Option<Arc<MonClient>> {
        self.cluster().map(|cluster| cluster.mon)
    }

    /// Does what is due, again and again, until the session is closed.
    pub(super) fn keep(self: &Arc<Self>) {
        let waker = Waker::from(Arc::new(Nudge(Arc::downgrade(self))));
        let mut state = self.lock();
        while state.cluster.is_some() {
            let now = Instant::now();
            state.take_latest(&waker, now);
            let until = state.objecter.poke(now);
            let mut deeds = Deeds::new();
            state.act(&mut deeds, now);
            state.follow_map(&mut deeds, now);
            if !deeds.is_empty() {
                drop(state);
                deeds.into_iter().for_each(Deed::perform);
                state = self.lock();
                continue;
            }
            let until = [until, state.next_map_due()].into_iter().flatten().min();
            state.nap_ends = Some(until.unwrap_or(now + LATEST_WITHIN));
            state = self.sleep(state, now);
            state.nap_ends = None;
        }
    }

    fn sleep<'a>(&'a self, state: MutexGuard<'a, State>, now: Instant) -> MutexGuard<'a, State> {
        let nap = state.nap_ends.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        self.changed.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Does what the objecter wants done, and gives the lock back.
    fn finish(&self, mut state: MutexGuard<'_, State>, now: Instant) {
        let mut deeds = Deeds::new();
        state.act(&mut deeds, now);
        let wake = state.wakes_keeper();
        drop(state);
        if wake {
            self.changed.notify_all();
        }
        deeds.drain(..).for_each(Deed::perform);
    }

    fn cluster(&self) -> Option<Cluster> {
        self.lock().cluster.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Core")
    }
}

/// Wakes the keeper.
struct Nudge(std::sync::Weak<Core>);

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        if let Some(core) = self.0.upgrade() {
            core.lock().nap_ends = None;
            core.changed.notify_all();
        }
    }
}

impl State {
    /// Whether the objecter has something for the keeper before that looks by itself. What concerns the map tells it so.
    fn wakes_keeper(&self) -> bool {
        let Some(nap_ends) = self.nap_ends else { return false };
        self.latest.is_some() || self.objecter.next_due().is_some_and(|due| due < nap_ends)
    }

    /// Does what the objecter wants done, and adds to `deeds` what is to be done without the lock.
    fn act(&mut self, deeds: &mut Deeds, now: Instant) {
        while let Some(action) = self.objecter.next_action() {
            self.perform(action, deeds, now);
        }
    }

    fn perform(&mut self, action: Action<Token>, deeds: &mut Deeds, now: Instant) {
        match action {
            Action::Dial(link, addrs) => self.dial(link, &addrs, now),
            Action::Send(link, message) => self.send(link, message, now),
            Action::Close(link) => self.close_link(link),
            Action::AskLatest => self.ask_latest(),
            Action::Finish(token, asked, outcome) => deeds.push(Deed::Finish(token, asked, outcome)),
            Action::Drop(token) => deeds.push(Deed::Drop(token)),
            Action::Notified(token, object, end) => deeds.push(Deed::Notified(token, object, end)),
            Action::News(id, news) => {
                let mailbox = self.watchers.get(&id).cloned();
                deeds.extend(mailbox.map(|mailbox| Deed::News(mailbox, news)));
            }
        }
    }

    fn dial(&mut self, link: LinkId, addrs: &AddrVec, now: Instant) {
        let Some(cluster) = &self.cluster else { return };
        match cluster.messenger.connect_anonymous(EntityType::Osd, addrs) {
            Ok(connection) => {
                self.by_connection.insert(connection.id(), link);
                self.links.insert(link, connection);
            }
            Err(error) => {
                tracing::error!(%error, %addrs, "cannot dial an OSD");
                self.objecter.failed(link, now);
            }
        }
    }

    /// A connection that does not take a message is given up: its requests are sent again on the next one. A request that
    /// no connection would take ends instead.
    fn send(&mut self, link: LinkId, message: Message, now: Instant) {
        let Some(connection) = self.links.get(&link) else { return };
        let Err(error) = connection.send(message) else { return };
        tracing::warn!(%error, ?connection, "not sent to the OSD");
        match too_long(&error) {
            Some(why) => self.objecter.refused(error.message.header.tid, why, now),
            None => {
                self.close_link(link);
                self.objecter.failed(link, now);
            }
        }
    }

    fn close_link(&mut self, link: LinkId) {
        if let Some(connection) = self.links.remove(&link) {
            self.by_connection.remove(&connection.id());
            connection.mark_down();
        }
    }

    /// The keeper takes the answer.
    fn ask_latest(&mut self) {
        match &self.cluster {
            Some(cluster) => self.latest = Some(cluster.mon.send_versions("osdmap", LATEST_WITHIN)),
            None => self.objecter.latest_failed(),
        }
    }

    fn take_latest(&mut self, waker: &Waker, now: Instant) {
        let Some(latest) = &mut self.latest else { return };
        let Poll::Ready(answer) = Pin::new(latest).poll(&mut Context::from_waker(waker)) else { return };
        self.latest = None;
        match answer {
            Ok(versions) => self.objecter.latest(u32::try_from(versions.newest).unwrap_or(u32::MAX), now),
            Err(error) => {
                tracing::warn!(%error, "the monitors do not say how new the OSD map is");
                self.objecter.latest_failed();
            }
        }
    }
}

/// What is wrong with a request itself, if that is why it was not taken: longer segments than peers take are not made, but
/// the application chooses how much may wait for an OSD.
fn too_long(error: &SendError) -> Option<MessageError> {
    match error.why {
        Rejection::TooLarge { size, limit } => {
            Some(MessageError::TooLong { message: MOSDOp::NAME, segment: "body", size, limit })
        }
        _ => None,
    }
}
