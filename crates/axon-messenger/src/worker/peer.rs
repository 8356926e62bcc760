//! A connection on its worker: the machine, its socket, and the application's handle.

use super::command::Dial;
use super::timers::Alarm;
use super::{Fate, Station};
use crate::Connection;
use crate::dispatcher::Reset;
use crate::reply::CallError;
use crate::throttle::{Permit, Throttle, Ticket};
use crate::upcall::{Item, guarded};
use crate::worker::Command;
use axon_denc::{AddrVec, EntityAddr};
use axon_proto::{
    ClientStart, Connection as Machine, Demand, Disconnect, Established, Event, Fault, Input, Instant, Link,
    Output, Policy, State,
};
use axon_transport::{Reactor, SocketId};
use axon_wire::Message;
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// Bytes handed to the transport and not yet taken by the device. Enough to keep it busy, little enough that an urgent
/// message does not wait long.
const IN_FLIGHT: usize = 1 << 20;

/// A connection on its worker.
pub(super) struct Peer {
    pub(super) machine: Machine,
    pub(super) handle: Connection,
    socket: Option<SocketId>,
    dial: Option<Dialling>,
    /// Where the registry knows it.
    registered: Option<AddrVec>,
    reading: Reading,
    alarm: Alarm,
    /// Send budget of the messages the machine has queued.
    queued: Permit,
    admission: Admission,
    /// When the last message was written, unless the peer has confirmed since that it read so far.
    unconfirmed: Option<Instant>,
    /// When the peer was asked to confirm, before this side closes.
    farewell: Option<Instant>,
    /// Permits on their way here for messages that do not wait any more.
    stale_grants: usize,
    end: End,
}

/// How far the end of a connection has come.
enum End {
    /// It is not in sight.
    Alive,
    /// The session is over; the application is told once messages on their way here have come.
    Reset(Reset),
    /// Nobody wants to know.
    MarkedDown,
}

/// How a connection dials.
struct Dialling {
    dial: Dial,
    attempt: usize,
    policy: Policy,
}

/// The message that waits for its budgets.
#[derive(Default)]
struct Admission {
    length: usize,
    held: Vec<Permit>,
    /// The place in a budget's line.
    ticket: Option<Ticket>,
}

/// What the reactor was last told about reading.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    #[default]
    Paused,
    Armed,
    Direct,
}

impl Reading {
    /// Tells the reactor what has changed.
    pub(super) fn follow(&mut self, demand: Demand, socket: SocketId, reactor: &mut dyn Reactor) {
        match (demand, *self) {
            (Demand::Any, Self::Paused) => {
                reactor.receive(socket);
                *self = Self::Armed;
            }
            (Demand::Exactly { destination, length }, _) => {
                reactor.receive_into(socket, destination, length);
                *self = Self::Direct;
            }
            (Demand::Nothing, Self::Armed) => {
                reactor.pause(socket);
                *self = Self::Paused;
            }
            _ => {}
        }
    }

    /// A direct read is complete; the reactor has paused the socket.
    pub(super) fn filled(&mut self) {
        *self = Self::Paused;
    }
}

impl Peer {
    pub(super) fn dialling(station: &Station, handle: Connection, dial: Dial) -> Self {
        let shared = &station.shared;
        let policy = shared.policy(dial.peer);
        let machine = Machine::dial(shared.config.clone(), policy, shared.back_off, shared.random());
        let registered = dial.registered.clone();
        let dialling = Dialling { dial, attempt: 0, policy };
        Self::new(machine, handle, None, Some(dialling), registered)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of an accepted socket moves here piece by piece"
    )]
    pub(super) fn accepted(
        station: &Station,
        handle: Connection,
        link: Link,
        socket: SocketId,
        policy: Policy,
        established: Box<Established>,
        reading: Reading,
        alarm: Alarm,
    ) -> Self {
        let shared = &station.shared;
        let machine = Machine::accepted(shared.config.clone(), policy, link, &established);
        let addrs = established.peer_addrs.clone();
        shared.registry.accepted(&addrs, &policy, established.peer_global_seq, &handle);
        let mut peer = Self::new(machine, handle, Some(socket), None, Some(addrs));
        (peer.reading, peer.alarm) = (reading, alarm);
        peer.handle.set_established(established);
        station.counters().connections_opened.count();
        guarded(&peer.handle, || shared.dispatcher.handle_fast_accept(&peer.handle));
        shared.announce(&peer.handle, Item::Accept(peer.handle.clone()));
        peer
    }

    fn new(
        machine: Machine,
        handle: Connection,
        socket: Option<SocketId>,
        dial: Option<Dialling>,
        registered: Option<AddrVec>,
    ) -> Self {
        Self {
            machine,
            handle,
            socket,
            dial,
            registered,
            reading: Reading::default(),
            alarm: Alarm::default(),
            queued: Permit::empty(),
            admission: Admission::default(),
            unconfirmed: None,
            farewell: None,
            stale_grants: 0,
            end: End::Alive,
        }
    }

    pub(super) fn send(&mut self, message: Message, permit: Permit) {
        if let End::Reset(reset) = &mut self.end {
            return reset.not_sent.push(message);
        }
        self.queued.merge(permit);
        self.machine.handle(Instant::default(), Input::Send(message));
    }

    pub(super) fn received(&mut self, now: Instant, data: BytesMut) {
        self.machine.handle(now, Input::Received(data));
    }

    pub(super) fn filled(&mut self, now: Instant, data: BytesMut) {
        self.reading.filled();
        self.machine.handle(now, Input::Filled(data));
    }

    pub(super) fn disconnected(&mut self, now: Instant, cause: Disconnect) {
        self.socket = None;
        self.reading = Reading::Paused;
        self.machine.handle(now, Input::Disconnected(cause));
    }

    pub(super) fn mark_down(&mut self, now: Instant) {
        self.machine.handle(now, Input::MarkDown);
        self.end = End::MarkedDown;
    }

    pub(super) fn wake(&mut self, now: Instant) {
        self.alarm.fired(now);
        self.machine.handle(now, Input::Wake);
    }

    /// Whether the connection may be closed without losing messages accepted for sending. Asks the peer for a sign that
    /// it has read the last one: the operating system drops what it still has to send when a socket is closed that has
    /// something unread in it.
    pub(super) fn may_close(&mut self, station: &Station) -> bool {
        let unsent = self.socket.map_or(0, |socket| station.reactor.unsent(socket));
        let is_drained = self.machine.is_drained() && unsent == 0;
        if self.machine.state() != State::Open || !is_drained {
            return is_drained || self.machine.state() == State::Closed;
        }
        if self.unconfirmed.is_some() && self.farewell.is_none() {
            self.farewell = Some(station.now);
            self.machine.handle(station.now, Input::Keepalive);
        }
        self.unconfirmed.is_none()
    }

    /// The answer to a keepalive arrived that was sent so long ago.
    fn confirmed(&mut self, after: Duration, now: Instant) {
        self.handle.set_round_trip(after);
        let asked = Instant(now.0.saturating_sub(Instant::from(after).0));
        let after_last = self.unconfirmed.is_some_and(|last| asked > last);
        // A farewell is said when nothing is left to say, even if that is the same moment.
        if after_last || self.farewell.is_some_and(|farewell| asked >= farewell) {
            self.unconfirmed = None;
        }
    }

    /// The dial succeeded: authenticate and go on.
    pub(super) fn connected(&mut self, station: &mut Station) {
        let Some(dialling) = &self.dial else { return };
        let shared = &station.shared;
        let peer = dialling.dial.peer;
        let input = match shared.client_auth.start(peer) {
            Err(error) => Input::Unauthenticated(error),
            Ok(exchange) => Input::Connected(Box::new(ClientStart {
                target: dialling.target(),
                peer,
                my_addrs: shared.addrs(),
                policy: dialling.policy,
                global_seq: shared.next_global_seq(),
                cookie: 0,
                exchange,
            })),
        };
        self.machine.handle(station.now, input);
    }

    /// Does everything the machine wants done.
    pub(super) fn serve(&mut self, slot: usize, station: &mut Station) -> Fate {
        self.drain(station);
        self.transmit(station);
        self.drain(station); // writing may have found a fault
        match self.end {
            End::Alive => {}
            End::Reset(_) => return Fate::Sweep,
            End::MarkedDown => {
                self.forget(station);
                return Fate::Remove;
            }
        }
        if let Some(socket) = self.socket {
            self.reading.follow(self.machine.demand(), socket, &mut *station.reactor);
        }
        self.alarm.set(self.machine.deadline().map(|(at, _)| at), slot, &mut station.timers);
        Fate::Keep
    }

    /// The last step after a reset, when every message sent before has come here.
    pub(super) fn bury(&mut self, station: &mut Station) {
        if let End::Reset(reset) = std::mem::replace(&mut self.end, End::MarkedDown) {
            station.shared.announce_reset(&self.handle, reset);
        }
        self.forget(station);
    }

    fn drain(&mut self, station: &mut Station) {
        while let Some(output) = self.machine.poll(station.now) {
            match output {
                Output::Deliver(message) => self.deliver(message, station),
                Output::Admission(length) => self.admit(length, station),
                Output::Dial => self.start_dial(station),
                Output::Hangup => self.hang_up(station),
                Output::Event(event) => self.announce(event, station),
            }
        }
    }

    fn deliver(&mut self, message: Message, station: &Station) {
        station.counters().messages_in.count();
        let held = std::mem::take(&mut self.admission.held);
        if station.shared.deliver(&self.handle, message, held) {
            station.counters().fast_dispatches.count();
        }
    }

    /// A message of `length` body bytes wants in.
    fn admit(&mut self, length: usize, station: &Station) {
        self.admission = Admission { length, held: Vec::with_capacity(3), ticket: None };
        self.acquire_rest(station);
    }

    /// A budget the message waited for has room.
    pub(super) fn granted(&mut self, permit: Permit, station: &Station) {
        if self.stale_grants > 0 {
            self.stale_grants -= 1;
            return;
        }
        self.admission.ticket = None;
        self.admission.held.push(permit);
        self.acquire_rest(station);
    }

    /// Takes the budgets in a fixed order, so that no two messages wait for each other.
    fn acquire_rest(&mut self, station: &Station) {
        let budgets = &station.shared.budgets;
        let length = self.admission.length;
        let by_type = budgets.by_type.get(&self.handle.peer_type());
        let wanted: [Option<(&Throttle, usize)>; 3] = [
            by_type.map(|(messages, _)| (messages, 1)),
            by_type.map(|(_, bytes)| (bytes, length)),
            Some((&budgets.dispatch_bytes, length)),
        ];
        for (throttle, amount) in wanted.into_iter().flatten().skip(self.admission.held.len()) {
            match throttle.try_acquire(amount) {
                Ok(Some(permit)) => self.admission.held.push(permit),
                _ => {
                    station.counters().throttle_waits.count();
                    return self.wait_for(throttle, amount);
                }
            }
        }
        self.machine.handle(station.now, Input::Admitted);
    }

    fn wait_for(&mut self, throttle: &Throttle, amount: usize) {
        let handle = self.handle.clone();
        let grant = move |permit| handle.command(|c| Command::Granted(c, permit));
        self.admission.ticket = Some(throttle.acquire_or_wait(amount, grant));
    }

    /// The message that waited will not come: gives up its place in line.
    fn withdraw(&mut self) {
        let admission = std::mem::take(&mut self.admission);
        if let Some(ticket) = admission.ticket
            && !ticket.cancel()
        {
            self.stale_grants += 1;
        }
    }

    fn start_dial(&mut self, station: &mut Station) {
        let Some(dialling) = &self.dial else { return };
        self.handle.set_state(State::Connecting);
        let Some(addr) = dialling.target().socket else { return };
        match station.reactor.connect(addr) {
            Ok(socket) => self.attach(socket, station),
            Err(error) => {
                let cause = super::disconnect(Some(&error));
                self.machine.handle(station.now, Input::Disconnected(cause));
            }
        }
    }

    fn attach(&mut self, socket: SocketId, station: &mut Station) {
        let slot = self.handle.0.slot.load(std::sync::atomic::Ordering::Relaxed);
        station.sockets.insert(socket, slot);
        self.socket = Some(socket);
        self.reading = Reading::Paused;
    }

    fn hang_up(&mut self, station: &mut Station) {
        if let Some(socket) = self.socket.take() {
            station.close(socket);
        }
        self.reading = Reading::Paused;
        self.withdraw();
    }

    fn announce(&mut self, event: Event, station: &Station) {
        let shared = &station.shared;
        match event {
            Event::Established(established) => {
                station.counters().connections_opened.count();
                shared.learn_addrs(&established.my_addrs);
                self.handle.set_established(established);
                guarded(&self.handle, || shared.dispatcher.handle_fast_connect(&self.handle));
                shared.announce(&self.handle, Item::Connect(self.handle.clone()));
            }
            Event::AttemptFailed(fault) => {
                station.counters().handshakes_failed.count();
                self.handle.set_state(self.machine.state());
                if let Some(dialling) = &mut self.dial {
                    dialling.attempt += 1;
                }
                shared.announce(&self.handle, Item::Refused(self.handle.clone(), fault));
            }
            Event::Reset { fault, not_sent } => self.reset(fault, not_sent, station),
            Event::KeepaliveAck(after) => self.confirmed(after, station.now),
        }
    }

    fn reset(&mut self, fault: Fault, not_sent: Vec<Message>, station: &Station) {
        station.counters().resets.count();
        self.handle.set_ended(fault.clone());
        self.end = End::Reset(Reset { fault, not_sent });
    }

    /// Gathers queued messages into as few sends as possible.
    fn transmit(&mut self, station: &mut Station) {
        let Some(socket) = self.socket else { return };
        loop {
            let room = IN_FLIGHT.saturating_sub(station.reactor.unsent(socket));
            if room == 0 {
                return;
            }
            let sent = self.machine.transmit(room, &mut station.scratch, &mut station.buffers);
            if station.buffers.is_empty() {
                return;
            }
            let bytes = station.buffers.iter().map(Bytes::len).sum();
            station.counters().wrote(sent.messages, bytes);
            station.counters().messages_out.add(sent.messages as u64);
            if sent.messages > 0 {
                self.unconfirmed = Some(station.now);
            }
            let Station { reactor, buffers, .. } = station;
            reactor.send(socket, buffers);
            drop(self.queued.split(sent.cost));
        }
    }

    /// Cleans up after the end of the session.
    fn forget(&mut self, station: &mut Station) {
        self.hang_up(station);
        if self.handle.established().is_some() {
            station.counters().connections_closed.count();
        }
        if let Some(addrs) = &self.registered {
            station.shared.registry.remove(addrs, &self.handle);
        }
        let marked_down = self.handle.fault().is_none();
        let why = if marked_down { CallError::MarkedDown } else { CallError::Reset };
        station.shared.replies.fail_connection(self.handle.id(), why);
        if marked_down {
            self.handle.set_ended(Fault::MarkedDown);
        }
        // What arrived before a shutdown is still handed out.
        if self.handle.is_marked_down() {
            station.shared.discard(&self.handle);
        }
        station.forget_load();
    }
}

impl Dialling {
    /// The address of this attempt.
    fn target(&self) -> EntityAddr {
        self.dial.targets[self.attempt % self.dial.targets.len()]
    }
}
