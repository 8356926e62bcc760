//! The connections to OSDs.
//!
//! ```text
//!            dial                  connected
//!   (none) ────────> Dialling ────────────────> Open
//!      ^                ^  pause over            │ reset, nonsense
//!      │                └──────────── Pausing <──┘
//!      └── the map says: down, or elsewhere (from any state)
//! ```
//!
//! The messenger dials until it succeeds; a session that ends soon after it began is dialled again after a pause that
//! doubles, one that has answered at once.

use super::map::ClusterMap;
use super::{Action, Actions, Waiting};
use crate::msg::MOSDBackoff;
use crate::osd::{HObject, SpgId};
use axon_denc::{AddrVec, Features};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Names a connection to an OSD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LinkId(pub(crate) u64);

/// The connections, at most one per OSD.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_osd: BTreeMap<u32, Session>,
    by_link: BTreeMap<LinkId, u32>,
    last_link: u64,
}

#[derive(Debug)]
struct Session {
    addrs: AddrVec,
    state: State,
    /// Sessions in a row that ended without an answer.
    failures: u32,
    /// What it sent last made no sense.
    nonsense: bool,
    backoffs: Vec<MOSDBackoff>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Dialling(LinkId),
    Open(LinkId, Features),
    Pausing(Instant),
    /// The pause is over; the next request dials.
    Idle,
}

/// How a request may get to an OSD.
#[derive(Debug, PartialEq)]
pub(super) enum Way {
    /// There is no connection: dial.
    None,
    /// Not now.
    Blocked(Waiting),
    /// On this connection, whose ends can do this.
    Open(LinkId, Features),
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// More ranges than this from one OSD are an attack or a bug.
const MAX_BACKOFFS: usize = 10_000;

impl Sessions {
    /// How a request on the object at `place` in `pg` may get to `osd`.
    pub(super) fn way_to(&self, osd: u32, pg: SpgId, place: impl FnOnce() -> Option<HObject>) -> Way {
        let Some(session) = self.by_osd.get(&osd) else { return Way::None };
        match session.state {
            State::Idle => Way::None,
            State::Dialling(_) | State::Pausing(_) => Way::Blocked(session.trouble(osd)),
            State::Open(..) if session.is_blocked(pg, place) => Way::Blocked(Waiting::Backoff(osd)),
            State::Open(link, features) => Way::Open(link, features),
        }
    }

    /// Dials an OSD.
    pub(super) fn dial<T>(&mut self, osd: u32, addrs: AddrVec, actions: &mut Actions<T>) {
        self.last_link += 1;
        let link = LinkId(self.last_link);
        actions.push_back(Action::Dial(link, addrs.clone()));
        self.by_link.insert(link, osd);
        let before = self.by_osd.get(&osd);
        let (failures, nonsense) = before.map_or((0, false), |session| (session.failures, session.nonsense));
        let state = State::Dialling(link);
        self.by_osd.insert(osd, Session { addrs, state, failures, nonsense, backoffs: Vec::new() });
    }

    /// A connection is open; returns whose.
    pub(super) fn connected(&mut self, link: LinkId, features: Features) -> Option<u32> {
        let osd = self.osd_of(link)?;
        let session = self.by_osd.get_mut(&osd)?;
        session.state = State::Open(link, features);
        Some(osd)
    }

    /// A connection ended, or is to end because of what came over it; returns whose it was.
    pub(super) fn ended(&mut self, link: LinkId, nonsense: bool, now: Instant) -> Option<u32> {
        let osd = self.by_link.remove(&link)?;
        let session = self.by_osd.get_mut(&osd)?;
        session.backoffs.clear();
        session.nonsense = nonsense;
        session.failures += 1;
        session.state = State::Pausing(now + session.pause());
        Some(osd)
    }

    /// An answer came: the OSD works.
    pub(super) fn answered(&mut self, osd: u32) {
        if let Some(session) = self.by_osd.get_mut(&osd) {
            session.failures = 0;
        }
    }

    /// The OSD at the other end of a connection.
    pub(super) fn osd_of(&self, link: LinkId) -> Option<u32> {
        self.by_link.get(&link).copied()
    }

    /// What both ends of an open connection can do.
    pub(super) fn features(&self, link: LinkId) -> Option<Features> {
        match self.by_osd.get(&self.osd_of(link)?)?.state {
            State::Open(_, features) => Some(features),
            _ => None,
        }
    }

    /// The OSD wants patience. `false` if it wants more than is reasonable.
    pub(super) fn block(&mut self, link: LinkId, backoff: MOSDBackoff) -> bool {
        let Some(session) = self.osd_of(link).and_then(|osd| self.by_osd.get_mut(&osd)) else { return true };
        session.backoffs.retain(|b| b.id != backoff.id);
        session.backoffs.push(backoff);
        session.backoffs.len() <= MAX_BACKOFFS
    }

    /// The OSD wants patience no longer; returns for what it did.
    pub(super) fn unblock(&mut self, link: LinkId, id: u64) -> Option<MOSDBackoff> {
        let session = self.osd_of(link).and_then(|osd| self.by_osd.get_mut(&osd))?;
        let place = session.backoffs.iter().position(|b| b.id == id)?;
        Some(session.backoffs.swap_remove(place))
    }

    /// Closes the connections to OSDs that are down or elsewhere by `map`.
    pub(super) fn follow<T>(&mut self, map: &impl ClusterMap, actions: &mut Actions<T>) {
        let by_link = &mut self.by_link;
        self.by_osd.retain(|osd, session| {
            let stays = map.osd_addrs(*osd).is_some_and(|addrs| addrs == session.addrs);
            if let Some(link) = session.link().filter(|_| !stays) {
                by_link.remove(&link);
                actions.push_back(Action::Close(link));
            }
            stays
        });
    }

    /// Closes all connections.
    pub(super) fn close_all<T>(&mut self, actions: &mut Actions<T>) {
        self.by_osd.clear();
        actions.extend(std::mem::take(&mut self.by_link).into_keys().map(Action::Close));
    }

    /// Ends the pauses that are over.
    pub(super) fn end_pauses(&mut self, now: Instant) {
        for session in self.by_osd.values_mut() {
            if matches!(session.state, State::Pausing(until) if until <= now) {
                session.state = State::Idle;
            }
        }
    }

    /// When pauses are over.
    pub(super) fn pause_ends(&self) -> impl Iterator<Item = Instant> {
        self.by_osd.values().filter_map(|session| match session.state {
            State::Pausing(until) => Some(until),
            _ => None,
        })
    }
}

impl Session {
    fn link(&self) -> Option<LinkId> {
        match self.state {
            State::Dialling(link) | State::Open(link, _) => Some(link),
            State::Pausing(_) | State::Idle => None,
        }
    }

    fn trouble(&self, osd: u32) -> Waiting {
        if self.nonsense { Waiting::Sense(osd) } else { Waiting::Connection(osd) }
    }

    /// None after a session that has answered.
    fn pause(&self) -> Duration {
        match self.failures {
            0 | 1 => Duration::ZERO,
            n => LONGEST_PAUSE.min(FIRST_PAUSE * 2u32.saturating_pow(n.min(16) - 2)),
        }
    }

    fn is_blocked(&self, pg: SpgId, place: impl FnOnce() -> Option<HObject>) -> bool {
        if !self.backoffs.iter().any(|b| b.pgid == pg) {
            return false;
        }
        let Some(place) = place() else { return false };
        self.backoffs.iter().any(|b| covers(b, pg, &place))
    }
}

/// Whether a backoff holds for the object at `place` in `pg`.
pub(super) fn covers(backoff: &MOSDBackoff, pg: SpgId, place: &HObject) -> bool {
    let range = backoff.begin <= *place && *place < backoff.end;
    backoff.pgid == pg && (range || backoff.begin == *place && backoff.begin == backoff.end)
}
