//! What every endpoint of a worker works with.

use super::absence::Absentees;
use super::device::Device;
use super::timers::Timers;
use crate::counters::Counters;
use crate::shared::Shared;
use axon_proto::Instant;
use axon_transport::SocketId;
use axon_wire::FrameBuf;
use bytes::Bytes;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What every endpoint of a worker works with.
pub(super) struct Station {
    pub(super) index: usize,
    pub(super) shared: Arc<Shared>,
    pub(super) reactor: Device,
    /// What this worker counts.
    pub(super) counters: Arc<Counters>,
    pub(super) now: Instant,
    /// Ids that the reactor gave: nobody chooses them so that they collide.
    pub(super) sockets: FxHashMap<SocketId, usize>,
    pub(super) timers: Timers,
    pub(super) accepting: Strangers,
    pub(super) absentees: Absentees,
    /// Reused from send to send.
    pub(super) buffers: Vec<Bytes>,
    /// Where messages are written; its memory is shared by all connections.
    pub(super) scratch: FrameBuf,
    touched: Touched,
    /// Slots to be served once the mailbox was looked at again.
    later: VecDeque<usize>,
    /// Slots to be served in the next turn.
    newcomers: Vec<usize>,
    /// What the reactor had counted when that was published last.
    published: axon_transport::Counters,
}

/// The sockets whose handshake is not over, oldest first.
#[derive(Debug, Default)]
pub(super) struct Strangers(VecDeque<usize>);

impl Strangers {
    pub(super) fn push(&mut self, slot: usize) {
        self.0.push_back(slot);
    }

    /// Handshakes mostly end in the order they began, so the search is short.
    pub(super) fn remove(&mut self, slot: usize) {
        if let Some(at) = self.0.iter().position(|s| *s == slot) {
            self.0.remove(at);
        }
    }

    pub(super) fn oldest(&self) -> Option<usize> {
        self.0.front().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Slots to be served, each once.
#[derive(Debug, Default)]
struct Touched {
    slots: VecDeque<usize>,
    marks: Vec<bool>,
}

impl Touched {
    fn push(&mut self, slot: usize) {
        if self.marks.len() <= slot {
            self.marks.resize(slot + 1, false);
        }
        if !std::mem::replace(&mut self.marks[slot], true) {
            self.slots.push_back(slot);
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let slot = self.slots.pop_front()?;
        self.marks[slot] = false;
        Some(slot)
    }
}

impl Station {
    pub(super) fn new(index: usize, shared: Arc<Shared>, reactor: Device) -> Self {
        let now = reactor.now().into();
        let absentees = Absentees::new(shared.limits.absent);
        let counters = Arc::clone(&shared.workers[index].counters);
        Self {
            index,
            counters,
            shared,
            reactor,
            now,
            sockets: FxHashMap::default(),
            timers: Timers::default(),
            accepting: Strangers::default(),
            absentees,
            buffers: Vec::new(),
            scratch: FrameBuf::new(),
            touched: Touched::default(),
            later: VecDeque::new(),
            newcomers: Vec::new(),
            published: axon_transport::Counters::default(),
        }
    }

    /// Reads the clock once for everything that follows.
    pub(super) fn read_clock(&mut self) -> Instant {
        self.now = self.reactor.now().into();
        self.now
    }

    /// Has the endpoint in `slot` served before the worker sleeps.
    pub(super) fn touch(&mut self, slot: usize) {
        self.touched.push(slot);
    }

    /// Has the endpoint in `slot` served again, but not before other threads' commands, and those that its own
    /// handlers gave, were taken once more.
    pub(super) fn touch_later(&mut self, slot: usize) {
        self.later.push_back(slot);
    }

    /// The commands were taken.
    pub(super) fn touch_postponed(&mut self) {
        while let Some(slot) = self.later.pop_front() {
            self.touched.push(slot);
        }
    }

    /// Has the endpoint in `slot` served in the next turn, after what has arrived by then.
    pub(super) fn touch_in_next_turn(&mut self, slot: usize) {
        self.newcomers.push(slot);
    }

    /// Whether some are served in the next turn.
    pub(super) fn has_newcomers(&self) -> bool {
        !self.newcomers.is_empty()
    }

    /// The next turn has come.
    pub(super) fn touch_newcomers(&mut self) {
        while let Some(slot) = self.newcomers.pop() {
            self.touched.push(slot);
        }
    }

    pub(super) fn next_touched(&mut self) -> Option<usize> {
        self.touched.pop()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.touched.slots.is_empty() && self.later.is_empty() && !self.has_newcomers()
    }

    pub(super) fn time_to_timer(&self) -> Option<Duration> {
        self.timers.next().map(|at| at.since(self.now))
    }

    /// Lets others see what the reactor has counted.
    pub(super) fn publish(&mut self) {
        let counted = self.reactor.counters();
        self.counters.moved(&self.published, &counted);
        self.published = counted;
    }

    /// Closes a socket and forgets it.
    pub(super) fn close(&mut self, socket: SocketId) {
        self.reactor.close(socket);
        self.sockets.remove(&socket);
    }

    /// A connection counted as this worker's is gone.
    pub(super) fn forget_load(&self) {
        self.shared.workers[self.index].load.fetch_sub(1, Ordering::Relaxed);
    }
}
