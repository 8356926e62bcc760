//! The connection: a session and, most of the time, the link that carries it.

use crate::handshake::ClientStart;
use crate::receive::Demand;
use crate::session::{Arrival, BackOff, FaultVerdict, SessionState};
use crate::{Config, Disconnect, Established, Fault, Instant, Link, LinkOutput, Policy, Session, WakeReason};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use axon_auth::AuthError;
use axon_wire::{FrameBuf, Message};
use bytes::{Bytes, BytesMut};
use core::time::Duration;

/// What happens to a connection.
pub enum Input {
    /// The dial asked for succeeded; go on with this.
    Connected(Box<ClientStart>),
    /// The dial asked for could not even start to authenticate.
    Unauthenticated(AuthError),
    /// Bytes arrived.
    Received(BytesMut),
    /// The buffer of [`Demand::Exactly`] is full.
    Filled(BytesMut),
    /// The socket is gone, or the dial failed.
    Disconnected(Disconnect),
    /// The message announced by [`Output::Admission`] may come in.
    Admitted,
    /// Send this. Ignored once the session is over, see [`Connection::state`].
    Send(Message),
    /// Ask the peer for a sign of life.
    Keepalive,
    /// End it, telling nobody.
    MarkDown,
    /// End it, as the peer or the registry gave a reason.
    Fail(Fault),
    /// The deadline has passed.
    Wake,
}

/// What a connection wants done, or has to tell.
#[derive(Debug)]
pub enum Output {
    /// Dial the peer, then say `Connected` or `Disconnected`.
    Dial,
    /// Close the socket.
    Hangup,
    /// Ask the throttles for this many bytes (front, middle and data of a message), then say `Admitted`.
    Admission(usize),
    /// A message for the application.
    Deliver(Message),
    /// News for the application.
    Event(Event),
}

/// News of a connection.
#[derive(Debug)]
pub enum Event {
    /// The session is open.
    Established(Box<Established>),
    /// An attempt to connect failed. Unless a `Reset` follows, more attempts will be made.
    AttemptFailed(Fault),
    /// The session is over; no output will follow.
    Reset {
        /// Why.
        fault: Fault,
        /// Accepted for sending but never written to a socket.
        not_sent: Vec<Message>,
    },
    /// A keepalive came back after this time.
    KeepaliveAck(Duration),
}

/// What [`Connection::transmit`] took from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transmitted {
    /// Messages.
    pub messages: usize,
    /// What they took of the send budget; see [`crate::cost`].
    pub cost: usize,
}

/// A connection as users may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Not open yet, or not again yet.
    Connecting,
    /// Messages flow.
    Open,
    /// Broken and waiting for a reason to mend.
    Standby,
    /// Over.
    Closed,
}

/// The machine behind a user's handle.
pub struct Connection {
    config: Arc<Config>,
    session: Session,
    link: Option<Link>,
    outputs: VecDeque<Output>,
    back_off: BackOff,
    /// While there is no session: when the back-off ends, or the attempt is given up.
    alarm: Option<(Instant, WakeReason)>,
    /// For jitter; seeded by the driver.
    random: u64,
}

impl Connection {
    /// A connection that dials; the first output is [`Output::Dial`]. `seed` is any random number.
    pub fn dial(config: Arc<Config>, policy: Policy, back_off: BackOff, seed: u64) -> Self {
        Self {
            config,
            session: Session::new(policy, SessionState::Dialling),
            link: None,
            outputs: VecDeque::from([Output::Dial]),
            back_off,
            alarm: None,
            random: seed | 1,
        }
    }

    /// A connection over an accepted link whose handshake is over.
    pub fn accepted(config: Arc<Config>, policy: Policy, link: Link, established: &Established) -> Self {
        let mut session = Session::new(policy, SessionState::Open);
        session.established(established.lossy);
        let (outputs, back_off) = (VecDeque::new(), BackOff::default());
        Self { config, session, link: Some(link), outputs, back_off, alarm: None, random: 1 }
    }

    /// Takes note of what happened. Drain [`poll`](Self::poll) afterwards.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected(start) => {
                if self.session.state() == SessionState::Dialling {
                    self.link = Some(Link::dialled(self.config.clone(), *start, now));
                }
            }
            Input::Received(data) => self.on_link(|link| link.received(now, data)),
            Input::Filled(data) => self.on_link(|link| link.filled(now, data)),
            Input::Admitted => self.on_link(Link::admit),
            Input::Keepalive => self.on_link(|link| link.keepalive(now)),
            Input::Send(message) => self.send(message),
            Input::Wake => self.wake(now),
            Input::Disconnected(cause) => self.disconnected(now, cause),
            Input::Unauthenticated(error) => self.broken(now, error.into()),
            Input::Fail(fault) => self.reset(fault),
            Input::MarkDown => self.mark_down(),
        }
    }

    /// The next thing to do or tell; `None` until the next input.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                if matches!(output, Output::Dial) {
                    self.alarm = Some((now + self.config.timeouts.ready, WakeReason::Ready));
                }
                return Some(output);
            }
            match self.link.as_mut()?.poll(now)? {
                LinkOutput::Message(message) => {
                    if self.session.arrived(&message.header) == Arrival::New {
                        return Some(Output::Deliver(message));
                    }
                }
                LinkOutput::Admission(length) => return Some(Output::Admission(length)),
                LinkOutput::KeepaliveAck(after) => return Some(Output::Event(Event::KeepaliveAck(after))),
                LinkOutput::Established(established) => return Some(self.established(established)),
                LinkOutput::Fault(fault) => self.broken(now, fault),
                // A lossy session keeps nothing that an ACK could release; idents only reach accepting links.
                LinkOutput::Control(_) | LinkOutput::Ident(_) => {}
            }
        }
    }

    /// Writes as many queued messages as fit in `room` bytes (the last may exceed it) and moves the result to the end
    /// of `out`; `scratch` is empty before and after, and may be shared by all connections of a worker. Returns what left the queue.
    pub fn transmit(&mut self, room: usize, scratch: &mut FrameBuf, out: &mut Vec<Bytes>) -> Transmitted {
        let mut sent = Transmitted::default();
        let Some(link) = &mut self.link else { return sent };
        let before = self.session.queued_bytes();
        link.take_pending(out);
        while link.is_open() && scratch.len() < room {
            let Some(message) = self.session.next_message() else { break };
            link.message(&message, scratch);
            if !link.is_open() {
                self.session.take_back(message);
                break;
            }
            sent.messages += 1;
        }
        scratch.drain_into(out);
        sent.cost = before - self.session.queued_bytes();
        sent
    }

    /// What to read next.
    pub fn demand(&mut self) -> Demand {
        self.link.as_mut().map_or(Demand::Nothing, Link::demand)
    }

    /// When to say [`Input::Wake`], and why.
    pub fn deadline(&self) -> Option<(Instant, WakeReason)> {
        let link = self.link.as_ref().and_then(Link::deadline);
        [link, self.alarm].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// The state as users may see it.
    pub fn state(&self) -> State {
        match self.session.state() {
            SessionState::Waiting | SessionState::Dialling => State::Connecting,
            SessionState::Open => State::Open,
            SessionState::Standby => State::Standby,
            SessionState::Closed => State::Closed,
        }
    }

    /// Whether everything accepted for sending was handed to the transport.
    pub fn is_drained(&self) -> bool {
        self.session.is_drained() && self.link.as_ref().is_none_or(|link| !link.has_pending())
    }

    fn on_link(&mut self, act: impl FnOnce(&mut Link)) {
        if let Some(link) = &mut self.link {
            act(link);
        }
    }

    fn send(&mut self, message: Message) {
        if self.session.state() != SessionState::Closed {
            self.session.enqueue(message);
        }
    }

    fn wake(&mut self, now: Instant) {
        match self.alarm {
            Some((at, WakeReason::Redial)) if now >= at => self.redial(),
            Some((at, reason)) if now >= at => self.broken(now, Fault::TimedOut(reason)),
            _ => self.on_link(|link| link.wake(now)),
        }
    }

    fn redial(&mut self) {
        self.alarm = None;
        self.session.set_state(SessionState::Dialling);
        self.outputs.push_back(Output::Dial);
    }

    fn established(&mut self, established: Box<Established>) -> Output {
        self.session.established(established.lossy);
        self.back_off.reset();
        self.alarm = None;
        Output::Event(Event::Established(established))
    }

    /// A link first says what it had received before.
    fn disconnected(&mut self, now: Instant, cause: Disconnect) {
        match &mut self.link {
            Some(link) => link.disconnected(cause),
            None => self.broken(now, cause.into()),
        }
    }

    /// The socket or the attempt is lost; the table says what that means.
    fn broken(&mut self, now: Instant, fault: Fault) {
        if matches!(self.session.state(), SessionState::Closed | SessionState::Waiting) {
            return;
        }
        let verdict = self.session.fault(fault == Fault::ToldToWait);
        if verdict == FaultVerdict::Reset {
            return self.reset(fault);
        }
        self.hang_up();
        self.outputs.push_back(Output::Event(Event::AttemptFailed(fault)));
        match verdict {
            FaultVerdict::Reset => {}
            FaultVerdict::Standby => self.session.set_state(SessionState::Standby),
            FaultVerdict::RedialNow => self.redial(),
            FaultVerdict::RedialLater => {
                let random = self.next_random();
                let pause = self.back_off.next(random);
                self.wait(now + pause);
            }
            FaultVerdict::RedialAfterWait => {
                let random = self.next_random();
                self.wait(now + self.back_off.after_wait(random));
            }
        }
    }

    fn wait(&mut self, until: Instant) {
        self.session.set_state(SessionState::Waiting);
        self.alarm = Some((until, WakeReason::Redial));
    }

    fn reset(&mut self, fault: Fault) {
        if self.session.state() == SessionState::Closed {
            return;
        }
        self.close();
        let not_sent = self.session.take_unsent();
        self.outputs.push_back(Output::Event(Event::Reset { fault, not_sent }));
    }

    fn mark_down(&mut self) {
        self.outputs.clear();
        self.close();
        drop(self.session.take_unsent());
    }

    fn close(&mut self) {
        self.hang_up();
        self.session.set_state(SessionState::Closed);
    }

    fn hang_up(&mut self) {
        self.link = None;
        self.alarm = None;
        self.outputs.push_back(Output::Hangup);
    }

    /// xorshift64: jitter needs no better.
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}
