//! What a driver does for its machines: moving bytes, dialling, accepting, telling the time.

use super::end::{End, Machine, Wish};
use super::pipe::Pipe;
use super::tap::{Label, Tap, Unit};
use super::{CLIENT_SOCKET, Cut, Dialled, Edge, Side, Socket, World, addr, stamp};
use axon_proto::{
    Arena, BackOff, ClientStart, Connection, Contended, Disconnect, Event, Ident, Input, Instant, Link,
    LinkOutput, Output, ServerStart,
};
use axon_wire::Message;
use std::fmt::Write;
use std::sync::Arc;

impl World {
    pub(super) fn next_time(&mut self) -> Option<Instant> {
        let now = self.now;
        let mut times: Vec<Instant> = self.dialling.into_iter().chain(self.client.deadline()).collect();
        for socket in &self.sockets {
            times.extend(socket.pipes.iter().filter_map(|pipe| pipe.next_arrival(now)));
            times.extend(socket.server.deadline().filter(|_| !self.deaf));
        }
        times.into_iter().map(|at| at.max(now)).min()
    }

    pub(super) fn wake(&mut self) {
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
    pub(super) fn settle(&mut self) {
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

    pub(super) fn break_socket(&mut self, index: usize) {
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
    pub(super) fn serve(&mut self) {
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
                self.admissions[side as usize] = Some(length);
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
            Output::Discarded => self.note(side, format_args!("discards a message")),
            Output::Event(event) => self.on_event(side, event),
            Output::GlobalSeq(seen) => self.global_seq = self.global_seq.max(seen),
        }
    }

    fn admit_now(&mut self, side: Side, index: Option<usize>) {
        self.admissions[side as usize] = None;
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
            Event::Resumed(_) => self.note(side, format_args!("resumed")),
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
        let arena = Arena { peer: ident.peer_type(), my_addrs, global_seq: self.global_seq, cookie: 99 };
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
