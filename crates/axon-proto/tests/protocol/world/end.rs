//! One end of a socket: a machine, and the part of a driver that every end has.

use axon_proto::{Connection, Demand, Disconnect, Input, Instant, Link, LinkOutput, Output};
use axon_wire::FrameBuf;
use bytes::{Bytes, BytesMut};

/// The machine at an end.
pub(crate) enum Machine {
    /// An accepted socket before its session is agreed.
    Link(Box<Link>),
    /// A connection.
    Connection(Box<Connection>),
    /// Nothing any more.
    Gone,
}

/// What a machine wants.
pub(crate) enum Wish {
    Link(LinkOutput),
    Connection(Output),
}

/// A machine and its read in progress.
pub(crate) struct End {
    pub(crate) machine: Machine,
    filling: Option<(BytesMut, usize)>,
    /// Messages of up to so many bytes are let in as soon as they are announced.
    pub(crate) room: Option<usize>,
}

impl End {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, filling: None, room: None }
    }

    pub(crate) fn poll(&mut self, now: Instant) -> Option<Wish> {
        match &mut self.machine {
            Machine::Link(link) => link.poll(now).map(Wish::Link),
            Machine::Connection(connection) => {
                let room = self.room;
                let admit = |length| room.is_some_and(|room| length <= room);
                connection.poll_admitting(now, admit).map(Wish::Connection)
            }
            Machine::Gone => None,
        }
    }

    /// What it wants to write now.
    pub(crate) fn transmit(&mut self, scratch: &mut FrameBuf) -> Vec<Bytes> {
        let mut out = Vec::new();
        match &mut self.machine {
            Machine::Link(link) => link.take_pending(&mut out),
            Machine::Connection(connection) => {
                connection.transmit(1 << 20, scratch, &mut out);
            }
            Machine::Gone => {}
        }
        assert!(scratch.is_empty(), "scratch is empty after each use");
        out
    }

    pub(crate) fn received(&mut self, now: Instant, data: BytesMut) {
        match &mut self.machine {
            Machine::Link(link) => link.received(now, data),
            Machine::Connection(connection) => connection.handle(now, Input::Received(data)),
            Machine::Gone => {}
        }
    }

    pub(crate) fn disconnected(&mut self, now: Instant, cause: Disconnect) {
        self.filling = None;
        match &mut self.machine {
            Machine::Link(link) => link.disconnected(cause),
            Machine::Connection(connection) => connection.handle(now, Input::Disconnected(cause)),
            Machine::Gone => {}
        }
    }

    pub(crate) fn wake(&mut self, now: Instant) {
        match &mut self.machine {
            Machine::Link(link) => drop(link.wake(now)),
            Machine::Connection(connection) => connection.handle(now, Input::Wake),
            Machine::Gone => {}
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let deadline = match &self.machine {
            Machine::Link(link) => link.deadline(),
            Machine::Connection(connection) => connection.deadline(),
            Machine::Gone => None,
        };
        deadline.map(|(at, _)| at)
    }

    /// Reads what the machine wants to read, in portions of at most `most`. `read` gives up to so many bytes.
    pub(crate) fn read(
        &mut self,
        now: Instant,
        most: usize,
        read: impl FnOnce(usize) -> Option<BytesMut>,
    ) -> bool {
        if self.filling.is_none() {
            match self.demand() {
                Demand::Nothing => return false,
                Demand::Any => {
                    let Some(data) = read(most) else { return false };
                    self.received(now, data);
                    return true;
                }
                Demand::Exactly { destination, length } => {
                    assert!(destination.capacity() - destination.len() >= length, "the room is there");
                    self.filling = Some((destination, length));
                }
            }
        }
        let Some((destination, missing)) = &mut self.filling else { return false };
        let Some(data) = read(most.min(*missing)) else { return false };
        destination.extend_from_slice(&data);
        *missing -= data.len();
        if *missing == 0 {
            let (destination, _) = self.filling.take().unwrap();
            self.filled(now, destination);
        }
        true
    }

    /// Whether the machine is willing to read.
    pub(crate) fn reads(&mut self) -> bool {
        self.filling.is_some() || !matches!(self.peek_demand(), Demand::Nothing)
    }

    /// Forgets a read in progress, as its socket is gone.
    pub(crate) fn hang_up(&mut self) {
        self.filling = None;
    }

    fn peek_demand(&mut self) -> Demand {
        match self.demand() {
            Demand::Exactly { destination, length } => {
                self.filling = Some((destination, length));
                Demand::Any
            }
            other => other,
        }
    }

    fn demand(&mut self) -> Demand {
        match &mut self.machine {
            Machine::Link(link) => link.demand(),
            Machine::Connection(connection) => connection.demand(),
            Machine::Gone => Demand::Nothing,
        }
    }

    fn filled(&mut self, now: Instant, data: BytesMut) {
        match &mut self.machine {
            Machine::Link(link) => link.filled(now, data),
            Machine::Connection(connection) => connection.handle(now, Input::Filled(data)),
            Machine::Gone => {}
        }
    }
}
