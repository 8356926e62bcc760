//! The client's side of a benchmark: keeps its connections busy.
//!
//! A closed loop: the thread that read a reply sends the next request from its fast dispatch.

use super::conduct::News;
use super::flight::{Flight, Reply, lane_of};
use super::recorder::Recorder;
use super::stage::{Phase, Span};
use crate::attempt::Attempt;
use crate::error::CliError;
use axon_messenger::{Connection, Dispatcher, Fault, Message, Received, Reset, Undelivered};
use axon_rados::msg::{MOSDOp, MOSDOpReply, OpTemplate, TypedMessage};
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What each connection does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Bytes of data per request.
    pub(crate) size: u32,
    /// Requests in flight per connection.
    pub(crate) depth: usize,
    /// How long it goes on.
    pub(crate) span: Span,
}

/// Makes a connection in place of one whose session is over.
pub(crate) type Redial = Box<dyn Fn() -> Result<Connection, CliError> + Send>;

/// A load, as the client's dispatcher.
pub(crate) struct Load {
    peer: String,
    shape: Shape,
    recorder: Recorder,
    /// The data of every request.
    data: Bytes,
    attempt: Attempt,
    news: Sender<News<CliError>>,
    lanes: OnceLock<Vec<Mutex<Lane>>>,
    /// Lanes that are not idle for good.
    active: AtomicUsize,
    /// Without it, the end of a session is the end of the run.
    redial: Mutex<Option<Redial>>,
    redialled: AtomicU64,
}

/// One connection. Only its worker takes the lock, but for the opening.
struct Lane {
    index: usize,
    connection: Connection,
    template: OpTemplate,
    flight: Flight,
    /// Nothing more is sent, and every reply is there or given up.
    idle: bool,
}

/// What went wrong on all connections together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mishaps {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    /// The longest time a connection went without any reply while requests were on their way.
    pub(crate) longest_stall: Duration,
}

impl Load {
    /// Does nothing until [`Load::start`].
    pub(crate) fn new(
        peer: String,
        shape: Shape,
        workers: usize,
        attempt: Attempt,
        news: Sender<News<CliError>>,
    ) -> Self {
        Self {
            peer,
            shape,
            recorder: Recorder::new(workers, shape.span.first_phase()),
            data: Bytes::from(vec![0; shape.size as usize]),
            attempt,
            news,
            lanes: OnceLock::new(),
            active: AtomicUsize::new(0),
            redial: Mutex::new(None),
            redialled: AtomicU64::new(0),
        }
    }

    /// How many connections it keeps busy.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes.get().map_or(0, Vec::len)
    }

    /// From now on, sessions that end are followed by others; what was on its way is lost. `None` ends that.
    pub(crate) fn redial_with(&self, redial: Option<Redial>) {
        *lock(&self.redial) = redial;
    }

    /// Sessions that were followed by others.
    pub(crate) fn redialled(&self) -> u64 {
        self.redialled.load(Ordering::Relaxed)
    }

    /// The latencies.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Sends the first requests on these connections, whose sessions are open.
    ///
    /// # Errors
    /// When the peer is too old for the requests.
    pub(crate) fn start(&self, connections: Vec<Connection>) -> Result<(), CliError> {
        let count = connections.len();
        let lanes = connections.into_iter().enumerate();
        let lanes: Vec<_> =
            lanes.map(|(index, c)| self.lane(index, count, c)).collect::<Result<_, CliError>>()?;
        self.active.store(count, Ordering::Release);
        for lane in self.lanes.get_or_init(|| lanes) {
            self.open(&mut lock(lane));
        }
        Ok(())
    }

    /// Losses, duplicates, reorderings and stalls. Replies that come after this are not waited for.
    pub(crate) fn mishaps(&self) -> Mishaps {
        let now = Instant::now();
        let lanes = self.lanes.get().into_iter().flatten();
        lanes.map(lock).fold(Mishaps::default(), |sum, mut lane| {
            if !lane.idle {
                lane.flight.land(now);
            }
            Mishaps {
                lost: sum.lost + lane.flight.lost(),
                duplicated: sum.duplicated + lane.flight.duplicated,
                reordered: sum.reordered + lane.flight.reordered,
                longest_stall: sum.longest_stall.max(lane.flight.longest_stall()),
            }
        })
    }

    fn lane(&self, index: usize, count: usize, connection: Connection) -> Result<Mutex<Lane>, CliError> {
        let features = connection.features().unwrap_or_default();
        let template = MOSDOp::bench(self.shape.size, features)?;
        let flight = Flight::new(index, self.shape.span.quota(index, count), self.shape.depth);
        Ok(Mutex::new(Lane { index, connection, template, flight, idle: false }))
    }

    fn open(&self, lane: &mut Lane) {
        for _ in 0..self.shape.depth {
            self.depart(lane, Instant::now());
        }
        self.check_idle(lane, Instant::now());
    }

    /// Sends the next request, if there is one.
    fn depart(&self, lane: &mut Lane, now: Instant) {
        if self.recorder.stage().phase() == Phase::Drain {
            return;
        }
        let Some(tid) = lane.flight.depart(now) else { return };
        let request = lane.template.message(tid, self.data.clone());
        if let Err(error) = lane.connection.send(request) {
            self.broken(CliError::Send(error.why));
        }
    }

    fn arrive(&self, lane: &mut Lane, tid: u64) {
        let now = Instant::now();
        match lane.flight.arrive(tid, now) {
            Reply::To(sent) => {
                self.recorder.record(lane.index, now.duration_since(sent));
                self.depart(lane, now);
                self.check_idle(lane, now);
            }
            Reply::Duplicate => {}
            Reply::Strange => self.broken(CliError::StrangeReply { tid }),
        }
    }

    /// Tells of the last lane that has nothing more to wait for.
    fn check_idle(&self, lane: &mut Lane, now: Instant) {
        if lane.idle || lane.flight.unanswered() > 0 {
            return;
        }
        lane.idle = true;
        lane.flight.land(now);
        if self.active.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The conductor may have stopped waiting.
            let _ = self.news.send(News::Idle(now));
        }
    }

    /// Goes on over another connection, if that was asked for. What was on its way is lost.
    fn replace(&self, over: &Connection) -> bool {
        let redial = lock(&self.redial);
        let (Some(redial), Some(lane)) = (&*redial, self.lane_over(over)) else { return false };
        match redial() {
            Ok(connection) => {
                let mut lane = lock(lane);
                lane.connection = connection;
                self.redialled.fetch_add(1, Ordering::Relaxed);
                self.begin_anew(&mut lane);
            }
            Err(error) => self.broken(error),
        }
        true
    }

    /// A session begins, and what was on its way in the one before is lost.
    fn begin_anew(&self, lane: &mut Lane) {
        lane.flight.give_up();
        self.open(lane);
    }

    fn lane_over(&self, connection: &Connection) -> Option<&Mutex<Lane>> {
        self.lanes.get()?.iter().find(|lane| lock(lane).connection == *connection)
    }

    fn broken(&self, error: CliError) {
        let _ = self.news.send(News::Broken(error));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dispatcher for Load {
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        message.header.kind == MOSDOpReply::KIND
    }

    fn fast_dispatch(&self, connection: &Connection, message: Received) {
        let tid = message.header.tid;
        match self.lanes.get().and_then(|lanes| lanes.get(lane_of(tid))).map(lock) {
            Some(mut lane) if lane.connection == *connection => self.arrive(&mut lane, tid),
            _ => self.broken(CliError::StrangeReply { tid }),
        }
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        tracing::debug!(?connection, kind = message.header.kind, "ignored a message that is no osd_op_reply");
    }

    fn handle_fast_connect(&self, _connection: &Connection) {
        self.attempt.opened();
    }

    /// A peer dialled sooner than this side.
    fn handle_fast_accept(&self, _connection: &Connection) {
        self.attempt.opened();
    }

    fn handle_refused(&self, _connection: &Connection, fault: &Fault) {
        self.attempt.failed(fault);
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        self.attempt.failed(&reset.fault);
        if !self.replace(connection) {
            self.broken(CliError::Lost { peer: self.peer.clone(), fault: reset.fault });
        }
    }

    /// The peer has forgotten the session, as it does when it starts anew; the connection goes on with another.
    fn handle_remote_reset(&self, connection: &Connection, _undelivered: Undelivered) {
        if let Some(lane) = self.lane_over(connection) {
            self.begin_anew(&mut lock(lane));
        }
    }
}

#[cfg(test)]
mod tests;
