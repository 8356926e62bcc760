//! One end of a link, as a reactor or nobody owns it.

use super::link::{Link, Side};
use super::mailbox::Mailbox;
use super::pipe::Arrival;
use super::world::{Attempt, World};
use crate::backlog::Backlog;
use crate::chunks::Chunks;
use crate::reading::Reading;
use crate::{Completion, Counters, Detached, SocketId};
use bytes::{Bytes, BytesMut};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// `Break` ends the socket, with the error if it is not an orderly end.
pub(crate) type Turn = ControlFlow<Option<io::Error>>;

/// What a turn works with.
pub(crate) struct Context<'a> {
    pub(crate) id: SocketId,
    pub(crate) now: Duration,
    pub(crate) chunks: &'a mut Chunks,
    pub(crate) counters: &'a mut Counters,
    pub(crate) completions: &'a mut Vec<Completion>,
    /// When to have another turn, at the latest.
    pub(crate) wake_at: Option<Duration>,
}

/// A socket. Dropping it closes its end.
#[derive(Debug)]
pub(crate) struct Socket {
    world: Arc<World>,
    line: Line,
    /// When the answer to an attempt to connect is there; `None` once it was reported.
    answer_at: Option<Duration>,
    reading: Reading,
    arrived: u64,
    backlog: Backlog,
    failure: Option<io::Error>,
}

/// What a socket is attached to.
#[derive(Debug)]
enum Line {
    Link(Arc<Link>, Side),
    /// Nothing: the attempt to connect is refused, or never answered.
    Dead {
        refused: bool,
    },
}

impl Socket {
    /// The server's end of a new link.
    pub(crate) fn accepted(world: &Arc<World>, link: Arc<Link>) -> Self {
        Self::new(world, Line::Link(link, Side::Server), None)
    }

    pub(crate) fn connect(world: &Arc<World>, addr: SocketAddr) -> io::Result<Self> {
        let line = match world.connect(addr)? {
            Attempt::Connected(link) => Line::Link(link, Side::Client),
            Attempt::Refused => Line::Dead { refused: true },
            Attempt::Unanswered => Line::Dead { refused: false },
        };
        let answer_at = world.clock.now() + *world.options.latency.start();
        Ok(Self::new(world, line, Some(answer_at)))
    }

    fn new(world: &Arc<World>, line: Line, answer_at: Option<Duration>) -> Self {
        Self {
            world: Arc::clone(world),
            line,
            answer_at,
            reading: Reading::Paused,
            arrived: 0,
            backlog: Backlog::default(),
            failure: None,
        }
    }

    pub(crate) fn belongs_to(&self, world: &Arc<World>) -> bool {
        Arc::ptr_eq(&self.world, world)
    }

    /// Gives the socket to a reactor, which gets word of it at once.
    pub(crate) fn join(&self, mailbox: &Arc<Mailbox>, id: SocketId) {
        match &self.line {
            Line::Link(link, side) => link.set_owner(*side, Some((Arc::clone(mailbox), id))),
            Line::Dead { .. } => mailbox.note(id.0),
        }
    }

    /// Takes the socket away from its reactor.
    pub(crate) fn leave(&mut self) {
        if let Line::Link(link, side) = &self.line {
            link.set_owner(*side, None);
        }
        self.reading.pause();
    }

    pub(crate) fn unsent(&self) -> usize {
        self.backlog.bytes()
    }

    /// Bytes that were read.
    pub(crate) const fn arrived(&self) -> u64 {
        self.arrived
    }

    pub(crate) fn send(&mut self, buffers: &mut Vec<Bytes>, now: Duration, counters: &mut Counters) {
        let may_write = self.failure.is_none() && self.answer_at.is_none() && self.backlog.is_empty();
        self.backlog.push(buffers);
        if may_write && let Err(error) = self.write(now, counters) {
            self.failure = Some(error);
            self.notify();
        }
        if self.failure.is_some() {
            self.backlog.clear();
        }
    }

    pub(crate) fn receive(&mut self) {
        self.reading.lend();
        self.notify();
    }

    pub(crate) fn receive_into(&mut self, destination: BytesMut, length: usize) {
        self.reading.fill(destination, length);
        self.notify();
    }

    pub(crate) fn pause(&mut self) {
        self.reading.pause();
    }

    /// Does what can be done now.
    pub(crate) fn turn(&mut self, cx: &mut Context<'_>) -> Turn {
        if let Line::Link(link, side) = &self.line
            && let Some(kind) = link.look(*side)
        {
            return ControlFlow::Break(Some(kind.into()));
        }
        self.finish_connecting(cx)?;
        if self.answer_at.is_some() {
            return ControlFlow::Continue(());
        }
        self.flush(cx);
        self.read(cx)
    }

    fn finish_connecting(&mut self, cx: &mut Context<'_>) -> Turn {
        match (self.answer_at, &self.line) {
            (None, _) | (_, Line::Dead { refused: false }) => (),
            (Some(at), _) if at > cx.now => cx.wake_at = Some(at),
            (Some(_), Line::Dead { refused: true }) => {
                return ControlFlow::Break(Some(ErrorKind::ConnectionRefused.into()));
            }
            (Some(_), Line::Link(link, _)) => {
                cx.completions.push(Completion::Connected { socket: cx.id, local: link.client });
                self.answer_at = None;
            }
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        if self.backlog.is_empty() {
            return;
        }
        match self.write(cx.now, cx.counters) {
            Ok(()) if self.backlog.is_empty() => {
                cx.completions.push(Completion::Drained { socket: cx.id });
            }
            Ok(()) => (),
            Err(error) => {
                self.failure = Some(error);
                self.backlog.clear();
            }
        }
    }

    fn write(&mut self, now: Duration, counters: &mut Counters) -> io::Result<()> {
        let Line::Link(link, side) = &self.line else {
            return Ok(());
        };
        counters.sends += 1;
        counters.bytes_out += link.write(*side, &mut self.backlog, now)? as u64;
        Ok(())
    }

    /// One read, so that others have their turn. A socket that cannot send ends when there is nothing to read.
    fn read(&mut self, cx: &mut Context<'_>) -> Turn {
        let arrival = self.arrival(cx);
        self.reading.finish_filling(cx.id, cx.completions);
        match arrival {
            Arrival::Bytes(bytes) => {
                self.arrived += bytes as u64;
                cx.counters.bytes_in += bytes as u64;
                cx.counters.bytes_copied += bytes as u64;
                self.notify();
            }
            Arrival::Later(at) => cx.wake_at = Some(at),
            Arrival::End => return ControlFlow::Break(self.failure.take()),
            Arrival::Nothing => {
                if let Some(error) = self.failure.take() {
                    return ControlFlow::Break(Some(error));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn arrival(&mut self, cx: &mut Context<'_>) -> Arrival {
        let Line::Link(link, side) = &self.line else {
            return Arrival::Nothing;
        };
        if self.reading.is_paused() || self.reading.is_filled() {
            return Arrival::Nothing;
        }
        cx.counters.receives += 1;
        match &mut self.reading {
            Reading::Filling { destination, missing } => {
                let arrival = link.read(*side, destination, *missing, cx.now);
                if let Arrival::Bytes(bytes) = arrival {
                    *missing -= bytes;
                }
                arrival
            }
            Reading::Lending | Reading::Paused => {
                let room = cx.chunks.room();
                let arrival = link.read(*side, room, room.capacity(), cx.now);
                if let Arrival::Bytes(_) = arrival {
                    cx.completions.push(Completion::Received { socket: cx.id, data: room.split() });
                }
                arrival
            }
        }
    }

    /// Asks for another turn.
    fn notify(&self) {
        if let Line::Link(link, side) = &self.line {
            link.notify(*side);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Line::Link(link, side) = &self.line {
            link.close(*side, self.world.clock.now());
        }
    }
}

impl Detached for Socket {
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}
