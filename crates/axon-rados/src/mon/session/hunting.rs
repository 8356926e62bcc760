//! Monitors on trial.

use super::{Action, LinkId, MONMAP, Open, Session, push_send};
use crate::MonMap;
use crate::mon::Target;
use crate::mon::error::{Attempt, Failure, MonError};
use crate::mon::hunt::{Candidate, Next};
use crate::msg::{MMonMap, MMonSubscribe, MessageError, Subscription, TypedMessage};
use axon_denc::{Decode, Features};
use axon_wire::Message;
use std::time::{Duration, Instant};

/// A connection that is not open yet.
pub(super) struct Try {
    pub(super) link: LinkId,
    target: Target,
    pub(super) until: Instant,
    patience: Duration,
    login: Option<Login>,
}

/// A monitor let us in; now it has to send a monitor map.
#[derive(Clone, Copy)]
struct Login {
    features: Features,
    global_id: u64,
}

impl Try {
    /// Why there was nothing until `after`.
    fn too_slow(&self, after: Duration) -> Failure {
        match self.login {
            None => Failure::TooSlow(after),
            Some(_) => Failure::Silent(after),
        }
    }
}

impl Session {
    /// A connection is open: the monitor is asked for its map, whatever its epoch. One that is lower than that of the
    /// last session is no news to the monitor otherwise, and it would say nothing. Ceph: `MonConnection::start`.
    pub(in crate::mon) fn connected(&mut self, link: LinkId, features: Features, global_id: u64) {
        let Some(attempt) = self.tries.iter_mut().find(|attempt| attempt.link == link) else { return };
        attempt.login = Some(Login { features, global_id });
        let what = [(MONMAP.to_owned(), Subscription::default())].into();
        let message = MMonSubscribe { what, host: self.host.clone() }.encode(features);
        push_send(&mut self.actions, link, message);
    }

    /// Starts as many tries as are needed; returns when to come back.
    pub(super) fn hunt(&mut self, now: Instant) -> Option<Instant> {
        loop {
            match self.hunt.next(now, self.tries.len(), self.wanted_tries()?) {
                Next::Wait => return None,
                Next::Pause(until) => return Some(until),
                Next::Try(target, patience) => self.dial(target, patience, now),
            }
        }
    }

    pub(super) fn take_try(&mut self, link: LinkId) -> Option<Try> {
        let at = self.tries.iter().position(|attempt| attempt.link == link)?;
        Some(self.tries.remove(at))
    }

    /// How many monitors may be tried now; `None` if no session is wanted.
    fn wanted_tries(&self) -> Option<usize> {
        match (&self.open, self.wants_login) {
            (None, _) => Some(self.parallel),
            (Some(_), true) => Some(1),
            (Some(_), false) => None,
        }
    }

    fn dial(&mut self, target: Target, patience: Duration, now: Instant) {
        self.last_link += 1;
        let link = LinkId(self.last_link);
        tracing::debug!(monitor = %target, "dialling");
        self.actions.push(Action::Dial(link, target.addrs.clone()));
        self.tries.push(Try { link, target, until: now + patience, patience, login: None });
    }

    /// A message on a connection that is not open: the first map decides. Returns whether it opened the connection.
    pub(super) fn try_message(&mut self, link: LinkId, message: &Message, now: Instant) -> bool {
        if message.header.kind != MMonMap::KIND {
            return false;
        }
        let Some(attempt) = self.take_try(link) else { return false };
        match (attempt.login, self.acceptable(message)) {
            (Some(login), Ok(map)) => {
                self.won(attempt, login, map, now);
                return true;
            }
            (None, Ok(_)) => self.tries.push(attempt), // a message before the session, which messengers do not deliver
            (_, Err(why)) => self.try_failed(attempt, why, now),
        }
        false
    }

    /// The map in a message, if it is that of this cluster.
    fn acceptable(&self, message: &Message) -> Result<MonMap, Failure> {
        let map = read_map(message).map_err(Failure::Malformed)?;
        match self.fsid {
            Some(expected) if expected != map.fsid => {
                Err(Failure::OtherCluster { expected, actual: map.fsid })
            }
            _ => Ok(map),
        }
    }

    /// The search is over.
    fn won(&mut self, attempt: Try, login: Login, map: MonMap, now: Instant) {
        let losers = std::mem::take(&mut self.tries).into_iter().map(|other| Action::Close(other.link));
        self.actions.extend(losers);
        tracing::info!(monitor = %attempt.target, "session with a monitor is open");
        self.wants_login = false;
        self.renewal.session_began(login.global_id);
        self.make_room();
        self.hunt.succeeded(&attempt.target, now);
        self.open = Some(Open::new(attempt.link, attempt.target, login.features));
        self.begin_with(map);
        self.send_subscriptions(|_| true);
        self.send_requests(now);
        self.renew(now);
    }

    /// The connection that was open until now keeps those requests it has got.
    fn make_room(&mut self) {
        let Some(old) = self.open.take() else { return };
        if let Some((older, _)) = self.retiring.replace((old.link, old.target)) {
            self.requests.forget_sent(older);
            self.actions.push(Action::Close(older));
        }
        self.retire();
    }

    /// Closes the connection before the open one when it owes no answer.
    pub(super) fn retire(&mut self) {
        let requests = &self.requests;
        if let Some((link, _)) = self.retiring.take_if(|(link, _)| !requests.is_any_sent(*link)) {
            self.actions.push(Action::Close(link));
        }
    }

    /// Takes the map that opened the session, also if its epoch went back: who rebuilds the monitors makes a map anew.
    /// Ceph: `MonClient::handle_monmap` compares no epochs.
    fn begin_with(&mut self, map: MonMap) {
        if let Some(known) = self.monmap.take_if(|known| known.epoch > map.epoch) {
            tracing::warn!(known = known.epoch, new = map.epoch, "the epoch of the monitor map went back");
        }
        if let Some(subscription) = self.subscriptions.get_mut(MONMAP) {
            subscription.start = 0;
        }
        self.take_map(map);
    }

    /// Takes a map of the cluster, unless the session has sent a newer one.
    pub(super) fn take_map(&mut self, map: MonMap) {
        self.got(MONMAP, map.epoch.into());
        self.fsid = Some(map.fsid);
        if self.monmap.as_ref().is_none_or(|old| old.epoch <= map.epoch) {
            self.hunt.set_candidates(Candidate::of_map(&map));
            self.monmap = Some(map);
        }
        self.name_target();
        self.answer_known();
    }

    /// The open connection's monitor by its name in the map.
    fn name_target(&mut self) {
        let (Some(open), Some(map)) = (&mut self.open, &self.monmap) else { return };
        if let Some(name) = open.target.addrs.iter().find_map(|addr| map.name_at(addr)) {
            open.target.name = Some(name.to_owned());
        }
    }

    pub(super) fn try_failed(&mut self, attempt: Try, why: Failure, now: Instant) {
        tracing::warn!(monitor = %attempt.target, %why, "no session with the monitor");
        self.actions.push(Action::Close(attempt.link));
        self.hunt.failed(attempt.target, why);
        if self.tries.is_empty() && self.open.is_none() && self.hunt.is_hopeless() {
            let attempts = self.hunt.attempts();
            self.requests.fail_all(now, || MonError::Refused { attempts: attempts.to_vec() });
        }
    }

    pub(super) fn expire_tries(&mut self, now: Instant) {
        for slow in self.tries.extract_if(.., |attempt| attempt.until <= now).collect::<Vec<_>>() {
            let why = slow.too_slow(slow.patience);
            self.try_failed(slow, why, now);
        }
    }

    /// What became of the last attempt with each monitor, those under way included.
    pub(super) fn attempts(&self, now: Instant) -> Vec<Attempt> {
        let since =
            |attempt: &Try| attempt.patience.saturating_sub(attempt.until.saturating_duration_since(now));
        let under_way = self
            .tries
            .iter()
            .map(|attempt| Attempt { target: attempt.target.clone(), why: attempt.too_slow(since(attempt)) });
        let is_under_way = |over: &&Attempt| self.tries.iter().any(|t| t.target.addrs == over.target.addrs);
        let over = self.hunt.attempts().iter().filter(|over| !is_under_way(over)).cloned();
        over.chain(under_way).collect()
    }
}

/// Reads a monitor map from its message.
pub(super) fn read_map(message: &Message) -> Result<MonMap, MessageError> {
    let malformed = |source| MessageError::Malformed { message: MMonMap::NAME, source };
    MonMap::from_bytes(&MMonMap::decode(message)?.map).map_err(malformed)
}
