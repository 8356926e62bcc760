//! A stream socket on a ring: which operations it has in flight, and which it needs.
//!
//! What is in flight for receiving, beside what was asked for:
//!
//! ```text
//!             │ nothing       lending              stopping      filling
//! ────────────┼────────────────────────────────────────────────────────────
//! lending     │ lend          -                    -             impossible
//! filling     │ fill          stop                 -             -
//! paused      │ watch         stop if bytes came   -             impossible
//! ```
//!
//! *Stop* cancels the receive into lent buffers; the next receive starts when its last word has come, so that no byte overtakes
//! another. Bytes that come meanwhile are kept in front of the stream.

use super::file::File;
use super::operation::{Manner, Shots, Work};
use super::ring::{Arrival, Brought, Ring, Token};
use super::stream::{Link, Stream, Turn};
use crate::inet::{self, MAX_GATHER};
use crate::reading::Reading;
use crate::{Completion, Counters, Detached, SocketId};
use bytes::{Bytes, BytesMut};
use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::net::{RecvFlags, SocketAddrAny, sockopt};
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Short receives after a destination was filled. While large bodies come, the multishot receive would take each before
/// anybody can name its destination.
const HEADS: u8 = 4;
/// Bytes that are sent promptly at most. Little, for the kernel should have room for them.
const PROMPT: usize = 256 * 1024;
/// Reads that empty a socket whose sending side failed, before its end is reported.
const LAST_READS: usize = 64;
/// Room for each of them.
const LAST_ROOM: usize = 64 * 1024;

/// What is in flight for receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Receiving {
    Nothing,
    /// The receive into lent buffers, mostly multishot.
    Lending(Token),
    /// The same, cancelled.
    Stopping(Token),
    /// The receive into a destination.
    Filling(Token),
}

/// What is to be done next about receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    Lend,
    Fill,
    Stop(Token),
    Watch,
}

/// A stream socket of one reactor.
pub(crate) struct Socket {
    file: Rc<File>,
    stream: Stream,
    receiving: Receiving,
    /// Receives that should bring no more than the head of a message, for a large body may follow.
    heads: u8,
    /// The send in flight, and its bytes.
    sending: Option<(Token, usize)>,
    /// Bytes in front of those to be sent that are counted as sent.
    counted: usize,
    /// The connect in flight, or the wait for its end.
    connecting: Option<Token>,
    /// The wait for errors, from the first pause on.
    watching: Option<Token>,
    /// Whether the reactor already means to look at it before its next wait.
    noted: bool,
}

/// What a socket works with.
pub(crate) struct Context<'a> {
    pub(crate) id: SocketId,
    pub(crate) ring: &'a mut Ring,
    pub(crate) completions: &'a mut Vec<Completion>,
}

impl Socket {
    fn new(file: Rc<File>, stream: Stream) -> Self {
        Self {
            file,
            stream,
            receiving: Receiving::Nothing,
            heads: 0,
            sending: None,
            counted: 0,
            connecting: None,
            watching: None,
            noted: false,
        }
    }

    /// A socket that will connect: see [`dial`](Self::dial).
    pub(crate) fn unconnected(fd: OwnedFd, ring: &mut Ring) -> Self {
        set_no_delay(&fd);
        Self::new(ring.insert(fd), Stream::new(Link::Connecting))
    }

    /// Starts to connect, at once.
    pub(crate) fn dial(&mut self, id: SocketId, addr: SocketAddr, ring: &mut Ring) {
        let addr = Box::new(SocketAddrAny::from(addr));
        self.connecting = Some(ring.start(id.0, &self.file, Work::Connect(addr)));
        ring.submit();
    }

    /// A socket that comes from another reactor.
    pub(crate) fn adopt(arriving: Parted, ring: &mut Ring) -> Self {
        Self::new(ring.insert(arriving.fd), arriving.stream)
    }

    /// Bytes that neither the ring nor the kernel has taken, as far as is known.
    pub(crate) fn unsent(&self) -> usize {
        let sending = self.sending.map_or(0, |(_, bytes)| bytes);
        match self.manner() {
            // They leave with the next system call, even if the socket is closed now.
            Some(Manner::Prompt) => 0,
            _ => self.stream.backlog.bytes() + sending,
        }
    }

    /// Bytes that have come, received or not.
    pub(crate) fn arrived(&self) -> u64 {
        inet::arrived(&*self.file)
    }

    /// Takes all `buffers`.
    pub(crate) fn send(&mut self, buffers: &mut Vec<Bytes>, counters: &mut Counters) {
        if self.stream.failure.is_some() {
            buffers.clear();
        }
        self.stream.backlog.push(buffers);
        self.stream.owes_drained |= self.unsent() > 0;
        if self.manner() == Some(Manner::Prompt) {
            let bytes = self.stream.backlog.bytes();
            counters.bytes_out += bytes.saturating_sub(self.counted) as u64;
            self.counted = bytes;
        }
    }

    /// Counts bytes the kernel took, but for those that were as good as gone before.
    fn count_sent(&mut self, taken: usize, counters: &mut Counters) {
        let before = taken.min(self.counted);
        self.counted -= before;
        counters.bytes_out += (taken - before) as u64;
    }

    /// How to send what waits, if it can be sent.
    fn manner(&self) -> Option<Manner> {
        let stream = &self.stream;
        if stream.link != Link::Open || self.sending.is_some() || stream.backlog.is_empty() {
            return None;
        }
        let is_small = stream.backlog.bytes() <= PROMPT && stream.backlog.buffers().len() <= MAX_GATHER;
        let is_prompt = is_small && !stream.is_full && !stream.owes_drained;
        Some(if is_prompt { Manner::Prompt } else { Manner::Patient })
    }

    pub(crate) fn receive(&mut self) {
        self.stream.reading.lend();
    }

    pub(crate) fn receive_into(&mut self, destination: BytesMut, length: usize) {
        self.stream.reading.fill(destination, length);
    }

    pub(crate) fn pause(&mut self) {
        self.stream.reading.pause();
    }
}

/// The work of a turn.
impl Socket {
    /// Whether the reactor must look at it before its next wait and does not know yet.
    pub(crate) fn must_be_noted(&mut self) -> bool {
        let news = !self.noted && self.needs_service();
        self.noted |= news;
        news
    }

    fn needs_service(&self) -> bool {
        self.stream.failure.is_some()
            || self.stream.has_news()
            || self.manner().is_some()
            || self.step() != Step::Nothing
    }

    /// The table on top.
    fn step(&self) -> Step {
        use Receiving as In;
        if self.stream.link != Link::Open {
            let waits = self.stream.link == Link::Connecting && self.connecting.is_none();
            return if waits { Step::Watch } else { Step::Nothing };
        }
        let over = self.stream.has_ended();
        match (&self.stream.reading, self.receiving) {
            (Reading::Lending, In::Nothing) if !over => Step::Lend,
            (Reading::Filling { .. }, In::Nothing) if !over => Step::Fill,
            (Reading::Filling { .. }, In::Lending(token)) => Step::Stop(token),
            (Reading::Paused, In::Lending(token)) if self.stream.keeps_bytes() => Step::Stop(token),
            (Reading::Paused, In::Nothing) if self.watching.is_none() => Step::Watch,
            _ => Step::Nothing,
        }
    }

    /// Reports what waits, and starts what it needs. The reactor looks at it before it waits.
    pub(crate) fn serve(&mut self, cx: &mut Context<'_>) -> Turn {
        self.noted = false;
        self.stream.report(cx.id, &*self.file, cx.completions, &mut cx.ring.counters)?;
        if self.stream.failure.is_some() {
            return self.end(cx);
        }
        if let Some(manner) = self.manner() {
            self.start_sending(manner, cx.id, cx.ring);
        }
        self.take_step(cx);
        ControlFlow::Continue(())
    }

    fn start_sending(&mut self, manner: Manner, id: SocketId, ring: &mut Ring) {
        let mut list = ring.list();
        std::mem::swap(&mut list.backlog, &mut self.stream.backlog);
        let bytes = list.backlog.bytes();
        self.sending = Some((ring.start(id.0, &self.file, Work::Send(list, manner)), bytes));
    }

    fn take_step(&mut self, cx: &mut Context<'_>) {
        match self.step() {
            Step::Nothing => {}
            Step::Lend => self.start_lending(cx),
            Step::Fill => self.start_filling(cx),
            Step::Stop(token) => {
                cx.ring.cancel(token);
                self.receiving = Receiving::Stopping(token);
            }
            Step::Watch => self.start_watching(cx),
        }
    }

    fn start_lending(&mut self, cx: &mut Context<'_>) {
        let shots = if self.heads > 0 { Shots::One } else { Shots::Many };
        self.heads = self.heads.saturating_sub(1);
        self.receiving = Receiving::Lending(cx.ring.start(cx.id.0, &self.file, Work::Lend(shots)));
    }

    fn start_filling(&mut self, cx: &mut Context<'_>) {
        self.heads = HEADS;
        if let Reading::Filling { destination, missing } = &mut self.stream.reading {
            let work = Work::Fill(std::mem::take(destination), *missing);
            self.receiving = Receiving::Filling(cx.ring.start(cx.id.0, &self.file, work));
        }
    }

    /// Waits for the answer of the peer if it is still to come, else for errors and hang-ups, which need not be asked for.
    /// The latter is multishot, for it also tells, once, that the peer sends no more; that is of no interest here.
    fn start_watching(&mut self, cx: &mut Context<'_>) {
        if self.stream.link == Link::Connecting {
            self.connecting = Some(cx.ring.start(cx.id.0, &self.file, Work::Await(PollFlags::OUT)));
        } else {
            self.watching = Some(cx.ring.start(cx.id.0, &self.file, Work::Listen(PollFlags::empty())));
        }
    }

    /// Takes an arrival and reports what follows from it.
    pub(crate) fn take(&mut self, arrival: Arrival, cx: &mut Context<'_>) -> Turn {
        let rest = match arrival {
            // What mostly comes.
            Arrival { brought: Brought::Bytes(data), .. } => {
                self.stream.arrived(data, cx.id, cx.completions);
                Arrival { brought: Brought::Nothing, ..arrival }
            }
            other => other,
        };
        self.absorb(rest, cx.ring);
        self.stream.report(cx.id, &*self.file, cx.completions, &mut cx.ring.counters)
    }

    /// Takes note of an arrival and reports nothing.
    fn absorb(&mut self, mut arrival: Arrival, ring: &mut Ring) {
        match &arrival.ended {
            Some(Work::Lend(_) | Work::Fill(..)) => self.receiving = Receiving::Nothing,
            Some(Work::Send(..)) => self.sending = None,
            Some(Work::Connect(_) | Work::Await(_)) => self.connecting = None,
            Some(Work::Listen(_)) => self.watching = None,
            Some(Work::Accept) | None => {}
        }
        if let Some(Work::Send(mut list, _)) = arrival.ended.take_if(|work| matches!(work, Work::Send(..))) {
            self.count_sent(arrival.outcome.unwrap_or(0), &mut ring.counters);
            self.stream.sent(arrival.outcome, &mut list.backlog, &*self.file);
            return ring.give_back(list);
        }
        self.stream.absorb(arrival, &*self.file);
    }

    /// Ends the socket because sending failed. What arrived before is still reported: often it says why.
    fn end(&mut self, cx: &mut Context<'_>) -> Turn {
        match self.receiving {
            Receiving::Nothing => {}
            Receiving::Lending(token) | Receiving::Filling(token) => {
                cx.ring.cancel(token);
                self.receiving = Receiving::Stopping(token);
                return ControlFlow::Continue(());
            }
            Receiving::Stopping(_) => return ControlFlow::Continue(()),
        }
        for _ in 0..LAST_READS {
            let mut data = BytesMut::zeroed(LAST_ROOM);
            match rustix::net::recv(&*self.file, &mut data[..], RecvFlags::DONTWAIT) {
                Ok((1.., received)) if !self.stream.reading.is_paused() => {
                    data.truncate(received);
                    self.stream.arrived(data, cx.id, cx.completions);
                    self.stream.report(cx.id, &*self.file, cx.completions, &mut cx.ring.counters)?;
                }
                _ => break,
            }
        }
        ControlFlow::Break(self.stream.failure.take())
    }
}

/// Leaving the reactor.
impl Socket {
    fn tokens(&self) -> impl Iterator<Item = Token> {
        let receiving = match self.receiving {
            Receiving::Lending(token) | Receiving::Filling(token) => Some(token),
            // It was cancelled before.
            Receiving::Stopping(_) | Receiving::Nothing => None,
        };
        let sending = self.sending.map(|(token, _)| token);
        [receiving, sending, self.connecting, self.watching].into_iter().flatten()
    }

    fn is_busy(&self) -> bool {
        let receives = self.receiving != Receiving::Nothing;
        receives || self.sending.is_some() || self.connecting.is_some() || self.watching.is_some()
    }

    /// Closes it. The kernel ends what is in flight, and then the file.
    pub(crate) fn close(mut self, id: SocketId, ring: &mut Ring) {
        if self.manner() == Some(Manner::Prompt) {
            // It was promised that they leave.
            self.start_sending(Manner::Prompt, id, ring);
        }
        for token in self.tokens() {
            ring.cancel(token);
        }
        drop(self);
        ring.release_files();
    }

    /// Ends what is in flight, so that it can leave the ring.
    pub(crate) fn detach(mut self, id: SocketId, ring: &mut Ring) -> io::Result<Parted> {
        for token in self.tokens() {
            ring.cancel(token);
        }
        while self.is_busy() {
            let arrival = ring.next_of(id.0)?;
            self.absorb(arrival, ring);
        }
        self.stream.reading.pause();
        let Self { file, stream, .. } = self;
        let file = Rc::into_inner(file).ok_or(io::ErrorKind::ResourceBusy)?;
        let fd = file.into_fd();
        ring.release_files();
        Ok(Parted { fd, stream })
    }
}

/// A socket between two reactors.
#[derive(Debug)]
pub(crate) struct Parted {
    fd: OwnedFd,
    stream: Stream,
}

impl Parted {
    /// A socket that was just accepted.
    pub(crate) fn accepted(fd: OwnedFd) -> Self {
        set_no_delay(&fd);
        Self { fd, stream: Stream::new(Link::Open) }
    }
}

impl Detached for Parted {
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

fn set_no_delay(fd: &OwnedFd) {
    // Messages are gathered before they are sent: there is nothing to wait for. Failing costs only latency.
    let _ = sockopt::set_tcp_nodelay(fd, true);
}
