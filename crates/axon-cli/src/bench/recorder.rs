//! Latencies, recorded by several threads at once.

use super::stage::{Phase, Stage};
use hdrhistogram::Histogram;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Significant digits kept of a latency in nanoseconds.
const DIGITS: u8 = 3;
/// The greatest latency told apart, in nanoseconds: an hour. Longer ones count as this.
const LONGEST: u64 = 3_600_000_000_000;

/// One histogram per thread that records, so that threads do not wait for each other.
pub(crate) struct Recorder {
    stage: Stage,
    shards: Vec<Mutex<Histogram<u64>>>,
}

impl Recorder {
    /// For `threads` threads, starting in `phase`.
    pub(crate) fn new(threads: usize, phase: Phase) -> Self {
        let shards = (0..threads.max(1)).map(|_| Mutex::new(empty())).collect();
        Self { stage: Stage::new(phase), shards }
    }

    /// How far the load has come.
    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Records the latency of an answer if it counts; `shard` is the thread, modulo their number.
    pub(crate) fn record(&self, shard: usize, latency: Duration) {
        if self.stage.phase() == Phase::Measured {
            let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
            self.shard(shard).saturating_record(nanos);
        }
    }

    /// Answers counted so far.
    pub(crate) fn messages(&self) -> u64 {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Everything recorded so far.
    pub(crate) fn histogram(&self) -> Histogram<u64> {
        self.shards.iter().fold(empty(), |mut all, shard| {
            all += &*lock(shard);
            all
        })
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, Histogram<u64>> {
        lock(&self.shards[index % self.shards.len()])
    }
}

/// A histogram without latencies. It has room for all of them, so that recording never allocates.
pub(crate) fn empty() -> Histogram<u64> {
    Histogram::new_with_max(LONGEST, DIGITS)
        .expect("an hour in three digits is within the histogram's limits")
}

fn lock(shard: &Mutex<Histogram<u64>>) -> MutexGuard<'_, Histogram<u64>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_measured_phase_counts() {
        let recorder = Recorder::new(2, Phase::WarmUp);
        recorder.record(0, Duration::from_micros(9));
        recorder.stage().enter(Phase::Measured);
        recorder.record(0, Duration::from_micros(10));
        recorder.record(3, Duration::from_micros(20));
        recorder.stage().enter(Phase::Drain);
        recorder.record(0, Duration::from_micros(30));
        assert_eq!(recorder.messages(), 2);
        let all = recorder.histogram();
        assert!(all.max() >= 20_000 && all.max() < 20_100, "{}", all.max());
    }
}
