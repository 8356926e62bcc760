//! The objecter: which OSD gets a request, when it is sent again, and what its answer means.
//!
//! Sans I/O: inputs are calls, outputs are [`Action`]s to be taken by [`Objecter::next_action`] after each of them.
//! A request keeps its transaction id, and with it its `reqid`, however often it is sent: an OSD that did it already
//! says so instead of doing it again.
//!
//! ```text
//!           submit                  room in the budget              a primary, a connection, no barrier
//!   ────────────────────> Queued ──────────────────────> Waits(why) ─────────────────────────────────> Sent(osd)
//!                            │                             │  ^                                          │    │
//!                            │ deadline                    │  └── interval over, reset, backoff, EAGAIN ─┘    │
//!                            v                             v                                               v
//!                         NotDone                 NotDone, or Unknown                                   Replied
//!                                                 if it was ever sent
//! ```
//!
//! | page | what it decides |
//! |---|---|
//! | `step` | what to do next with a request: the table |
//! | `order` | which reads keep their place behind writes |
//! | `reply` | what an answer means |
//! | `map` | what is asked of a map, `known_map` the real one, `feed` how it grows |
//! | `session` | the connection to an OSD: dialled, open, paused after a failure; its backoffs |
//! | `budget` | how much may be in flight |
//! | `due` | what happens by itself as time passes |
//! | `linger` | watches and notifications, which outlive connections |

mod budget;
mod due;
mod feed;
mod incoming;
mod known_map;
mod linger;
mod linking;
mod map;
mod op;
mod order;
mod reply;
mod request;
mod session;
mod step;
mod waiting;
mod wire;

#[cfg(test)]
mod tests;

pub(crate) use budget::Budget;
pub(crate) use feed::Fed;
pub(crate) use incoming::is_ours;
pub(crate) use known_map::KnownMap;
pub(crate) use linger::{LingerId, Notification, NotifyEnd, WatchNews};
pub(crate) use map::ClusterMap;
pub(crate) use request::{Asked, OpId, Outcome, Request};
pub use request::{SnapContext, WhenFull};
pub(crate) use session::LinkId;
pub use waiting::Waiting;

use crate::msg::MessageError;
use crate::osdmap::MapFault;
use axon_denc::{AddrVec, Features};
use axon_wire::Message;
use bytes::Bytes;
use linger::{Ended, Lingers};
use op::{Op, Owner, Phase};
use order::Orders;
use request::Patience;
use rustc_hash::FxHashMap;
use session::Sessions;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};
use step::Step;

/// What the objecter wants done. `T` is the application's token of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Action<T> {
    /// Dial an OSD.
    Dial(LinkId, AddrVec),
    /// Send a message.
    Send(LinkId, Message),
    /// Close a connection; nothing of it matters any more.
    Close(LinkId),
    /// Ask the monitors which OSD map is the newest, and say so by [`Objecter::latest`].
    AskLatest,
    /// A request ended.
    Finish(T, Asked, Outcome),
    /// Tell a watcher.
    News(LingerId, WatchNews),
    /// A notification of the watchers of an object ended.
    Notified(T, Bytes, NotifyEnd),
    /// Drop a token: nobody waits for its outcome, or there will be none. Here, as that may wake somebody.
    Drop(T),
}

/// What is to be done, in order.
type Actions<T> = VecDeque<Action<T>>;

/// The requests of a client, its connections to OSDs, and the map they follow.
pub(crate) struct Objecter<M, T> {
    map: M,
    /// Why the maps that came since cannot be read.
    damage: Option<MapFault>,
    /// Boxed, as they are large, and the map moves its values about.
    ops: FxHashMap<u64, Box<Op<T>>>,
    orders: Orders,
    /// Requests whose transaction id is not their first one any more.
    renamed: BTreeMap<OpId, u64>,
    last_tid: u64,
    /// Requests that are not let in yet.
    queued: BTreeSet<u64>,
    /// When something is to be done, or earlier.
    due: Option<Instant>,
    budget: Budget,
    sessions: Sessions,
    lingers: Lingers<T>,
    asking_latest: bool,
    actions: Actions<T>,
}

/// Before a request that shall be tried again is.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

impl<M: ClusterMap, T> Objecter<M, T> {
    /// Nothing in flight yet.
    pub(crate) fn new(map: M, budget: Budget) -> Self {
        Self {
            map,
            damage: None,
            ops: FxHashMap::default(),
            orders: Orders::default(),
            renamed: BTreeMap::new(),
            last_tid: 0,
            queued: BTreeSet::new(),
            due: None,
            budget,
            sessions: Sessions::default(),
            lingers: Lingers::default(),
            asking_latest: false,
            actions: Actions::new(),
        }
    }

    /// What is to be done next, in order.
    pub(crate) fn next_action(&mut self) -> Option<Action<T>> {
        self.actions.pop_front()
    }

    /// The map.
    pub(crate) fn map(&self) -> &M {
        &self.map
    }

    /// Begins a request. `token` comes back with its outcome.
    pub(crate) fn submit(&mut self, request: Request, token: T, now: Instant) -> OpId {
        self.begin(request, Owner::App(token), now)
    }

    /// Forgets a request. If it was sent it may still be done, but it is not sent again.
    pub(crate) fn cancel(&mut self, id: OpId, now: Instant) {
        if let Some(op) = self.remove(self.tid_of(id)) {
            let waiting = self.waiting_behind(&op);
            self.release(waiting, now);
            self.forget(op.owner.into_token());
        }
        self.admit(now);
    }

    /// The map becomes another one. If epochs were `skipped` nobody knows what happened in them.
    pub(crate) fn change_map(&mut self, change: impl FnOnce(&mut M), skipped: bool, now: Instant) {
        change(&mut self.map);
        self.damage = None;
        self.sessions.follow(&self.map, &mut self.actions);
        for tid in self.tids() {
            self.recheck(tid, skipped, now);
        }
        self.recheck_lingers(skipped, now);
        self.advance_all(now);
    }

    /// Maps came that cannot be read: whoever waits for a newer one is told, should its time be over.
    pub(crate) fn damaged(&mut self, fault: MapFault) {
        self.damage = Some(fault);
    }

    /// The map turned out to be the newest.
    fn mended_if(&mut self, newest: bool) {
        self.damage = self.damage.filter(|_| !newest);
    }

    /// Why the maps that came since the present one cannot be read, if that is so.
    pub(crate) fn damage(&self) -> Option<MapFault> {
        self.damage
    }

    /// The monitors' newest OSD map has this epoch.
    pub(crate) fn latest(&mut self, epoch: u32, now: Instant) {
        self.asking_latest = false;
        for op in self.ops.values_mut() {
            if matches!(op.phase, Phase::Waits(Waiting::Pool(_))) {
                op.pool_known_by.get_or_insert(epoch);
            }
        }
        self.advance_all(now);
    }

    /// The monitors could not be asked: it will be tried again.
    pub(crate) fn latest_failed(&mut self) {
        self.asking_latest = false;
    }

    /// Ends everything.
    pub(crate) fn close(&mut self) {
        for tid in self.tids() {
            let token = self.ops.remove(&tid).and_then(|op| op.owner.into_token());
            self.forget(token);
        }
        let lingers = std::mem::take(&mut self.lingers).into_tokens();
        self.actions.extend(lingers.map(Action::Drop));
        self.orders = Orders::default();
        self.renamed.clear();
        self.queued.clear();
        self.due = None;
        self.sessions.close_all(&mut self.actions);
    }

    fn begin(&mut self, request: Request, owner: Owner<T>, now: Instant) -> OpId {
        let cost = request.cost();
        let id = self.enter(request, owner, Some(cost), now);
        match self.queued.is_empty() && self.budget.take(cost) {
            true => self.let_in(id.0, now),
            false => drop(self.queued.insert(id.0)),
        }
        id
    }

    /// Begins a request that takes no part of the budget, and waits for none: what keeps or ends something that stands.
    fn begin_free(&mut self, request: Request, owner: Owner<T>, now: Instant) -> OpId {
        let id = self.enter(request, owner, None, now);
        self.let_in(id.0, now);
        id
    }

    fn enter(&mut self, mut request: Request, owner: Owner<T>, cost: Option<u64>, now: Instant) -> OpId {
        let tid = self.next_tid();
        let id = OpId(tid);
        let order = self.order(id, &mut request);
        let patience = Patience::new(now, request.within);
        self.note_due(patience.until);
        self.ops.insert(tid, Box::new(Op::new(id, request, order, owner, cost, patience)));
        id
    }

    /// Lets requests in as long as the budget has room, first come, first served.
    fn admit(&mut self, now: Instant) {
        while let Some(tid) = self.queued.first().copied() {
            let Some(op) = self.ops.get(&tid) else { return };
            if op.cost.is_some_and(|cost| !self.budget.take(cost)) {
                return;
            }
            self.queued.pop_first();
            self.let_in(tid, now);
        }
    }

    /// Takes the first step with a request that has its part of the budget.
    fn let_in(&mut self, tid: u64, now: Instant) {
        let Some(op) = self.ops.get_mut(&tid) else { return };
        op.phase = Phase::Waits(Waiting::Map);
        op.target = op.find_target(&self.map);
        self.advance(tid, now);
    }

    /// Looks where a request belongs now; if it has to be sent again it waits for that. OSDs forget writes that they had
    /// not begun when the pool became full, and reads behind them: they are sent again when there is room, and done once.
    fn recheck(&mut self, tid: u64, skipped: bool, now: Instant) {
        let Some(op) = self.ops.get(&tid).filter(|op| op.phase != Phase::Queued) else { return };
        let target = op.find_target(&self.map);
        let barred =
            target.as_ref().is_some_and(|t| self.barrier(op, t.raw.pool.cast_signed(), now).is_some());
        let Some(op) = self.ops.get_mut(&tid) else { return };
        let gone = op.link.is_none_or(|link| self.sessions.features(link).is_none());
        if skipped || gone || op.is_outdated(target.as_ref(), &self.map) {
            op.call_back();
        } else if barred {
            op.unsend();
        }
        op.target = target;
    }

    fn advance_all(&mut self, now: Instant) {
        for tid in self.tids() {
            self.advance(tid, now);
        }
        self.admit(now);
    }

    /// Takes the next step with a request, if there is one.
    fn advance(&mut self, tid: u64, now: Instant) {
        let Some(op) = self.ops.get(&tid) else { return };
        match self.decide(op, now) {
            Step::Stay => {}
            Step::Wait(why) => self.wait(tid, why),
            Step::Dial(osd, addrs) => {
                self.sessions.dial(osd, addrs, &mut self.actions);
                self.wait(tid, Waiting::Connection(osd));
            }
            Step::AskLatest(why) => {
                if !std::mem::replace(&mut self.asking_latest, true) {
                    self.actions.push_back(Action::AskLatest);
                }
                self.wait(tid, why);
            }
            Step::Send { osd, link, features } => self.send(tid, osd, link, features, now),
            Step::End(outcome) => self.end(tid, outcome, now),
        }
    }

    fn wait(&mut self, tid: u64, why: Waiting) {
        if let Some(op) = self.ops.get_mut(&tid) {
            op.phase = Phase::Waits(why);
        }
    }

    fn send(&mut self, tid: u64, osd: u32, link: LinkId, features: Features, now: Instant) {
        let tid = self.fresh_tid_if_needed(tid);
        self.reorder(tid);
        let Some(op) = self.ops.get_mut(&tid) else { return };
        match wire::message(op, tid, self.map.epoch(), features) {
            Ok(message) => {
                op.sent(osd, link, self.map.epoch());
                self.actions.push_back(Action::Send(link, message));
            }
            Err(error) => {
                let outcome = op.outcome_of_unsendable(error, now);
                self.end(tid, outcome, now);
            }
        }
    }

    /// A request was not sent after all: no connection takes it, so it is over.
    pub(crate) fn refused(&mut self, tid: u64, why: MessageError, now: Instant) {
        let Some(op) = self.ops.get_mut(&tid) else { return };
        op.not_sent();
        let outcome = op.outcome_of_unsendable(why, now);
        self.end(tid, outcome, now);
        self.admit(now);
    }

    /// Requests that must not be taken for their first attempt get a new transaction id for each.
    fn fresh_tid_if_needed(&mut self, tid: u64) -> u64 {
        match self.ops.get(&tid).is_some_and(|op| op.attempts > 0 && op.wants_fresh_tid()) {
            true => self.rename(tid),
            false => tid,
        }
    }

    /// Gives a request a new transaction id: for OSDs it is another one.
    fn rename(&mut self, tid: u64) -> u64 {
        let Some(mut op) = self.ops.remove(&tid) else { return tid };
        let new = self.next_tid();
        op.renamed();
        self.renamed.insert(op.id, new);
        self.ops.insert(new, op);
        new
    }

    fn end(&mut self, tid: u64, outcome: Outcome, now: Instant) {
        let Some(op) = self.remove(tid) else { return };
        let waiting = self.waiting_behind(&op);
        let Op { id, request, owner, link, .. } = *op;
        match owner {
            Owner::App(token) => self.actions.push_back(Action::Finish(token, request.into(), outcome)),
            Owner::Linger(linger, call) => {
                self.linger_ended(linger, call, Ended { op: id, link, outcome }, now);
            }
            Owner::Nobody => {}
        }
        self.release(waiting, now);
    }

    fn remove(&mut self, tid: u64) -> Option<Box<Op<T>>> {
        let op = self.ops.remove(&tid)?;
        self.renamed.remove(&op.id);
        self.orders.remove(op.id, op.order);
        match (op.phase, op.cost) {
            (Phase::Queued, _) => drop(self.queued.remove(&tid)),
            (_, Some(cost)) => self.budget.give_back(cost),
            (_, None) => {}
        }
        Some(op)
    }

    /// Gives up a token.
    fn forget(&mut self, token: Option<T>) {
        self.actions.extend(token.map(Action::Drop));
    }

    fn next_tid(&mut self) -> u64 {
        self.last_tid += 1;
        self.last_tid
    }

    /// Whether a request is with an OSD.
    fn is_sent(&self, id: OpId) -> bool {
        self.ops.get(&self.tid_of(id)).is_some_and(|op| matches!(op.phase, Phase::Sent(_)))
    }

    /// The present transaction id of a request.
    fn tid_of(&self, id: OpId) -> u64 {
        self.renamed.get(&id).copied().unwrap_or(id.0)
    }

    /// The present transaction ids of all requests, in the order in which they got them.
    fn tids(&self) -> Vec<u64> {
        let mut tids: Vec<_> = self.ops.keys().copied().collect();
        tids.sort_unstable();
        tids
    }
}
