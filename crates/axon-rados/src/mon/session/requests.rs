//! Requests that wait for their answers.

use crate::MonMap;
use crate::mon::error::{Attempt, MonError, Request};
use crate::mon::pending::Answer;
use crate::mon::{CommandOutput, MapVersions, Target};
use crate::msg::{Fsid, MMonCommand, MMonGetVersion, MessageError, TypedMessage};
use axon_denc::Features;
use axon_wire::Message;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A question, and where its answer goes.
#[derive(Debug)]
pub(in crate::mon) enum Ask {
    /// A command with its input.
    Command(String, Bytes, Answer<CommandOutput>),
    /// The versions of a map.
    Versions(String, Answer<MapVersions>),
    /// The monitor map, once there is one.
    MonMap(Answer<MonMap>),
    /// The rotating secrets, once they are there.
    Secrets(Answer<()>),
}

impl Ask {
    fn request(&self) -> Request {
        match self {
            Self::Command(json, ..) => Request::Command(json.clone()),
            Self::Versions(map, _) => Request::Version(map.clone()),
            Self::MonMap(_) => Request::MonMap,
            Self::Secrets(_) => Request::Secrets,
        }
    }

    fn fail(self, error: MonError) {
        match self {
            Self::Command(.., answer) => answer.put(Err(error)),
            Self::Versions(_, answer) => answer.put(Err(error)),
            Self::MonMap(answer) => answer.put(Err(error)),
            Self::Secrets(answer) => answer.put(Err(error)),
        }
    }

    /// The message that asks; `None` for what comes without a message of its own.
    fn message(&self, tid: u64, fsid: Fsid, features: Features) -> Option<Result<Message, MessageError>> {
        Some(match self {
            Self::Command(json, input, _) => MMonCommand::new(fsid, json, input.clone()).encode(features),
            Self::Versions(map, _) => MMonGetVersion { handle: tid, what: map.clone() }.encode(features),
            Self::MonMap(_) | Self::Secrets(_) => return None,
        })
    }
}

/// Questions by their transaction ids.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: BTreeMap<u64, Waiting>,
    last_tid: u64,
}

#[derive(Debug)]
struct Waiting {
    ask: Ask,
    within: Duration,
    until: Instant,
    sent: bool,
}

impl Requests {
    pub(super) fn add(&mut self, ask: Ask, within: Duration, now: Instant) {
        self.last_tid += 1;
        self.waiting.insert(self.last_tid, Waiting { ask, within, until: now + within, sent: false });
    }

    /// The question with this id, which is answered.
    pub(super) fn take(&mut self, tid: u64) -> Option<Ask> {
        self.waiting.remove(&tid).map(|waiting| waiting.ask)
    }

    /// The questions that `chosen` picks, which are answered.
    pub(super) fn take_where(&mut self, chosen: impl Fn(&Ask) -> bool) -> Vec<Ask> {
        self.waiting
            .extract_if(.., |_, waiting| chosen(&waiting.ask))
            .map(|(_, waiting)| waiting.ask)
            .collect()
    }

    /// Everything has to be sent again.
    pub(super) fn forget_sent(&mut self) {
        self.waiting.values_mut().for_each(|waiting| waiting.sent = false);
    }

    /// The messages of what was not sent yet; it is, then.
    pub(super) fn take_unsent(
        &mut self,
        fsid: Fsid,
        features: Features,
    ) -> Vec<Result<Message, MessageError>> {
        let unsent = self.waiting.iter_mut().filter(|(_, waiting)| !waiting.sent);
        let message = |(tid, waiting): (&u64, &mut Waiting)| {
            waiting.sent = true;
            let message = waiting.ask.message(*tid, fsid, features)?;
            Some(message.map(|message| with_tid(message, *tid)))
        };
        unsent.filter_map(message).collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }

    /// Fails what is overdue. `asked` is the monitor with whom there is a session, `attempts` what became of others.
    pub(super) fn expire(&mut self, now: Instant, asked: Option<&Target>, attempts: &[Attempt]) {
        for (_, overdue) in self.waiting.extract_if(.., |_, waiting| waiting.until <= now) {
            let within = overdue.within;
            let error = match asked {
                Some(asked) => {
                    MonError::NoAnswer { asked: asked.clone(), what: overdue.ask.request(), within }
                }
                None => MonError::Unreachable { within, attempts: attempts.to_vec() },
            };
            overdue.ask.fail(error);
        }
    }

    pub(super) fn fail_all(&mut self, error: impl Fn() -> MonError) {
        std::mem::take(&mut self.waiting).into_values().for_each(|waiting| waiting.ask.fail(error()));
    }
}

fn with_tid(mut message: Message, tid: u64) -> Message {
    message.header.tid = tid;
    message
}
