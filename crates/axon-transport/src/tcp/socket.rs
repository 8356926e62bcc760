//! A stream socket: what it is asked to do, and one turn of doing it.

use super::marks::Marks;
use super::sys::{self, Arrival};
use super::writing;
use crate::backlog::Backlog;
use crate::chunks::Chunks;
use crate::inet;
use crate::reading::Reading;
use crate::{Completion, Counters, Detached, SocketId};
use bytes::{Bytes, BytesMut};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SocketFlags, sockopt};
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;

/// Reads that empty a socket whose sending side failed, before its end is reported.
const LAST_READS: usize = 64;

/// Reads after a destination was filled that are likely to bring the head of another large body.
const HEADS: u8 = 4;
/// Bytes of such a read: what it brings of the body will have to be copied.
const HEAD: usize = 16 * 1024;

/// `Break` ends the socket, with the error if it is not an orderly end.
pub(crate) type Turn<T = ()> = ControlFlow<Option<io::Error>, T>;

/// A stream socket. It belongs to one reactor, or to none while it is detached.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    connecting: bool,
    reading: Reading,
    /// So many of the next reads take little: large bodies come, and have places of their own.
    heads: u8,
    marks: Marks,
    backlog: Backlog,
    /// Why it cannot send any more. It ends as soon as what has arrived is read.
    failure: Option<io::Error>,
    /// What epoll was asked to report; `None` while it does not know the socket.
    registered: Option<EventFlags>,
    /// Whether the reactor already means to look at it before its next wait.
    noted: bool,
}

/// What a turn works with.
pub(crate) struct Context<'a> {
    pub(crate) id: SocketId,
    pub(crate) chunks: &'a mut Chunks,
    pub(crate) counters: &'a mut Counters,
    pub(crate) completions: &'a mut Vec<Completion>,
}

impl Socket {
    /// A socket that is connected.
    pub(crate) fn open(fd: OwnedFd) -> Self {
        // Messages are gathered before they are sent: there is nothing to wait for. Failing costs only latency.
        let _ = sockopt::set_tcp_nodelay(&fd, true);
        Self {
            fd,
            connecting: false,
            reading: Reading::Paused,
            heads: 0,
            marks: Marks::new(),
            backlog: Backlog::default(),
            failure: None,
            registered: None,
            noted: false,
        }
    }

    /// Starts to connect. Fails if there is no socket to be had; that there is no connection is told later.
    pub(crate) fn connect(addr: SocketAddr) -> io::Result<Self> {
        let mut socket = Self::open(inet::stream_socket(&addr, SocketFlags::NONBLOCK)?);
        socket.connecting = true;
        match rustix::net::connect(&socket.fd, &addr) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => (),
            Err(error) => socket.failure = Some(error.into()),
        }
        Ok(socket)
    }

    /// Bytes that wait for the kernel.
    pub(crate) fn unsent(&self) -> usize {
        self.backlog.bytes()
    }

    /// Bytes that have come, read or not.
    pub(crate) fn arrived(&self) -> u64 {
        inet::arrived(&self.fd)
    }

    /// Takes all `buffers`: writes at once what the kernel takes, and keeps the rest.
    pub(crate) fn send(&mut self, buffers: &mut Vec<Bytes>, counters: &mut Counters) {
        let may_write = self.failure.is_none() && !self.connecting && self.backlog.is_empty();
        if may_write && let Err(error) = writing::write_now(&self.fd, buffers, counters) {
            self.fail(error);
        }
        if buffers.is_empty() {
            return; // the kernel took all, as it mostly does
        }
        if self.failure.is_some() {
            buffers.clear();
        }
        self.backlog.push(buffers);
        if may_write && !self.backlog.is_empty() {
            self.marks.bound_unsent(&self.fd);
        }
    }

    pub(crate) fn receive(&mut self) {
        self.reading.lend();
    }

    pub(crate) fn receive_into(&mut self, destination: BytesMut, length: usize) {
        self.heads = HEADS;
        self.marks.bound_room(&self.fd);
        self.reading.fill(destination, length);
    }

    pub(crate) fn pause(&mut self) {
        self.reading.pause();
    }

    /// Whether any byte that arrives is wanted now.
    pub(crate) fn is_reading(&self) -> bool {
        let is_able = !self.connecting && self.failure.is_none();
        is_able && !self.reading.is_paused() && !self.marks.waits_for_more()
    }

    /// Whether it has something to report that epoll will not tell.
    pub(crate) fn needs_attention(&self) -> bool {
        self.failure.is_some() || self.reading.is_filled()
    }

    /// One turn without an event, for what [`Self::needs_attention`] speaks of.
    pub(crate) fn attend(&mut self, cx: &mut Context<'_>) -> Turn {
        self.reading.finish_filling(cx.id, cx.completions);
        match self.failure.take() {
            Some(error) => self.end(error, cx),
            None => ControlFlow::Continue(()),
        }
    }

    /// One turn, after epoll reported `events`.
    pub(crate) fn turn(&mut self, events: EventFlags, cx: &mut Context<'_>) -> Turn {
        if self.failure.is_some() {
            // Its end comes in this round anyway, and with the better error.
            return ControlFlow::Continue(());
        }
        let broken = events.intersects(EventFlags::ERR | EventFlags::HUP);
        if self.connecting {
            return self.finish_connecting(broken, cx);
        }
        if self.reading.is_paused() {
            if broken {
                // Nobody asks for the bytes that may be left, and epoll would tell of the error for ever.
                return ControlFlow::Break(Some(self.error()));
            }
        } else if broken || events.contains(EventFlags::IN) {
            self.read(cx)?;
        }
        if events.contains(EventFlags::OUT) {
            self.flush(cx)?;
        }
        ControlFlow::Continue(())
    }

    fn finish_connecting(&mut self, broken: bool, cx: &mut Context<'_>) -> Turn {
        if let Some(error) = inet::take_error(&self.fd) {
            return ControlFlow::Break(Some(error));
        }
        match self.ends() {
            Ok(None) if broken => return ControlFlow::Break(Some(self.error())),
            Ok(None) => return ControlFlow::Continue(()),
            Ok(Some((local, peer))) if local != peer => {
                cx.completions.push(Completion::Connected { socket: cx.id, local })
            }
            // The kernel chose the very port we connect to: we talk to ourselves, and nobody listens.
            Ok(Some(_)) => return ControlFlow::Break(Some(Errno::CONNREFUSED.into())),
            Err(error) => return ControlFlow::Break(Some(error)),
        }
        self.connecting = false;
        self.flush(cx)
    }

    /// Both ends' addresses once it is connected.
    fn ends(&self) -> io::Result<Option<(SocketAddr, SocketAddr)>> {
        let Some(peer) = inet::peer_addr(&self.fd)? else {
            return Ok(None);
        };
        Ok(Some((inet::local_addr(&self.fd)?, peer)))
    }

    /// One read. Tells whether there may be more to read.
    fn read(&mut self, cx: &mut Context<'_>) -> Turn<bool> {
        let arrival = match &mut self.reading {
            Reading::Paused => Ok(Arrival::Nothing),
            Reading::Lending if self.heads > 0 => {
                self.heads -= 1;
                lend(&self.fd, HEAD, cx)
            }
            Reading::Lending => lend(&self.fd, usize::MAX, cx),
            Reading::Filling { missing: 0, .. } => Ok(Arrival::Bytes(0)),
            Reading::Filling { destination, missing } => {
                let arrival = fill(&self.fd, destination, missing, cx.counters);
                self.marks.missing(&self.fd, *missing, cx.counters);
                arrival
            }
        };
        match arrival {
            Ok(Arrival::Bytes(_)) => {
                self.reading.finish_filling(cx.id, cx.completions);
                ControlFlow::Continue(true)
            }
            Ok(Arrival::Nothing) => ControlFlow::Continue(false),
            Ok(Arrival::End) => ControlFlow::Break(None),
            Err(error) => ControlFlow::Break(Some(error)),
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Turn {
        if self.backlog.is_empty() {
            return ControlFlow::Continue(());
        }
        match writing::flush(&self.fd, &mut self.backlog, cx.counters) {
            Ok(()) if self.backlog.is_empty() => {
                cx.completions.push(Completion::Drained { socket: cx.id });
                ControlFlow::Continue(())
            }
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.end(error, cx),
        }
    }

    /// Ends the socket at its next turn without an event.
    pub(crate) fn fail(&mut self, error: io::Error) {
        self.backlog.clear();
        self.failure = Some(error);
    }

    /// Ends the socket because sending failed. What arrived before is still reported: often it says why.
    fn end(&mut self, error: io::Error, cx: &mut Context<'_>) -> Turn {
        for _ in 0..LAST_READS {
            match self.read(cx) {
                ControlFlow::Continue(true) => (),
                ControlFlow::Continue(false) | ControlFlow::Break(_) => break,
            }
        }
        ControlFlow::Break(Some(error))
    }

    fn error(&self) -> io::Error {
        inet::take_error(&self.fd).unwrap_or_else(|| Errno::CONNRESET.into())
    }
}

/// What epoll is asked to report.
impl Socket {
    fn wanted(&self) -> EventFlags {
        let mut wanted = EventFlags::empty();
        wanted.set(EventFlags::IN, !self.connecting && !self.reading.is_paused());
        wanted.set(EventFlags::OUT, self.connecting || !self.backlog.is_empty());
        wanted
    }

    /// Whether epoll must be told before the next wait. That reading stopped it is told only when it reports bytes
    /// nobody wants: mostly reading goes on before.
    fn needs_control(&self) -> bool {
        let wanted = self.wanted();
        self.registered
            .is_none_or(|known| !known.contains(wanted) || known.difference(wanted).contains(EventFlags::OUT))
    }

    /// Whether the reactor must look at it before its next wait and does not know yet.
    pub(crate) fn must_be_noted(&mut self) -> bool {
        let news = !self.noted && (self.needs_control() || self.needs_attention());
        self.noted |= news;
        news
    }

    /// Tells epoll what is wanted, where it matters. The reactor looks at the socket.
    pub(crate) fn control_if_needed(
        &mut self,
        epoll: &OwnedFd,
        id: SocketId,
        counters: &mut Counters,
    ) -> io::Result<()> {
        self.noted = false;
        if self.needs_control() {
            self.control(epoll, id, counters)?;
        }
        Ok(())
    }

    /// Whether epoll reported something nobody wants.
    pub(crate) fn is_disturbed_by(&self, events: EventFlags) -> bool {
        let wanted = self.wanted();
        events.contains(EventFlags::IN) && !wanted.contains(EventFlags::IN)
    }

    /// Tells epoll what is wanted.
    pub(crate) fn control(
        &mut self,
        epoll: &OwnedFd,
        id: SocketId,
        counters: &mut Counters,
    ) -> io::Result<()> {
        let wanted = self.wanted();
        let data = EventData::new_u64(id.0);
        match self.registered {
            Some(known) if known == wanted => return Ok(()),
            Some(_) => epoll::modify(epoll, &self.fd, data, wanted)?,
            None => epoll::add(epoll, &self.fd, data, wanted)?,
        }
        counters.controls += 1;
        self.registered = Some(wanted);
        Ok(())
    }

    /// Makes epoll forget the socket, which leaves its reactor.
    pub(crate) fn leave(&mut self, epoll: &OwnedFd) {
        if self.registered.take().is_some() {
            // It is registered, so this cannot fail.
            let _ = epoll::delete(epoll, &self.fd);
        }
        self.noted = false;
        self.pause();
    }
}

impl Detached for Socket {
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

fn lend(fd: &OwnedFd, limit: usize, cx: &mut Context<'_>) -> io::Result<Arrival> {
    let room = cx.chunks.room();
    let arrival = sys::receive(fd, room, limit, cx.counters)?;
    if let Arrival::Bytes(_) = arrival {
        let data = room.split();
        cx.completions.push(Completion::Received { socket: cx.id, data });
    }
    Ok(arrival)
}

fn fill(
    fd: &OwnedFd,
    destination: &mut BytesMut,
    missing: &mut usize,
    counters: &mut Counters,
) -> io::Result<Arrival> {
    let arrival = sys::receive(fd, destination, *missing, counters)?;
    if let Arrival::Bytes(received) = arrival {
        *missing -= received;
    }
    Ok(arrival)
}

#[cfg(test)]
mod tests;
