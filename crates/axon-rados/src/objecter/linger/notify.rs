//! Notifications.

use super::{Linger, LingerCall, LingerId, Notification, Place, Subject};
use crate::objecter::map::Target;
use crate::objecter::op::Owner;
use crate::objecter::{ClusterMap, LinkId, Objecter, OpId, Outcome, Request};
use crate::ops::{Answer, Pick, ReadOp};
use crate::osd::ObjectLocator;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Notify<T> {
    pub(super) subject: Subject,
    pub(super) compound: ReadOp,
    pub(super) token: Option<T>,
    /// When its time is over; never if no clock can express that.
    pub(super) until: Option<Instant>,
    pub(super) progress: Progress,
    /// The OSD's number of it is in its answer.
    pub(super) number: Pick<u64>,
    /// The number under which it was accepted last.
    pub(super) last_number: Option<u64>,
}

/// How far a notification came.
#[derive(Debug)]
pub(super) enum Progress {
    /// About to be asked for.
    Begins,
    /// The request is on its way.
    Asked(OpId),
    /// The OSD said yes, and tells the watchers.
    Accepted(Place),
}

impl<T> Notify<T> {
    /// Where the OSD said yes.
    pub(super) fn place(&self) -> Option<&Place> {
        match &self.progress {
            Progress::Accepted(place) => Some(place),
            Progress::Begins | Progress::Asked(_) => None,
        }
    }

    /// Whether a request is on its way.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.progress, Progress::Asked(_))
    }

    /// Whether it is this notification that ended, and not one that was sent before it.
    pub(super) fn is_ended_by(&self, link: LinkId, number: u64) -> bool {
        match self.place() {
            Some(place) => place.link == link && self.last_number.is_none_or(|last| last == number),
            None => self.last_number != Some(number), // the answer may come later than the end
        }
    }

    pub(super) fn target(&self, map: &impl ClusterMap) -> Option<Target> {
        self.subject.target(map, false)
    }
}

impl<M: ClusterMap, T> Objecter<M, T> {
    /// Notifies the watchers of an object.
    pub(crate) fn notify(
        &mut self,
        object: Bytes,
        locator: Arc<ObjectLocator>,
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
            until: now.checked_add(what.within),
            progress: Progress::Begins,
            number,
            last_number: None,
        };
        self.note_due(notify.until);
        self.lingers.by_id.insert(id, Linger::Notify(notify));
        self.send_notify(id, Self::begin, now);
        id
    }

    /// Forgets a notification.
    pub(crate) fn forget_notify(&mut self, id: LingerId, now: Instant) {
        let Some(Linger::Notify(notify)) = self.lingers.by_id.remove(&id) else { return };
        self.forget(notify.token);
        if let Progress::Asked(op) = notify.progress {
            self.cancel(op, now);
        }
    }

    pub(super) fn send_notify(
        &mut self,
        id: LingerId,
        begin: impl FnOnce(&mut Self, Request, Owner<T>, Instant) -> OpId,
        now: Instant,
    ) {
        let Some(Linger::Notify(notify)) = self.lingers.by_id.get_mut(&id) else { return };
        notify.progress = Progress::Begins;
        let within = notify.until.map(|until| until.saturating_duration_since(now));
        let request = notify.subject.request(notify.compound.clone(), within);
        let op = begin(self, request, Owner::Linger(id, LingerCall::Notify), now);
        if let Some(Linger::Notify(notify)) = self.lingers.by_id.get_mut(&id) {
            notify.progress = Progress::Asked(op);
        }
    }

    pub(super) fn notify_is_accepted(&mut self, id: LingerId, link: Option<LinkId>, outcome: Outcome) {
        let linger = self.lingers.by_id.get_mut(&id).zip(link);
        let Some((Linger::Notify(notify), link)) = linger else { return };
        let target = notify.target(&self.map);
        notify.progress = Progress::Accepted(Place { link, target });
        if let Outcome::Replied(said) = outcome {
            notify.last_number = Answer::new(notify.subject.object.clone(), said).get(notify.number).ok();
        }
    }
}
