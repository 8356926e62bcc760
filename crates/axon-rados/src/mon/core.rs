//! The session's rules applied to a messenger.

use super::error::Failure;
use super::osd_maps::OsdMaps;
use super::pending::Wakes;
use super::session::{Action, LinkId, Session};
use axon_denc::EntityType;
use axon_messenger::{ConnectError, Connection, Messenger};
use axon_wire::Message;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The session, shared by the handle, the messenger's callbacks and the keeper.
///
/// Everything the session wants done is done under the lock: dialling, sending and closing never block, and their
/// news come on other threads, which wait for the lock.
pub(super) struct Core {
    state: Mutex<State>,
    /// Where OSD maps go; its lock comes before that of the state.
    pub(super) osd_maps: OsdMaps,
    /// Tasks whose answers are there. The keeper wakes them: it holds no lock, neither this one's nor, as callers may, one
    /// that a waker takes.
    pub(super) wakes: Wakes,
    /// Something happened that the keeper should look at.
    changed: Condvar,
}

struct State {
    session: Session,
    links: Vec<(LinkId, Connection)>,
    /// Gone once the session is closed: the messenger owns its dispatcher, which owns this.
    messenger: Option<Arc<Messenger>>,
}

impl Core {
    pub(super) fn new(session: Session) -> Self {
        let state = State { session, links: Vec::new(), messenger: None };
        Self {
            state: Mutex::new(state),
            osd_maps: OsdMaps::default(),
            wakes: Wakes::default(),
            changed: Condvar::new(),
        }
    }

    /// Begins to use the messenger.
    pub(super) fn begin(&self, messenger: Arc<Messenger>) {
        self.lock().messenger = Some(messenger);
        self.changed.notify_all();
    }

    /// Ends the session; the caller drops the messenger's handle, outside of the lock.
    pub(super) fn close(&self) -> Option<Arc<Messenger>> {
        self.with(|session| session.close());
        let messenger = self.lock().messenger.take();
        self.changed.notify_all();
        messenger
    }

    /// Uses the session, and does what it wants done.
    pub(super) fn with<R>(&self, use_it: impl FnOnce(&mut Session) -> R) -> R {
        let mut state = self.lock();
        let result = use_it(&mut state.session);
        state.act();
        drop(state);
        self.changed.notify_all();
        result
    }

    /// Uses the session for news of `connection`; `None` if that is none of its connections.
    pub(super) fn with_link<R>(
        &self,
        connection: &Connection,
        use_it: impl FnOnce(&mut Session, LinkId) -> R,
    ) -> Option<R> {
        let mut state = self.lock();
        let link = state.links.iter().find(|(_, c)| c == connection).map(|(link, _)| *link)?;
        let result = use_it(&mut state.session, link);
        state.act();
        drop(state);
        self.changed.notify_all();
        Some(result)
    }

    /// Does what is due, again and again, until the session is closed.
    pub(super) fn keep(&self) {
        let mut state = self.lock();
        while state.messenger.is_some() {
            let until = state.session.poke(Instant::now());
            let has_news = state.act();
            if self.wakes.is_any() {
                drop(state);
                self.wakes.wake();
                state = self.lock(); // and look again: something may have happened meanwhile
            } else if !has_news {
                state = self.sleep(state, until);
            }
        }
        drop(state);
        self.wakes.wake();
    }

    fn sleep<'a>(&'a self, state: MutexGuard<'a, State>, until: Option<Instant>) -> MutexGuard<'a, State> {
        match until {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let nap = until.saturating_duration_since(Instant::now());
                self.changed.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Does what the session wants done; returns whether some of it failed, which is news for the session.
    fn act(&mut self) -> bool {
        let mut has_news = false;
        for action in self.session.take_actions() {
            match action {
                Action::Dial(link, addrs) => has_news |= self.dial(link, &addrs),
                Action::Send(link, message) => has_news |= self.send(link, message),
                Action::Close(link) => self.close(link),
            }
        }
        has_news
    }

    fn dial(&mut self, link: LinkId, addrs: &axon_denc::AddrVec) -> bool {
        let Some(messenger) = &self.messenger else { return false };
        match messenger.connect_anonymous(EntityType::Mon, addrs) {
            Ok(connection) => self.links.push((link, connection)),
            Err(ConnectError::NoAddress) => self.session.failed(link, Failure::NoV2Address, Instant::now()),
            Err(error) => {
                tracing::error!(%error, "cannot dial a monitor");
                return false;
            }
        }
        !self.links.iter().any(|(id, _)| *id == link)
    }

    fn send(&mut self, link: LinkId, message: Message) -> bool {
        let Some((_, connection)) = self.links.iter().find(|(id, _)| *id == link) else { return false };
        let tid = message.header.tid;
        let Err(error) = connection.send(message) else { return false };
        tracing::warn!(%error, "not sent to the monitor");
        self.session.not_sent(link, tid, error.why, Instant::now());
        true
    }

    fn close(&mut self, link: LinkId) {
        for (_, connection) in self.links.extract_if(.., |(id, _)| *id == link) {
            connection.mark_down();
        }
    }
}
