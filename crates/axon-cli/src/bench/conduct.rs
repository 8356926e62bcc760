//! Lets a load run for its span and takes the time.

use super::clock::{Clock, Meter};
use super::recorder::Recorder;
use super::sample::Sample;
use super::stage::{Phase, Plan, Span};
use crate::output::LiveLine;
use crate::units;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often the live line changes.
const SECOND: Duration = Duration::from_secs(1);

/// News from the threads that make a load.
#[derive(Debug)]
pub(crate) enum News<F> {
    /// Every request is answered and no further one follows.
    Idle(Instant),
    /// The load cannot go on.
    Broken(F),
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run<F> {
    /// What was measured; losses are for the caller to count.
    pub(crate) sample: Sample,
    /// Why it ended early.
    pub(crate) broken: Option<F>,
}

/// Starts a load with `begin` and waits while it runs: warm-up, measured time, drain. `meter` is read at both ends of the
/// measured time.
///
/// # Errors
/// Those of `begin`.
pub(crate) fn conduct<F, E>(
    recorder: &Recorder,
    plan: Plan,
    news: &Receiver<News<F>>,
    label: &str,
    meter: Meter<'_>,
    begin: impl FnOnce() -> Result<(), E>,
) -> Result<Run<F>, E> {
    let mut clock = Clock::start(meter);
    begin()?;
    let mut broken = None;
    if let Span::Time(time) = plan.span {
        broken = wait(news, time / 10).broken();
        clock = Clock::start(meter);
        recorder.stage().enter(Phase::Measured);
    }
    let mut idle = None;
    if broken.is_none() {
        let waited = watch(recorder, plan, clock.start, news, label);
        idle = waited.idle();
        broken = waited.broken();
    }
    let sample = clock.stop(idle);
    recorder.stage().enter(Phase::Drain);
    let sample = Sample { latency: recorder.histogram(), ..sample };
    if broken.is_none() && idle.is_none() {
        broken = wait(news, plan.patience).broken();
    }
    Ok(Run { sample, broken })
}

/// How a wait ended.
enum Waited<F> {
    TimeOver,
    Idle(Instant),
    Broken(F),
}

impl<F> Waited<F> {
    fn idle(&self) -> Option<Instant> {
        if let Self::Idle(at) = self { Some(*at) } else { None }
    }

    fn broken(self) -> Option<F> {
        if let Self::Broken(fault) = self { Some(fault) } else { None }
    }
}

fn wait<F>(news: &Receiver<News<F>>, time: Duration) -> Waited<F> {
    match news.recv_timeout(time) {
        Ok(News::Idle(at)) => Waited::Idle(at),
        Ok(News::Broken(fault)) => Waited::Broken(fault),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Waited::TimeOver,
    }
}

/// Waits for the end of the measured part, showing once a second how it goes.
fn watch<F>(
    recorder: &Recorder,
    plan: Plan,
    start: Instant,
    news: &Receiver<News<F>>,
    label: &str,
) -> Waited<F> {
    let mut progress = Progress { messages: 0, since: start, line: LiveLine::new() };
    loop {
        let left = match plan.span {
            Span::Time(time) => time.saturating_sub(start.elapsed()),
            Span::Count(_) => plan.patience.saturating_sub(progress.since.elapsed()),
        };
        match wait(news, left.min(SECOND)) {
            Waited::TimeOver if left.is_zero() => return Waited::TimeOver,
            Waited::TimeOver => progress.note(recorder.messages(), start, label),
            over => return over,
        }
    }
}

/// How far a run has come.
struct Progress {
    messages: u64,
    /// When that was first seen.
    since: Instant,
    line: LiveLine,
}

impl Progress {
    fn note(&mut self, messages: u64, start: Instant, label: &str) {
        let rate = units::grouped(messages.saturating_sub(self.messages));
        self.line.show(format_args!("{:>3} s  {label}: {rate} messages/s", start.elapsed().as_secs()));
        if messages > self.messages {
            self.messages = messages;
            self.since = Instant::now();
        }
    }
}
