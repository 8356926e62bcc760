//! The event loop: epoll, level-triggered, told of changes only where it matters.

use super::ALARM;
use super::clock::monotonic;
use super::hot::Hot;
use super::listener::{self, Listener};
use super::parking::Parking;
use super::sleep_timer::SleepTimer;
use super::socket::{Context, Socket};
use crate::alarm::Alarm;
use crate::chunks::Chunks;
use crate::slots::Slots;
use crate::{Completion, Counters, Detached, ListenOptions, ListenerId, Parked, Reactor, SocketId, Waker};
use bytes::{Bytes, BytesMut};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// The time a listener rests when the system has no room for another socket.
const REST: Duration = Duration::from_millis(100);
/// Longest sleep; who sleeps longer looks up once a day.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// One worker's epoll and all that is registered with it.
pub(crate) struct TcpReactor {
    /// On [`monotonic`].
    origin: Duration,
    epoll: Arc<OwnedFd>,
    alarm: Arc<Alarm>,
    sockets: Slots<Socket>,
    listeners: Slots<Listener>,
    /// Listeners that epoll does not watch now, and when it shall again.
    resting: Vec<(Duration, ListenerId)>,
    chunks: Chunks,
    /// Sockets to look at before the next wait. May hold dead ones.
    noted: Vec<SocketId>,
    /// Sockets with something to report that epoll will not tell; empty between two polls.
    attention: Vec<SocketId>,
    /// Sockets to read from without asking epoll.
    hot: Hot,
    /// What it waits with; `None` while its thread waits apart from it.
    parking: Option<Box<Parking>>,
    sleep_timer: SleepTimer,
    counters: Counters,
}

impl TcpReactor {
    pub(crate) fn new(origin: Duration) -> io::Result<Self> {
        let epoll = Arc::new(epoll::create(CreateFlags::CLOEXEC)?);
        let alarm = Arc::new(Alarm::new()?);
        // Edge-triggered, so that nobody needs to read the event.
        let flags = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, &*alarm, EventData::new_u64(ALARM), flags)?;
        Ok(Self {
            origin,
            sleep_timer: SleepTimer::new(&epoll),
            alarm,
            sockets: Slots::new(false),
            listeners: Slots::new(true),
            resting: Vec::new(),
            chunks: Chunks::default(),
            noted: Vec::new(),
            attention: Vec::new(),
            hot: Hot::default(),
            parking: Some(Box::new(Parking::new(Arc::clone(&epoll)))),
            epoll,
            counters: Counters::default(),
        })
    }

    fn insert(&mut self, socket: Socket) -> SocketId {
        let id = SocketId(self.sockets.insert(socket));
        self.change(id, |_, _| ());
        id
    }

    /// Applies `change` to a living socket and notes what follows from it.
    fn change(&mut self, id: SocketId, change: impl FnOnce(&mut Socket, &mut Counters)) {
        let Some(socket) = self.sockets.get_mut(id.0) else { return };
        change(socket, &mut self.counters);
        if socket.must_be_noted() {
            self.noted.push(id);
            if self.parking.is_none() {
                self.alarm.ring(); // somebody else used the socket, and its own thread has to go on
            }
        }
    }

    fn look_at_noted(&mut self) {
        for id in self.noted.drain(..) {
            let Some(socket) = self.sockets.get_mut(id.0) else {
                continue;
            };
            if let Err(error) = socket.control_if_needed(&self.epoll, id, &mut self.counters) {
                socket.fail(error);
            }
            if socket.needs_attention() {
                self.attention.push(id);
            }
        }
    }

    fn wake_rested_listeners(&mut self) {
        if self.resting.is_empty() {
            return;
        }
        let now = self.now();
        let (epoll, listeners) = (&self.epoll, &self.listeners);
        self.resting.retain_mut(|(until, id)| {
            let Some(listener) = listeners.get(id.0) else {
                return false;
            };
            if *until > now {
                return true;
            }
            *until = now + REST;
            watch(epoll, listener, *id, EventFlags::IN).is_err()
        });
    }

    /// How long the wait may last.
    fn sleep(&self, timeout: Option<Duration>) -> Duration {
        if timeout == Some(Duration::ZERO) || !self.attention.is_empty() {
            return Duration::ZERO;
        }
        let wanted = timeout.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        match self.resting.iter().map(|&(until, _)| until).min() {
            Some(until) => wanted.min(until.saturating_sub(self.now())),
            None => wanted,
        }
    }

    /// The limit of a wait that lasts `sleep` at most.
    fn limit(&mut self, sleep: Duration) -> Option<Duration> {
        if sleep.is_zero() {
            return Some(sleep);
        }
        let now = self.now();
        self.sleep_timer.limit(now, sleep, &mut self.counters.controls)
    }

    /// Reads from the sockets that were readable last, instead of asking epoll. `false` if it is epoll's turn.
    fn look_at_hot(&mut self, completions: &mut Vec<Completion>) -> bool {
        if !self.attention.is_empty() || !self.hot.is_worth_a_look() {
            return false;
        }
        let before = (self.counters.receives, self.counters.bytes_in, completions.len());
        for id in self.hot.sockets() {
            if self.sockets.get(id.0).is_some_and(Socket::is_reading) {
                self.turn(id, EventFlags::IN, completions);
            }
        }
        let brought = (self.counters.bytes_in, completions.len()) != (before.1, before.2);
        self.hot.looked(brought);
        self.counters.receives > before.0
    }

    /// Waits with `parking` while this reactor is locked away.
    fn wait(&mut self, sleep: Duration, completions: &mut Vec<Completion>) -> io::Result<()> {
        // Always there: whoever parked it brings it back before the next poll.
        let Some(mut parking) = self.parking.take() else { return Ok(()) };
        let sleep = if !sleep.is_zero() && self.alarm.fall_asleep() { sleep } else { Duration::ZERO };
        self.counters.waits += 1;
        parking.sleep_for(self.limit(sleep));
        parking.wait();
        self.resume(parking, completions)
    }

    /// Handles what `parking` was told, and keeps it.
    fn resume(&mut self, mut parking: Box<Parking>, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.alarm.get_up();
        let (told, waited) = (parking.take_told(), parking.take_result());
        self.parking = Some(parking);
        self.hot.told(&told);
        for &(token, events) in &told {
            self.handle(token, events, completions);
        }
        if let Some(parking) = &mut self.parking {
            parking.reuse(told);
        }
        self.attend(completions);
        waited
    }

    fn handle(&mut self, token: u64, events: EventFlags, completions: &mut Vec<Completion>) {
        if token == ALARM {
            // It has done its work by ending the wait.
        } else if Slots::<Listener>::is_tagged(token) {
            self.accept(ListenerId(token), completions);
        } else {
            self.turn(SocketId(token), events, completions);
        }
    }

    fn accept(&mut self, id: ListenerId, completions: &mut Vec<Completion>) {
        let Some(listener) = self.listeners.get(id.0) else {
            return;
        };
        if listener.accept(id, completions) == listener::Turn::Rest
            && watch(&self.epoll, listener, id, EventFlags::empty()).is_ok()
        {
            self.resting.push((self.now() + REST, id));
        }
    }

    fn turn(&mut self, id: SocketId, events: EventFlags, completions: &mut Vec<Completion>) {
        let Some(socket) = self.sockets.get_mut(id.0) else {
            return;
        };
        if socket.is_disturbed_by(events) {
            // Epoll would tell of the waiting bytes for ever. Failing, it tells once more.
            let _ = socket.control(&self.epoll, id, &mut self.counters);
        }
        let mut context = Context { id, chunks: &mut self.chunks, counters: &mut self.counters, completions };
        match socket.turn(events, &mut context) {
            ControlFlow::Continue(()) if socket.must_be_noted() => self.noted.push(id),
            ControlFlow::Continue(()) => {}
            ControlFlow::Break(error) => self.ended(id, error, completions),
        }
    }

    fn attend(&mut self, completions: &mut Vec<Completion>) {
        if self.attention.is_empty() {
            return;
        }
        let mut attention = std::mem::take(&mut self.attention);
        for id in attention.drain(..) {
            let Some(socket) = self.sockets.get_mut(id.0) else { continue };
            let mut context =
                Context { id, chunks: &mut self.chunks, counters: &mut self.counters, completions };
            if let ControlFlow::Break(error) = socket.attend(&mut context) {
                self.ended(id, error, completions);
            }
        }
        self.attention = attention;
    }

    /// The last turn of a socket is over.
    fn ended(&mut self, id: SocketId, error: Option<io::Error>, completions: &mut Vec<Completion>) {
        self.sockets.remove(id.0);
        completions.push(Completion::Closed { socket: id, error });
    }
}

impl Reactor for TcpReactor {
    fn waker(&self) -> Waker {
        let alarm = Arc::clone(&self.alarm);
        Waker::new(move || alarm.ring())
    }

    fn now(&self) -> Duration {
        monotonic().saturating_sub(self.origin)
    }

    fn listen(&mut self, addr: SocketAddr, options: &ListenOptions) -> io::Result<(ListenerId, SocketAddr)> {
        let (listener, local) = Listener::bind(addr, options)?;
        let id = ListenerId(self.listeners.insert(listener));
        let listener = self.listeners.get(id.0).expect("just inserted");
        let added = epoll::add(&self.epoll, listener, EventData::new_u64(id.0), EventFlags::IN);
        if let Err(error) = added {
            self.listeners.remove(id.0);
            return Err(error.into());
        }
        Ok((id, local))
    }

    fn unlisten(&mut self, listener: ListenerId) {
        self.listeners.remove(listener.0);
    }

    fn connect(&mut self, addr: SocketAddr) -> io::Result<SocketId> {
        Ok(self.insert(Socket::connect(addr)?))
    }

    fn adopt(&mut self, socket: Box<dyn Detached>) -> io::Result<SocketId> {
        match socket.into_any().downcast::<Socket>() {
            Ok(socket) => Ok(self.insert(*socket)),
            Err(_) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn detach(&mut self, socket: SocketId) -> Option<Box<dyn Detached>> {
        let mut socket = self.sockets.remove(socket.0)?;
        socket.leave(&self.epoll);
        Some(Box::new(socket))
    }

    fn send(&mut self, socket: SocketId, buffers: &mut Vec<Bytes>) {
        self.change(socket, |socket, counters| socket.send(buffers, counters));
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
        self.change(socket, |socket, _| socket.receive());
    }

    fn receive_into(&mut self, socket: SocketId, destination: BytesMut, length: usize) {
        self.change(socket, |socket, _| socket.receive_into(destination, length));
    }

    fn pause(&mut self, socket: SocketId) {
        self.change(socket, |socket, _| socket.pause());
    }

    fn close(&mut self, socket: SocketId) {
        self.sockets.remove(socket.0);
    }

    fn poll(&mut self, timeout: Option<Duration>, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.look_at_noted();
        if timeout == Some(Duration::ZERO) && self.look_at_hot(completions) {
            return Ok(());
        }
        self.wake_rested_listeners();
        self.wait(self.sleep(timeout), completions)
    }

    fn park(&mut self, timeout: Option<Duration>) -> Option<Box<dyn Parked>> {
        self.look_at_noted();
        self.wake_rested_listeners();
        let sleep = self.sleep(timeout);
        if sleep.is_zero() || !self.alarm.fall_asleep() {
            return None;
        }
        self.counters.waits += 1;
        let limit = self.limit(sleep);
        let mut parking = self.parking.take()?;
        parking.sleep_for(limit);
        Some(parking)
    }

    fn unpark(&mut self, parked: Box<dyn Parked>, completions: &mut Vec<Completion>) -> io::Result<()> {
        match parked.into_any().downcast::<Parking>() {
            Ok(parking) => self.resume(parking, completions),
            Err(_) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn counters(&self) -> Counters {
        self.counters.one_call_each(self.alarm.events_written())
    }
}

fn watch(epoll: &OwnedFd, listener: &Listener, id: ListenerId, events: EventFlags) -> rustix::io::Result<()> {
    epoll::modify(epoll, listener, EventData::new_u64(id.0), events)
}

#[cfg(test)]
mod tests;
