//! How long a connection went without a reply while requests were on their way.

use std::time::{Duration, Instant};

/// The longest such time of one connection. Another connection's replies do not end it.
#[derive(Debug, Default)]
pub(crate) struct Stall {
    /// When the last reply came, or the first request after a pause without any left.
    since: Option<Instant>,
    longest: Duration,
}

impl Stall {
    /// A request left.
    pub(crate) fn asked(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// A reply came, or there is nothing to wait for; `more` says whether others are waited for.
    pub(crate) fn heard(&mut self, now: Instant, more: bool) {
        if let Some(since) = self.since {
            self.longest = self.longest.max(now.saturating_duration_since(since));
        }
        self.since = more.then_some(now);
    }

    /// The longest time that is over.
    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_without_requests_is_no_stall() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut stall = Stall::default();
        stall.asked(at(0));
        stall.asked(at(3));
        stall.heard(at(5), true);
        stall.heard(at(12), false);
        stall.asked(at(500));
        stall.heard(at(502), true);
        assert_eq!(stall.longest(), Duration::from_millis(7));
        stall.heard(at(602), false);
        assert_eq!(stall.longest(), Duration::from_millis(100));
    }
}
