//! A request on its way.

use super::linger::LingerCall;
use super::map::{ClusterMap, Target};
use super::order::Order;
use super::request::Patience;
use super::{LingerId, LinkId, OpId, Outcome, Request, Waiting};
use crate::msg::{MessageError, Redirect};
use crate::ops::WatchCall;
use crate::osd::{HObject, ObjectLocator, OpCode, OsdFlags};
use crate::osdmap::MapFault;
use bytes::Bytes;
use std::time::Instant;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The budget has no room for it.
    Queued,
    /// It is not with an OSD, or the OSD is known to have dropped it.
    Waits(Waiting),
    /// It is with an OSD.
    Sent(u32),
}

/// Who waits for the outcome.
#[derive(Debug)]
pub(super) enum Owner<T> {
    /// The application.
    App(T),
    /// A watch or notification.
    Linger(LingerId, LingerCall),
    /// Nobody.
    Nobody,
}

impl<T> Owner<T> {
    /// The application's token, if it is the application.
    pub(super) fn into_token(self) -> Option<T> {
        match self {
            Self::App(token) => Some(token),
            Self::Linger(..) | Self::Nobody => None,
        }
    }
}

/// A request, and what became of it so far.
#[derive(Debug)]
pub(super) struct Op<T> {
    pub(super) id: OpId,
    pub(super) request: Request,
    pub(super) order: Order,
    pub(super) owner: Owner<T>,
    pub(super) patience: Patience,
    pub(super) phase: Phase,
    /// What it takes of the budget: the bytes it carries or asks for. Nothing for what stands above it.
    pub(super) cost: Option<u64>,
    /// How often it was sent under its present transaction id.
    pub(super) attempts: i32,
    /// Whether it was sent under an earlier one.
    sent_before: bool,
    /// The connection it was sent on last, if an answer from there would still count.
    pub(super) link: Option<LinkId>,
    /// The epoch it was sent in last.
    sent_epoch: u32,
    /// Where it belongs; `None` if there is no such pool, or no map.
    pub(super) target: Option<Target>,
    /// A map of this epoch has its pool, or there is none.
    pub(super) pool_known_by: Option<u32>,
    /// Not to be sent before.
    pub(super) not_before: Option<Instant>,
    /// Where the OSD said the object is instead.
    redirected: Option<Box<Redirect>>,
}

impl<T> Op<T> {
    pub(super) fn new(
        id: OpId,
        request: Request,
        order: Order,
        owner: Owner<T>,
        cost: Option<u64>,
        patience: Patience,
    ) -> Self {
        Self {
            id,
            cost,
            request,
            order,
            owner,
            patience,
            phase: Phase::Queued,
            attempts: 0,
            sent_before: false,
            link: None,
            sent_epoch: 0,
            target: None,
            pool_known_by: None,
            not_before: None,
            redirected: None,
        }
    }

    /// The object's name, where it is asked for now.
    pub(super) fn object(&self) -> &Bytes {
        match &self.redirected {
            Some(redirect) if !redirect.object.is_empty() => &redirect.object,
            _ => &self.request.object,
        }
    }

    /// The object's pool and namespace, where it is asked for now.
    pub(super) fn locator(&self) -> &ObjectLocator {
        self.redirected.as_ref().map_or(&self.request.locator, |redirect| &redirect.locator)
    }

    pub(super) fn is_redirected(&self) -> bool {
        self.redirected.is_some()
    }

    /// From now on the object is asked for where `redirect` says.
    pub(super) fn redirect(&mut self, redirect: Redirect) {
        self.redirected = Some(Box::new(redirect));
        self.unsend();
    }

    /// Where the request belongs by `map`, in the cache tier if the pool has one. What is asked of a placement group is
    /// asked of the pool itself. Ceph: `Objecter::_calc_target`.
    pub(super) fn find_target(&self, map: &impl ClusterMap) -> Option<Target> {
        let ignores = self.request.is_on_pg() || self.request.flags.contains(OsdFlags::IGNORE_OVERLAY);
        match self.is_redirected() || ignores {
            true => map.target(self.locator(), self.object()),
            false => map.tier_target(self.locator(), self.object(), self.request.is_write()),
        }
    }

    /// Whether it is the sign of life of a watch.
    pub(super) fn is_ping(&self) -> bool {
        matches!(self.owner, Owner::Linger(_, LingerCall::Watch(WatchCall::Ping)))
    }

    /// Whether what was sent may have been dropped by the OSDs, now that the request belongs to `target`: they drop
    /// what they have not begun when the primary changes, when the group is split, and when the monitors say so.
    pub(super) fn is_outdated(&self, target: Option<&Target>, map: &impl ClusterMap) -> bool {
        let forced = target.is_some_and(|t| map.force_resend(t.raw.pool.cast_signed()) > self.sent_epoch);
        forced || self.target.as_ref() != target
    }

    /// The OSD has it no longer, or is asked again.
    pub(super) fn unsend(&mut self) {
        if let Phase::Sent(osd) = self.phase {
            self.phase = Phase::Waits(Waiting::Connection(osd));
        }
    }

    /// It belongs elsewhere now. What the OSD that has it does with a watch or a notification ends with the map: its yes,
    /// should it still come, is worth nothing. Ceph: `Objecter::handle_osd_op_reply` looks in the sender's session only.
    pub(super) fn call_back(&mut self) {
        self.unsend();
        self.link = self.link.filter(|_| !self.wants_fresh_tid());
    }

    /// It was sent.
    pub(super) fn sent(&mut self, osd: u32, link: LinkId, epoch: u32) {
        self.phase = Phase::Sent(osd);
        self.attempts += 1;
        self.link = Some(link);
        self.sent_epoch = epoch;
    }

    /// It was not sent after all: no connection takes it.
    pub(super) fn not_sent(&mut self) {
        self.attempts -= 1;
    }

    /// From now on it is sent under another transaction id.
    pub(super) fn renamed(&mut self) {
        self.sent_before = self.ever_sent();
        self.attempts = 0;
    }

    /// Whether it was ever sent, under whichever transaction id.
    pub(super) fn ever_sent(&self) -> bool {
        self.sent_before || self.attempts > 0
    }

    /// The place of its object, to be compared with the ranges of backoffs.
    pub(super) fn place(&self) -> Option<HObject> {
        let target = self.target.as_ref()?;
        let locator = self.locator();
        let (namespace, key) = (locator.namespace.clone(), locator.key.clone());
        let pool = target.raw.pool.cast_signed();
        Some(HObject::head(pool, namespace, self.object().clone(), key, target.raw.seed))
    }

    /// Whether each attempt must be a request of its own: an OSD that takes the second attempt at a watch for the first
    /// would not connect it to the new session, and a notification is not kept at all.
    pub(super) fn wants_fresh_tid(&self) -> bool {
        self.request.ops.iter().any(|op| matches!(op.code, OpCode::WATCH | OpCode::NOTIFY))
    }

    /// How it ends when a pool is marked eio.
    pub(super) fn outcome_of_eio(&self, pool: i64, now: Instant) -> Outcome {
        let after = now.saturating_duration_since(self.patience.began);
        match self.may_be_done() {
            true => Outcome::Unknown(after, Waiting::PoolEio(pool)),
            false => Outcome::PoolEio(Waiting::PoolEio(pool)),
        }
    }

    /// How it ends when the OSD it belongs to now cannot be sent it.
    pub(super) fn outcome_of_unsendable(&self, why: MessageError, now: Instant) -> Outcome {
        let after = now.saturating_duration_since(self.patience.began);
        match self.may_be_done() {
            true => Outcome::Unknown(after, Waiting::Unsendable),
            false => Outcome::Unsendable(why),
        }
    }

    /// Whether it may have been done, and that matters.
    fn may_be_done(&self) -> bool {
        self.ever_sent() && !self.request.is_harmless()
    }

    /// How it ends when its time is over.
    pub(super) fn outcome_at_deadline(&self, damage: Option<MapFault>, now: Instant) -> Outcome {
        let after = now.saturating_duration_since(self.patience.began);
        match self.may_be_done() {
            true => Outcome::Unknown(after, self.waiting().given(damage)),
            false => Outcome::NotDone(after, self.waiting().given(damage)),
        }
    }

    /// What it waits for.
    pub(super) fn waiting(&self) -> Waiting {
        match self.phase {
            Phase::Queued => Waiting::Budget,
            Phase::Waits(why) => why,
            Phase::Sent(osd) => Waiting::Answer(osd),
        }
    }
}
