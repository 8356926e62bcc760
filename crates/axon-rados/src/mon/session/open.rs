//! The connection that counts.

use super::{Action, LinkId, Session, push_send};
use crate::mon::Target;
use crate::mon::error::Failure;
use crate::mon::renewal::{AuthRequest, auth_message};
use crate::msg::TypedMessage;
use axon_denc::Features;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a monitor has to answer in the authentication protocol.
const AUTH_WITHIN: Duration = Duration::from_secs(15);

/// The open connection.
pub(super) struct Open {
    pub(super) link: LinkId,
    pub(super) target: Target,
    pub(super) features: Features,
    /// Whether it was of use: a request was answered, or a map came that an application asked for.
    pub(super) served: bool,
    /// Requests in the authentication protocol that were not answered yet, and until when they must be; answers come
    /// in order.
    auth: VecDeque<(AuthRequest, Instant)>,
    /// When to subscribe again; only monitors of old ask for it.
    resubscribe_at: Option<Instant>,
}

impl Open {
    pub(super) fn new(link: LinkId, target: Target, features: Features) -> Self {
        Self { link, target, features, served: false, auth: VecDeque::new(), resubscribe_at: None }
    }

    /// Requests in the authentication protocol that were not answered yet.
    pub(super) fn awaited(&self) -> Vec<AuthRequest> {
        self.auth.iter().map(|(request, _)| *request).collect()
    }

    /// The request that an answer in the authentication protocol is for.
    pub(super) fn take_awaited(&mut self) -> Option<AuthRequest> {
        self.auth.pop_front().map(|(request, _)| request)
    }

    /// The monitor wants subscriptions to be repeated after `interval`.
    pub(super) fn resubscribe_within(&mut self, interval: Duration, now: Instant) {
        self.resubscribe_at = Some(now + interval / 2);
    }

    /// When something is due or overdue.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let auth = self.auth.front().map(|(_, until)| *until);
        [auth, self.resubscribe_at].into_iter().flatten().min()
    }
}

impl Session {
    /// Asks for what is due, on the open connection.
    pub(super) fn renew(&mut self, now: Instant) {
        let Some(open) = &mut self.open else { return };
        if self.renewal.take_login_due() {
            self.wants_login = true;
        }
        let epoch = self.monmap.as_ref().map_or(0, |map| map.epoch);
        for (request, payload) in self.renewal.take_due(&open.awaited()) {
            open.auth.push_back((request, now + AUTH_WITHIN));
            let message = auth_message(payload, epoch).encode(open.features);
            push_send(&mut self.actions, open.link, message);
        }
    }

    /// Subscribes again when it is time, and leaves a monitor that does not answer in the authentication protocol:
    /// another login brings what was asked for.
    pub(super) fn expire_open(&mut self, now: Instant) {
        let Some(open) = &mut self.open else { return };
        if open.resubscribe_at.take_if(|at| *at <= now).is_some() {
            self.send_subscriptions(|_| true);
        }
        let is_mute = |open: &mut Open| open.auth.front().is_some_and(|(_, until)| *until <= now);
        if let Some(mute) = self.open.take_if(is_mute) {
            self.open_failed(mute, Failure::AuthSilent(AUTH_WITHIN), now);
        }
    }

    /// Leaves a monitor that a new map no longer has at any address of the connection's, whoever has its name now. One
    /// that no map ever had, as behind a forwarded port, is kept. Ceph: `MonClient::handle_monmap`.
    pub(super) fn leave_removed(&mut self, now: Instant) {
        let Some(map) = &self.monmap else { return };
        let is_there = |target: &Target| target.addrs.iter().any(|addr| map.name_at(addr).is_some());
        let is_removed = |open: &mut Open| open.target.name.is_some() && !is_there(&open.target);
        if let Some(removed) = self.open.take_if(is_removed) {
            self.open_failed(removed, Failure::Removed, now);
        }
    }

    /// The session's connection is gone: another monitor is looked for, and asked again.
    pub(super) fn open_failed(&mut self, open: Open, why: Failure, now: Instant) {
        tracing::warn!(monitor = %open.target, %why, "the session with the monitor ended");
        self.actions.push(Action::Close(open.link));
        self.requests.forget_sent(open.link);
        self.hunt.lost(open.served, now);
        self.hunt.failed(open.target, why);
    }
}
