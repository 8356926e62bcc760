//! The system's steady clock, asked without what `std::time::Instant` does around it: a worker reads it several times in each
//! of its turns.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Time since a moment before this process began; never goes back.
pub(crate) fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
