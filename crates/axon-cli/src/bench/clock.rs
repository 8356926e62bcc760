//! What is read at the start and at the end of the measured part of a run.

use super::allocations::Allocations;
use super::sample::Sample;
use axon_messenger::Snapshot;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Tells what the messengers of this process have counted; `None` where there are none.
pub(crate) type Meter<'a> = &'a dyn Fn() -> Option<Snapshot>;

/// Time, processor time and counters since a start.
pub(super) struct Clock<'a> {
    pub(super) start: Instant,
    cpu: Duration,
    meter: Meter<'a>,
    counted: Option<Snapshot>,
    allocations: Allocations,
}

impl<'a> Clock<'a> {
    pub(super) fn start(meter: Meter<'a>) -> Self {
        let (counted, allocations) = (meter(), Allocations::start());
        Self { start: Instant::now(), cpu: process_cpu(), meter, counted, allocations }
    }

    /// All of it up to now, but for the time if the run was over at `end`.
    pub(super) fn stop(self, end: Option<Instant>) -> Sample {
        let end = end.unwrap_or_else(Instant::now);
        Sample {
            elapsed: end.saturating_duration_since(self.start),
            cpu: process_cpu().saturating_sub(self.cpu),
            allocations: self.allocations.stop(),
            counted: (self.meter)().zip(self.counted).map(|(now, before)| now - before),
            ..Sample::default()
        }
    }
}

/// Processor time of all threads of this process, user and system.
fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
