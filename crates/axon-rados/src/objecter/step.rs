//! What to do next with a request.

use super::op::{Op, Phase};
use super::session::Way;
use super::{ClusterMap, LinkId, Objecter, Outcome, Waiting, WhenFull};
use axon_denc::{AddrVec, Features};
use std::time::Instant;

/// The next step with a request.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing: it is on its way, or not let in.
    Stay,
    /// Wait.
    Wait(Waiting),
    /// Ask for the newest map, and wait.
    AskLatest(Waiting),
    /// Connect to an OSD, and wait.
    Dial(u32, AddrVec),
    /// Send it.
    Send {
        /// To whom.
        osd: u32,
        /// On which connection.
        link: LinkId,
        /// What both ends of it can do.
        features: Features,
    },
    /// Give up.
    End(Outcome),
}

impl<M: ClusterMap, T> Objecter<M, T> {
    /// The first row that fits:
    ///
    /// | phase | map | pool | barrier | primary | connection | backoff | step |
    /// |---|---|---|---|---|---|---|---|
    /// | queued, sent | | | | | | | stay |
    /// | to be tried later | | | | | | | wait |
    /// | | none | | | | | | ask for the newest |
    /// | | | unknown | | | | | ask for the newest; end if this is it |
    /// | | | | the pool, or that before its tier, is marked eio | | | | end |
    /// | | | | paused, full | | | | wait, or end |
    /// | | | | | none | | | ask for the newest |
    /// | | | | | up | none | | dial |
    /// | | | | | up | dialled, paused | | wait |
    /// | | | | | up | open | yes | wait |
    /// | | | | | up | open | no | send |
    pub(super) fn decide(&self, op: &Op<T>, now: Instant) -> Step {
        match op.phase {
            Phase::Queued | Phase::Sent(_) => return Step::Stay,
            Phase::Waits(_) if op.not_before.is_some_and(|at| at > now) => return Step::Wait(Waiting::Again),
            Phase::Waits(_) => {}
        }
        if self.map.epoch() == 0 {
            return Step::Wait(Waiting::Map);
        }
        let Some(target) = &op.target else { return self.without_pool(op) };
        if let Some(barrier) = self.barrier(op, target.raw.pool.cast_signed(), now) {
            return barrier;
        }
        let Some(osd) = target.primary else { return Step::Wait(Waiting::Primary(target.pg.pg)) };
        match self.sessions.way_to(osd, target.pg, || op.place()) {
            Way::None => match self.map.osd_addrs(osd) {
                Some(addrs) => Step::Dial(osd, addrs),
                None => Step::Wait(Waiting::Primary(target.pg.pg)),
            },
            Way::Blocked(why) => Step::Wait(why),
            Way::Open(link, features) => Step::Send { osd, link, features },
        }
    }

    /// A pool that is not in this map may be in a newer one.
    fn without_pool(&self, op: &Op<T>) -> Step {
        let why = Waiting::Pool(op.locator().pool);
        match op.pool_known_by {
            Some(epoch) if epoch <= self.map.epoch() => Step::End(Outcome::NoPool),
            Some(_) => Step::Wait(why),
            None => Step::AskLatest(why),
        }
    }

    /// What keeps the request from being sent, if anything does.
    ///
    /// A watch's signs of life are kept back as reads are: OSDs take them while nothing can be written, and without them
    /// give the watch up. Ceph: `Objecter::_send_linger_ping`.
    ///
    /// Reads that keep their place among writes wait for room as writes do, behind the write they follow: OSDs forget
    /// both when the pool becomes full. Ceph: `Objecter::Op::respects_full`, `PrimaryLogPG::do_op`.
    pub(super) fn barrier(&self, op: &Op<T>, pool: i64, now: Instant) -> Option<Step> {
        let barriers = self.map.barriers(pool);
        let behind = op.locator().pool;
        if barriers.pool_eio {
            return Some(Step::End(op.outcome_of_eio(pool, now)));
        }
        if behind != pool && self.map.barriers(behind).pool_eio {
            return Some(Step::End(op.outcome_of_eio(behind, now)));
        }
        let write = op.request.is_write() && !op.is_ping();
        if if write { barriers.writes } else { barriers.reads } {
            return Some(Step::Wait(Waiting::Paused));
        }
        let why = match barriers {
            b if b.cluster_full => Waiting::ClusterFull,
            b if b.pool_full => Waiting::PoolFull(pool),
            _ => return None,
        };
        if op.is_ping() || !self.keeps_its_place(op) {
            return None;
        }
        match op.request.when_full {
            WhenFull::Wait => Some(Step::Wait(why)),
            WhenFull::Fail if !write => None,         // it changes nothing
            WhenFull::Fail if op.ever_sent() => None, // it may have been done: the OSD will say
            WhenFull::Fail => Some(Step::End(Outcome::Full(why))),
            WhenFull::Try => None,
        }
    }
}
