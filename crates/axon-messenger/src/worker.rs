//! A worker: one thread that owns a reactor and the machines of its connections.
//!
//! ```text
//!   loop:  commands from other threads ─┐
//!          completions of the reactor ──┼─► machines take note ─► each touched endpoint is served once:
//!          timers that fired ───────────┘      outputs drained, queued messages gathered into one send
//! ```
//!
//! Whatever happens marks an endpoint as touched; serving comes after, so that many events cost one write.
//!
//! All of it lies on a desk, which the thread leaves while it sleeps: `desk.rs` says who may do what there meanwhile.

mod absence;
mod accepting;
mod admission;
mod command;
mod contest;
mod desk;
mod device;
mod dialling;
mod dump;
pub(crate) mod outbox;
mod peer;
mod reading;
mod spin;
mod station;
mod timers;

pub(crate) use command::{Command, Dial};
pub(crate) use desk::Desk;
pub(crate) use device::Device;
pub(crate) use dump::Tour;

use accepting::Accepting;
use axon_proto::{Disconnect, Ident, Instant};
use axon_transport::{Completion, Detached, ListenerId, Parked, SocketId};
use outbox::Letter;
use peer::Peer;
use slab::Slab;
use spin::Spin;
use station::Station;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use timers::Alarm;

use crate::mailbox::Inbox;
use crate::shared::Shared;

/// A loop that takes longer than this holds up every connection of the worker; somebody should know.
const SLOW: Duration = Duration::from_millis(200);

/// The timer that belongs to no endpoint but to calls with a deadline.
const CALLS: usize = usize::MAX;

/// No endpoint's slot.
const NOBODY: usize = usize::MAX;

/// Commands taken before the reactor is looked at again.
const COMMAND_BURST: usize = 4096;

/// A worker's state.
pub(crate) struct Worker {
    station: Station,
    inbox: Inbox<Command>,
    endpoints: Slab<Endpoint>,
    listeners: HashMap<ListenerId, SocketAddr>,
    completions: Vec<Completion>,
    /// Taken out of the outbox; empty, but for the memory.
    letters: Vec<Letter>,
    /// When to look for overdue calls.
    calls: Alarm,
    /// Dumps that this turn takes a step further.
    tours: Vec<Tour>,
    spin: Spin,
    /// Set when the messenger shuts down: sockets close as they drain, all by then.
    closing: Option<Instant>,
    stopped: bool,
}

/// What a slot holds.
enum Endpoint {
    /// An accepted socket whose handshake is not over.
    Accepting(Box<Accepting>),
    /// A connection.
    Peer(Box<Peer>),
}

/// What becomes of an endpoint after it was served.
enum Fate {
    Keep,
    Remove,
    /// The session is over: remove it after one more look for messages to it.
    Sweep,
    /// The accepted socket asks for a session.
    Contend(Box<Ident>),
}

impl Worker {
    pub(crate) fn new(index: usize, shared: Arc<Shared>, reactor: Device, inbox: Inbox<Command>) -> Self {
        Self {
            spin: Spin::new(shared.limits.spin),
            station: Station::new(index, shared, reactor),
            inbox,
            endpoints: Slab::new(),
            listeners: HashMap::new(),
            completions: Vec::new(),
            letters: Vec::new(),
            calls: Alarm::default(),
            tours: Vec::new(),
            closing: None,
            stopped: false,
        }
    }

    /// Works at `desk` until told to stop.
    pub(crate) fn run(self, desk: &Desk<Self>) {
        outbox::open(&self.inbox);
        let _cleared = desk.cleared_at_the_end();
        let mut seat = desk.sit();
        *seat = Some(self);
        let mut parked: Option<Box<dyn Parked>> = None;
        while let Some(worker) = seat.as_mut().filter(|worker| !worker.stopped) {
            parked = worker.turn(parked.take());
            if let Some(parked) = &mut parked {
                drop(seat);
                parked.wait();
                seat = desk.sit();
            }
        }
    }

    /// Does what there is to do after a wait, up to the next: what it returns has to be waited for away from the desk.
    fn turn(&mut self, parked: Option<Box<dyn Parked>>) -> Option<Box<dyn Parked>> {
        if let Some(parked) = parked {
            self.unpark(parked);
        }
        self.station.touch_newcomers();
        // What has arrived is looked at before the timers: a worker that was held up must not take that for silence.
        self.take_completions();
        let started = self.station.now;
        self.take_timers();
        self.serve();
        // What others have sent meanwhile leaves in the same turn.
        self.serve();
        self.check_closing();
        self.go_on_tours();
        self.station.publish();
        let busy = self.station.read_clock().since(started);
        if busy > SLOW {
            tracing::warn!(
                worker = self.station.index,
                ?busy,
                "the worker was held up: does a handler of fast dispatch block?"
            );
        }
        self.wait()
    }

    /// Timers that are not due, also those that do not count any more.
    #[cfg(test)]
    pub(crate) fn timers(&self) -> usize {
        self.station.timers.len()
    }

    fn serve(&mut self) {
        self.take_commands();
        self.station.touch_postponed();
        self.serve_touched();
    }

    /// Takes what handlers have sent on this thread. Who is served now, in the slot `served`, need not be touched.
    #[inline]
    fn take_letters(&mut self, served: usize) {
        if !outbox::is_empty() {
            self.take_all_letters(served);
        }
    }

    fn take_all_letters(&mut self, served: usize) {
        let mut letters = outbox::exchange(std::mem::take(&mut self.letters));
        for Letter { connection, slot, message, permit } in letters.drain(..) {
            // A connection that is gone was marked down: after a reset no message comes.
            let Some(Endpoint::Peer(peer)) = self.endpoints.get_mut(slot) else { continue };
            if peer.handle.id() != connection {
                continue;
            }
            peer.send(message, permit);
            if slot != served {
                self.station.touch(slot);
            }
        }
        self.letters = letters;
    }

    fn take_commands(&mut self) {
        for _ in 0..COMMAND_BURST {
            // What the last command led to comes before whatever was handed over because of that.
            self.take_letters(NOBODY);
            // Looking is cheaper than taking in vain, which costs a fence.
            let command = if self.inbox.is_empty() { None } else { self.inbox.pop() };
            let Some(command) = command else { break };
            self.take_command(command);
        }
    }

    fn take_timers(&mut self) {
        if self.station.timers.is_crowded(self.endpoints.len()) {
            self.sweep_timers();
        }
        while let Some(slot) = self.station.timers.pop_due(self.station.now) {
            if slot == CALLS {
                self.expire_calls();
            } else if let Some(endpoint) = self.endpoints.get_mut(slot)
                && endpoint.wake(slot, &mut self.station)
            {
                self.station.touch(slot);
            }
        }
    }

    /// Many endpoints have come and gone, and their timers are not due for long.
    fn sweep_timers(&mut self) {
        let Self { station, endpoints, calls, closing, .. } = self;
        station.timers.sweep(|at, slot| match endpoints.get(slot) {
            Some(endpoint) => endpoint.is_pending(at),
            None => slot == CALLS && (calls.is_pending(at) || closing.is_some()),
        });
    }

    /// Looks for work before it sleeps, if that has paid of late.
    fn look_around(&mut self) {
        let Some(patience) = self.spin.patience() else { return };
        let until = self.station.now + patience;
        while self.completions.is_empty() && self.inbox.is_empty() {
            if self.station.read_clock() >= until {
                return self.spin.missed();
            }
            if self.poll(Some(Duration::ZERO)).is_err() {
                return; // the sleep that follows reports it
            }
        }
        self.spin.found();
    }

    fn poll(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        // Before a timer fires, or a new socket is spoken on, all that has arrived is looked at; without any time only some
        // sockets may be.
        let is_due = self.station.time_to_timer() == Some(Duration::ZERO) || self.station.has_newcomers();
        let timeout = if is_due { Some(Duration::from_nanos(1)) } else { timeout };
        self.station.reactor.poll(timeout, &mut self.completions)
    }

    /// Whether there is nothing to do before something happens.
    fn is_idle(&self) -> bool {
        !self.stopped && self.station.is_idle() && outbox::is_empty()
    }

    /// Waits until something happens, unless there is something to do already. What it returns has to be waited for.
    fn wait(&mut self) -> Option<Box<dyn Parked>> {
        if self.is_idle() && self.inbox.is_empty() {
            self.look_around();
        }
        if self.completions.is_empty() { self.sleep() } else { None }
    }

    fn sleep(&mut self) -> Option<Box<dyn Parked>> {
        if self.is_idle() && self.inbox.prepare_sleep() {
            let timeout = self.station.time_to_timer();
            let parked = self.station.reactor.park(timeout);
            if parked.is_none() {
                let polled = self.poll(timeout);
                self.wake_up(polled);
            }
            return parked;
        }
        let polled = self.poll(Some(Duration::ZERO));
        self.wake_up(polled);
        None
    }

    fn unpark(&mut self, parked: Box<dyn Parked>) {
        let polled = self.station.reactor.unpark(parked, &mut self.completions);
        self.wake_up(polled);
    }

    fn wake_up(&mut self, polled: io::Result<()>) {
        if let Err(error) = polled {
            tracing::error!(worker = self.station.index, %error, "the transport cannot wait for events");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.inbox.awake();
        self.station.read_clock();
    }

    fn take_completions(&mut self) {
        let mut completions = std::mem::take(&mut self.completions);
        for completion in completions.drain(..) {
            self.take_completion(completion);
        }
        self.completions = completions;
    }

    fn take_completion(&mut self, completion: Completion) {
        match completion {
            Completion::Accepted { listener, socket, peer } => self.accepted(listener, socket, peer),
            Completion::AcceptFailed { listener, error } => self.accept_failed(listener, &error),
            Completion::Connected { socket, .. } => self.on_socket(socket, |e, station| e.connected(station)),
            Completion::Received { socket, data } => {
                self.station.counters.read_batches.count();
                self.on_socket(socket, |e, station| e.received(station.now, data))
            }
            Completion::Filled { socket, data } => {
                self.station.counters.read_batches.count();
                self.on_socket(socket, |e, station| e.filled(station.now, data))
            }
            Completion::Drained { socket } => self.on_socket(socket, |_, _| ()),
            Completion::Closed { socket, error } => {
                let cause = disconnect(error.as_ref());
                self.on_socket(socket, |e, station| e.disconnected(station.now, cause));
                self.station.sockets.remove(&socket);
            }
        }
    }

    fn on_socket(&mut self, socket: SocketId, act: impl FnOnce(&mut Endpoint, &mut Station)) {
        let Some(slot) = self.station.sockets.get(&socket).copied() else { return };
        if let Some(endpoint) = self.endpoints.get_mut(slot) {
            act(endpoint, &mut self.station);
            self.station.touch(slot);
        }
    }

    fn serve_touched(&mut self) {
        while let Some(slot) = self.station.next_touched() {
            let Some(endpoint) = self.endpoints.get_mut(slot) else { continue };
            endpoint.hear(&mut self.station);
            // Answers to what it heard leave with the same write.
            self.take_letters(slot);
            let Some(endpoint) = self.endpoints.get_mut(slot) else { continue };
            match endpoint.serve(slot, &mut self.station) {
                Fate::Keep => {}
                Fate::Remove => drop(self.endpoints.remove(slot)),
                Fate::Sweep => self.bury(slot),
                Fate::Contend(ident) => self.contend(slot, &ident),
            }
        }
    }

    /// Removes a connection whose session is over. It has been closed for senders, so that what they handed over is
    /// in the mailbox by now, and goes back with the reset.
    fn bury(&mut self, slot: usize) {
        self.take_letters(NOBODY);
        for _ in 0..self.inbox.len() {
            let Some(command) = self.inbox.pop() else { break };
            self.take_command(command);
        }
        if let Some(Endpoint::Peer(mut peer)) = self.endpoints.try_remove(slot) {
            peer.bury(&mut self.station);
        }
    }

    fn accepted(&mut self, listener: ListenerId, socket: Box<dyn Detached>, peer: SocketAddr) {
        if self.closing.is_some() || !self.listeners.contains_key(&listener) {
            return;
        }
        let worker = self.station.shared.least_loaded();
        self.station.shared.workers[worker].load.fetch_add(1, Ordering::Relaxed);
        if worker == self.station.index {
            self.adopt(socket, peer);
        } else {
            self.station.shared.workers[worker].mailbox.push(Command::Adopt(socket, peer));
        }
    }

    fn accept_failed(&mut self, listener: ListenerId, error: &io::Error) {
        let addr = self.listeners.get(&listener);
        tracing::warn!(?addr, %error, "cannot accept for now; the listener tries again by itself");
    }

    fn adopt(&mut self, socket: Box<dyn Detached>, peer: SocketAddr) {
        self.evict_stranger();
        let Ok(socket) = self.station.reactor.adopt(socket) else {
            return self.station.forget_load();
        };
        let accepting = Accepting::new(&mut self.station, socket, peer);
        let slot = self.endpoints.insert(Endpoint::Accepting(Box::new(accepting)));
        self.station.sockets.insert(socket, slot);
        self.station.accepting.push(slot);
        // Most peers send their banner as soon as they are connected. Once it has come, HELLO leaves in one write with ours.
        self.station.touch_in_next_turn(slot);
    }

    /// Makes room among the sockets that have not authenticated: the oldest goes, as honest peers take milliseconds.
    fn evict_stranger(&mut self) {
        if self.station.accepting.len() < self.station.shared.limits.unauthenticated {
            return;
        }
        if let Some(slot) = self.station.accepting.oldest()
            && let Some(Endpoint::Accepting(mut stranger)) = self.endpoints.try_remove(slot)
        {
            stranger.close(slot, &mut self.station);
        }
    }

    fn expire_calls_in(&mut self, limit: Duration) {
        self.calls.set(Some(self.station.now + limit), CALLS, &mut self.station.timers);
    }

    fn expire_calls(&mut self) {
        self.calls.fired(self.station.now);
        if let Some(next) = self.station.shared.expire_calls() {
            self.expire_calls_in(next);
        }
    }

    fn check_closing(&mut self) {
        let Some(by) = self.closing else { return };
        let now = self.station.now;
        let late = now >= by;
        for (slot, endpoint) in &mut self.endpoints {
            if late || endpoint.may_close(&self.station) {
                endpoint.shut_down(now);
            }
            self.station.touch(slot);
        }
        self.serve_touched();
        self.stopped = self.endpoints.is_empty();
        self.station.timers.push(now + Duration::from_millis(1), CALLS);
    }
}

impl Endpoint {
    /// Whether the timer at `at` is the one it waits for.
    fn is_pending(&self, at: Instant) -> bool {
        match self {
            Self::Accepting(accepting) => accepting.is_pending(at),
            Self::Peer(peer) => peer.is_pending(at),
        }
    }

    fn wake(&mut self, slot: usize, station: &mut Station) -> bool {
        match self {
            Self::Accepting(accepting) => {
                accepting.wake(station.now);
                true
            }
            Self::Peer(peer) => peer.wake(slot, station),
        }
    }

    fn connected(&mut self, station: &mut Station) {
        match self {
            Self::Accepting(_) => {}
            Self::Peer(peer) => peer.connected(station),
        }
    }

    fn received(&mut self, now: Instant, data: bytes::BytesMut) {
        match self {
            Self::Accepting(accepting) => accepting.received(now, data),
            Self::Peer(peer) => peer.received(now, data),
        }
    }

    fn filled(&mut self, now: Instant, data: bytes::BytesMut) {
        match self {
            Self::Accepting(accepting) => accepting.filled(now, data),
            Self::Peer(peer) => peer.filled(now, data),
        }
    }

    fn disconnected(&mut self, now: Instant, cause: Disconnect) {
        match self {
            Self::Accepting(accepting) => accepting.disconnected(cause),
            Self::Peer(peer) => peer.disconnected(now, cause),
        }
    }

    fn shut_down(&mut self, now: Instant) {
        match self {
            Self::Accepting(accepting) => accepting.disconnected(Disconnect::Closed),
            Self::Peer(peer) => peer.shut_down(now),
        }
    }

    fn may_close(&mut self, station: &Station) -> bool {
        match self {
            Self::Accepting(_) => true,
            Self::Peer(peer) => peer.may_close(station),
        }
    }

    fn hear(&mut self, station: &mut Station) {
        match self {
            Self::Accepting(_) => {}
            Self::Peer(peer) => peer.hear(station),
        }
    }

    fn serve(&mut self, slot: usize, station: &mut Station) -> Fate {
        match self {
            Self::Accepting(accepting) => accepting.serve(slot, station),
            Self::Peer(peer) => peer.serve(slot, station),
        }
    }
}

/// The transport's error in the protocol's words.
fn disconnect(error: Option<&io::Error>) -> Disconnect {
    let Some(error) = error else { return Disconnect::Closed };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Disconnect::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            Disconnect::Reset
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::TimedOut => {
            Disconnect::Unreachable
        }
        io::ErrorKind::OutOfMemory => Disconnect::Exhausted,
        _ => match error.raw_os_error().unwrap_or(0) {
            ENFILE | EMFILE | ENOBUFS => Disconnect::Exhausted,
            number => Disconnect::Os(number),
        },
    }
}

/// Out of descriptors, system-wide and in this process; out of socket memory. Linux: errno(3). The standard library
/// has no kind for them.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOBUFS: i32 = 105;
