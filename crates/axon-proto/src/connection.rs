//! The connection: a session and, most of the time, the link that carries it.

use crate::handshake::ClientStart;
use crate::receive::Demand;
use crate::session::{Arrival, BackOff, FaultVerdict, SessionState, Undelivered};
use crate::time::sooner;
use crate::{
    Config, Disconnect, Established, Fault, Instant, Link, LinkOutput, Policy, Resume, Resumed, Session,
    SessionNews, Tables, Tally, WakeReason,
};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use axon_auth::{AuthError, AuthName};
use axon_denc::EntityType;
use axon_wire::{FrameBuf, Message, MessageHeader, WireError};
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
    /// How far bytes have come that nobody is told of one by one. Said after `Keepalive`, and before and after `Wake`, it
    /// makes an unanswered keepalive count from when it left, and its answer from when a body that is being received was
    /// last found to go on.
    Progress {
        /// So many bytes of what [`Connection::transmit`] wrote have not left yet. 0 from drivers that do not let control
        /// frames wait until nothing stands before them ([`Connection::has_control`]).
        unsent: usize,
        /// So many bytes have arrived, counted from anywhere, while [`Demand::Exactly`] is being met; else always the same.
        arrived: u64,
    },
    /// From now on a fault ends it, whatever the policy said.
    MarkDisposable,
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
    /// Number later attempts of this process above this one.
    GlobalSeq(u64),
    /// Ask the throttles for the [cost](crate::cost_of) of a message whose front, middle and data have this many bytes, then say
    /// `Admitted`.
    Admission(usize),
    /// A message for the application.
    Deliver(Message),
    /// The message that came in is none for the application: it was here before, or its sender gave it up halfway. What
    /// the throttles gave for it is free.
    Discarded,
    /// News for the application.
    Event(Event),
}

/// News of a connection.
#[derive(Debug)]
pub enum Event {
    /// The session is open.
    Established(Box<Established>),
    /// The open session lost its socket; it is being resumed, or waits for it.
    Interrupted(Fault),
    /// The session goes on over a new socket.
    Resumed(Box<Resumed>),
    /// The peer lost the session; a new one begins.
    RemoteReset(Undelivered),
    /// An attempt to connect failed. Unless a `Reset` follows, more attempts will be made.
    AttemptFailed(Fault),
    /// The session is over; no output will follow.
    Reset {
        /// Why.
        fault: Fault,
        /// What was accepted for sending and will not be delivered.
        undelivered: Undelivered,
    },
    /// A keepalive came back after this time.
    KeepaliveAck(Duration),
}

/// What [`Connection::transmit`] took from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transmitted {
    /// Messages written.
    pub messages: usize,
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
    /// While there is no link: when the back-off ends, the attempt is given up, or the session.
    alarm: Option<(Instant, WakeReason)>,
    /// Nothing has happened to it: it waits for the first link of a peer that dialled.
    untouched: bool,
    /// Whose session it is, if a peer has proven that by dialling.
    owner: Option<AuthName>,
    /// For jitter; seeded by the driver.
    random: u64,
    /// Of links that are gone, and of sending.
    tally: Tally,
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
            untouched: false,
            owner: None,
            random: seed | 1,
            tally: Tally::default(),
        }
    }

    /// A connection that somebody else dialled and nobody has taken yet; the next step is [`contend`](Self::contend).
    pub fn accept(config: Arc<Config>, policy: Policy, back_off: BackOff, seed: u64) -> Self {
        let session = Session::new(policy, SessionState::Dialling);
        let outputs = VecDeque::new();
        Self {
            config,
            session,
            link: None,
            outputs,
            back_off,
            alarm: None,
            untouched: true,
            owner: None,
            random: seed | 1,
            tally: Tally::default(),
        }
    }

    /// Takes note of what happened. Drain [`poll`](Self::poll) afterwards.
    ///
    /// Inlined, as each caller knows what happened: nothing is left of the choice, nor of the input, which is as large as a
    /// message. The compiler does not see that by itself.
    #[inline(always)]
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected(start) => self.connected(now, *start),
            Input::Received(data) => self.on_link(|link| link.received(now, data)),
            Input::Filled(data) => self.on_link(|link| link.filled(now, data)),
            Input::Admitted => self.on_link(Link::admit),
            Input::Keepalive => {
                self.on_link(|link| link.keepalive(now));
                self.leave_standby();
            }
            Input::Progress { unsent, arrived } => self.on_link(|link| link.progress(now, unsent, arrived)),
            Input::MarkDisposable => self.session.mark_disposable(),
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
        self.poll_admitting(now, |_| false)
    }

    /// The same for a driver whose throttles mostly have room: `admit` is asked first, with what [`Output::Admission`] would
    /// say, and if that is true the message is as good as `Admitted`.
    #[inline]
    pub fn poll_admitting(&mut self, now: Instant, mut admit: impl FnMut(usize) -> bool) -> Option<Output> {
        loop {
            if !self.outputs.is_empty() {
                return self.next_output(now);
            }
            match self.link.as_mut()?.poll_admitting(now, &mut admit)? {
                LinkOutput::Message(message) => match self.arrived(now, &message.header) {
                    Arrival::New => return Some(Output::Deliver(message)),
                    Arrival::Old => return Some(Output::Discarded),
                },
                LinkOutput::Aborted => return Some(Output::Discarded),
                LinkOutput::Ack(seq) => self.acked(now, seq),
                LinkOutput::Admission(length) => return Some(Output::Admission(length)),
                LinkOutput::KeepaliveAck(after) => return Some(Output::Event(Event::KeepaliveAck(after))),
                LinkOutput::Fault(fault) => self.broken(now, fault),
                other => self.handshake(now, other),
            }
        }
    }

    /// Whether [`poll`](Self::poll) has something to tell that no bytes have to be read for: after all was polled, whether
    /// writing or sending has brought news.
    #[inline]
    pub fn has_news(&self) -> bool {
        !self.outputs.is_empty() || self.link.as_ref().is_some_and(Link::has_fault)
    }

    /// Writes as many queued messages as fit in `room` bytes, one at least if there is any room, and moves the result to
    /// the end of `out`; `scratch` is empty before and after, and may be shared by all connections of a worker. Returns
    /// what left the queue.
    pub fn transmit(&mut self, room: usize, scratch: &mut FrameBuf, out: &mut Vec<Bytes>) -> Transmitted {
        let mut sent = Transmitted::default();
        let Some(link) = &mut self.link else { return sent };
        if link.has_pending() {
            link.take_pending(out);
        }
        while !self.session.is_idle() && link.is_open() && scratch.len() < room {
            let fits = if scratch.is_empty() { usize::MAX } else { room - scratch.len() };
            let Some(message) = self.session.next_message(fits) else { break };
            link.message(message, scratch);
            if !link.is_open() {
                self.session.take_back();
                break;
            }
            self.session.written();
            sent.messages += 1;
        }
        // No message carries it any more in this round: one frame for all that arrived.
        if link.is_open()
            && self.session.is_idle()
            && let Some(seq) = self.session.take_ack()
        {
            link.acknowledge(seq, scratch);
        }
        if !scratch.is_empty() {
            scratch.drain_into(out);
            self.tally.copied_out += scratch.take_copied();
        }
        sent
    }

    /// Whether an acknowledgement is all there is to write. A driver that is about to look for messages to send may wait
    /// for that: one of them carries it for nothing.
    pub fn owes_only_ack(&self) -> bool {
        let is_quiet = |link: &Link| link.is_open() && !link.has_pending();
        self.session.owes_ack() && self.session.is_idle() && self.link.as_ref().is_some_and(is_quiet)
    }

    /// Whether control frames wait to be written.
    pub fn has_control(&self) -> bool {
        self.link.as_ref().is_some_and(Link::has_pending)
    }

    /// What to read next.
    #[inline]
    pub fn demand(&mut self) -> Demand {
        self.link.as_mut().map_or(Demand::Nothing, Link::demand)
    }

    /// When to say [`Input::Wake`], and why.
    pub fn deadline(&self) -> Option<(Instant, WakeReason)> {
        sooner(self.link.as_ref().and_then(Link::deadline), self.alarm)
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
        self.session.is_drained() && !self.has_control()
    }

    /// What messages not written yet, or written and not acknowledged, take of the send budget.
    pub fn held(&self) -> usize {
        self.session.held()
    }

    /// What crossed its links since this was last asked.
    pub fn take_tally(&mut self) -> Tally {
        let mut tally = core::mem::take(&mut self.tally);
        if let Some(link) = &mut self.link {
            tally += link.take_tally();
        }
        tally
    }

    /// The session, for reports and arbitration.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The state of its link, as what that awaits; `None` while there is no socket. For reports.
    pub fn link_state(&self) -> Option<&'static str> {
        self.link.as_ref().map(Link::state)
    }

    /// Whether its socket carries an agreed session and nothing was wrong with it so far.
    pub fn has_open_link(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_open)
    }

    /// The rules it follows.
    pub(crate) fn tables(&self) -> Tables {
        self.config.tables
    }

    pub(crate) fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Whether nothing has happened to it: it waits for the first link of a peer that dialled.
    pub(crate) fn is_untouched(&self) -> bool {
        self.untouched
    }

    /// Whether the session, with a peer of type `kind`, is `name`'s, as far as is known. Who dialled has proven its name; who
    /// answered a dial has proven its type alone, as only the keys of its service open what it was shown.
    pub(crate) fn may_belong_to(&self, name: &AuthName, kind: EntityType) -> bool {
        match &self.owner {
            Some(owner) => owner == name,
            None => name.kind == kind,
        }
    }

    /// Lets go of the link, whose socket the driver replaces.
    pub(crate) fn drop_link(&mut self) {
        self.end_link();
        self.alarm = None;
        self.outputs.retain(|output| !matches!(output, Output::Dial | Output::Hangup));
        self.session.requeue();
        self.session.set_state(SessionState::Dialling);
    }

    pub(crate) fn set_link(&mut self, link: Link) {
        self.untouched = false;
        self.link = Some(link);
    }

    /// Ends the session for a reason found elsewhere.
    pub(crate) fn end(&mut self, fault: Fault) {
        self.reset(fault);
    }

    /// The peer waits for this side's dial: do not sit out a back-off.
    pub(crate) fn hurry(&mut self) {
        if matches!(self.session.state(), SessionState::Waiting | SessionState::Standby) {
            self.redial();
        }
    }

    #[inline]
    fn on_link(&mut self, act: impl FnOnce(&mut Link)) {
        if let Some(link) = &mut self.link {
            act(link);
        }
    }

    #[inline]
    fn send(&mut self, message: Message) {
        if self.session.state() != SessionState::Closed {
            self.session.enqueue(message);
            self.leave_standby();
        }
    }

    fn wake(&mut self, now: Instant) {
        match self.alarm {
            Some((at, WakeReason::Redial)) if now >= at => self.redial(),
            Some((at, reason @ WakeReason::Abandoned)) if now >= at => self.reset(Fault::TimedOut(reason)),
            Some((at, reason)) if now >= at => self.broken(now, Fault::TimedOut(reason)),
            _ if self.link.as_mut().is_some_and(|link| link.wake(now)) => self.session.owe_ack(),
            _ => {}
        }
    }

    /// The socket of this side's dial is there: say which session it is for.
    fn connected(&mut self, now: Instant, mut start: ClientStart) {
        if self.session.state() != SessionState::Dialling || self.link.is_some() {
            return;
        }
        let lossy = self.session.policy().lossy;
        let in_seq = self.session.in_seq();
        let ids = self.session.ids_mut();
        match (lossy, ids.client_cookie) {
            (true, _) => start.cookies = [0, 0],
            (false, 0) => ids.client_cookie = start.cookies[0],
            (false, cookie) => start.cookies[0] = cookie,
        }
        start.resume = (ids.server_cookie != 0).then_some(Resume {
            server_cookie: ids.server_cookie,
            connect_seq: ids.connect_seq,
            in_seq,
        });
        self.link = Some(Link::dialled(self.config.clone(), start, now).seeded(self.random));
    }

    /// There is a reason to dial, if this side may.
    pub(crate) fn leave_standby(&mut self) {
        if self.session.state() == SessionState::Standby && !self.session.policy().server {
            self.redial();
        }
    }

    fn redial(&mut self) {
        self.alarm = None;
        let ids = self.session.ids_mut();
        if ids.server_cookie != 0 {
            ids.connect_seq += 1;
        }
        self.session.set_state(SessionState::Dialling);
        self.outputs.push_back(Output::Dial);
    }

    /// What is left to say from before.
    #[cold]
    fn next_output(&mut self, now: Instant) -> Option<Output> {
        let output = self.outputs.pop_front()?;
        if self.outputs.is_empty() {
            self.outputs = VecDeque::new(); // they are rare, and connections many: no memory waits for the next
        }
        if matches!(output, Output::Dial) {
            self.alarm = Some((now + self.config.timeouts.ready, WakeReason::Ready));
        }
        Some(output)
    }

    #[inline]
    fn arrived(&mut self, now: Instant, header: &MessageHeader) -> Arrival {
        let arrival = self.session.arrived(header);
        self.acked(now, header.ack_seq);
        arrival
    }

    #[inline]
    fn acked(&mut self, now: Instant, seq: u64) {
        if let Err(fault) = self.session.acked(seq) {
            self.broken(now, fault);
        }
    }

    /// What a link says until its session is agreed.
    pub(crate) fn handshake(&mut self, now: Instant, output: LinkOutput) {
        match output {
            LinkOutput::Established(established) => self.established(established),
            LinkOutput::Resumed(resumed) => self.resumed(now, resumed),
            LinkOutput::News(news) => self.news(news),
            _ => {}
        }
    }

    fn established(&mut self, established: Box<Established>) {
        self.alarm = None;
        let accepted = established.identity.is_some();
        // Who answers a dial may be a new process of another name; it proves only its type.
        self.owner = established.identity.as_ref().map(|identity| identity.name.clone());
        self.session.begin(established.lossy, !accepted);
        let ids = self.session.ids_mut();
        ids.client_cookie = established.client_cookie;
        ids.server_cookie = established.server_cookie;
        ids.peer_global_seq = established.peer_global_seq;
        ids.connect_seq = 0; // both ends of a session that begins have resumed it never
        self.back_off.reset();
        self.tell(Event::Established(established));
    }

    fn resumed(&mut self, now: Instant, resumed: Box<Resumed>) {
        self.alarm = None;
        match self.session.resume(resumed.peer_in_seq) {
            Ok(()) => {
                if let Some(identity) = &resumed.identity {
                    self.owner = Some(identity.name.clone());
                }
                self.back_off.reset();
                self.tell(Event::Resumed(resumed));
            }
            Err(fault) => {
                // The peer counts what this side never sent: they do not have the same session, and never will.
                self.lose(true, 0);
                self.broken(now, fault);
            }
        }
    }

    fn news(&mut self, news: SessionNews) {
        match news {
            SessionNews::ConnectSeq(connect_seq) => self.session.ids_mut().connect_seq = connect_seq,
            SessionNews::GlobalSeq(global_seq) => self.outputs.push_back(Output::GlobalSeq(global_seq)),
            SessionNews::Lost { full, cookie } => {
                self.owner = None; // of what is gone; whoever answers this side's dial begins anew
                self.lose(full || self.is_denied(), cookie);
            }
        }
    }

    /// Whether a reset that is not full is one all the same. It says that the session never began at the peer; if it did,
    /// the peer has forgotten it since and took a late question for its beginning.
    fn is_denied(&self) -> bool {
        self.session.is_mutual() && self.session.policy().resetcheck
    }

    pub(crate) fn lose(&mut self, full: bool, cookie: u64) {
        let undelivered = self.session.lose(full, cookie);
        if full {
            self.tell(Event::RemoteReset(undelivered));
        }
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
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
        let was_open = self.session.state() == SessionState::Open;
        if fault == Fault::ToldToWait {
            self.session.expect_restarted_peer();
        }
        // First: what was written and not acknowledged counts as something to send.
        self.session.requeue();
        let verdict = match fault {
            // No socket will ever take that message: dialling again would go on for ever.
            Fault::Wire(WireError::Oversize { .. }) => FaultVerdict::Reset,
            _ => (self.config.tables.fault)(&self.session.fault_facts(fault == Fault::ToldToWait)),
        };
        if verdict == FaultVerdict::Reset {
            return self.reset(fault);
        }
        self.hang_up();
        self.tell(if was_open { Event::Interrupted(fault) } else { Event::AttemptFailed(fault) });
        match verdict {
            FaultVerdict::Reset => {}
            FaultVerdict::Standby => self.stand_by(now),
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

    /// Waits for a reason to dial, or for the peer to come back, which a server waits for in vain if the peer is no more.
    fn stand_by(&mut self, now: Instant) {
        self.session.set_state(SessionState::Standby);
        if self.session.policy().server {
            self.alarm = self.config.abandon.map(|after| (now + after, WakeReason::Abandoned));
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
        let undelivered = self.session.take_all();
        self.tell(Event::Reset { fault, undelivered });
    }

    fn mark_down(&mut self) {
        self.outputs.clear();
        self.close();
        drop(self.session.take_all());
    }

    fn close(&mut self) {
        self.hang_up();
        self.session.set_state(SessionState::Closed);
    }

    fn hang_up(&mut self) {
        self.end_link();
        self.alarm = None;
        self.outputs.push_back(Output::Hangup);
    }

    fn end_link(&mut self) {
        if let Some(mut link) = self.link.take() {
            self.tally += link.take_tally();
        }
    }

    /// xorshift64: jitter needs no better.
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}
