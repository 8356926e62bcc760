//! The event loop: what was asked for goes into the ring before it waits, what arrives is reported after.

use super::file::File;
use super::listener::{self, Listener};
use super::operation::Work;
use super::ring::{Arrival, Ring};
use super::socket::{Context, Parted, Socket};
use super::stream;
use crate::alarm::Alarm;
use crate::inet;
use crate::slots::Slots;
use crate::{Completion, Counters, Detached, ListenOptions, ListenerId, Reactor, SocketId, Waker};
use bytes::{Bytes, BytesMut};
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::net::SocketFlags;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time a listener rests when the system has no room for another socket.
const REST: Duration = Duration::from_millis(100);
/// Longest sleep; who sleeps longer looks up once a day.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// Owns the wait for the alarm; no key of a table, for those end in a place below 2^31 - 1.
const ALARM: u64 = u64::MAX;

/// One worker's ring and all that is on it.
pub(crate) struct UringReactor {
    origin: Instant,
    alarm: Arc<Alarm>,
    /// Its event, as a file of the ring.
    event: Rc<File>,
    sockets: Slots<Socket>,
    listeners: Slots<Listener>,
    /// Listeners that do not accept now, and when they shall again.
    resting: Vec<(Duration, ListenerId)>,
    /// Sockets to look at before the next wait. May hold dead ones.
    noted: Vec<SocketId>,
    ring: Ring,
}

impl UringReactor {
    pub(crate) fn new(origin: Instant) -> io::Result<Self> {
        Self::on(Ring::new()?, origin)
    }

    /// A reactor on this ring.
    pub(crate) fn on(mut ring: Ring, origin: Instant) -> io::Result<Self> {
        let alarm = Arc::new(Alarm::new()?);
        let event = Rc::new(File::unregistered(alarm.as_fd().try_clone_to_owned()?));
        ring.start(ALARM, &event, Work::Listen(PollFlags::IN));
        Ok(Self {
            origin,
            alarm,
            event,
            sockets: Slots::new(false),
            listeners: Slots::new(true),
            resting: Vec::new(),
            noted: Vec::new(),
            ring,
        })
    }

    /// The ring, for tests to look at.
    #[cfg(test)]
    pub(crate) fn ring_mut(&mut self) -> &mut Ring {
        &mut self.ring
    }

    /// Applies `change` to a living socket and notes what follows from it.
    fn change(&mut self, id: SocketId, change: impl FnOnce(&mut Socket)) {
        if let Some(socket) = self.sockets.get_mut(id.0) {
            change(socket);
            if socket.must_be_noted() {
                self.noted.push(id);
            }
        }
    }

    fn serve_noted(&mut self, completions: &mut Vec<Completion>) {
        let mut noted = std::mem::take(&mut self.noted);
        for id in noted.drain(..) {
            self.with_socket(id, completions, Socket::serve);
        }
        // Service may leave something to do, but only for sockets noted anew.
        noted.append(&mut self.noted);
        self.noted = noted;
    }

    fn wake_rested_listeners(&mut self) {
        if self.resting.is_empty() {
            return;
        }
        let now = self.now();
        let (ring, listeners) = (&mut self.ring, &mut self.listeners);
        self.resting.retain(|&(until, id)| {
            let rests = until > now;
            if !rests && let Some(listener) = listeners.get_mut(id.0) {
                listener.await_caller(id, ring);
            }
            rests
        });
    }

    /// How long the wait may last.
    fn sleep(&self, timeout: Option<Duration>, has_news: bool) -> Duration {
        if timeout == Some(Duration::ZERO) || has_news {
            return Duration::ZERO;
        }
        let wanted = timeout.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        match self.resting.iter().map(|&(until, _)| until).min() {
            Some(until) => wanted.min(until.saturating_sub(self.now())),
            None => wanted,
        }
    }

    fn wait(&mut self, sleep: Duration) -> io::Result<()> {
        let sleep = if !sleep.is_zero() && self.alarm.fall_asleep() { sleep } else { Duration::ZERO };
        let result = self.ring.enter(sleep);
        self.alarm.get_up();
        result
    }

    fn take(&mut self, arrival: Arrival, completions: &mut Vec<Completion>) {
        let owner = arrival.owner;
        if owner == ALARM {
            // It has done its work by ending the wait.
            if arrival.ended.is_some() {
                self.ring.start(ALARM, &self.event, Work::Listen(PollFlags::IN));
            }
        } else if Slots::<Listener>::is_tagged(owner) {
            self.accepted(ListenerId(owner), arrival, completions);
        } else {
            self.with_socket(SocketId(owner), completions, |socket, cx| socket.take(arrival, cx));
        }
    }

    fn accepted(&mut self, id: ListenerId, arrival: Arrival, completions: &mut Vec<Completion>) {
        let Some(listener) = self.listeners.get_mut(id.0) else {
            return;
        };
        if listener.take(id, arrival, &mut self.ring, completions) == listener::Turn::Rest {
            self.resting.push((self.now() + REST, id));
        }
    }

    /// Gives a living socket its turn, and removes it if that was the last.
    fn with_socket(
        &mut self,
        id: SocketId,
        completions: &mut Vec<Completion>,
        turn: impl FnOnce(&mut Socket, &mut Context<'_>) -> stream::Turn,
    ) {
        let Some(socket) = self.sockets.get_mut(id.0) else {
            return;
        };
        let mut context = Context { id, ring: &mut self.ring, completions };
        match turn(socket, &mut context) {
            ControlFlow::Continue(()) if socket.must_be_noted() => self.noted.push(id),
            ControlFlow::Continue(()) => (),
            ControlFlow::Break(error) => {
                self.close(id);
                completions.push(Completion::Closed { socket: id, error });
            }
        }
    }
}

impl Reactor for UringReactor {
    fn waker(&self) -> Waker {
        let alarm = Arc::clone(&self.alarm);
        Waker::new(move || alarm.ring())
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn listen(&mut self, addr: SocketAddr, options: &ListenOptions) -> io::Result<(ListenerId, SocketAddr)> {
        let (listener, local) = Listener::bind(addr, options)?;
        let id = ListenerId(self.listeners.insert(listener));
        let listener = self.listeners.get_mut(id.0).expect("just inserted");
        listener.accept(id, &mut self.ring);
        Ok((id, local))
    }

    fn unlisten(&mut self, listener: ListenerId) {
        if let Some(gone) = self.listeners.remove(listener.0) {
            gone.close(listener, &mut self.ring);
        }
    }

    fn connect(&mut self, addr: SocketAddr) -> io::Result<SocketId> {
        // Blocking, as the ring waits only on behalf of those.
        let fd = inet::stream_socket(&addr, SocketFlags::empty())?;
        let id = SocketId(self.sockets.insert(Socket::unconnected(fd, &mut self.ring)));
        let socket = self.sockets.get_mut(id.0).expect("just inserted");
        socket.dial(id, addr, &mut self.ring);
        Ok(id)
    }

    fn adopt(&mut self, socket: Box<dyn Detached>) -> io::Result<SocketId> {
        let Ok(arriving) = socket.into_any().downcast::<Parted>() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let id = SocketId(self.sockets.insert(Socket::adopt(*arriving, &mut self.ring)));
        self.change(id, |_| ());
        Ok(id)
    }

    fn detach(&mut self, socket: SocketId) -> Option<Box<dyn Detached>> {
        let leaving = self.sockets.remove(socket.0)?;
        let parted = leaving.detach(socket, &mut self.ring).ok()?;
        Some(Box::new(parted))
    }

    fn send(&mut self, socket: SocketId, buffers: &mut Vec<Bytes>) {
        if let Some(living) = self.sockets.get_mut(socket.0) {
            living.send(buffers, &mut self.ring.counters);
        }
        self.change(socket, |_| ());
        // A dead id took nothing.
        buffers.clear();
    }

    fn unsent(&self, socket: SocketId) -> usize {
        self.sockets.get(socket.0).map_or(0, Socket::unsent)
    }

    fn arrived(&self, socket: SocketId) -> u64 {
        self.sockets.get(socket.0).map_or(0, Socket::arrived)
    }

    fn receive(&mut self, socket: SocketId) {
        self.change(socket, Socket::receive);
    }

    fn receive_into(&mut self, socket: SocketId, destination: BytesMut, length: usize) {
        self.change(socket, |socket| socket.receive_into(destination, length));
    }

    fn pause(&mut self, socket: SocketId) {
        self.change(socket, Socket::pause);
    }

    fn close(&mut self, socket: SocketId) {
        if let Some(gone) = self.sockets.remove(socket.0) {
            gone.close(socket, &mut self.ring);
        }
    }

    fn poll(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        let before = completions.len();
        self.serve_noted(completions);
        self.wake_rested_listeners();
        let has_news = completions.len() > before;
        self.wait(self.sleep(timeout, has_news))?;
        while let Some(arrival) = self.ring.next() {
            self.take(arrival, completions);
        }
        self.ring.release_files();
        Ok(())
    }

    fn counters(&self) -> Counters {
        let (wakes, counted) = (self.alarm.events_written(), self.ring.counters);
        Counters { wakes, system_calls: counted.system_calls + wakes, ..counted }
    }
}
