//! A connection between two sockets of the network.

use super::MemOptions;
use super::mailbox::Mailbox;
use super::pipe::{Arrival, Pipe};
use crate::SocketId;
use crate::backlog::Backlog;
use crate::dice::Dice;
use bytes::BytesMut;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A connection: two pipes and whoever is at their ends.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    options: Arc<MemOptions>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    client: End,
    server: End,
    cut: Option<ErrorKind>,
}

#[derive(Debug)]
struct End {
    /// Bytes on their way to this end.
    inbound: Pipe,
    owner: Option<(Arc<Mailbox>, SocketId)>,
    /// The owner was told that there is news and did not look yet.
    notified: bool,
    gone: bool,
}

impl Link {
    pub(crate) fn new(client: SocketAddr, server: SocketAddr, options: Arc<MemOptions>, dice: &Dice) -> Self {
        let state = State { client: End::new(dice.branch(1)), server: End::new(dice.branch(2)), cut: None };
        Self { client, server, options, state: Mutex::new(state) }
    }

    /// Gives an end to a reactor, or to nobody.
    pub(crate) fn set_owner(&self, side: Side, owner: Option<(Arc<Mailbox>, SocketId)>) {
        let mut state = self.lock();
        let end = state.end(side);
        end.owner = owner;
        end.notified = false;
        end.notify();
    }

    /// Makes the owner of an end look at it in its next round.
    pub(crate) fn notify(&self, side: Side) {
        self.lock().end(side).notify();
    }

    /// The owner looks at its end. Tells whether the link was cut.
    pub(crate) fn look(&self, side: Side) -> Option<ErrorKind> {
        let mut state = self.lock();
        state.end(side).notified = false;
        state.cut
    }

    /// Takes from `backlog` what there is room for. Returns the bytes taken.
    pub(crate) fn write(&self, side: Side, backlog: &mut Backlog, now: Duration) -> Result<usize, ErrorKind> {
        let mut state = self.lock();
        if let Some(kind) = state.cut {
            return Err(kind);
        }
        let peer = state.end(side.other());
        // Nobody hears of a departure over a stalled link.
        if peer.gone && !peer.inbound.stalled {
            return Err(ErrorKind::ConnectionReset);
        }
        let taken = peer.inbound.write(backlog, now, &self.options);
        if taken > 0 {
            peer.notify();
        }
        Ok(taken)
    }

    /// Moves at most `limit` bytes that have arrived to the end of `buffer`.
    pub(crate) fn read(&self, side: Side, buffer: &mut BytesMut, limit: usize, now: Duration) -> Arrival {
        let mut state = self.lock();
        let inbound = &mut state.end(side).inbound;
        let arrival = inbound.read(buffer, limit, now, &self.options);
        if matches!(arrival, Arrival::Bytes(_)) && inbound.starved {
            state.end(side.other()).notify();
        }
        arrival
    }

    /// An end leaves in an orderly way: what it wrote still arrives.
    pub(crate) fn close(&self, side: Side, now: Duration) {
        let mut state = self.lock();
        let end = state.end(side);
        end.gone = true;
        end.owner = None;
        end.inbound.clear();
        let peer = state.end(side.other());
        peer.inbound.end(now, &self.options);
        peer.notify();
    }

    /// Both ends get an error, bytes on their way are lost.
    pub(crate) fn cut(&self, kind: ErrorKind) {
        let mut state = self.lock();
        state.cut = Some(kind);
        for side in [Side::Client, Side::Server] {
            let end = state.end(side);
            end.inbound.clear();
            end.notify();
        }
    }

    /// Stops or resumes the delivery to one side.
    pub(crate) fn stall(&self, toward: Side, stalled: bool) {
        let mut state = self.lock();
        state.end(toward).inbound.stalled = stalled;
        state.client.notify();
        state.server.notify();
    }

    /// Whether bytes may still move.
    pub(crate) fn stands(&self) -> bool {
        let state = self.lock();
        state.cut.is_none() && !(state.client.gone && state.server.gone)
    }

    /// Bytes on their way to one side.
    pub(crate) fn in_flight(&self, toward: Side) -> usize {
        self.lock().end(toward).inbound.bytes()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl End {
    const fn new(dice: Dice) -> Self {
        Self { inbound: Pipe::new(dice), owner: None, notified: false, gone: false }
    }

    fn notify(&mut self) {
        if let Some((mailbox, id)) = &self.owner
            && !self.notified
        {
            self.notified = true;
            mailbox.note(id.0);
        }
    }
}
