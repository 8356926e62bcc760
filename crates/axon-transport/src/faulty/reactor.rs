//! A reactor that stands between the owner and the device.

use super::Plan;
use super::victim::{Moving, Victim};
use crate::reading::Reading;
use crate::{Completion, Counters, Detached, ListenOptions, ListenerId, Reactor, SocketId, Waker};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A reactor whose sockets have faults.
pub(crate) struct FaultyReactor {
    device: Box<dyn Reactor>,
    plan: Arc<Plan>,
    /// Under the device's ids; also those whose end the device has reported and we have not.
    victims: BTreeMap<SocketId, Victim>,
    news: Vec<Completion>,
    /// Sockets to remove after a round.
    ended: Vec<SocketId>,
}

impl FaultyReactor {
    pub(crate) fn new(device: Box<dyn Reactor>, plan: Arc<Plan>) -> Self {
        Self { device, plan, victims: BTreeMap::new(), news: Vec::new(), ended: Vec::new() }
    }

    /// Gives each socket its turn.
    fn round(&mut self, completions: &mut Vec<Completion>) {
        for (&socket, victim) in &mut self.victims {
            if let Some(error) = victim.turn(socket, &mut *self.device, completions) {
                completions.push(Completion::Closed { socket, error });
                self.ended.push(socket);
            }
        }
        for socket in self.ended.drain(..) {
            self.victims.remove(&socket);
        }
    }

    /// How long the device may wait.
    fn sleep(&self, timeout: Option<Duration>) -> Option<Duration> {
        let turns = self.victims.iter();
        let next = turns.filter_map(|(&socket, victim)| victim.next_turn(socket, &*self.device)).min();
        let wait = next.map(|at| at.saturating_sub(self.device.now()));
        wait.into_iter().chain(timeout).min()
    }

    fn absorb(&mut self, completion: Completion, completions: &mut Vec<Completion>) {
        match completion {
            Completion::Accepted { listener, socket, peer } => {
                let mut victim = Victim::new(&self.plan);
                victim.refuse = false;
                completions.push(Completion::Accepted {
                    listener,
                    socket: Box::new(Moving { socket, victim }),
                    peer,
                });
            }
            Completion::Connected { socket, local } => self.connected(socket, local, completions),
            Completion::Received { socket, data } => {
                let now = self.device.now();
                if let Some(victim) = self.victims.get_mut(&socket) {
                    victim.hold_back(data, now);
                }
            }
            Completion::Closed { socket, error } => {
                if let Some(victim) = self.victims.get_mut(&socket) {
                    victim.end(error);
                }
            }
            // Told by the victim, when it has nothing left either.
            Completion::Drained { .. } => (),
            other @ (Completion::AcceptFailed { .. } | Completion::Filled { .. }) => completions.push(other),
        }
    }

    fn connected(&mut self, socket: SocketId, local: SocketAddr, completions: &mut Vec<Completion>) {
        if self.victims.get(&socket).is_some_and(|victim| victim.refuse) {
            self.plan.refusals.fetch_add(1, Ordering::Relaxed);
            self.close(socket);
            let error = Some(ErrorKind::ConnectionRefused.into());
            completions.push(Completion::Closed { socket, error });
        } else {
            completions.push(Completion::Connected { socket, local });
        }
    }

    fn change_reading(&mut self, socket: SocketId, change: impl FnOnce(&mut Reading)) {
        if let Some(victim) = self.victims.get_mut(&socket) {
            change(&mut victim.reading);
            victim.steer(socket, &mut *self.device);
        }
    }
}

impl Reactor for FaultyReactor {
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
        let socket = self.device.connect(addr)?;
        self.victims.insert(socket, Victim::new(&self.plan));
        Ok(socket)
    }

    fn adopt(&mut self, socket: Box<dyn Detached>) -> io::Result<SocketId> {
        let foreign = || io::Error::from(ErrorKind::InvalidInput);
        let moving = socket.into_any().downcast::<Moving>().map_err(|_| foreign())?;
        let Moving { socket, victim } = *moving;
        if !victim.belongs_to(&self.plan) {
            return Err(foreign());
        }
        let socket = self.device.adopt(socket)?;
        victim.steer(socket, &mut *self.device);
        self.victims.insert(socket, victim);
        Ok(socket)
    }

    fn detach(&mut self, socket: SocketId) -> Option<Box<dyn Detached>> {
        let mut victim = self.victims.remove(&socket)?;
        victim.reading.pause();
        let socket = self.device.detach(socket)?;
        Some(Box::new(Moving { socket, victim }))
    }

    fn send(&mut self, socket: SocketId, buffers: &mut Vec<Bytes>) {
        if let Some(victim) = self.victims.get_mut(&socket) {
            victim.outgoing.push(buffers);
            victim.owes_drained |= !victim.outgoing.is_empty();
        }
        buffers.clear();
    }

    fn unsent(&self, socket: SocketId) -> usize {
        let held = self.victims.get(&socket).map_or(0, |victim| victim.outgoing.bytes());
        held + self.device.unsent(socket)
    }

    fn arrived(&self, socket: SocketId) -> u64 {
        self.device.arrived(socket)
    }

    fn receive(&mut self, socket: SocketId) {
        self.change_reading(socket, Reading::lend);
    }

    fn receive_into(&mut self, socket: SocketId, destination: BytesMut, length: usize) {
        self.change_reading(socket, |reading| reading.fill(destination, length));
    }

    fn pause(&mut self, socket: SocketId) {
        self.change_reading(socket, Reading::pause);
    }

    fn close(&mut self, socket: SocketId) {
        self.victims.remove(&socket);
        self.device.close(socket);
    }

    fn poll(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let before = completions.len();
        self.round(completions);
        let sleep = if completions.len() > before { Some(Duration::ZERO) } else { self.sleep(timeout) };
        let mut news = std::mem::take(&mut self.news);
        let polled = self.device.poll(sleep, &mut news);
        for completion in news.drain(..) {
            self.absorb(completion, completions);
        }
        self.news = news;
        self.round(completions);
        polled
    }

    fn counters(&self) -> Counters {
        self.device.counters()
    }
}
