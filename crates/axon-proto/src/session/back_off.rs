//! How long to wait before dialling again.

use core::time::Duration;

/// An exponential back-off with jitter: each pause is drawn between half and the whole of a limit that doubles from
/// attempt to attempt, so that clients cut off together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// The limit of the first pause. Ceph: `ms_initial_backoff`.
    pub initial: Duration,
    /// The greatest limit. Ceph: `ms_max_backoff`.
    pub max: Duration,
    limit: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(15))
    }
}

impl BackOff {
    /// Pauses between `initial / 2` at first and `max` in the end.
    pub fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max, limit: Duration::ZERO }
    }

    /// The next pause; `random` is any random number.
    pub fn next(&mut self, random: u64) -> Duration {
        self.limit =
            if self.limit.is_zero() { self.initial } else { self.limit.saturating_mul(2).min(self.max) };
        jitter(self.limit, random)
    }

    /// A short pause after WAIT, as the peer's own dial is on its way; the limit does not grow.
    pub fn after_wait(&self, random: u64) -> Duration {
        jitter(self.initial, random)
    }

    /// Starts over after success.
    pub fn reset(&mut self) {
        self.limit = Duration::ZERO;
    }
}

/// Between half of `limit` and all of it.
fn jitter(limit: Duration, random: u64) -> Duration {
    let half = limit / 2;
    let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
    half + Duration::from_nanos(random % (nanos + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_limit() {
        let mut back_off = BackOff::default();
        let pauses: [u128; 9] = core::array::from_fn(|_| back_off.next(0).as_millis());
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 7500, 7500]);
        back_off.reset();
        assert_eq!(back_off.next(0).as_millis(), 100);
    }

    #[test]
    fn jitter_stays_between_half_and_whole() {
        let mut back_off = BackOff::default();
        for random in [0, 1, 12345, u64::MAX / 3, u64::MAX] {
            back_off.reset();
            let pause = back_off.next(random);
            assert!((100..=200).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
