//! What other threads ask of a worker.

use super::accepting::Accepting;
use super::{Endpoint, Worker};
use crate::Connection;
use crate::throttle::Permit;
use crate::worker::Tour;
use crate::worker::peer::Peer;
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_proto::{Fault, Ident, Input};
use axon_transport::{Detached, ListenOptions};
use axon_wire::Message;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// What other threads ask of a worker.
pub(crate) enum Command {
    /// Listen, and answer with the address bound.
    Listen(SocketAddr, Sender<Listening>),
    /// Take over a new connection that dials.
    Open(Connection, Dial),
    /// Take over an accepted socket.
    Adopt(Box<dyn Detached>, SocketAddr),
    /// Send a message.
    Send(Connection, Message, Permit),
    /// An accepted socket that asks for the session of this connection, taken out of the worker that accepted it.
    Contend(Connection, Box<Contender>),
    /// A broken socket ends the session from now on.
    MarkDisposable(Connection),
    /// Send a keepalive.
    Keepalive(Connection),
    /// End, if it still waits for its peer: too many do.
    MakeRoom(Connection),
    /// Close.
    MarkDown(Connection),
    /// A receive budget has room for the message that waits.
    Granted(Connection, Permit),
    /// A call with a deadline this far away has begun.
    ExpireCalls(Duration),
    /// Say what every connection is doing.
    Dump(Box<Tour>),
    /// Close every connection once what it has to send is sent, at the latest after this time; then stop.
    Close(Duration),
}

/// An accepted socket on its way to the worker that owns the session it asks for.
pub(crate) struct Contender {
    pub(super) accepting: Accepting,
    pub(super) socket: Box<dyn Detached>,
    pub(super) ident: Box<Ident>,
}

/// The answer to `Listen`.
pub(crate) type Listening = io::Result<SocketAddr>;

/// Where a connection dials.
#[derive(Debug, Clone)]
pub(crate) struct Dial {
    pub(crate) peer: EntityType,
    /// Tried one after the other, from the first again after the last.
    pub(crate) targets: Vec<EntityAddr>,
    /// Under which the connection is registered; `None` for anonymous ones.
    pub(crate) registered: Option<AddrVec>,
}

impl Command {
    /// The worker has ended, or ends without having come to this.
    pub(crate) fn discard(self) {
        if let Self::Open(connection, _) = &self {
            connection.set_ended(Fault::MarkedDown);
        }
    }
}

impl Worker {
    pub(super) fn take_command(&mut self, command: Command) {
        match command {
            Command::Send(connection, message, permit) => {
                if let Some((slot, peer)) = self.peer(&connection) {
                    peer.send(message, permit);
                    self.station.touch(slot);
                }
            }
            Command::Granted(connection, permit) => {
                self.on_peer(&connection, |peer, station| peer.granted(permit, station));
            }
            Command::Contend(connection, contender) => self.take_contender(connection, *contender),
            Command::MarkDisposable(connection) => self.input(&connection, Input::MarkDisposable),
            Command::Keepalive(connection) => self.on_peer(&connection, |peer, station| peer.ask(station)),
            Command::MakeRoom(connection) => {
                self.on_peer(&connection, |peer, station| peer.make_room(station.now));
            }
            Command::MarkDown(connection) => {
                self.on_peer(&connection, |peer, station| peer.mark_down(station.now))
            }
            Command::Open(connection, dial) => self.open(connection, dial),
            Command::Adopt(socket, peer) => self.adopt(socket, peer),
            Command::Listen(addr, answer) => drop(answer.send(self.listen(addr))),
            Command::ExpireCalls(limit) => self.expire_calls_in(limit),
            Command::Dump(tour) => self.tours.push(*tour),
            Command::Close(within) => self.close(within),
        }
    }

    /// For a caller who sits at the desk while the worker's thread sleeps: sends what is in `parcel`, and takes it out,
    /// unless the connection has something else to do first. It calls no handler: the caller may hold locks of its own.
    pub(crate) fn send_for(&mut self, connection: &Connection, parcel: &mut Option<(Message, Permit)>) {
        if !(self.closing.is_none() && self.station.is_idle() && self.inbox.is_empty()) {
            return;
        }
        let slot = connection.0.slot.load(Ordering::Relaxed);
        let Some(Endpoint::Peer(peer)) = self.endpoints.get_mut(slot) else { return };
        self.station.read_clock();
        if peer.handle != *connection || !peer.may_send_at_once(&self.station) {
            return;
        }
        let Some((message, permit)) = parcel.take() else { return };
        if !peer.send_at_once(message, permit, slot, &mut self.station) {
            self.station.touch(slot);
            self.inbox.wake();
        }
        self.station.publish();
    }

    fn on_peer(&mut self, connection: &Connection, act: impl FnOnce(&mut Peer, &mut super::Station)) {
        let slot = connection.0.slot.load(Ordering::Relaxed);
        if let Some(Endpoint::Peer(peer)) = self.endpoints.get_mut(slot)
            && peer.handle == *connection
        {
            act(peer, &mut self.station);
            self.station.touch(slot);
        }
    }

    /// The connection's place and machine, unless it is gone.
    pub(super) fn peer(&mut self, connection: &Connection) -> Option<(usize, &mut Peer)> {
        let slot = connection.0.slot.load(Ordering::Relaxed);
        match self.endpoints.get_mut(slot) {
            Some(Endpoint::Peer(peer)) if peer.handle == *connection => Some((slot, peer)),
            _ => None,
        }
    }

    fn input(&mut self, connection: &Connection, input: Input) {
        self.on_peer(connection, |peer, station| peer.machine.handle(station.now, input));
    }

    fn open(&mut self, connection: Connection, dial: Dial) {
        let peer = Peer::dialling(&self.station, connection, dial);
        let slot = self.endpoints.insert(Endpoint::Peer(Box::new(peer)));
        if let Endpoint::Peer(peer) = &self.endpoints[slot] {
            peer.handle.0.slot.store(slot, Ordering::Relaxed);
        }
        self.station.touch(slot);
    }

    fn listen(&mut self, addr: SocketAddr) -> Listening {
        let (listener, bound) = self.station.reactor.listen(addr, &ListenOptions::default())?;
        self.listeners.insert(listener, bound);
        Ok(bound)
    }

    fn unlisten(&mut self) {
        for (listener, _) in self.listeners.drain() {
            self.station.reactor.unlisten(listener);
        }
    }

    fn close(&mut self, within: Duration) {
        self.unlisten();
        self.closing = Some(self.station.now + within);
    }
}
