//! A reactor that cuts sockets when the board says so, and otherwise stays out of the way.

use super::board::{Board, Desk};
use crate::{Completion, Counters, Detached, ListenOptions, ListenerId, Reactor, SocketId, Waker};
use bytes::{Bytes, BytesMut};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A reactor whose sockets can be cut.
pub(super) struct CuttableReactor {
    device: Box<dyn Reactor>,
    board: Arc<Board>,
    desk: Arc<Desk>,
    /// The live sockets' numbers on the board.
    numbers: HashMap<SocketId, u64>,
}

impl CuttableReactor {
    pub(super) fn new(device: Box<dyn Reactor>, board: Arc<Board>) -> Self {
        let desk = Arc::new(Desk::new(device.waker()));
        Self { device, board, desk, numbers: HashMap::new() }
    }

    fn enlist(&mut self, socket: SocketId) {
        let number = self.board.enlist(socket, &self.desk);
        self.numbers.insert(socket, number);
    }

    fn delist(&mut self, socket: SocketId) {
        if let Some(number) = self.numbers.remove(&socket) {
            self.board.delist(number);
        }
    }

    fn cut(&mut self, completions: &mut Vec<Completion>) {
        for socket in self.desk.take() {
            // Others have ended, or moved away, meanwhile.
            if self.numbers.remove(&socket).is_some() {
                self.device.close(socket);
                self.board.count();
                completions
                    .push(Completion::Closed { socket, error: Some(ErrorKind::ConnectionReset.into()) });
            }
        }
    }

    fn note(&mut self, completions: &[Completion]) {
        for completion in completions {
            match completion {
                Completion::Connected { socket, .. } => self.enlist(*socket),
                Completion::Closed { socket, .. } => self.delist(*socket),
                _ => (),
            }
        }
    }
}

impl Reactor for CuttableReactor {
    fn waker(&self) -> Waker {
        self.device.waker()
    }

    fn now(&self) -> Duration {
        self.device.now()
    }

    fn listen(&mut self, addr: SocketAddr, options: &ListenOptions) -> io::Result<(ListenerId, SocketAddr)> {
        self.device.listen(addr, options)
    }

    fn unlisten(&mut self, listener: ListenerId) {
        self.device.unlisten(listener);
    }

    fn connect(&mut self, addr: SocketAddr) -> io::Result<SocketId> {
        self.device.connect(addr)
    }

    fn adopt(&mut self, socket: Box<dyn Detached>) -> io::Result<SocketId> {
        let socket = self.device.adopt(socket)?;
        self.enlist(socket);
        Ok(socket)
    }

    fn detach(&mut self, socket: SocketId) -> Option<Box<dyn Detached>> {
        self.delist(socket);
        self.device.detach(socket)
    }

    fn send(&mut self, socket: SocketId, buffers: &mut Vec<Bytes>) {
        self.device.send(socket, buffers);
    }

    fn unsent(&self, socket: SocketId) -> usize {
        self.device.unsent(socket)
    }

    fn arrived(&self, socket: SocketId) -> u64 {
        self.device.arrived(socket)
    }

    fn receive(&mut self, socket: SocketId) {
        self.device.receive(socket);
    }

    fn receive_into(&mut self, socket: SocketId, destination: BytesMut, length: usize) {
        self.device.receive_into(socket, destination, length);
    }

    fn pause(&mut self, socket: SocketId) {
        self.device.pause(socket);
    }

    fn close(&mut self, socket: SocketId) {
        self.delist(socket);
        self.device.close(socket);
    }

    fn poll(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let before = completions.len();
        self.cut(completions);
        let timeout = if completions.len() > before { Some(Duration::ZERO) } else { timeout };
        let reported = completions.len();
        let polled = self.device.poll(timeout, completions);
        self.note(&completions[reported..]);
        // What woke it may have been the wish for a cut.
        self.cut(completions);
        polled
    }

    fn counters(&self) -> Counters {
        self.device.counters()
    }
}

impl Drop for CuttableReactor {
    fn drop(&mut self) {
        for number in self.numbers.values() {
            self.board.delist(*number);
        }
    }
}
