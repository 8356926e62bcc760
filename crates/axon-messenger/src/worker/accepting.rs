//! An accepted socket until its session is agreed; the application does not see it before.

use super::reading::Reading;
use super::timers::Alarm;
use super::{Fate, Station};
use crate::dump::AcceptingDump;
use axon_denc::EntityAddr;
use axon_proto::{Disconnect, Fault, Instant, Link, LinkOutput, ServerStart, Verdict};
use axon_transport::SocketId;
use bytes::BytesMut;
use std::net::SocketAddr;

/// An accepted socket whose handshake is not over.
pub(crate) struct Accepting {
    /// `None` once the connection has taken it over.
    link: Option<Link>,
    socket: SocketId,
    from: SocketAddr,
    reading: Reading,
    alarm: Alarm,
    /// What the link said when it was answered.
    said: Option<LinkOutput>,
}

impl Accepting {
    /// Reads from `socket` at once, and says nothing before it is served.
    pub(super) fn new(station: &mut Station, socket: SocketId, from: SocketAddr) -> Self {
        let shared = &station.shared;
        let start = ServerStart {
            peer_socket: EntityAddr::msgr2(from, 0),
            my_addrs: shared.addrs(),
            policies: shared.policies.clone(),
            exchange: shared.server_auth.start(),
        };
        let mut link = Link::accepted(shared.config.clone(), start, station.now);
        let mut reading = Reading::default();
        reading.follow(link.demand(), socket, &mut *station.reactor);
        Self { link: Some(link), socket, from, reading, alarm: Alarm::default(), said: None }
    }

    pub(super) fn received(&mut self, now: Instant, data: BytesMut) {
        self.on_link(|link| link.received(now, data));
    }

    pub(super) fn filled(&mut self, now: Instant, data: BytesMut) {
        self.reading.filled();
        self.on_link(|link| link.filled(now, data));
    }

    pub(super) fn disconnected(&mut self, cause: Disconnect) {
        self.on_link(|link| link.disconnected(cause));
    }

    pub(super) fn wake(&mut self, now: Instant) {
        self.alarm.fired(now);
        self.on_link(|link| link.wake(now));
    }

    /// Whether the timer at `at` is the one it waits for.
    pub(super) fn is_pending(&self, at: Instant) -> bool {
        self.alarm.is_pending(at)
    }

    pub(super) fn serve(&mut self, slot: usize, station: &mut Station) -> Fate {
        while let Some(output) = self.poll(station.now) {
            match output {
                LinkOutput::Ident(ident) => return Fate::Contend(ident),
                LinkOutput::Fault(fault) => return self.give_up(slot, &fault, station),
                // Before the session is agreed there are no messages to admit, and no session frames.
                _ => {}
            }
        }
        self.keep_going(slot, station)
    }

    fn poll(&mut self, now: Instant) -> Option<LinkOutput> {
        self.said.take().or_else(|| self.link.as_mut()?.poll(now))
    }

    /// Writes what the handshake has to say and sees to reading and timers.
    fn keep_going(&mut self, slot: usize, station: &mut Station) -> Fate {
        let Some(link) = &mut self.link else { return Fate::Remove };
        link.take_pending(&mut station.buffers);
        if !station.buffers.is_empty() {
            let Station { reactor, buffers, .. } = station;
            reactor.send(self.socket, buffers);
        }
        station.counters.crossed(link.take_tally());
        self.reading.follow(link.demand(), self.socket, &mut *station.reactor);
        self.alarm.set(link.deadline().map(|(at, _)| at), slot, &mut station.timers);
        Fate::Keep
    }

    /// Closes the socket before the handshake is over.
    pub(super) fn close(&mut self, slot: usize, station: &mut Station) {
        station.close(self.socket);
        station.accepting.remove(slot);
        station.counters.handshakes_failed.count();
        station.forget_load();
    }

    fn give_up(&mut self, slot: usize, fault: &Fault, station: &mut Station) -> Fate {
        tracing::debug!(from = %self.from, %fault, "an accepted connection was not established");
        // A refusal that was written but not sent yet would tell the peer why.
        if let Some(link) = &mut self.link {
            link.take_pending(&mut station.buffers);
            let Station { reactor, buffers, .. } = station;
            reactor.send(self.socket, buffers);
        }
        self.close(slot, station);
        Fate::Remove
    }

    /// Takes the link out, to be offered to a session.
    pub(super) fn take_link(&mut self) -> Option<Link> {
        self.link.take()
    }

    /// The link was answered and goes on by itself.
    pub(super) fn answered(&mut self, link: Link, said: Option<LinkOutput>) {
        self.link = Some(link);
        self.said = said;
    }

    /// Answers the peer's question.
    pub(super) fn answer(&mut self, now: Instant, verdict: Verdict) {
        self.said = self.link.as_mut().and_then(|link| link.verdict(now, verdict));
    }

    pub(super) fn socket(&self) -> SocketId {
        self.socket
    }

    /// What the reactor was told last about reading from the socket.
    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    /// The socket has moved to another reactor, which has paused it.
    pub(super) fn moved(&mut self, socket: SocketId) {
        self.socket = socket;
        self.reading = Reading::Paused;
        self.alarm = Alarm::default();
    }

    /// What it is doing.
    pub(super) fn dump(&self, station: &Station) -> AcceptingDump {
        AcceptingDump { worker: station.index, from: self.from, link: self.link.as_ref().map(Link::state) }
    }

    fn on_link<T>(&mut self, act: impl FnOnce(&mut Link) -> T) {
        if let Some(link) = &mut self.link {
            act(link);
        }
    }
}
