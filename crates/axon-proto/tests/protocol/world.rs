//! A client that dials, a server that accepts, and the wires between them.
//!
//! The client is a [`Connection`]; every socket it opens has a server's end of its own, which starts as a [`Link`] and
//! becomes a connection when its session is agreed, as in a driver. Bytes take [`Setup::latency`]; nothing else takes
//! time.

mod chunks;
mod end;
mod pipe;
mod setup;
mod tap;

pub(crate) use chunks::Chunks;
pub(crate) use end::{End, Machine};
pub(crate) use setup::{CLIENT_SOCKET, Scheme, Setup, addr, cluster};
pub(crate) use tap::{Label, Unit};

use axon_proto::{
    Arena, BackOff, ClientStart, Connection, Contended, Disconnect, Established, Event, Fault, Ident, Input,
    Instant, Link, LinkOutput, Output, ServerStart, State, Verdict,
};
use axon_wire::{FrameBuf, Message};
use core::time::Duration;
use end::Wish;
use pipe::Pipe;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use tap::Tap;

/// An end of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who dials.
    Client = 0,
    /// Who accepts.
    Server = 1,
}

impl Side {
    /// The other end.
    pub(crate) fn other(self) -> Side {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Where a socket breaks: for both ends, once everything up to this edge was delivered and dealt with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) from: Side,
    pub(crate) label: Label,
    pub(crate) edge: Edge,
}

/// An edge of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    Before,
    After,
}

/// What a dial comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialled {
    Connects,
    Fails(Disconnect),
    /// No answer ever comes.
    Hangs,
}

/// What the world saw of one side.
#[derive(Default)]
pub(crate) struct Seen {
    /// Messages delivered.
    pub(crate) messages: Vec<Message>,
    /// Events of its connections.
    pub(crate) events: Vec<Event>,
    /// Faults of links before their session was agreed.
    pub(crate) faults: Vec<Fault>,
}

struct Socket {
    /// By the side that writes.
    pipes: [Pipe; 2],
    tap: Tap,
    server: End,
    /// Whether the client holds its end.
    held: bool,
}

type Editor = Box<dyn FnMut(&mut Unit)>;

/// The world of one client.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) setup: Setup,
    pub(crate) client: End,
    sockets: Vec<Socket>,
    dialling: Option<Instant>,
    scratch: FrameBuf,
    global_seq: u64,
    /// Fires at the next unit that it names, once.
    pub(crate) cuts: Vec<Cut>,
    /// Breaks the next socket when so many bytes of this side were delivered.
    pub(crate) cut_at: Option<(Side, u64)>,
    /// When the client wanted to dial.
    pub(crate) dial_times: Vec<Instant>,
    /// A man in the middle.
    pub(crate) editor: Option<Editor>,
    /// What the next dials come to; they connect when nothing is said.
    pub(crate) dials: VecDeque<Dialled>,
    /// What the server says to the next idents; it accepts when nothing is said.
    pub(crate) verdicts: VecDeque<Verdict>,
    /// The server's process hangs: it neither reads nor writes, and its timers do not fire.
    pub(crate) deaf: bool,
    /// Messages wait until the test says so.
    pub(crate) hold_admissions: bool,
    admissions: [usize; 2],
    /// By side.
    pub(crate) seen: [Seen; 2],
    pub(crate) established: [Option<Box<Established>>; 2],
    /// Everything that crossed the wires.
    pub(crate) units: Vec<Unit>,
    log: String,
}

impl World {
    /// The client has asked for its first dial.
    pub(crate) fn new(setup: Setup) -> Self {
        let config = Arc::new(setup.client.clone());
        let connection = Connection::dial(config, setup.client_policy, setup.back_off, setup.seed);
        Self {
            now: Instant(1_000_000_000),
            setup,
            client: End::new(Machine::Connection(Box::new(connection))),
            sockets: Vec::new(),
            dialling: None,
            scratch: FrameBuf::new(),
            global_seq: 100,
            cuts: Vec::new(),
            cut_at: None,
            dial_times: Vec::new(),
            editor: None,
            dials: VecDeque::new(),
            verdicts: VecDeque::new(),
            deaf: false,
            hold_admissions: false,
            admissions: [0; 2],
            seen: Default::default(),
            established: [None, None],
            units: Vec::new(),
            log: String::new(),
        }
    }

    /// A world whose session is agreed.
    pub(crate) fn open(setup: Setup) -> Self {
        let mut world = Self::new(setup);
        world.run(Duration::from_secs(1));
        assert_eq!(world.client().state(), State::Open, "{}", world.log);
        assert!(matches!(world.server(), Machine::Connection(_)), "{}", world.log);
        world
    }

    pub(crate) fn client(&mut self) -> &mut Connection {
        match &mut self.client.machine {
            Machine::Connection(connection) => connection,
            _ => unreachable!("the client is a connection"),
        }
    }

    /// The server's end of the newest socket.
    pub(crate) fn server(&mut self) -> &mut Machine {
        &mut self.sockets.last_mut().expect("a socket").server.machine
    }

    /// The connection of `side`.
    pub(crate) fn connection(&mut self, side: Side) -> &mut Connection {
        match side {
            Side::Client => self.client(),
            Side::Server => match self.server() {
                Machine::Connection(connection) => connection,
                _ => panic!("the server has no session"),
            },
        }
    }

    /// Gives an input to the connection of `side`.
    pub(crate) fn tell(&mut self, side: Side, input: Input) {
        let now = self.now;
        self.connection(side).handle(now, input);
        self.serve();
    }

    pub(crate) fn send(&mut self, side: Side, message: Message) {
        self.tell(side, Input::Send(message));
    }

    /// Lets the held message of `side` in.
    pub(crate) fn admit(&mut self, side: Side) {
        assert_ne!(core::mem::take(&mut self.admissions[side as usize]), 0, "a message waits");
        self.tell(side, Input::Admitted);
    }

    /// The body bytes of the message that waits at `side`, 0 if there is none.
    pub(crate) fn waiting(&self, side: Side) -> usize {
        self.admissions[side as usize]
    }

    /// Breaks the newest socket for both ends.
    pub(crate) fn cut(&mut self) {
        let newest = self.sockets.len() - 1;
        self.break_socket(newest);
    }

    /// Lets time pass, with all that happens in it.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let Some(next) = self.next_time().filter(|next| *next <= end) else { break };
            self.now = next;
            self.wake();
        }
        self.now = end;
        self.settle();
    }

    /// What happened, one line each, and forgets it.
    pub(crate) fn log(&mut self) -> String {
        core::mem::take(&mut self.log)
    }

    /// Transaction ids of the messages delivered to `side`.
    pub(crate) fn tids(&self, side: Side) -> Vec<u64> {
        self.seen[side as usize].messages.iter().map(|m| m.header.tid).collect()
    }

    /// Adds `bytes` to what `from` has under way on the newest socket, as somebody in the middle would.
    pub(crate) fn inject(&mut self, from: Side, bytes: &[u8]) {
        let at = self.now;
        self.sockets.last_mut().expect("a socket").pipes[from as usize].write(bytes, at);
    }

    fn next_time(&mut self) -> Option<Instant> {
        let now = self.now;
        let mut times: Vec<Instant> = self.dialling.into_iter().chain(self.client.deadline()).collect();
        for socket in &self.sockets {
            times.extend(socket.pipes.iter().filter_map(|pipe| pipe.next_arrival(now)));
            times.extend(socket.server.deadline().filter(|_| !self.deaf));
        }
        times.into_iter().map(|at| at.max(now)).min()
    }

    fn wake(&mut self) {
        let now = self.now;
        if self.client.deadline().is_some_and(|at| at <= now) {
            self.client.wake(now);
        }
        for socket in &mut self.sockets {
            if !self.deaf && socket.server.deadline().is_some_and(|at| at <= now) {
                socket.server.wake(now);
            }
        }
        if self.dialling.is_some_and(|at| at <= now) {
            self.dialling = None;
            self.finish_dial();
        }
    }

    /// Does everything that can be done now.
    fn settle(&mut self) {
        loop {
            self.serve();
            let mut moved = false;
            for index in 0..self.sockets.len() {
                moved |= self.deliver(index, Side::Client);
                moved |= self.deliver(index, Side::Server);
            }
            if !moved {
                return;
            }
        }
    }

    /// Delivers one portion of what `from` wrote.
    fn deliver(&mut self, index: usize, from: Side) -> bool {
        let now = self.now;
        let most = self.setup.chunks.next();
        let socket = &mut self.sockets[index];
        let [client_writes, server_writes] = &mut socket.pipes;
        let (end, pipe) = match from {
            Side::Client if self.deaf => return false,
            Side::Client => (&mut socket.server, client_writes),
            Side::Server if socket.held => (&mut self.client, server_writes),
            Side::Server => return false,
        };
        let moved = end.read(now, most, |most| pipe.read(most, now));
        let ended = if !moved && end.reads() { pipe.take_end(now) } else { None };
        if let Some(cause) = ended {
            end.disconnected(now, cause);
        }
        if moved || ended.is_some() {
            self.serve();
        }
        // A cut before a unit may be due before anything of it was delivered.
        let cut = self.sockets[index].pipes.iter().any(Pipe::is_cut);
        if cut {
            self.break_socket(index);
        }
        moved || ended.is_some() || cut
    }

    fn break_socket(&mut self, index: usize) {
        let now = self.now;
        let _ = writeln!(self.log, "{} ------  cut", stamp(now));
        let socket = &mut self.sockets[index];
        socket.pipes = [Pipe::default(), Pipe::default()];
        socket.server.disconnected(now, Disconnect::Reset);
        if core::mem::take(&mut socket.held) {
            self.client.disconnected(now, Disconnect::Reset);
        }
        self.serve();
    }

    /// Drains and writes, on all ends.
    fn serve(&mut self) {
        self.serve_client();
        for index in 0..self.sockets.len() {
            self.serve_server(index);
        }
    }

    fn serve_client(&mut self) {
        loop {
            while let Some(wish) = self.client.poll(self.now) {
                let Wish::Connection(output) = wish else { unreachable!("the client is a connection") };
                self.on_output(Side::Client, None, output);
            }
            let held = self.sockets.len().checked_sub(1).filter(|newest| self.sockets[*newest].held);
            let Some(newest) = held else { return };
            if !self.write(Side::Client, newest) {
                return;
            }
        }
    }

    fn serve_server(&mut self, index: usize) {
        loop {
            while let Some(wish) = self.sockets[index].server.poll(self.now) {
                match wish {
                    Wish::Link(output) => self.on_link(index, output),
                    Wish::Connection(output) => self.on_output(Side::Server, Some(index), output),
                }
            }
            if !self.write(Side::Server, index) {
                return;
            }
        }
    }

    /// Moves what `from` wants to write onto the wire. Says whether its machine must be asked again.
    fn write(&mut self, from: Side, index: usize) -> bool {
        let socket = &mut self.sockets[index];
        let end = if from == Side::Client { &mut self.client } else { &mut socket.server };
        let buffers = end.transmit(&mut self.scratch);
        let units: Vec<Unit> =
            buffers.iter().flat_map(|buffer| socket.tap.push(from, buffer, self.now)).collect();
        units.into_iter().for_each(|unit| self.put(index, unit));
        !buffers.is_empty()
    }

    fn put(&mut self, index: usize, mut unit: Unit) {
        if let Some(editor) = &mut self.editor {
            editor(&mut unit);
        }
        if unit.label == Label::Banner {
            self.sockets[index].tap.delivered(unit.from.other(), &unit.bytes);
        }
        let pipe = &mut self.sockets[index].pipes[unit.from as usize];
        let before = pipe.written();
        pipe.write(&unit.bytes, self.now + self.setup.latency);
        let named = |cut: &Cut| cut.from == unit.from && cut.label == unit.label;
        if let Some(at) = self.cuts.iter().position(named) {
            let cut = self.cuts.remove(at);
            let edge = if cut.edge == Edge::Before { before } else { pipe.written() };
            pipe.cut = Some(edge);
        }
        self.units.push(unit);
    }

    fn on_output(&mut self, side: Side, index: Option<usize>, output: Output) {
        match output {
            Output::Dial => self.dial(),
            Output::Hangup => self.hang_up(side, index),
            Output::Admission(length) => {
                self.note(side, format_args!("asks for {length} bytes"));
                self.admissions[side as usize] = length;
                if !self.hold_admissions {
                    self.admit_now(side, index);
                }
            }
            Output::Deliver(message) => {
                let Message { header, front, middle, data } = &message;
                let sizes = (front.len(), middle.len(), data.len());
                self.note(side, format_args!("message {} seq {} {sizes:?}", header.tid, header.seq));
                self.seen[side as usize].messages.push(message);
            }
            Output::Event(event) => self.on_event(side, event),
            Output::GlobalSeq(seen) => self.global_seq = self.global_seq.max(seen),
        }
    }

    fn admit_now(&mut self, side: Side, index: Option<usize>) {
        self.admissions[side as usize] = 0;
        let end = match index {
            None => &mut self.client,
            Some(index) => &mut self.sockets[index].server,
        };
        if let Machine::Connection(connection) = &mut end.machine {
            connection.handle(self.now, Input::Admitted);
        }
    }

    fn on_event(&mut self, side: Side, event: Event) {
        match &event {
            Event::Established(established) => {
                self.note(side, format_args!("established with {}", established.peer));
                self.established[side as usize] = Some(established.clone());
            }
            Event::AttemptFailed(fault) => self.note(side, format_args!("attempt failed: {fault}")),
            Event::Interrupted(fault) => self.note(side, format_args!("interrupted: {fault}")),
            Event::Resumed => self.note(side, format_args!("resumed")),
            Event::RemoteReset(_) => self.note(side, format_args!("the peer lost the session")),
            Event::Reset { fault, undelivered } => {
                let tids: Vec<u64> = undelivered.not_sent.iter().map(|m| m.header.tid).collect();
                self.note(side, format_args!("reset: {fault}; not sent {tids:?}"));
            }
            Event::KeepaliveAck(after) => self.note(side, format_args!("keepalive answered after {after:?}")),
        }
        self.seen[side as usize].events.push(event);
    }

    /// The accepting side before its session is agreed.
    fn on_link(&mut self, index: usize, output: LinkOutput) {
        match output {
            LinkOutput::Ident(ident) => self.judge(index, &ident),
            LinkOutput::Fault(fault) => {
                self.note(Side::Server, format_args!("link broken: {fault}"));
                self.seen[Side::Server as usize].faults.push(fault);
                self.write(Side::Server, index);
                self.sockets[index].server.machine = Machine::Gone;
                self.hang_up(Side::Server, Some(index));
            }
            other => panic!("no handshake says {other:?}"),
        }
    }

    fn judge(&mut self, index: usize, ident: &Ident) {
        self.global_seq += 1;
        let Some(verdict) = self.verdicts.pop_front() else { return self.accept(index, ident) };
        let who = match ident {
            Ident::Client { peer, .. } => peer.to_string(),
            Ident::Reconnect { peer, .. } => format!("{peer}, again"),
        };
        self.note(Side::Server, format_args!("{verdict:?} to {who}"));
        let Machine::Link(link) = &mut self.sockets[index].server.machine else { return };
        if let Some(output) = link.verdict(self.now, verdict) {
            self.on_link(index, output);
        }
    }

    /// Each accepted link founds a connection of its own.
    fn accept(&mut self, index: usize, ident: &Ident) {
        let config = Arc::new(self.setup.server.clone());
        let mut connection = Connection::accept(config, *ident.policy(), BackOff::default(), 1);
        let end = &mut self.sockets[index].server;
        let Machine::Link(link) = core::mem::replace(&mut end.machine, Machine::Gone) else { return };
        let my_addrs = self.setup.server_addrs.clone();
        let arena = Arena { my_addrs, global_seq: self.global_seq, cookie: 99 };
        match connection.contend(self.now, *link, ident, &arena) {
            Contended::Taken => end.machine = Machine::Connection(Box::new(connection)),
            Contended::Answered(link, said) => {
                end.machine = Machine::Link(Box::new(link));
                if let Some(output) = said {
                    self.on_link(index, output);
                }
            }
            Contended::Ended(_) => panic!("a connection without a past has no end"),
        }
    }

    fn dial(&mut self) {
        self.note(Side::Client, format_args!("dials"));
        self.dial_times.push(self.now);
        self.dialling = match self.dials.front() {
            Some(Dialled::Hangs) => {
                self.dials.pop_front();
                None
            }
            _ => Some(self.now + self.setup.latency),
        };
    }

    fn finish_dial(&mut self) {
        match self.dials.pop_front().unwrap_or(Dialled::Connects) {
            Dialled::Connects => self.connect(),
            Dialled::Fails(cause) => self.client.disconnected(self.now, cause),
            Dialled::Hangs => unreachable!("a dial that hangs has no end"),
        }
    }

    fn connect(&mut self) {
        let setup = &self.setup;
        let accepted = ServerStart {
            peer_socket: addr(CLIENT_SOCKET),
            my_addrs: setup.server_addrs.clone(),
            policies: Arc::new(setup.server_policies),
            exchange: setup.server_auth.start(),
        };
        let link = Link::accepted(Arc::new(setup.server.clone()), accepted, self.now);
        self.global_seq += 1;
        let exchange = setup.client_auth.start(setup.expected);
        let start = exchange.map(|exchange| ClientStart {
            target: setup.target,
            peer: setup.expected,
            my_addrs: setup.client_addrs.clone(),
            policy: setup.client_policy,
            global_seq: self.global_seq,
            cookies: [self.global_seq * 2 + 1, self.global_seq * 2 + 2],
            resume: None,
            exchange,
        });
        let server = End::new(Machine::Link(Box::new(link)));
        let held = start.is_ok();
        let mut pipes: [Pipe; 2] = Default::default();
        if let Some((from, byte)) = self.cut_at.take() {
            pipes[from as usize].cut = Some(byte);
        }
        self.sockets.push(Socket { pipes, tap: Tap::new(), server, held });
        let input = match start {
            Ok(start) => Input::Connected(Box::new(start)),
            Err(error) => Input::Unauthenticated(error),
        };
        let now = self.now;
        self.client().handle(now, input);
    }

    fn hang_up(&mut self, side: Side, index: Option<usize>) {
        let at = self.now + self.setup.latency;
        let index = match index {
            Some(index) => index,
            None => {
                self.dialling = None;
                self.client.hang_up();
                let Some(newest) = self.sockets.len().checked_sub(1) else { return };
                self.sockets[newest].held = false;
                newest
            }
        };
        self.sockets[index].pipes[side as usize].close(Disconnect::Closed, at);
    }

    fn note(&mut self, side: Side, what: core::fmt::Arguments<'_>) {
        let _ = writeln!(self.log, "{} {side:?}  {what}", stamp(self.now));
    }
}

/// Seconds since the world began.
fn stamp(now: Instant) -> String {
    format!("{:.3}", now.since(Instant(1_000_000_000)).as_secs_f64())
}

/// A message with this transaction id and bodies of these sizes, whose content depends on both.
pub(crate) fn message(tid: u64, front: usize, middle: usize, data: usize) -> Message {
    let fill = |length: usize, salt: u64| -> Vec<u8> {
        (0..length).map(|i| ((i as u64).wrapping_mul(31) + tid + salt) as u8).collect()
    };
    let mut message = Message::new(42, fill(front, 1));
    message.header.tid = tid;
    message.middle = fill(middle, 2).into();
    message.data = fill(data, 3).into();
    message
}
