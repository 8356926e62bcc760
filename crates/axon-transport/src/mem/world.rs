//! What all reactors of a network share: who listens where, which links there are.

use super::MemOptions;
use super::clock::Clock;
use super::link::Link;
use super::mailbox::Mailbox;
use crate::dice::Dice;
use crate::{ListenOptions, ListenerId};
use std::collections::{BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// The first port given to those who ask for any (RFC 6335, section 6).
const FIRST_PORT: u16 = 49152;

/// A network.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Arc<MemOptions>,
    pub(crate) clock: Clock,
    places: Mutex<Places>,
}

#[derive(Debug)]
struct Places {
    listeners: Vec<Listener>,
    unreachable: BTreeSet<SocketAddr>,
    links: Vec<Weak<Link>>,
    links_made: u64,
    mailboxes: Vec<Weak<Mailbox>>,
    next_port: u16,
    dice: Dice,
}

#[derive(Debug)]
struct Listener {
    addr: SocketAddr,
    shared: bool,
    backlog: usize,
    id: ListenerId,
    mailbox: Arc<Mailbox>,
    /// Links nobody accepted yet.
    waiting: VecDeque<Arc<Link>>,
}

/// What becomes of an attempt to connect.
#[derive(Debug)]
pub(crate) enum Attempt {
    Connected(Arc<Link>),
    Refused,
    /// No answer will come.
    Unanswered,
}

impl World {
    pub(crate) fn new(options: MemOptions, clock: Clock) -> Self {
        let places = Places {
            listeners: Vec::new(),
            unreachable: BTreeSet::new(),
            links: Vec::new(),
            links_made: 0,
            mailboxes: Vec::new(),
            next_port: FIRST_PORT,
            dice: Dice::new(options.seed),
        };
        Self { options: Arc::new(options), clock, places: Mutex::new(places) }
    }

    pub(crate) fn register(&self, mailbox: &Arc<Mailbox>) {
        self.lock().mailboxes.push(Arc::downgrade(mailbox));
    }

    /// Moves virtual time; every reactor looks at the clock.
    pub(crate) fn advance(&self, by: Duration) -> bool {
        let moved = self.clock.advance(by);
        let mut places = self.lock();
        places.mailboxes.retain(|mailbox| mailbox.strong_count() > 0);
        for mailbox in places.mailboxes.iter().filter_map(Weak::upgrade) {
            mailbox.nudge();
        }
        moved
    }

    pub(crate) fn listen(
        &self,
        addr: SocketAddr,
        options: &ListenOptions,
        id: ListenerId,
        mailbox: &Arc<Mailbox>,
    ) -> io::Result<SocketAddr> {
        let mut places = self.lock();
        let addr = if addr.port() == 0 { places.free_port(addr)? } else { addr };
        let mut taken = places.listeners.iter().filter(|listener| conflict(listener.addr, addr));
        if taken.any(|listener| !(listener.shared && options.reuse_port)) {
            return Err(ErrorKind::AddrInUse.into());
        }
        places.listeners.push(Listener {
            addr,
            shared: options.reuse_port,
            backlog: options.backlog as usize,
            id,
            mailbox: Arc::clone(mailbox),
            waiting: VecDeque::new(),
        });
        Ok(addr)
    }

    /// Ends a listener; whoever waits there is reset.
    pub(crate) fn unlisten(&self, id: ListenerId, mailbox: &Arc<Mailbox>) {
        let mut places = self.lock();
        let Some(index) = places.index_of(id, mailbox) else {
            return;
        };
        let listener = places.listeners.remove(index);
        drop(places);
        reset_waiting(vec![listener]);
    }

    /// Ends all listeners of a reactor that is gone.
    pub(crate) fn forget(&self, mailbox: &Arc<Mailbox>) {
        let mut places = self.lock();
        let (gone, left) = std::mem::take(&mut places.listeners)
            .into_iter()
            .partition(|listener| Arc::ptr_eq(&listener.mailbox, mailbox));
        places.listeners = left;
        drop(places);
        reset_waiting(gone);
    }

    pub(crate) fn connect(&self, to: SocketAddr) -> io::Result<Attempt> {
        let mut places = self.lock();
        if places.unreachable.contains(&to) {
            return Ok(Attempt::Unanswered);
        }
        let from = places.free_port(SocketAddr::new(to.ip(), 0))?;
        let Some(index) = places.turn_of(to) else {
            return Ok(Attempt::Refused);
        };
        places.links_made += 1;
        let dice = places.dice.branch(places.links_made);
        let link = Arc::new(Link::new(from, to, Arc::clone(&self.options), &dice));
        places.links.retain(|link| link.strong_count() > 0);
        places.links.push(Arc::downgrade(&link));
        let listener = &mut places.listeners[index];
        listener.waiting.push_back(Arc::clone(&link));
        listener.mailbox.note(listener.id.0);
        Ok(Attempt::Connected(link))
    }

    /// The next link that waits at the listener.
    pub(crate) fn accept(&self, id: ListenerId, mailbox: &Arc<Mailbox>) -> Option<Arc<Link>> {
        let mut places = self.lock();
        let index = places.index_of(id, mailbox)?;
        places.listeners[index].waiting.pop_front()
    }

    pub(crate) fn set_unreachable(&self, addr: SocketAddr, unreachable: bool) {
        let mut places = self.lock();
        if unreachable {
            places.unreachable.insert(addr);
        } else {
            places.unreachable.remove(&addr);
        }
    }

    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        self.lock().links.iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn index_of(&self, id: ListenerId, mailbox: &Arc<Mailbox>) -> Option<usize> {
        self.listeners
            .iter()
            .position(|listener| listener.id == id && Arc::ptr_eq(&listener.mailbox, mailbox))
    }

    /// The listener whose turn it is among those that share the address and have room.
    fn turn_of(&mut self, to: SocketAddr) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (index, listener) in self.listeners.iter().enumerate() {
            let fits = conflict(listener.addr, to) && listener.waiting.len() < listener.backlog;
            if fits && best.is_none_or(|best| listener.waiting.len() < self.listeners[best].waiting.len()) {
                best = Some(index);
            }
        }
        best
    }

    /// `addr` with a port at which nobody listens.
    fn free_port(&mut self, mut addr: SocketAddr) -> io::Result<SocketAddr> {
        for _ in FIRST_PORT..=u16::MAX {
            addr.set_port(self.next_port);
            self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_PORT);
            if !self.listeners.iter().any(|listener| conflict(listener.addr, addr)) {
                return Ok(addr);
            }
        }
        Err(ErrorKind::AddrNotAvailable.into())
    }
}

fn reset_waiting(listeners: Vec<Listener>) {
    for link in listeners.iter().flat_map(|listener| &listener.waiting) {
        link.cut(ErrorKind::ConnectionReset);
    }
}

/// Whether a listener on one of the addresses would hear those who call the other.
fn conflict(one: SocketAddr, other: SocketAddr) -> bool {
    let same_host = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.is_ipv4() == other.is_ipv4() && same_host
}
