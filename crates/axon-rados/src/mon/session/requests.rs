//! Requests that wait for their answers.

use super::{LinkId, Open};
use crate::MonMap;
use crate::mon::Target;
use crate::mon::error::{Attempt, MonError, Request};
use crate::mon::pending::Answer;
use crate::mon::query::{Asked, Query};
use crate::msg::Fsid;
use axon_wire::Message;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A question, and where its answer goes.
#[derive(Debug)]
pub(in crate::mon) enum Ask {
    /// A question with a message of its own.
    Query(Box<dyn Asked>),
    /// The monitor map, once there is one.
    MonMap(Answer<MonMap>),
    /// The rotating secrets, once they are there.
    Secrets(Answer<()>),
}

impl Ask {
    /// A question with a message of its own.
    pub(in crate::mon) fn query<Q: Query>(query: Q, answer: Answer<Q::Output>) -> Self {
        Self::Query(Box::new((query, answer)))
    }

    fn request(&self) -> Request {
        match self {
            Self::Query(query) => query.request(),
            Self::MonMap(_) => Request::MonMap,
            Self::Secrets(_) => Request::Secrets,
        }
    }

    pub(super) fn fail(self, error: MonError) {
        match self {
            Self::Query(query) => query.fail(error),
            Self::MonMap(answer) => answer.put(Err(error)),
            Self::Secrets(answer) => answer.put(Err(error)),
        }
    }
}

/// What a deadline is that no clock can express: a year.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Questions by their transaction ids.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: BTreeMap<u64, Waiting>,
    last_tid: u64,
}

#[derive(Debug)]
struct Waiting {
    ask: Ask,
    since: Instant,
    within: Duration,
    until: Instant,
    /// The connection that has it.
    sent: Option<LinkId>,
    /// The monitor that was handed it last, also if its connection is gone.
    asked: Option<Target>,
    /// The one before, should the last one turn out not to have been handed it.
    asked_before: Option<Target>,
}

impl Waiting {
    /// The open connection has it.
    fn hand_to(&mut self, open: &Open) {
        self.sent = Some(open.link);
        self.asked_before = self.asked.replace(open.target.clone());
    }

    /// Ends it at `now`: with the monitor that may carry it out if there is one, else with `error`.
    fn fail(self, now: Instant, error: impl FnOnce(Request, Duration) -> MonError) {
        let (what, within) = (self.ask.request(), self.within);
        let error = match self.asked {
            Some(asked) if what.may_change() => {
                let within = within.min(now.saturating_duration_since(self.since));
                MonError::NoAnswer { asked, what, within }
            }
            _ => error(what, within),
        };
        self.ask.fail(error);
    }
}

impl Requests {
    /// How many questions may wait.
    pub(super) const MAX: usize = 4096;

    /// Adds a question; it comes back if too many wait.
    pub(super) fn add(&mut self, ask: Ask, within: Duration, now: Instant) -> Result<(), Ask> {
        if self.waiting.len() >= Self::MAX {
            return Err(ask);
        }
        self.last_tid += 1;
        let until = now.checked_add(within).unwrap_or(now + FOREVER);
        let waiting = Waiting { ask, since: now, within, until, sent: None, asked: None, asked_before: None };
        self.waiting.insert(self.last_tid, waiting);
        Ok(())
    }

    /// The question with this id that a message of type `reply` on `link` answers.
    pub(super) fn take_answered(&mut self, tid: u64, link: LinkId, reply: u16) -> Option<Box<dyn Asked>> {
        let is_it = |waiting: &Waiting| matches!(&waiting.ask, Ask::Query(query) if query.reply() == reply);
        self.waiting.get(&tid).filter(|waiting| waiting.sent == Some(link) && is_it(waiting))?;
        match self.waiting.remove(&tid)?.ask {
            Ask::Query(query) => Some(query),
            Ask::MonMap(_) | Ask::Secrets(_) => None,
        }
    }

    /// A question was not handed to the monitor after all.
    pub(super) fn not_handed(&mut self, tid: u64) {
        if let Some(waiting) = self.waiting.get_mut(&tid) {
            waiting.asked = waiting.asked_before.take();
        }
    }

    /// Ends a question with an error.
    pub(super) fn fail(&mut self, tid: u64, now: Instant, error: impl FnOnce(Request) -> MonError) {
        if let Some(waiting) = self.waiting.remove(&tid) {
            waiting.fail(now, |what, _| error(what));
        }
    }

    /// The questions that `chosen` picks, which are answered.
    pub(super) fn take_where(&mut self, chosen: impl Fn(&Ask) -> bool) -> Vec<Ask> {
        self.waiting
            .extract_if(.., |_, waiting| chosen(&waiting.ask))
            .map(|(_, waiting)| waiting.ask)
            .collect()
    }

    /// What `link` has got has to be sent again.
    pub(super) fn forget_sent(&mut self, link: LinkId) {
        let on_link = self.waiting.values_mut().filter(|waiting| waiting.sent == Some(link));
        on_link.for_each(|waiting| waiting.sent = None);
    }

    /// Whether `link` owes an answer.
    pub(super) fn is_any_sent(&self, link: LinkId) -> bool {
        self.waiting.values().any(|waiting| waiting.sent == Some(link))
    }

    /// The messages of what no connection has got yet; the open one has, then. What cannot be written for it fails.
    pub(super) fn take_unsent(&mut self, open: &Open, fsid: Fsid, now: Instant) -> Vec<Message> {
        let (mut messages, mut unsendable) = (Vec::new(), Vec::new());
        for (tid, waiting) in self.waiting.iter_mut().filter(|(_, waiting)| waiting.sent.is_none()) {
            let Ask::Query(query) = &waiting.ask else { continue };
            match query.message(*tid, fsid, open.features) {
                Ok(message) => {
                    waiting.hand_to(open);
                    messages.push(with_tid(message, *tid));
                }
                Err(error) => unsendable.push((*tid, error)),
            }
        }
        for (tid, source) in unsendable {
            let (asked, source) = (open.target.clone(), Box::new(source));
            self.fail(tid, now, |what| MonError::Unsendable { asked, what, source });
        }
        messages
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }

    /// Fails what is overdue. `asked` is the monitor with whom there is a session, `attempts` what became of others.
    pub(super) fn expire(&mut self, now: Instant, asked: Option<&Target>, attempts: &[Attempt]) {
        for (_, overdue) in self.waiting.extract_if(.., |_, waiting| waiting.until <= now) {
            overdue.fail(now, |what, within| match asked {
                Some(asked) => MonError::NoAnswer { asked: asked.clone(), what, within },
                None => MonError::Unreachable { within, attempts: attempts.to_vec() },
            });
        }
    }

    pub(super) fn fail_all(&mut self, now: Instant, error: impl Fn() -> MonError) {
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            waiting.fail(now, |_, _| error());
        }
    }
}

fn with_tid(mut message: Message, tid: u64) -> Message {
    message.header.tid = tid;
    message
}
