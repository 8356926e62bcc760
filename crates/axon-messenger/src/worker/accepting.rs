//! An accepted socket until its session is agreed; the application does not see it before.

use super::peer::{Peer, Reading};
use super::timers::Alarm;
use super::{Fate, Station};
use crate::Connection;
use axon_denc::EntityAddr;
use axon_proto::{Disconnect, Established, Fault, Ident, Instant, Link, LinkOutput, Policy, ServerStart};
use axon_transport::SocketId;
use bytes::BytesMut;
use std::net::SocketAddr;

/// An accepted socket whose handshake is not over.
pub(super) struct Accepting {
    /// `None` once the connection has taken it over.
    link: Option<Link>,
    socket: SocketId,
    from: SocketAddr,
    reading: Reading,
    alarm: Alarm,
    /// The policy of the peer that identified itself.
    policy: Option<Policy>,
}

impl Accepting {
    pub(super) fn new(station: &Station, socket: SocketId, from: SocketAddr) -> Self {
        let shared = &station.shared;
        let start = ServerStart {
            peer_socket: EntityAddr::msgr2(from, 0),
            my_addrs: shared.addrs(),
            policies: shared.policies.clone(),
            exchange: shared.server_auth.start(),
        };
        let link = Link::accepted(shared.config.clone(), start, station.now);
        Self {
            link: Some(link),
            socket,
            from,
            reading: Reading::default(),
            alarm: Alarm::default(),
            policy: None,
        }
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

    pub(super) fn serve(&mut self, slot: usize, station: &mut Station) -> Fate {
        let mut next = self.poll(station.now);
        while let Some(output) = next {
            next = match output {
                LinkOutput::Ident(ident) => self.judge(&ident, station),
                LinkOutput::Fault(fault) => return self.give_up(slot, &fault, station),
                LinkOutput::Established(established) => return self.become_peer(slot, established, station),
                // Before the session is agreed there are no messages to admit, and no session frames.
                _ => None,
            }
            .or_else(|| self.poll(station.now));
        }
        self.keep_going(slot, station)
    }

    fn poll(&mut self, now: Instant) -> Option<LinkOutput> {
        self.link.as_mut()?.poll(now)
    }

    /// Writes what the handshake has to say and sees to reading and timers.
    fn keep_going(&mut self, slot: usize, station: &mut Station) -> Fate {
        let Some(link) = &mut self.link else { return Fate::Remove };
        link.take_pending(&mut station.buffers);
        if !station.buffers.is_empty() {
            let Station { reactor, buffers, .. } = station;
            reactor.send(self.socket, buffers);
        }
        self.reading.follow(link.demand(), self.socket, &mut *station.reactor);
        self.alarm.set(link.deadline().map(|(at, _)| at), slot, &mut station.timers);
        Fate::Keep
    }

    /// Closes the socket before the handshake is over.
    pub(super) fn close(&mut self, slot: usize, station: &mut Station) {
        station.close(self.socket);
        station.accepting.remove(slot);
        station.counters().handshakes_failed.count();
        station.forget_load();
    }

    /// Asks the registry what the peer's wish for a session means, and lets the link answer.
    fn judge(&mut self, ident: &Ident, station: &Station) -> Option<LinkOutput> {
        if let Ident::Client { policy, .. } = ident {
            self.policy = Some(*policy);
        }
        let verdict = station.shared.registry.judge(ident, || station.shared.next_global_seq());
        self.link.as_mut()?.verdict(station.now, verdict)
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

    fn become_peer(&mut self, slot: usize, established: Box<Established>, station: &mut Station) -> Fate {
        let (Some(mut link), Some(policy)) = (self.link.take(), self.policy) else { return Fate::Remove };
        link.take_pending(&mut station.buffers); // SERVER_IDENT leaves before the application may send
        let Station { reactor, buffers, shared, .. } = station;
        reactor.send(self.socket, buffers);
        let mailbox = shared.workers[station.index].mailbox.clone();
        let addrs = established.peer_addrs.clone();
        let handle = Connection::remote(shared, mailbox, established.peer.kind, addrs);
        handle.0.slot.store(slot, std::sync::atomic::Ordering::Relaxed);
        let reading = std::mem::take(&mut self.reading);
        let alarm = std::mem::take(&mut self.alarm);
        Fate::Become(Box::new(Peer::accepted(
            station,
            handle,
            link,
            self.socket,
            policy,
            established,
            reading,
            alarm,
        )))
    }

    fn on_link<T>(&mut self, act: impl FnOnce(&mut Link) -> T) {
        if let Some(link) = &mut self.link {
            act(link);
        }
    }
}
