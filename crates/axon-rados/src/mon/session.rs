//! The rules of the session: which monitors, what to send again, what is overdue.
//!
//! ```text
//!            dial several ┌───────┐ the first that sends a monitor map ┌──────┐
//!   ┌────────────────────>│ tries │───────────────────────────────────>│ open │<─┐ the ticket for tickets is due:
//!   │                     └───────┘    the others are closed           └──────┘──┘ a try beside the open one, then
//!   │ pause after a round   │ failed, too slow                             │ lost  swap; the old one may still answer
//!   └───────────────────────┴──────────────────────────────────────────────┘
//! ```
//!
//! A monitor without a quorum lets clients log in, but says nothing: so a session begins with the map it sends.
//!
//! Sans I/O: inputs are calls, outputs are [`Action`]s to be taken from [`Session::take_actions`] after each of them.

mod hunting;
mod incoming;
mod open;
mod requests;

pub(super) use incoming::is_ours;
pub(super) use requests::Ask;

use super::error::{Attempt, Failure, MonError};
use super::hunt::{Candidate, Hunt};
use super::renewal::Renewal;
use super::{MonConfig, Target};
use crate::MonMap;
use crate::msg::{Fsid, MMonSubscribe, MessageError, Subscription, TypedMessage};
use axon_denc::AddrVec;
use axon_messenger::Rejection;
use axon_wire::Message;
use hunting::Try;
use open::Open;
use requests::Requests;
use std::collections::BTreeMap;
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
    parallel: usize,
    tries: Vec<Try>,
    open: Option<Open>,
    /// The connection before the open one, while answers are awaited on it.
    retiring: Option<(LinkId, Target)>,
    last_link: u64,
    wants_login: bool,
    fsid: Option<Fsid>,
    monmap: Option<MonMap>,
    options: BTreeMap<String, String>,
    subscriptions: BTreeMap<String, Subscription>,
    requests: Requests,
    renewal: Renewal,
    host: String,
    actions: Vec<Action>,
    closed: bool,
}

/// The time of day and that of deadlines may differ a little; this keeps them from chasing each other.
const SHORTEST_NAP: Duration = Duration::from_millis(10);
/// Maps every client is told of.
const MONMAP: &str = "monmap";
const CONFIG: &str = "config";

impl Session {
    /// A session that has not begun. `seed` decides the order of the monitors, `host` is told to them.
    pub(super) fn new(config: &MonConfig, renewal: Renewal, host: String, seed: u64) -> Self {
        let always = [CONFIG, MONMAP].map(|what| (what.to_owned(), Subscription::default()));
        Self {
            hunt: Hunt::new(Candidate::of_hosts(&config.monitors), config.hunt_interval, seed),
            parallel: if config.hunt_parallel == 0 { usize::MAX } else { config.hunt_parallel },
            tries: Vec::new(),
            open: None,
            retiring: None,
            last_link: 0,
            wants_login: false,
            fsid: config.fsid,
            monmap: None,
            options: BTreeMap::new(),
            subscriptions: BTreeMap::from(always),
            requests: Requests::default(),
            renewal,
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
        self.renew(now);
        self.retire();
        let hunting = self.hunt(now);
        let tries = self.tries.iter().map(|attempt| attempt.until).min();
        let open = self.open.as_ref().and_then(Open::next_deadline);
        let renewal = self.open.as_ref().and_then(|open| self.renewal.next_look(&open.awaited()));
        let renewal = renewal.map(|after| now + after.max(SHORTEST_NAP));
        [hunting, tries, open, renewal, self.requests.next_deadline()].into_iter().flatten().min()
    }

    /// Asks something; the answer, or an error at the deadline, goes where `ask` says.
    pub(super) fn ask(&mut self, ask: Ask, within: Duration, now: Instant) {
        if self.closed {
            return; // the answer's place is dropped, which tells
        }
        let Some(ask) = self.answer_at_once(ask) else { return };
        match self.requests.add(ask, within, now) {
            Ok(()) => self.send_requests(now),
            Err(surplus) => surplus.fail(MonError::TooMany { limit: Requests::MAX }),
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
            Some(subscription) => subscription.start = subscription.start.max(version.saturating_add(1)),
            None => {}
        }
        if let Some(open) = self.open.as_mut().filter(|_| !matches!(what, MONMAP | CONFIG)) {
            open.served = true;
        }
    }

    /// A connection failed, or ended.
    pub(super) fn failed(&mut self, link: LinkId, why: Failure, now: Instant) {
        if let Some(attempt) = self.take_try(link) {
            self.try_failed(attempt, why, now);
        } else if let Some(open) = self.open.take_if(|open| open.link == link) {
            self.open_failed(open, why, now);
        } else if self.retiring.take_if(|(retiring, _)| *retiring == link).is_some() {
            self.actions.push(Action::Close(link));
            self.requests.forget_sent(link);
            self.send_requests(now);
        }
    }

    /// A message with the given transaction id could not be handed to its connection.
    pub(super) fn not_sent(&mut self, link: LinkId, tid: u64, why: Rejection, now: Instant) {
        let Some(open) = self.open.as_ref().filter(|open| open.link == link) else { return };
        self.requests.not_handed(tid);
        if why == Rejection::Closed {
            return; // its end is on its way to us, and everything is sent again
        }
        self.requests.fail(tid, now, |what| MonError::NotSent { asked: open.target.clone(), what, why });
    }

    /// Ends everything; requests fail.
    pub(super) fn close(&mut self) {
        self.closed = true;
        let tries = self.tries.drain(..).map(|attempt| attempt.link);
        let others = self.open.take().map(|open| open.link).into_iter();
        let retiring = self.retiring.take().map(|(link, _)| link);
        self.actions.extend(tries.chain(others).chain(retiring).map(Action::Close));
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

    /// Answers what is overdue, and gives up on monitors that take too long.
    fn expire(&mut self, now: Instant) {
        if self.requests.next_deadline().is_some_and(|at| at <= now) {
            let attempts: Vec<Attempt> = self.attempts(now);
            let asked = self.open.as_ref().map(|open| &open.target);
            self.requests.expire(now, asked, &attempts);
        }
        self.expire_tries(now);
        self.expire_open(now);
    }

    /// Subscribes on the open connection.
    fn send_subscriptions(&mut self, which: impl Fn(&str) -> bool) {
        let Some(open) = &self.open else { return };
        let chosen = self.subscriptions.iter().filter(|(what, _)| which(what));
        let what = chosen.map(|(what, subscription)| (what.clone(), *subscription)).collect();
        let message = MMonSubscribe { what, host: self.host.clone() }.encode(open.features);
        push_send(&mut self.actions, open.link, message);
    }

    /// Sends what was not sent yet, on the open connection.
    fn send_requests(&mut self, now: Instant) {
        let (Some(open), Some(map)) = (&self.open, &self.monmap) else { return };
        let messages = self.requests.take_unsent(open, map.fsid, now);
        self.actions.extend(messages.into_iter().map(|message| Action::Send(open.link, message)));
    }
}

fn push_send(actions: &mut Vec<Action>, link: LinkId, message: Result<Message, MessageError>) {
    match message {
        Ok(message) => actions.push(Action::Send(link, message)),
        Err(error) => tracing::error!(%error, "not sent to the monitor"),
    }
}

#[cfg(test)]
mod tests;
