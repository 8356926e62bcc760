//! The rules of the session: which monitor, what to send again, what is overdue.
//!
//! ```text
//!            dial next ┌─────────┐ connected, not the last ┌──────┐
//!   ┌─────────────────>│ attempt │────────────────────────>│ open │<─┐ the ticket for tickets is due:
//!   │                  └─────────┘                         └──────┘──┘ attempt beside the open link, then swap
//!   │ pause after a round │ failed, too slow                  │ reset
//!   └─────────────────────┴───────────────────────────────────┘
//! ```
//!
//! Sans I/O: inputs are calls, outputs are [`Action`]s to be taken from [`Session::take_actions`] after each of them.

mod incoming;
mod requests;

pub(super) use requests::Ask;

use super::error::{Failure, MonError};
use super::hunt::{Hunt, Next};
use super::renewal::{AuthRequest, Renewal, auth_message};
use super::{MonConfig, Target};
use crate::MonMap;
use crate::msg::{MMonSubscribe, Subscription, TypedMessage};
use axon_denc::{AddrVec, Features};
use axon_wire::Message;
use requests::Requests;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Names a connection to a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkId(u64);

/// What the session wants done.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// Dial a monitor.
    Dial(LinkId, AddrVec),
    /// Send a message.
    Send(LinkId, Message),
    /// Close a connection; nothing of it matters any more.
    Close(LinkId),
}

/// The session with the monitors.
pub(super) struct Session {
    hunt: Hunt,
    attempt: Option<Attempt>,
    open: Option<Open>,
    last_link: u64,
    wants_login: bool,
    monmap: Option<MonMap>,
    options: BTreeMap<String, String>,
    subscriptions: BTreeMap<String, Subscription>,
    requests: Requests,
    renewal: Renewal,
    host: String,
    actions: Vec<Action>,
    closed: bool,
}

/// A connection that is not open yet.
struct Attempt {
    link: LinkId,
    target: Target,
    until: Instant,
    patience: Duration,
}

/// The open connection.
struct Open {
    link: LinkId,
    target: Target,
    features: Features,
    /// Until when the first monitor map must be there, and how long that was; a monitor without a quorum sends none.
    silent_until: Option<(Instant, Duration)>,
    /// Requests in the authentication protocol that were not answered yet; answers come in order.
    auth: VecDeque<AuthRequest>,
}

/// The time of day and that of deadlines may differ a little; this keeps them from chasing each other.
const SHORTEST_NAP: Duration = Duration::from_millis(10);
/// Maps every client is told of.
const MONMAP: &str = "monmap";
const CONFIG: &str = "config";

impl Session {
    /// A session that has not begun. `seed` decides the order of the monitors, `host` is told to them.
    pub(super) fn new(config: &MonConfig, host: String, seed: u64) -> Self {
        let always = [CONFIG, MONMAP].map(|what| (what.to_owned(), Subscription::default()));
        Self {
            hunt: Hunt::new(Target::of_hosts(&config.monitors), config.hunt_interval, seed),
            attempt: None,
            open: None,
            last_link: 0,
            wants_login: false,
            monmap: None,
            options: BTreeMap::new(),
            subscriptions: BTreeMap::from(always),
            requests: Requests::default(),
            renewal: Renewal::new(config),
            host,
            actions: Vec::new(),
            closed: false,
        }
    }

    /// What is to be done, in order.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Does what is due; returns when to come back.
    pub(super) fn poke(&mut self, now: Instant) -> Option<Instant> {
        if self.closed {
            return None;
        }
        self.expire(now);
        self.renew();
        let hunting = self.hunt(now);
        let attempt = self.attempt.as_ref().map(|attempt| attempt.until);
        let silent = self.open.as_ref().and_then(|open| open.silent_until).map(|(until, _)| until);
        let renewal = self.open.as_mut().and_then(|open| self.renewal.next_look(open.auth.make_contiguous()));
        let renewal = renewal.map(|after| now + after.max(SHORTEST_NAP));
        [hunting, attempt, silent, renewal, self.requests.next_deadline()].into_iter().flatten().min()
    }

    /// Asks something; the answer, or an error at the deadline, goes where `ask` says.
    pub(super) fn ask(&mut self, ask: Ask, within: Duration, now: Instant) {
        if self.closed {
            return; // the answer's place is dropped, which tells
        }
        if let Some(ask) = self.answer_at_once(ask) {
            self.requests.add(ask, within, now);
            self.send_requests();
        }
    }

    /// Subscribes to a map, or changes a subscription.
    pub(super) fn subscribe(&mut self, what: &str, subscription: Subscription) {
        self.subscriptions.insert(what.to_owned(), subscription);
        self.send_subscriptions(|name| name == what);
    }

    /// A version of a map was received: after a failover the next one is asked for.
    pub(super) fn got(&mut self, what: &str, version: u64) {
        match self.subscriptions.get_mut(what) {
            Some(subscription) if subscription.once => {
                self.subscriptions.remove(what);
            }
            Some(subscription) => subscription.start = subscription.start.max(version + 1),
            None => {}
        }
    }

    /// A connection is open.
    pub(super) fn connected(&mut self, link: LinkId, features: Features) {
        let Some(attempt) = self.attempt.take_if(|attempt| attempt.link == link) else { return };
        if let Some(old) = self.open.take() {
            self.actions.push(Action::Close(old.link));
        }
        tracing::info!(monitor = %attempt.target, "session with a monitor is open");
        self.wants_login = false;
        self.renewal.session_began();
        let silent_until = match self.monmap {
            Some(_) => None,
            None => Some((attempt.until + attempt.patience, attempt.patience)),
        };
        let Attempt { target, .. } = attempt;
        self.open = Some(Open { link, target, features, silent_until, auth: VecDeque::new() });
        self.monitor_serves();
        self.requests.forget_sent();
        self.send_subscriptions(|_| true);
        self.send_requests();
        self.renew();
    }

    /// A connection failed, or ended.
    pub(super) fn failed(&mut self, link: LinkId, why: Failure, now: Instant) {
        if let Some(attempt) = self.attempt.take_if(|attempt| attempt.link == link) {
            self.actions.push(Action::Close(link));
            return self.attempt_failed(attempt.target, why, now);
        }
        if let Some(open) = self.open.take_if(|open| open.link == link) {
            tracing::warn!(monitor = %open.target, %why, "the session with the monitor ended");
            self.actions.push(Action::Close(link));
        }
    }

    /// Ends everything; requests fail.
    pub(super) fn close(&mut self) {
        self.closed = true;
        let links = self.attempt.take().map(|a| a.link).into_iter().chain(self.open.take().map(|o| o.link));
        self.actions.extend(links.map(Action::Close));
        self.requests = Requests::default();
    }

    /// Whether `link` is the connection that counts.
    pub(super) fn is_open(&self, link: LinkId) -> bool {
        self.open.as_ref().is_some_and(|open| open.link == link)
    }

    /// The monitor with whom the session is open.
    pub(super) fn target(&self) -> Option<&Target> {
        self.open.as_ref().map(|open| &open.target)
    }

    /// The monitor map.
    pub(super) fn monmap(&self) -> Option<&MonMap> {
        self.monmap.as_ref()
    }

    /// What the monitors' configuration says for this client.
    pub(super) fn options(&self) -> &BTreeMap<String, String> {
        &self.options
    }

    /// Notes that the open connection's monitor serves, once that is known.
    fn monitor_serves(&mut self) {
        if let (Some(open), Some(_)) = (&mut self.open, &self.monmap) {
            open.silent_until = None;
            self.hunt.succeeded(&open.target);
        }
    }

    /// Gives up an attempt that takes too long, and answers what is overdue.
    fn expire(&mut self, now: Instant) {
        if let Some(attempt) = self.attempt.take_if(|attempt| attempt.until <= now) {
            self.actions.push(Action::Close(attempt.link));
            self.attempt_failed(attempt.target, Failure::TooSlow(attempt.patience), now);
        }
        let is_silent = |open: &mut Open| open.silent_until.is_some_and(|(until, _)| until <= now);
        if let Some(open) = self.open.take_if(is_silent) {
            self.actions.push(Action::Close(open.link));
            let patience = open.silent_until.map_or(Duration::ZERO, |(_, patience)| patience);
            self.attempt_failed(open.target, Failure::Silent(patience), now);
        }
        let asked = self.open.as_ref().map(|open| &open.target);
        self.requests.expire(now, asked, self.hunt.attempts());
    }

    /// Starts an attempt if one is needed; returns when to come back.
    fn hunt(&mut self, now: Instant) -> Option<Instant> {
        let needed = self.open.is_none() || self.wants_login;
        if !needed || self.attempt.is_some() {
            return None;
        }
        match self.hunt.next(now) {
            Next::Pause(until) => Some(until),
            Next::Try(target, patience) => {
                self.last_link += 1;
                let link = LinkId(self.last_link);
                tracing::debug!(monitor = %target, "dialling");
                self.actions.push(Action::Dial(link, target.addrs.clone()));
                let until = now + patience;
                self.attempt = Some(Attempt { link, target, until, patience });
                Some(until)
            }
        }
    }

    fn attempt_failed(&mut self, target: Target, why: Failure, now: Instant) {
        tracing::warn!(monitor = %target, %why, "no session with the monitor");
        self.hunt.failed(target, why, now);
        if self.hunt.is_hopeless() && self.open.is_none() {
            let attempts = self.hunt.attempts();
            self.requests.fail_all(|| MonError::Refused { attempts: attempts.to_vec() });
        }
    }

    /// Asks for what is due, on the open connection.
    fn renew(&mut self) {
        let Some(open) = &mut self.open else { return };
        if self.renewal.take_login_due() {
            self.wants_login = true;
        }
        let epoch = self.monmap.as_ref().map_or(0, |map| map.epoch);
        for (request, payload) in self.renewal.take_due(open.auth.make_contiguous()) {
            open.auth.push_back(request);
            let message = auth_message(payload, epoch).encode(open.features);
            push_send(&mut self.actions, open.link, message);
        }
    }

    fn send_subscriptions(&mut self, which: impl Fn(&str) -> bool) {
        let Some(open) = &self.open else { return };
        let chosen = self.subscriptions.iter().filter(|(what, _)| which(what));
        let what = chosen.map(|(what, subscription)| (what.clone(), *subscription)).collect();
        let message = MMonSubscribe { what, host: self.host.clone() }.encode(open.features);
        push_send(&mut self.actions, open.link, message);
    }

    /// Sends what was not sent on this connection yet, once the cluster's id is known.
    fn send_requests(&mut self) {
        let (Some(open), Some(map)) = (&self.open, &self.monmap) else { return };
        for message in self.requests.take_unsent(map.fsid, open.features) {
            push_send(&mut self.actions, open.link, message);
        }
    }
}

fn push_send(actions: &mut Vec<Action>, link: LinkId, message: Result<Message, crate::msg::MessageError>) {
    match message {
        Ok(message) => actions.push(Action::Send(link, message)),
        Err(error) => tracing::error!(%error, "not sent to the monitor"),
    }
}

#[cfg(test)]
mod tests;
