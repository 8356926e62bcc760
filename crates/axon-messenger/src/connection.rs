//! The user's handle of a connection.

mod calling;
mod gate;
mod sending;

use crate::mailbox::Mailbox;
use crate::shared::Shared;
use crate::throttle::{Oversize, Throttle};
use crate::worker::Command;
use arc_swap::ArcSwapOption;
use axon_auth::{Identity, Mode};
use axon_denc::{AddrVec, EntityName, EntityType, Features};
use axon_proto::{Established, Fault, Resumed, State, Timeline};
use gate::Gate;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

/// A connection: one session with one peer. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    id: u64,
    peer_type: EntityType,
    dialled: AddrVec,
    route: Route,
    state: AtomicU8,
    /// Where messages go in.
    gate: Gate,
    /// The application wants to hear no more of it.
    marked_down: AtomicBool,
    /// What its present socket, or the last one, agreed on.
    agreed: ArcSwapOption<Established>,
    ended: OnceLock<Fault>,
    budget: Throttle,
    tid: AtomicU64,
    last_round_trip: Mutex<Option<Duration>>,
    /// Where the owning worker keeps the machine.
    pub(crate) slot: AtomicUsize,
    shared: Weak<Shared>,
}

/// How messages leave.
enum Route {
    /// Through the worker that owns the connection.
    Worker(usize, Mailbox<Command>),
    /// Straight to this messenger's own dispatcher.
    Loopback,
}

impl Connection {
    pub(crate) fn remote(
        shared: &Arc<Shared>,
        worker: usize,
        peer_type: EntityType,
        dialled: AddrVec,
    ) -> Self {
        let mailbox = shared.workers[worker].mailbox.clone();
        Self::new(shared, Route::Worker(worker, mailbox), peer_type, dialled, State::Connecting)
    }

    pub(crate) fn loopback(shared: &Arc<Shared>) -> Self {
        Self::new(shared, Route::Loopback, shared.config.name.kind, shared.addrs(), State::Open)
    }

    fn new(
        shared: &Arc<Shared>,
        route: Route,
        peer_type: EntityType,
        dialled: AddrVec,
        state: State,
    ) -> Self {
        Self(Arc::new(Inner {
            id: shared.next_connection_id(),
            peer_type,
            dialled,
            route,
            state: AtomicU8::new(state_number(state)),
            gate: Gate::default(),
            marked_down: AtomicBool::new(false),
            agreed: ArcSwapOption::empty(),
            ended: OnceLock::new(),
            budget: Throttle::new(shared.config.send_queue_bytes, Oversize::Refuse),
            tid: AtomicU64::new(0),
            last_round_trip: Mutex::new(None),
            slot: AtomicUsize::new(usize::MAX),
            shared: Arc::downgrade(shared),
        }))
    }

    /// The next transaction id of this connection, from 1.
    pub fn next_tid(&self) -> u64 {
        self.0.tid.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Asks the peer for a sign of life; see [`last_round_trip`](Self::last_round_trip). Nothing on the loopback connection.
    pub fn keepalive(&self) {
        self.command(Command::Keepalive);
    }

    /// Closes the connection now. What is queued is dropped, and no callback follows. Nothing on the loopback connection.
    pub fn mark_down(&self) {
        if self.is_loopback() {
            return; // one cannot be disconnected from oneself
        }
        self.0.marked_down.store(true, Ordering::Release);
        self.0.gate.close();
        self.set_state(State::Closed);
        self.command(Command::MarkDown);
    }

    /// From now on a broken socket ends the session, whatever its policy was. Nothing on the loopback connection.
    pub fn mark_disposable(&self) {
        self.command(Command::MarkDisposable);
    }

    /// The number of this connection in this messenger; never reused.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The peer's type.
    pub fn peer_type(&self) -> EntityType {
        self.0.peer_type
    }

    /// The peer's name, once the session is open; of the process that began the session.
    pub fn peer_name(&self) -> Option<EntityName> {
        self.agreed(|agreed| agreed.peer)
    }

    /// The peer's addresses: as the peer gave them when the session began, before that as they were dialled.
    pub fn peer_addrs(&self) -> AddrVec {
        self.agreed(|agreed| agreed.peer_addrs.clone()).unwrap_or_else(|| self.0.dialled.clone())
    }

    /// Features both ends have, once the session is open. Message encodings follow them. Agreed when a session begins, anew
    /// when a restarted peer begins another; a resumed session keeps them, as the peer is the same process.
    pub fn features(&self) -> Option<Features> {
        self.agreed(|agreed| agreed.features)
    }

    /// The mode, once the session is open; of the present socket, or the last one if there is none.
    pub fn mode(&self) -> Option<Mode> {
        self.agreed(|agreed| agreed.mode)
    }

    /// Who authenticated when the peer dialled last, with the capabilities of that time; `None` while only this side has
    /// dialled. A session is only ever taken over by an entity of the same name, or of the peer's type while no name is known.
    ///
    /// A copy; [`established`](Self::established) lends it.
    pub fn identity(&self) -> Option<Identity> {
        self.agreed(|agreed| agreed.identity.clone()).flatten()
    }

    /// The id the monitor gave the client of this connection, once the session is open; of the present socket, or the last
    /// one if there is none.
    pub fn global_id(&self) -> Option<u64> {
        self.agreed(|agreed| agreed.global_id)
    }

    /// How long the handshake took, once the session is open; of the present socket, or the last one if there is none.
    pub fn timeline(&self) -> Option<Timeline> {
        self.agreed(|agreed| agreed.timeline.clone())
    }

    /// All that handshakes agreed on, once the session is open, as it is now: another socket or another session of the same
    /// peer may change it. The methods above say what changes when.
    pub fn established(&self) -> Option<Arc<Established>> {
        self.0.agreed.load_full()
    }

    /// The state; may have changed by the time it is looked at.
    pub fn state(&self) -> State {
        state_of(self.0.state.load(Ordering::Acquire))
    }

    /// Why the session is over, if it is; [`Fault::MarkedDown`] if this side closed it.
    pub fn fault(&self) -> Option<&Fault> {
        self.0.ended.get()
    }

    /// The time the last acknowledged keepalive took.
    pub fn last_round_trip(&self) -> Option<Duration> {
        *self.0.last_round_trip.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Bytes of the send budget in use.
    pub fn queued_bytes(&self) -> usize {
        self.0.budget.in_use()
    }

    pub(crate) fn send_budget(&self) -> &Throttle {
        &self.0.budget
    }

    pub(crate) fn command(&self, command: impl FnOnce(Connection) -> Command) {
        if let Route::Worker(_, mailbox) = &self.0.route {
            mailbox.push(command(self.clone()));
        }
    }

    /// Whether the application marked it down: no callback may follow.
    pub(crate) fn is_marked_down(&self) -> bool {
        self.0.marked_down.load(Ordering::Acquire)
    }

    /// The worker that owns it; `None` for the connection to oneself.
    pub(crate) fn worker(&self) -> Option<usize> {
        match &self.0.route {
            Route::Worker(worker, _) => Some(*worker),
            Route::Loopback => None,
        }
    }

    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self.0.route, Route::Loopback)
    }

    /// Closed is for ever, whoever else changes the state in the same moment: `connect` gives nobody a connection that was
    /// marked down.
    pub(crate) fn set_state(&self, state: State) {
        let unless_closed = |now| (state_of(now) != State::Closed).then_some(state_number(state));
        let _ = self.0.state.fetch_update(Ordering::Release, Ordering::Relaxed, unless_closed);
    }

    /// Messages that come from now on come from whom `established` names.
    pub(crate) fn set_established(&self, established: Box<Established>) {
        self.0.agreed.store(Some(Arc::from(established)));
        self.set_state(State::Open);
    }

    /// The session goes on over another socket. Only its worker calls this.
    pub(crate) fn set_resumed(&self, resumed: Resumed) {
        if let Some(agreed) = self.established() {
            let mut agreed = Arc::unwrap_or_clone(agreed);
            agreed.resume(resumed);
            self.0.agreed.store(Some(Arc::new(agreed)));
        }
        self.set_state(State::Open);
    }

    fn agreed<T>(&self, what: impl FnOnce(&Established) -> T) -> Option<T> {
        self.0.agreed.load().as_deref().map(what)
    }

    pub(crate) fn set_ended(&self, fault: Fault) {
        let _ = self.0.ended.set(fault);
        self.0.gate.close();
        self.set_state(State::Closed);
    }

    pub(crate) fn set_round_trip(&self, after: Duration) {
        *self.0.last_round_trip.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(after);
    }
}

fn state_number(state: State) -> u8 {
    match state {
        State::Connecting => 0,
        State::Open => 1,
        State::Standby => 2,
        State::Closed => 3,
    }
}

fn state_of(number: u8) -> State {
    match number {
        0 => State::Connecting,
        1 => State::Open,
        2 => State::Standby,
        _ => State::Closed,
    }
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Connection {}

impl Hash for Connection {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.0.id)
            .field("peer", &self.peer_name().map_or_else(|| self.0.peer_type.to_string(), |n| n.to_string()))
            .field("addrs", &format_args!("{}", self.peer_addrs()))
            .field("state", &self.state())
            .finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
