//! One socket: handshake, then frames both ways, until it breaks.

use crate::handshake::{Client, Handshake, Next, Server, ServerStart, Wires, tag_of};
use crate::liveness::{Liveness, Silence, round_trip, stamp};
use crate::receive::{Demand, Parsed, Receive};
use crate::send::Send;
use crate::{
    ClientStart, Config, Disconnect, Established, Fault, Ident, Instant, Resumed, SessionNews, Tally,
    Timeline, Verdict, WakeReason,
};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use axon_wire::{Ack, Control, Frame, FrameBuf, Keepalive2, Keepalive2Ack, Message};
use bytes::{Bytes, BytesMut};
use core::time::Duration;

/// What a link has to say.
#[derive(Debug)]
pub enum LinkOutput {
    /// The peer asks for a session; answer with [`Link::verdict`]. Nothing is read until then.
    Ident(Box<Ident>),
    /// The handshake is over: a new session.
    Established(Box<Established>),
    /// The handshake is over: the session goes on.
    Resumed(Box<Resumed>),
    /// The session must know this; the handshake goes on.
    News(SessionNews),
    /// A message whose front, middle and data have this many bytes waits for [`Link::admit`].
    Admission(usize),
    /// A message.
    Message(Message),
    /// The sender gave a message up halfway.
    Aborted,
    /// The peer received everything up to this number.
    Ack(u64),
    /// A keepalive came back after this time.
    KeepaliveAck(Duration),
    /// The link is broken; close the socket.
    Fault(Fault),
}

enum Stage {
    Handshake(Handshake),
    Open(Liveness),
    Broken,
}

/// One socket's machines.
pub struct Link {
    config: Arc<Config>,
    receive: Receive,
    send: Send,
    stage: Stage,
    timeline: Timeline,
    polices: bool,
    /// Tells the rhythm of its keepalives from that of others.
    seed: u64,
    /// Something was written since the time was last looked at, other than questions.
    spoke: bool,
    /// The socket is gone, but what it brought is not read to its end.
    end: Option<Disconnect>,
    fault: Option<Fault>,
}

impl Link {
    /// A socket that was connected.
    pub fn dialled(config: Arc<Config>, start: ClientStart, now: Instant) -> Self {
        Self::begin(config, now, true, |wires| Client::start(start, wires).map(Handshake::Client))
    }

    /// A socket that was accepted.
    pub fn accepted(config: Arc<Config>, start: ServerStart, now: Instant) -> Self {
        Self::begin(config, now, false, |wires| Server::start(start, wires).map(Handshake::Server))
    }

    /// The same, with keepalives at other times than those of links with other seeds; `seed` is any random number.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    fn begin(
        config: Arc<Config>,
        now: Instant,
        polices: bool,
        first: impl FnOnce(Wires<'_>) -> Result<Handshake, Fault>,
    ) -> Self {
        let mut receive = Receive::new(config.provider, config.admission);
        let mut send = Send::new(config.provider);
        let mut timeline = Timeline::new(now);
        let wires =
            Wires { now, config: &config, receive: &mut receive, send: &mut send, timeline: &mut timeline };
        let (stage, fault) = match first(wires) {
            Ok(handshake) => (Stage::Handshake(handshake), None),
            Err(fault) => (Stage::Broken, Some(fault)),
        };
        Self { config, receive, send, stage, timeline, polices, seed: 0, spoke: false, end: None, fault }
    }

    /// Bytes arrived. A broken link drops them.
    #[inline]
    pub fn received(&mut self, now: Instant, data: BytesMut) {
        if matches!(self.stage, Stage::Broken) {
            return;
        }
        self.heard(now);
        self.receive.push(data);
    }

    /// A buffer lent by [`Demand::Exactly`] is full.
    pub fn filled(&mut self, now: Instant, data: BytesMut) {
        self.heard(now);
        self.receive.filled(data);
    }

    /// The socket is gone. What arrived before is still said, then the fault.
    pub fn disconnected(&mut self, cause: Disconnect) {
        self.end.get_or_insert(cause);
    }

    /// The waiting message may come in.
    pub fn admit(&mut self) {
        self.receive.admit();
    }

    /// The answer to [`LinkOutput::Ident`].
    pub fn verdict(&mut self, now: Instant, verdict: Verdict) -> Option<LinkOutput> {
        self.shake(now, |state, wires| state.on_verdict(verdict, wires))
    }

    /// The next thing to say, or nothing until more bytes arrive.
    pub fn poll(&mut self, now: Instant) -> Option<LinkOutput> {
        self.poll_admitting(now, &mut |_| false)
    }

    /// The same, but asks `admit` before a message has to wait for its admission.
    #[inline]
    pub(crate) fn poll_admitting(
        &mut self,
        now: Instant,
        admit: &mut impl FnMut(usize) -> bool,
    ) -> Option<LinkOutput> {
        if let Stage::Open(liveness) = &mut self.stage
            && !self.receive.is_waiting()
        {
            liveness.resume(now);
        }
        loop {
            if self.fault.is_some() {
                return self.fault.take().map(LinkOutput::Fault);
            }
            let parsed = if self.reads() { self.read(now, admit) } else { Ok(None) };
            match parsed {
                Ok(Some(parsed)) => {
                    if let Some(output) = self.on_parsed(now, parsed) {
                        return Some(output);
                    }
                }
                Ok(None) => match self.end {
                    None => return None,
                    Some(_) if self.receive.is_waiting() => return None, // for its admission
                    Some(cause) => {
                        self.end = None;
                        self.breaks(cause.into());
                    }
                },
                Err(fault) => self.breaks(fault),
            }
        }
    }

    /// What to read next.
    #[inline]
    pub fn demand(&mut self) -> Demand {
        if self.reads() { self.receive.demand() } else { Demand::Nothing }
    }

    /// Writes a message to the end of `out`. Only on an open link whose pending frames were taken.
    #[inline]
    pub fn message(&mut self, message: &Message, out: &mut FrameBuf) {
        self.spoke = true;
        if let Err(fault) = self.send.message(message, out) {
            self.breaks(fault);
        }
    }

    /// Writes an acknowledgement of everything up to `seq` to the end of `out`. Only on an open link whose pending frames
    /// were taken.
    pub fn acknowledge(&mut self, seq: u64, out: &mut FrameBuf) {
        self.spoke = true;
        if let Err(fault) = self.send.control_into(&Control::Ack(Ack { seq }), out) {
            self.breaks(fault);
        }
    }

    /// Writes a keepalive. Only on an open link.
    pub fn keepalive(&mut self, now: Instant) {
        let Stage::Open(liveness) = &mut self.stage else { return };
        liveness.asked(now);
        self.ask(now);
    }

    /// How far bytes have come both ways; see [`Input::Progress`](crate::Input::Progress).
    pub fn progress(&mut self, now: Instant, unsent: usize, arrived: u64) {
        if let Stage::Open(liveness) = &mut self.stage {
            let is_taken = !self.send.has_pending();
            liveness.progress(now, if is_taken { 0 } else { unsent }, arrived);
        }
    }

    /// Whether control frames wait to be taken.
    #[inline]
    pub fn has_pending(&self) -> bool {
        let owes = matches!(&self.stage, Stage::Open(liveness) if liveness.owes());
        owes || self.send.has_pending()
    }

    /// Moves pending control frames to the end of `out`. Only call it when the transport has room: what a peer makes
    /// an open link answer is written here, and not before.
    pub fn take_pending(&mut self, out: &mut Vec<Bytes>) {
        if let Stage::Open(liveness) = &mut self.stage
            && let Some(timestamp) = liveness.take_owed()
        {
            self.spoke = true;
            self.control(&Control::Keepalive2Ack(Keepalive2Ack { timestamp }));
        }
        self.send.take_pending(out);
    }

    /// Looks at the time: sends a keepalive or gives up as due. `true`: the peer should hear something, whatever it is, as
    /// this side holds it back and does not hear its keepalives.
    pub fn wake(&mut self, now: Instant) -> bool {
        if let Stage::Open(liveness) = &mut self.stage
            && core::mem::take(&mut self.spoke)
        {
            liveness.spoke(now);
        }
        let silence = match &self.stage {
            Stage::Handshake(_) if now >= self.timeline.start + self.config.timeouts.ready => {
                Silence::GiveUp(WakeReason::Ready)
            }
            Stage::Open(liveness) => liveness.check(now),
            _ => Silence::Bearable,
        };
        match silence {
            Silence::Bearable => {}
            Silence::Ask => self.keepalive(now),
            Silence::Speak => self.speak(now),
            Silence::Reassure => return self.reassure(now),
            Silence::GiveUp(reason) => self.breaks(Fault::TimedOut(reason)),
        }
        false
    }

    /// When to call `wake` next.
    pub fn deadline(&self) -> Option<(Instant, WakeReason)> {
        match &self.stage {
            Stage::Handshake(_) => {
                Some((self.timeline.start + self.config.timeouts.ready, WakeReason::Ready))
            }
            Stage::Open(liveness) => liveness.deadline(),
            Stage::Broken => None,
        }
    }

    /// Whether the handshake is over and nothing broke since.
    #[inline]
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_)) && self.end.is_none()
    }

    /// Whether it broke, and has not said so yet.
    #[inline]
    pub(crate) fn has_fault(&self) -> bool {
        self.fault.is_some()
    }

    /// What crossed it since this was last asked, but for the bytes that messages left in buffers of the caller's:
    /// [`FrameBuf::take_copied`].
    pub fn take_tally(&mut self) -> Tally {
        let mut tally = self.receive.take_tally();
        tally += self.send.take_tally();
        tally
    }

    /// The state, as what it awaits; for reports.
    pub fn state(&self) -> &'static str {
        match &self.stage {
            Stage::Handshake(handshake) => handshake.state(),
            Stage::Open(_) => "open",
            Stage::Broken => "broken",
        }
    }

    /// Whether frames may be parsed now: not while a verdict is awaited, nor after a fault.
    #[inline]
    fn reads(&self) -> bool {
        match &self.stage {
            Stage::Handshake(Handshake::Server(Server::Verdict(_))) | Stage::Broken => false,
            Stage::Handshake(_) | Stage::Open(_) => true,
        }
    }

    #[inline]
    fn heard(&mut self, now: Instant) {
        if let Stage::Open(liveness) = &mut self.stage {
            liveness.heard(now);
        }
    }

    #[inline]
    fn read(&mut self, now: Instant, admit: &mut impl FnMut(usize) -> bool) -> Result<Option<Parsed>, Fault> {
        let stage = &mut self.stage;
        self.receive.next(|length| {
            let is_admitted = admit(length);
            if is_admitted && let Stage::Open(liveness) = stage {
                liveness.admitted(now, length);
            }
            is_admitted
        })
    }

    #[inline]
    fn on_parsed(&mut self, now: Instant, parsed: Parsed) -> Option<LinkOutput> {
        match parsed {
            Parsed::Frame(frame) => self.on_frame(now, frame),
            Parsed::Banner(banner) => self.shake(now, |state, wires| state.on_banner(banner, wires)),
            Parsed::Admission(length) => Some(self.ask_admission(now, length)),
            Parsed::Aborted => self.on_aborted(),
        }
    }

    /// Nothing is read until the message is admitted, however long that takes.
    fn ask_admission(&mut self, now: Instant, length: usize) -> LinkOutput {
        if let Stage::Open(liveness) = &mut self.stage {
            liveness.suspend(now, length);
        }
        LinkOutput::Admission(length)
    }

    fn on_aborted(&mut self) -> Option<LinkOutput> {
        let Stage::Open(liveness) = &mut self.stage else { return None };
        liveness.completed();
        Some(LinkOutput::Aborted)
    }

    fn reassure(&mut self, now: Instant) -> bool {
        if let Stage::Open(liveness) = &mut self.stage {
            liveness.reassured(now);
        }
        true
    }

    /// The peer shall hear something. Of what there is to say, only this answers nothing.
    fn speak(&mut self, now: Instant) {
        if let Stage::Open(liveness) = &mut self.stage {
            liveness.spoke(now);
            self.ask(now);
        }
    }

    fn ask(&mut self, now: Instant) {
        self.control(&Control::Keepalive2(Keepalive2 { timestamp: stamp(now) }));
    }

    #[inline]
    fn on_frame(&mut self, now: Instant, frame: Frame) -> Option<LinkOutput> {
        let Stage::Open(liveness) = &mut self.stage else {
            return self.shake(now, |state, wires| state.on_frame(frame, wires));
        };
        match frame {
            Frame::Message(message) => {
                liveness.completed();
                Some(LinkOutput::Message(message))
            }
            Frame::Control(control) => self.on_control(now, control),
        }
    }

    /// Control frames that an open link sees.
    fn on_control(&mut self, now: Instant, control: Control) -> Option<LinkOutput> {
        match control {
            Control::Keepalive2(question) => {
                if let Stage::Open(liveness) = &mut self.stage {
                    liveness.owe(question.timestamp);
                }
                None
            }
            Control::Keepalive2Ack(answer) => round_trip(answer.timestamp, now).map(LinkOutput::KeepaliveAck),
            Control::Ack(ack) => Some(LinkOutput::Ack(ack.seq)),
            other => {
                let got = tag_of(&Frame::Control(other));
                self.breaks(Fault::Unexpected { state: "open", got });
                None
            }
        }
    }

    fn shake(
        &mut self,
        now: Instant,
        step: impl FnOnce(Handshake, Wires<'_>) -> Result<Next<Handshake>, Fault>,
    ) -> Option<LinkOutput> {
        let handshake = match core::mem::replace(&mut self.stage, Stage::Broken) {
            Stage::Handshake(handshake) => handshake,
            other => {
                self.stage = other;
                return None;
            }
        };
        let wires = Wires {
            now,
            config: &self.config,
            receive: &mut self.receive,
            send: &mut self.send,
            timeline: &mut self.timeline,
        };
        match step(handshake, wires) {
            Ok(Next::Await(state)) => {
                self.stage = Stage::Handshake(state);
                None
            }
            Ok(Next::Ask(state, ident)) => {
                self.stage = Stage::Handshake(state);
                Some(LinkOutput::Ident(ident))
            }
            Ok(Next::Tell(state, news)) => {
                self.stage = Stage::Handshake(state);
                Some(LinkOutput::News(news))
            }
            Ok(Next::Established(established)) => {
                self.open(now);
                Some(LinkOutput::Established(established))
            }
            Ok(Next::Resumed(resumed)) => {
                self.open(now);
                Some(LinkOutput::Resumed(resumed))
            }
            Err(fault) => {
                self.fault = Some(fault); // the stage is broken already
                None
            }
        }
    }

    fn open(&mut self, now: Instant) {
        self.stage = Stage::Open(Liveness::new(self.config.timeouts, self.polices, self.seed, now));
    }

    fn control(&mut self, control: &Control) {
        if let Err(fault) = self.send.control(control) {
            self.breaks(fault);
        }
    }

    /// Only the first fault counts.
    fn breaks(&mut self, fault: Fault) {
        if !matches!(self.stage, Stage::Broken) {
            self.stage = Stage::Broken;
            self.fault = Some(fault);
        }
    }
}

#[cfg(test)]
mod tests;
