//! Which sockets are live, over all reactors, and which of them are to be cut.

use crate::dice::Dice;
use crate::{SocketId, Waker};
use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The live sockets of all reactors.
#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<State>,
    cuts: AtomicU64,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    /// By the order in which they became live, so that the seed means the same in each run that goes alike.
    live: BTreeMap<u64, (SocketId, Arc<Desk>)>,
    next: u64,
}

/// A reactor's part of the board.
#[derive(Debug)]
pub(super) struct Desk {
    doomed: Mutex<Vec<SocketId>>,
    /// Something is in `doomed`: all that a poll without cuts looks at.
    urgent: AtomicBool,
    waker: Waker,
}

impl Board {
    pub(super) fn new(seed: u64) -> Self {
        let state = State { dice: Dice::new(seed), live: BTreeMap::new(), next: 0 };
        Self { state: Mutex::new(state), cuts: AtomicU64::new(0) }
    }

    /// A socket became live; returns its number here.
    pub(super) fn enlist(&self, socket: SocketId, desk: &Arc<Desk>) -> u64 {
        let mut state = lock(&self.state);
        state.next += 1;
        let number = state.next;
        state.live.insert(number, (socket, Arc::clone(desk)));
        number
    }

    /// A socket is not live any more. It may have been doomed before.
    pub(super) fn delist(&self, number: u64) {
        lock(&self.state).live.remove(&number);
    }

    pub(super) fn cut_one_of(&self, places: usize) -> bool {
        let mut state = lock(&self.state);
        let last = (state.live.len().max(places) as u64).saturating_sub(1);
        let place = usize::try_from(state.dice.within(&(0..=last))).unwrap_or(0);
        let Some(number) = state.live.keys().nth(place).copied() else { return false };
        let Some((socket, desk)) = state.live.remove(&number) else { return false };
        drop(state);
        desk.doom(socket);
        true
    }

    pub(super) fn cut_all(&self) -> usize {
        let live = mem::take(&mut lock(&self.state).live);
        let count = live.len();
        for (socket, desk) in live.into_values() {
            desk.doom(socket);
        }
        count
    }

    pub(super) fn live(&self) -> usize {
        lock(&self.state).live.len()
    }

    pub(super) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }

    /// A reactor has cut a socket.
    pub(super) fn count(&self) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
    }
}

impl Desk {
    pub(super) fn new(waker: Waker) -> Self {
        Self { doomed: Mutex::default(), urgent: AtomicBool::new(false), waker }
    }

    /// Has the reactor cut this socket at its next turn, which comes at once.
    fn doom(&self, socket: SocketId) {
        lock(&self.doomed).push(socket);
        self.urgent.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// The sockets to be cut.
    pub(super) fn take(&self) -> Vec<SocketId> {
        if !self.urgent.load(Ordering::Relaxed) || !self.urgent.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        mem::take(&mut lock(&self.doomed))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
