//! One worker's view of the network.

use super::mailbox::Mailbox;
use super::socket::{Context, Socket};
use super::world::World;
use crate::chunks::Chunks;
use crate::slots::Slots;
use crate::{Completion, Counters, Detached, ListenOptions, ListenerId, Reactor, SocketId, Waker};
use bytes::{Bytes, BytesMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// One worker's sockets and listeners.
#[derive(Debug)]
pub(crate) struct MemReactor {
    world: Arc<World>,
    mailbox: Arc<Mailbox>,
    sockets: Slots<Socket>,
    /// Their state is in the world.
    listeners: Slots<()>,
    /// Sockets for which something arrives at a known time. May hold dead ones.
    due: BinaryHeap<Reverse<(Duration, u64)>>,
    chunks: Chunks,
    news: Vec<u64>,
    counters: Counters,
}

impl MemReactor {
    pub(crate) fn new(world: Arc<World>) -> Self {
        let mailbox = Arc::new(Mailbox::default());
        world.register(&mailbox);
        Self {
            world,
            mailbox,
            sockets: Slots::new(false),
            listeners: Slots::new(true),
            due: BinaryHeap::new(),
            chunks: Chunks::default(),
            news: Vec::new(),
            counters: Counters::default(),
        }
    }

    fn insert(&mut self, socket: Socket) -> SocketId {
        let id = SocketId(self.sockets.insert(socket));
        if let Some(socket) = self.sockets.get(id.0) {
            socket.join(&self.mailbox, id);
        }
        id
    }

    /// One look at everything that has news. Tells whether the waker was used.
    fn round(&mut self, completions: &mut Vec<Completion>) -> bool {
        let mut news = std::mem::take(&mut self.news);
        let rung = self.mailbox.collect(&mut news);
        self.collect_due(&mut news);
        for key in news.drain(..) {
            if Slots::<()>::is_tagged(key) {
                self.accept(ListenerId(key), completions);
            } else {
                self.turn(SocketId(key), completions);
            }
        }
        self.news = news;
        rung
    }

    fn collect_due(&mut self, news: &mut Vec<u64>) {
        if self.due.is_empty() {
            return;
        }
        let now = self.now();
        while let Some(&Reverse((at, key))) = self.due.peek()
            && at <= now
        {
            self.due.pop();
            news.push(key);
        }
    }

    fn accept(&mut self, listener: ListenerId, completions: &mut Vec<Completion>) {
        // The world leaves word once for each link.
        if let Some(link) = self.world.accept(listener, &self.mailbox) {
            let peer = link.client;
            let socket = Box::new(Socket::accepted(&self.world, link));
            completions.push(Completion::Accepted { listener, socket, peer });
        }
    }

    fn turn(&mut self, id: SocketId, completions: &mut Vec<Completion>) {
        let now = self.now();
        let Some(socket) = self.sockets.get_mut(id.0) else {
            return;
        };
        let mut context = Context {
            id,
            now,
            chunks: &mut self.chunks,
            counters: &mut self.counters,
            completions,
            wake_at: None,
        };
        let turn = socket.turn(&mut context);
        if let Some(at) = context.wake_at {
            self.due.push(Reverse((at, id.0)));
        }
        if let ControlFlow::Break(error) = turn {
            self.sockets.remove(id.0);
            completions.push(Completion::Closed { socket: id, error });
        }
    }
}

impl Reactor for MemReactor {
    fn waker(&self) -> Waker {
        let mailbox = Arc::clone(&self.mailbox);
        Waker::new(move || mailbox.ring())
    }

    fn now(&self) -> Duration {
        self.world.clock.now()
    }

    fn listen(&mut self, addr: SocketAddr, options: &ListenOptions) -> io::Result<(ListenerId, SocketAddr)> {
        let id = ListenerId(self.listeners.insert(()));
        let bound = self.world.listen(addr, options, id, &self.mailbox);
        if bound.is_err() {
            self.listeners.remove(id.0);
        }
        Ok((id, bound?))
    }

    fn unlisten(&mut self, listener: ListenerId) {
        if self.listeners.remove(listener.0).is_some() {
            self.world.unlisten(listener, &self.mailbox);
        }
    }

    fn connect(&mut self, addr: SocketAddr) -> io::Result<SocketId> {
        Ok(self.insert(Socket::connect(&self.world, addr)?))
    }

    fn adopt(&mut self, socket: Box<dyn Detached>) -> io::Result<SocketId> {
        match socket.into_any().downcast::<Socket>() {
            Ok(socket) if socket.belongs_to(&self.world) => Ok(self.insert(*socket)),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn detach(&mut self, socket: SocketId) -> Option<Box<dyn Detached>> {
        let mut socket = self.sockets.remove(socket.0)?;
        socket.leave();
        Some(Box::new(socket))
    }

    fn send(&mut self, socket: SocketId, buffers: &mut Vec<Bytes>) {
        let now = self.now();
        if let Some(socket) = self.sockets.get_mut(socket.0) {
            socket.send(buffers, now, &mut self.counters);
        }
        buffers.clear();
    }

    fn unsent(&self, socket: SocketId) -> usize {
        self.sockets.get(socket.0).map_or(0, Socket::unsent)
    }

    fn arrived(&self, socket: SocketId) -> u64 {
        self.sockets.get(socket.0).map_or(0, Socket::arrived)
    }

    fn receive(&mut self, socket: SocketId) {
        if let Some(socket) = self.sockets.get_mut(socket.0) {
            socket.receive();
        }
    }

    fn receive_into(&mut self, socket: SocketId, destination: BytesMut, length: usize) {
        if let Some(socket) = self.sockets.get_mut(socket.0) {
            socket.receive_into(destination, length);
        }
    }

    fn pause(&mut self, socket: SocketId) {
        if let Some(socket) = self.sockets.get_mut(socket.0) {
            socket.pause();
        }
    }

    fn close(&mut self, socket: SocketId) {
        self.sockets.remove(socket.0);
    }

    fn poll(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let deadline = match timeout {
            Some(Duration::ZERO) | None => timeout,
            Some(timeout) => self.now().checked_add(timeout),
        };
        let before = completions.len();
        loop {
            self.counters.waits += 1;
            let rung = self.round(completions);
            let over = || deadline.is_some_and(|deadline| deadline <= self.world.clock.now());
            if rung || completions.len() > before || over() {
                return Ok(());
            }
            let next = self.due.peek().map(|Reverse((at, _))| *at);
            let until = deadline.into_iter().chain(next).min();
            self.mailbox.wait(self.world.clock.sleep_until(until));
        }
    }

    fn counters(&self) -> Counters {
        Counters { wakes: self.mailbox.wakes(), ..self.counters }
    }
}

impl Drop for MemReactor {
    fn drop(&mut self) {
        self.world.forget(&self.mailbox);
    }
}
