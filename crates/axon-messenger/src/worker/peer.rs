//! A connection on its worker: the machine, its socket, and the application's handle.

mod dump;

use super::absence::Absence;
use super::accepting::Accepting;
use super::admission::Admission;
use super::command::Dial;
use super::dialling::Dialling;
use super::reading::Reading;
use super::timers::Alarm;
use super::{Fate, Station};
use crate::Connection;
use crate::dispatcher::Reset;
use crate::received::Received;
use crate::registry::registers;
use crate::reply::CallError;
use crate::throttle::Permit;
use crate::upcall::{Item, guarded};
use axon_denc::AddrVec;
use axon_proto::{
    Arena, ClientStart, Connection as Machine, Contended, Disconnect, Established, Event, Fault, Ident,
    Input, Instant, Output, State, Undelivered,
};
use axon_transport::SocketId;
use axon_wire::Message;
use bytes::BytesMut;
use std::time::Duration;

/// Bytes handed to the transport and not yet taken by the device. Enough to keep it busy, little enough that an urgent
/// message does not wait long.
const IN_FLIGHT: usize = 1 << 20;

/// After so long a message is no part of a burst any more.
const LULL: Duration = Duration::from_micros(100);

/// A connection on its worker.
pub(super) struct Peer {
    pub(super) machine: Machine,
    pub(super) handle: Connection,
    socket: Option<SocketId>,
    dial: Option<Dialling>,
    /// Where the registry knows it.
    registered: Option<AddrVec>,
    /// Its peer began it, so that its kind is counted while it waits.
    accepted: bool,
    absence: Absence,
    reading: Reading,
    alarm: Alarm,
    /// Send budget of the messages the machine has queued.
    queued: Permit,
    admission: Admission,
    /// When the last message was written, unless the peer has confirmed since that it read so far.
    unconfirmed: Option<Instant>,
    /// When the peer was asked to confirm, before this side closes.
    farewell: Option<Instant>,
    /// An acknowledgement has waited for a message that might carry it.
    ack_waited: bool,
    /// When a caller sent a message at once, unless the peer has said something since.
    sent_at_once: Option<Instant>,
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

/// What became of an accepted socket that was offered to a session.
pub(super) enum Contest {
    /// It is the session's.
    Taken,
    /// It was answered and goes on by itself.
    Answered(Accepting),
    /// The session is over; the socket begins another.
    Ended(Accepting),
}

impl Peer {
    pub(super) fn dialling(station: &Station, handle: Connection, dial: Dial) -> Self {
        let shared = &station.shared;
        let policy = shared.policy(dial.peer);
        let machine = Machine::dial(shared.config.clone(), policy, shared.back_off, shared.random());
        let registered = dial.registered.clone();
        let dialling = Dialling::new(dial, policy);
        Self::new(machine, handle, Some(dialling), registered)
    }

    /// A connection for a peer that dialled; [`contend`](Self::contend) gives it its first link.
    pub(super) fn accepting(station: &Station, handle: Connection, ident: &Ident) -> Self {
        let shared = &station.shared;
        let mut policy = *ident.policy();
        let registered = registers(&policy).then(|| ident.addrs().clone());
        let dial = Dialling::back(&handle, policy, ident, registered.clone());
        // Who cannot be dialled has to come back by itself, and is waited for as by a server.
        policy.server |= !policy.lossy && dial.is_none();
        let machine = Machine::accept(shared.config.clone(), policy, shared.back_off, shared.random());
        Self { accepted: true, ..Self::new(machine, handle, dial, registered) }
    }

    /// Offers an accepted socket to the session.
    pub(super) fn contend(
        &mut self,
        mut accepting: Accepting,
        ident: &Ident,
        station: &mut Station,
    ) -> Contest {
        let Some(link) = accepting.take_link() else { return Contest::Answered(accepting) };
        let arena = Arena {
            peer: self.handle.peer_type(),
            my_addrs: station.shared.addrs(),
            global_seq: station.shared.next_global_seq(),
            cookie: station.shared.random() | 1,
        };
        match self.machine.contend(station.now, link, ident, &arena) {
            Contended::Taken => {
                self.hang_up(station);
                self.attach(accepting.socket(), accepting.reading(), station);
                Contest::Taken
            }
            Contended::Answered(link, said) => {
                accepting.answered(link, said);
                Contest::Answered(accepting)
            }
            Contended::Ended(link) => {
                accepting.answered(link, None);
                Contest::Ended(accepting)
            }
        }
    }

    fn new(
        machine: Machine,
        handle: Connection,
        dial: Option<Dialling>,
        registered: Option<AddrVec>,
    ) -> Self {
        Self {
            machine,
            handle,
            socket: None,
            dial,
            registered,
            accepted: false,
            absence: Absence::default(),
            reading: Reading::default(),
            alarm: Alarm::default(),
            queued: Permit::empty(),
            admission: Admission::default(),
            unconfirmed: None,
            farewell: None,
            ack_waited: false,
            sent_at_once: None,
            end: End::Alive,
        }
    }

    #[inline]
    pub(super) fn send(&mut self, message: Message, permit: Permit) {
        if let End::Reset(reset) = &mut self.end {
            return reset.undelivered.not_sent.push(message);
        }
        self.queued.merge(permit);
        self.machine.handle(Instant::default(), Input::Send(message));
    }

    pub(super) fn received(&mut self, now: Instant, data: BytesMut) {
        self.sent_at_once = None;
        self.machine.handle(now, Input::Received(data));
    }

    pub(super) fn filled(&mut self, now: Instant, data: BytesMut) {
        self.sent_at_once = None;
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

    /// The messenger shuts down. A reset that waits for the last messages on their way here still reaches the application.
    pub(super) fn shut_down(&mut self, now: Instant) {
        if !matches!(self.end, End::Reset(_)) {
            self.mark_down(now);
        }
    }

    /// Its timer fired. Whether anything is due: mostly something was heard since it was set.
    pub(super) fn wake(&mut self, slot: usize, station: &mut Station) -> bool {
        self.alarm.fired(station.now);
        let deadline = self.machine.deadline().map(|(at, _)| at);
        if deadline.is_none_or(|at| at > station.now) {
            self.alarm.set(deadline, slot, &mut station.timers);
            return false;
        }
        self.tell_progress(station);
        self.machine.handle(station.now, Input::Wake);
        self.tell_progress(station);
        true
    }

    /// Whether the timer at `at` is the one it waits for.
    pub(super) fn is_pending(&self, at: Instant) -> bool {
        self.alarm.is_pending(at)
    }

    /// Asks the peer for a sign of life.
    pub(super) fn ask(&mut self, station: &Station) {
        self.machine.handle(station.now, Input::Keepalive);
        self.tell_progress(station);
    }

    /// Whether bytes leave says whether the peer lives, while a keepalive waits behind them; and so does whether they arrive,
    /// while its answer does.
    fn tell_progress(&mut self, station: &Station) {
        let filling = self.socket.filter(|_| self.reading == Reading::Direct);
        let arrived = filling.map_or(0, |socket| station.reactor.arrived(socket));
        self.machine.handle(station.now, Input::Progress { unsent: self.unsent(station), arrived });
    }

    /// Bytes handed to the transport that have not left.
    fn unsent(&self, station: &Station) -> usize {
        self.socket.map_or(0, |socket| station.reactor.unsent(socket))
    }

    /// Whether the connection may be closed without losing messages accepted for sending. Asks the peer for a sign that
    /// it has read the last one: the operating system drops what it still has to send when a socket is closed that has
    /// something unread in it.
    pub(super) fn may_close(&mut self, station: &Station) -> bool {
        let is_drained = self.machine.is_drained() && self.unsent(station) == 0;
        if self.machine.state() != State::Open || !is_drained {
            return is_drained || self.machine.state() == State::Closed;
        }
        if self.unconfirmed.is_some() && self.farewell.is_none() {
            self.farewell = Some(station.now);
            self.ask(station);
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
        let peer = dialling.peer();
        let input = match shared.client_auth.start(peer) {
            Err(error) => Input::Unauthenticated(error),
            Ok(exchange) => Input::Connected(Box::new(ClientStart {
                target: dialling.target(),
                peer,
                my_addrs: shared.addrs(),
                policy: dialling.policy(),
                global_seq: shared.next_global_seq(),
                cookies: [shared.random() | 1, shared.random() | 1],
                resume: None,
                exchange,
            })),
        };
        self.machine.handle(station.now, input);
    }

    /// Hears what the machine has to say. Handlers may answer, so that [`serve`](Self::serve) has more to write.
    pub(super) fn hear(&mut self, station: &mut Station) {
        self.drain(station);
    }

    /// Writes what there is to write, and does everything else the machine wants done.
    pub(super) fn serve(&mut self, slot: usize, station: &mut Station) -> Fate {
        if self.may_wait_with_ack() {
            station.touch_later(slot);
        } else {
            self.transmit(station);
        }
        if self.machine.has_news() {
            self.drain(station); // writing has found a fault
        }
        station.counters.crossed(self.machine.take_tally());
        match self.end {
            End::Alive => {}
            End::Reset(_) if self.handle.has_senders() => {
                station.touch_later(slot); // a message is on its way here
                return Fate::Keep;
            }
            End::Reset(_) => return Fate::Sweep,
            End::MarkedDown => {
                self.forget(station);
                return Fate::Remove;
            }
        }
        self.release();
        if let Some(socket) = self.socket {
            self.reading.follow(self.machine.demand(), socket, &mut *station.reactor);
        }
        self.alarm.set(self.machine.deadline().map(|(at, _)| at), slot, &mut station.timers);
        Fate::Keep
    }

    /// Whether a caller may write a message at once. Only the first of a burst: the others are worth being gathered.
    pub(super) fn may_send_at_once(&self, station: &Station) -> bool {
        let is_lone = self.sent_at_once.is_none_or(|last| station.now.since(last) >= LULL);
        let is_ready = matches!(self.end, End::Alive) && self.machine.state() == State::Open;
        let unsent = self.socket.map(|socket| station.reactor.unsent(socket));
        is_lone && is_ready && self.machine.session().is_idle() && unsent == Some(0)
    }

    /// Writes a message for a caller. `false` if the worker has to look after it.
    pub(super) fn send_at_once(
        &mut self,
        message: Message,
        permit: Permit,
        slot: usize,
        station: &mut Station,
    ) -> bool {
        self.sent_at_once = Some(station.now);
        self.send(message, permit);
        self.transmit(station);
        station.counters.crossed(self.machine.take_tally());
        self.release();
        let before = station.timers.next();
        self.alarm.set(self.machine.deadline().map(|(at, _)| at), slot, &mut station.timers);
        self.machine.has_open_link() && self.machine.session().is_idle() && station.timers.next() == before
    }

    /// Gives back the budget of what was written, or acknowledged if the session is lossless.
    fn release(&mut self) {
        let done = self.queued.amount().saturating_sub(self.machine.held());
        if done > 0 {
            self.queued.give_back(done);
        }
    }

    /// The last step after a reset, when every message sent before has come here.
    pub(super) fn bury(&mut self, station: &mut Station) {
        if let End::Reset(reset) = std::mem::replace(&mut self.end, End::MarkedDown) {
            station.shared.announce_reset(&self.handle, reset);
        }
        self.forget(station);
    }

    fn drain(&mut self, station: &mut Station) {
        while let Some(output) = self.poll(station) {
            match output {
                Output::Deliver(message) => self.deliver(message, station),
                Output::Discarded => drop(self.admission.take()),
                Output::Admission(_) => {} // a budget will say when
                Output::Dial => self.start_dial(station),
                Output::Hangup => self.hang_up(station),
                Output::GlobalSeq(seen) => station.shared.raise_global_seq(seen),
                Output::Event(event) => self.announce(event, station),
            }
        }
    }

    #[inline]
    fn deliver(&mut self, message: Message, station: &Station) {
        station.counters.messages_in.count(); // before its handler, which may look
        let mut parcel = Some(Received::new(message, self.admission.take()));
        if station.shared.deliver(&self.handle, &mut parcel) {
            station.counters.fast_dispatches.count();
        }
    }

    /// What the machine has to say next, after messages were let in for which the budgets have room.
    #[inline]
    fn poll(&mut self, station: &Station) -> Option<Output> {
        let Self { machine, admission, handle, .. } = self;
        machine.poll_admitting(station.now, |length| admission.begin(length, handle, station))
    }

    /// A budget the message waited for has room.
    pub(super) fn granted(&mut self, permit: Permit, station: &Station) {
        if self.admission.granted(permit, &self.handle, station) {
            self.machine.handle(station.now, Input::Admitted);
        }
    }

    fn start_dial(&mut self, station: &mut Station) {
        let Some(dialling) = &self.dial else { return };
        self.handle.set_state(State::Connecting);
        let Some(addr) = dialling.target().socket else { return };
        match station.reactor.connect(addr) {
            Ok(socket) => self.attach(socket, Reading::Paused, station),
            Err(error) => {
                let cause = super::disconnect(Some(&error));
                self.machine.handle(station.now, Input::Disconnected(cause));
            }
        }
    }

    /// Takes over a socket, and what the reactor was told about reading from it.
    fn attach(&mut self, socket: SocketId, reading: Reading, station: &mut Station) {
        let slot = self.handle.0.slot.load(std::sync::atomic::Ordering::Relaxed);
        self.absence.end(&mut station.absentees);
        station.sockets.insert(socket, slot);
        self.socket = Some(socket);
        self.reading = reading;
    }

    fn hang_up(&mut self, station: &mut Station) {
        if let Some(socket) = self.socket.take() {
            station.close(socket);
        }
        self.reading = Reading::Paused;
        self.farewell = None; // nobody will answer it
        self.admission.withdraw();
    }

    fn announce(&mut self, event: Event, station: &mut Station) {
        match event {
            Event::Established(established) => self.established(established, station),
            Event::Resumed(resumed) => {
                tracing::debug!(connection = ?self.handle, "a session goes on");
                station.counters.reconnects.count();
                let accepted = resumed.identity.is_some();
                self.handle.set_resumed(*resumed);
                if accepted {
                    guarded(&self.handle, || station.shared.dispatcher.handle_fast_resumed(&self.handle));
                }
            }
            Event::RemoteReset(undelivered) => {
                station.counters.resets.count();
                station.shared.replies.fail_connection(self.handle.id(), CallError::Reset);
                station.shared.announce_remote_reset(&self.handle, undelivered);
            }
            Event::Interrupted(fault) => {
                tracing::debug!(connection = ?self.handle, %fault, "a session lost its socket");
                self.lost_link(station);
            }
            Event::AttemptFailed(fault) => {
                tracing::debug!(connection = ?self.handle, %fault, "an attempt to connect failed");
                station.counters.handshakes_failed.count();
                self.lost_link(station);
                if let Some(dialling) = &mut self.dial {
                    dialling.failed();
                }
                station.shared.announce(&self.handle, Item::Refused(self.handle.clone(), fault));
            }
            Event::Reset { fault, undelivered } => self.reset(fault, undelivered, station),
            Event::KeepaliveAck(after) => self.confirmed(after, station.now),
        }
    }

    fn lost_link(&mut self, station: &mut Station) {
        let state = self.machine.state();
        self.handle.set_state(state);
        if self.accepted && state == State::Standby {
            self.absence.begin(&self.handle, &mut station.absentees);
        }
    }

    /// Too many sessions wait for their peers, and this one has waited longest.
    pub(super) fn make_room(&mut self, now: Instant) {
        if self.machine.state() == State::Standby {
            self.machine.handle(now, Input::Fail(Fault::Crowded));
        }
    }

    fn established(&mut self, established: Box<Established>, station: &Station) {
        let shared = &station.shared;
        station.counters.connections_opened.count();
        let accepted = established.identity.is_some();
        if !accepted {
            shared.learn_addrs(&established.my_addrs);
        }
        self.handle.set_established(established);
        let handle = &self.handle;
        if accepted {
            guarded(handle, || shared.dispatcher.handle_fast_accept(handle));
            shared.announce(handle, Item::Accept(handle.clone()));
        } else {
            guarded(handle, || shared.dispatcher.handle_fast_connect(handle));
            shared.announce(handle, Item::Connect(handle.clone()));
        }
    }

    fn reset(&mut self, fault: Fault, undelivered: Undelivered, station: &Station) {
        station.counters.resets.count();
        self.handle.set_ended(fault.clone());
        self.end = End::Reset(Reset { fault, undelivered });
    }

    /// Whether there is nothing to write but an acknowledgement that has not waited yet: what a handler has just answered
    /// is still in the mailbox, and will carry it.
    fn may_wait_with_ack(&mut self) -> bool {
        self.ack_waited = !self.ack_waited && self.machine.owes_only_ack();
        self.ack_waited
    }

    /// Gathers queued messages into as few sends as possible.
    fn transmit(&mut self, station: &mut Station) {
        let Some(socket) = self.socket else { return };
        loop {
            let unsent = station.reactor.unsent(socket);
            let room = IN_FLIGHT.saturating_sub(unsent);
            let must_wait = room == 0 || unsent > 0 && self.waits_alone(room);
            if !must_wait {
                let sent = self.machine.transmit(room, &mut station.scratch, &mut station.buffers);
                if station.buffers.is_empty() {
                    return;
                }
                station.counters.wrote(sent.messages);
                if sent.messages > 0 {
                    self.unconfirmed = Some(station.now);
                }
            }
            // Of what is unsent at the return of a send, the device tells when it has left: so send, even nothing.
            let Station { reactor, buffers, .. } = station;
            reactor.send(socket, buffers);
            if must_wait || !self.has_more() {
                return;
            }
        }
    }

    /// Whether something is left to write after a write. An acknowledgement never is.
    fn has_more(&self) -> bool {
        !self.machine.session().is_idle() || self.machine.has_control()
    }

    /// Whether what comes next is handed over only when nothing stands before it: so that an urgent message waits for one
    /// long message, not for two, and so that a keepalive has left when it was handed over.
    fn waits_alone(&self, room: usize) -> bool {
        self.machine.session().overflows(room) || self.machine.has_control()
    }

    /// Cleans up after the end of the session.
    fn forget(&mut self, station: &mut Station) {
        self.hang_up(station);
        self.absence.end(&mut station.absentees);
        if self.handle.established().is_some() {
            station.counters.connections_closed.count();
        }
        if let Some(addrs) = &self.registered {
            station.shared.registry.remove(addrs, &self.handle);
        }
        let marked_down = self.handle.fault().is_none();
        let why = if marked_down { CallError::MarkedDown } else { CallError::Reset };
        if marked_down {
            self.handle.set_ended(Fault::MarkedDown);
        }
        // After the end was said: who was let in before has registered its call, and nobody is let in any more.
        station.shared.replies.fail_connection(self.handle.id(), why);
        // What arrived before a shutdown is still handed out.
        if self.handle.is_marked_down() {
            station.shared.discard(&self.handle);
        }
        station.forget_load();
    }
}
