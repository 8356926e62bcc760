//! Messages of OSDs.

use super::linger::LingerEvent;
use super::op::Phase;
use super::reply::{Verdict, decide_reply, makes_sense};
use super::session::covers;
use super::{AGAIN_AFTER, Action, ClusterMap, LinkId, Objecter, Outcome, Waiting};
use crate::msg::{
    BackoffOp, MOSDBackoff, MOSDOpReply, MOSDOpReplyView, MWatchNotify, MessageError, TypedMessage,
};
use crate::ops::Said;
use axon_wire::Message;
use std::time::Instant;

/// Whether a message is the objecter's.
pub(crate) fn is_ours(kind: u16) -> bool {
    matches!(kind, MOSDOpReply::KIND | MOSDBackoff::KIND | MWatchNotify::KIND)
}

impl<M: ClusterMap, T> Objecter<M, T> {
    /// Takes a message. What makes no sense ends the connection: its requests are sent again on another one.
    pub(crate) fn message(&mut self, link: LinkId, message: &Message, now: Instant) {
        let Some(osd) = self.sessions.osd_of(link) else { return };
        if let Err(error) = self.take(link, osd, message, now) {
            tracing::error!(osd, %error, "the OSD talks nonsense: connection closed");
            self.nonsense(link, now);
        }
    }

    fn take(&mut self, link: LinkId, osd: u32, message: &Message, now: Instant) -> Result<(), MessageError> {
        match message.header.kind {
            MOSDOpReply::KIND => {
                let reply = MOSDOpReplyView::parse(message)?;
                self.replied((link, osd), message.header.tid, &reply, now)
            }
            MOSDBackoff::KIND => self.backoff(link, osd, MOSDBackoff::decode(message)?, now),
            MWatchNotify::KIND => {
                self.linger_event(LingerEvent::of(link, MWatchNotify::decode(message)?), now);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn replied(
        &mut self,
        (link, osd): (LinkId, u32),
        tid: u64,
        reply: &MOSDOpReplyView<'_>,
        now: Instant,
    ) -> Result<(), MessageError> {
        let Some(op) = self.ops.get_mut(&tid).filter(|op| op.link == Some(link)) else { return Ok(()) };
        let is_old = reply.retry_attempt >= 0 && reply.retry_attempt != op.attempts - 1;
        if is_old {
            return Ok(());
        }
        if !makes_sense(reply, op.request.ops.len()) {
            return Err(MOSDOpReply::malformed(axon_denc::DecodeError::Undefined {
                what: "number or size of results",
                value: reply.ops.len() as u64,
            }));
        }
        self.sessions.answered(osd);
        let uncertain = op.attempts > 1 && !op.request.is_harmless();
        match decide_reply(reply, uncertain) {
            Verdict::Finish => {
                let said = Said::by(reply).map_err(MOSDOpReply::malformed)?;
                self.end(tid, Outcome::Replied(said), now);
            }
            Verdict::Unknown(why) => {
                let after = now.saturating_duration_since(op.patience.began);
                self.end(tid, Outcome::Unknown(after, why), now);
            }
            Verdict::Elsewhere(redirect) => {
                op.redirect(redirect);
                op.target = op.find_target(&self.map);
                let tid = self.rename(tid);
                self.advance(tid, now);
            }
            Verdict::Again => self.again(tid, now),
        }
        self.admit(now);
        Ok(())
    }

    fn again(&mut self, tid: u64, now: Instant) {
        let tid = self.rename(tid);
        let Some(op) = self.ops.get_mut(&tid) else { return };
        let at = now + AGAIN_AFTER;
        op.not_before = Some(at);
        op.phase = Phase::Waits(Waiting::Again);
        self.note_due(Some(at));
    }

    fn backoff(
        &mut self,
        link: LinkId,
        osd: u32,
        backoff: MOSDBackoff,
        now: Instant,
    ) -> Result<(), MessageError> {
        match backoff.op {
            BackoffOp::Block => self.block(link, osd, backoff),
            BackoffOp::Unblock => {
                if let Some(ended) = self.sessions.unblock(link, backoff.id) {
                    self.unblocked(osd, &ended, now);
                }
                Ok(())
            }
            BackoffOp::AckBlock => Err(MOSDBackoff::malformed(axon_denc::DecodeError::Undefined {
                what: "backoff operation of an OSD",
                value: 2,
            })),
        }
    }

    /// The OSD has dropped the requests in the range, and will say when to send them again.
    fn block(&mut self, link: LinkId, osd: u32, backoff: MOSDBackoff) -> Result<(), MessageError> {
        let ack = MOSDBackoff { op: BackoffOp::AckBlock, map_epoch: self.map.epoch(), ..backoff.clone() };
        if let Some(features) = self.sessions.features(link) {
            self.actions.push_back(Action::Send(link, ack.encode(features)?));
        }
        for op in self.ops.values_mut().filter(|op| op.phase == Phase::Sent(osd)) {
            let in_range =
                op.target.as_ref().zip(op.place()).is_some_and(|(t, place)| covers(&backoff, t.pg, &place));
            if in_range {
                op.phase = Phase::Waits(Waiting::Backoff(osd));
            }
        }
        match self.sessions.block(link, backoff) {
            true => Ok(()),
            false => Err(MOSDBackoff::malformed(axon_denc::DecodeError::TooLong {
                what: "list of backoffs",
                length: u64::MAX,
                limit: 0,
            })),
        }
    }

    fn unblocked(&mut self, osd: u32, ended: &MOSDBackoff, now: Instant) {
        for op in self.ops.values_mut().filter(|op| op.phase == Phase::Sent(osd)) {
            if op.target.as_ref().zip(op.place()).is_some_and(|(t, place)| covers(ended, t.pg, &place)) {
                op.unsend();
            }
        }
        self.advance_all(now);
    }
}
