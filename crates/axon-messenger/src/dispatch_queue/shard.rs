//! One dispatch thread and what it shares with those who push.

use super::Stuck;
use super::backlog::{Backlog, Entry};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) struct Shard<T> {
    messenger: String,
    thread: String,
    state: Mutex<State<T>>,
    /// Something was pushed while the thread slept, or the shard was closed.
    pushed: Condvar,
    /// The thread found nothing to do, or ended, while somebody waited for that.
    rested: Condvar,
}

struct State<T> {
    backlog: Backlog<T>,
    running: Option<Running>,
    phase: Phase,
    /// Threads blocked in `drain` or `join`.
    watchers: usize,
    report_after: Duration,
    handled: u64,
    panicked: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Handling items, or not asleep yet.
    Awake,
    /// Nothing to do; who pushes must wake.
    Asleep,
    /// No more items are taken.
    Closed,
    /// The thread is gone.
    Ended,
}

/// The handler that runs now.
struct Running {
    key: u64,
    since: Instant,
    reported: bool,
}

impl<T> Shard<T> {
    pub(super) fn new(messenger: &str, thread: String, report_after: Duration) -> Self {
        Self {
            messenger: messenger.to_owned(),
            thread,
            state: Mutex::new(State {
                backlog: Backlog::new(),
                running: None,
                phase: Phase::Awake,
                watchers: 0,
                report_after,
                handled: 0,
                panicked: 0,
            }),
            pushed: Condvar::new(),
            rested: Condvar::new(),
        }
    }

    pub(super) fn thread(&self) -> &str {
        &self.thread
    }

    pub(super) fn push(&self, entry: Entry<T>) -> Result<(), T> {
        let now = entry.since;
        let mut state = self.lock();
        if state.is_closed() {
            return Err(entry.item);
        }
        state.backlog.push(entry);
        let asleep = state.phase == Phase::Asleep;
        if asleep {
            state.phase = Phase::Awake;
        }
        let overdue = state.newly_overdue(now);
        drop(state);
        if asleep {
            self.pushed.notify_one();
        }
        if let Some((key, running)) = overdue {
            self.report(key, running);
        }
        Ok(())
    }

    pub(super) fn discard(&self, key: u64) -> Vec<T> {
        self.lock().backlog.discard(key)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().backlog.len()
    }

    pub(super) fn oldest(&self) -> Option<Instant> {
        self.lock().backlog.oldest()
    }

    /// Items handled, and handlers that panicked.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.lock();
        (state.handled, state.panicked)
    }

    pub(super) fn report_after(&self, limit: Duration) {
        self.lock().report_after = limit;
    }

    pub(super) fn stuck(&self) -> Option<Stuck> {
        let now = Instant::now();
        let mut state = self.lock();
        let overdue = state.newly_overdue(now);
        let (key, running) = state.overdue(now)?;
        let waiting = state.backlog.len();
        drop(state);
        if let Some((key, running)) = overdue {
            self.report(key, running);
        }
        Some(Stuck { thread: self.thread.clone(), key, running, waiting })
    }

    /// Waits for a moment with nothing queued and nothing running.
    pub(super) fn drain(&self, deadline: Instant) -> bool {
        self.wait_for(deadline, |state| state.running.is_none() && state.backlog.len() == 0)
    }

    /// Waits for the end of the thread.
    pub(super) fn join(&self, deadline: Instant) -> bool {
        self.wait_for(deadline, |state| state.phase == Phase::Ended)
    }

    /// Takes no more items; returns those that wait.
    pub(super) fn close(&self) -> Vec<T> {
        let mut state = self.lock();
        if !state.is_closed() {
            state.phase = Phase::Closed;
        }
        let left = state.backlog.take_all();
        drop(state);
        self.pushed.notify_one();
        left
    }

    /// The thread.
    pub(super) fn run(&self, handler: &dyn Fn(T)) {
        while let Some(item) = self.next() {
            let outcome = catch_unwind(AssertUnwindSafe(|| handler(item)));
            if let Err(payload) = outcome {
                self.panicked(&*payload);
            }
        }
    }

    /// The next item, or `None` when the shard is closed. The handler of the one before has returned.
    fn next(&self) -> Option<T> {
        let mut state = self.finish(Instant::now());
        loop {
            if state.is_closed() {
                state.phase = Phase::Ended;
                self.rested.notify_all();
                return None;
            }
            if let Some(entry) = state.backlog.pop() {
                state.running = Some(Running { key: entry.key, since: Instant::now(), reported: false });
                state.handled += 1;
                return Some(entry.item);
            }
            state.phase = Phase::Asleep;
            if state.watchers > 0 {
                self.rested.notify_all();
            }
            state = self.sleep(state);
        }
    }

    fn sleep<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.pushed
            .wait_while(state, |state| state.phase == Phase::Asleep)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that no handler runs any more.
    fn finish(&self, now: Instant) -> MutexGuard<'_, State<T>> {
        let mut state = self.lock();
        let overdue = state.overdue(now);
        state.running = None;
        let Some((connection, ran)) = overdue else { return state };
        drop(state);
        let (messenger, thread) = (&*self.messenger, &*self.thread);
        tracing::warn!(messenger, thread, connection, ?ran, "a slow dispatch handler returned");
        self.lock()
    }

    fn panicked(&self, payload: &(dyn Any + Send)) {
        let mut state = self.lock();
        state.panicked += 1;
        let connection = state.running.as_ref().map(|running| running.key);
        drop(state);
        let (messenger, thread, panic) = (&*self.messenger, &*self.thread, text_of(payload));
        tracing::error!(
            messenger,
            thread,
            connection,
            panic,
            "a dispatch handler panicked; its item is lost"
        );
    }

    fn report(&self, connection: u64, running: Duration) {
        let (messenger, thread) = (&*self.messenger, &*self.thread);
        tracing::warn!(
            messenger,
            thread,
            connection,
            ?running,
            "a dispatch handler holds up those behind it"
        );
    }

    /// No code of a user runs under this lock, so that poison says nothing.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(&self, deadline: Instant, mut met: impl FnMut(&State<T>) -> bool) -> bool {
        let mut state = self.lock();
        state.watchers += 1;
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.rested.wait_timeout_while(state, left, |state| !met(state));
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.watchers -= 1;
        met(&state)
    }
}

impl<T> State<T> {
    fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Ended)
    }

    /// Connection and time of a handler that runs for too long.
    fn overdue(&self, now: Instant) -> Option<(u64, Duration)> {
        let running = self.running.as_ref()?;
        let time = now.saturating_duration_since(running.since);
        (time > self.report_after).then_some((running.key, time))
    }

    /// The same, once per handler.
    fn newly_overdue(&mut self, now: Instant) -> Option<(u64, Duration)> {
        let overdue = self.overdue(now)?;
        let running = self.running.as_mut()?;
        (!std::mem::replace(&mut running.reported, true)).then_some(overdue)
    }
}

/// What a panic said.
fn text_of(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}
