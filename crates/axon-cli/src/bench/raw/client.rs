//! Keeps its connections busy: each reply is answered by the next request.

use super::Role;
use crate::bench::conduct::News;
use crate::bench::recorder::Recorder;
use crate::bench::stage::Phase;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

/// The client's end of some connections.
pub(super) struct Client {
    shard: usize,
    lanes: Vec<Flight>,
    depth: usize,
    /// Connections of this thread that are not idle for good.
    busy: usize,
    recorder: Arc<Recorder>,
    /// The same for all threads.
    active: Arc<AtomicUsize>,
    news: Sender<News<io::Error>>,
}

/// One connection's requests.
struct Flight {
    /// When the unanswered ones were sent, oldest first.
    sent: VecDeque<Instant>,
    /// How many are still to be sent; `None` is as many as fit in the time.
    left: Option<u64>,
    idle: bool,
}

impl Client {
    pub(super) fn new(
        shard: usize,
        quotas: Vec<Option<u64>>,
        depth: usize,
        recorder: &Arc<Recorder>,
        active: &Arc<AtomicUsize>,
        news: Sender<News<io::Error>>,
    ) -> Self {
        let lanes = quotas.into_iter().map(|left| Flight { sent: VecDeque::new(), left, idle: false });
        let lanes: Vec<_> = lanes.collect();
        let (recorder, active) = (recorder.clone(), active.clone());
        Self { shard, busy: lanes.len(), lanes, depth, recorder, active, news }
    }

    /// Notes that up to `units` requests leave now.
    fn depart(&mut self, lane: usize, units: usize, now: Instant) -> usize {
        let draining = self.recorder.stage().phase() == Phase::Drain;
        let units = if draining { 0 } else { self.lanes[lane].take(units) };
        let flight = &mut self.lanes[lane];
        flight.sent.extend(std::iter::repeat_n(now, units));
        if flight.sent.is_empty() && !flight.idle {
            flight.idle = true;
            self.busy -= 1;
            self.report_idle(now);
        }
        units
    }

    fn report_idle(&self, now: Instant) {
        if self.active.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The conductor may have stopped waiting.
            let _ = self.news.send(News::Idle(now));
        }
    }
}

impl Flight {
    /// Takes up to `units` from what is left.
    fn take(&mut self, units: usize) -> usize {
        let Some(left) = &mut self.left else { return units };
        let taken = units.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= taken as u64;
        taken
    }
}

impl Role for Client {
    fn opening(&mut self, lane: usize) -> usize {
        self.depart(lane, self.depth, Instant::now())
    }

    fn arrived(&mut self, lane: usize, units: usize) -> usize {
        let now = Instant::now();
        for sent in self.lanes[lane].sent.drain(..units) {
            self.recorder.record(self.shard, now.duration_since(sent));
        }
        self.depart(lane, units, now)
    }

    fn is_done(&self) -> bool {
        self.busy == 0
    }

    fn missing(&self) -> u64 {
        self.lanes.iter().map(|flight| flight.sent.len() as u64).sum()
    }
}
