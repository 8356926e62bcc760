//! When somebody next looks for overdue calls. Each call would otherwise wake a worker to say when its own time is over,
//! though it mostly looks before that anyway.
//!
//! # Why no call is forgotten
//!
//! A caller first registers its call, then looks here. Who looks for overdue calls first says here that it does, then looks
//! at the calls. Between the two steps of each stands a sequentially consistent fence, so that one of them sees what the
//! other did: the caller, that nobody looks any more and has to be told; or who looks, the call, for which it looks again.

use crate::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

/// Nobody looks.
const NEVER: u64 = u64::MAX;

/// When somebody next looks for overdue calls, in nanoseconds on the clock of their deadlines.
#[derive(Debug)]
pub(crate) struct Lookout(AtomicU64);

impl Default for Lookout {
    fn default() -> Self {
        Self(AtomicU64::new(NEVER))
    }
}

impl Lookout {
    /// For a call that is registered: whether somebody must be told to look at `deadline`, as nobody looks by then.
    pub(crate) fn must_be_told(&self, deadline: Duration) -> bool {
        fence(Ordering::SeqCst);
        let at = nanos(deadline);
        // The plain load keeps a line that nobody changes shared.
        self.0.load(Ordering::Relaxed) > at && self.0.fetch_min(at, Ordering::Relaxed) > at
    }

    /// Somebody is about to look at all calls.
    pub(crate) fn looking(&self) {
        self.0.store(NEVER, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// And will again at `deadline`.
    pub(crate) fn again_at(&self, deadline: Duration) {
        self.0.fetch_min(nanos(deadline), Ordering::Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER - 1).min(NEVER - 1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_earlier_than_the_next_look_must_tell() {
        let lookout = Lookout::default();
        let at = Duration::from_secs;
        assert!(lookout.must_be_told(at(10)));
        assert!(!lookout.must_be_told(at(10)));
        assert!(!lookout.must_be_told(at(11)));
        assert!(lookout.must_be_told(at(9)));
        lookout.looking();
        lookout.again_at(at(20));
        assert!(!lookout.must_be_told(at(20)));
        assert!(lookout.must_be_told(at(19)));
        assert!(Lookout::default().must_be_told(Duration::MAX), "nobody looks");
    }
}

#[cfg(all(test, loom))]
mod exhaustive {
    use super::*;
    use crate::sync::atomic::AtomicBool;
    use loom::sync::Arc;
    use loom::thread;

    /// Somebody looks because of an earlier call, just when another is made.
    #[test]
    fn a_call_is_seen_or_told_of() {
        loom::model(|| {
            let shared = Arc::new((Lookout::default(), AtomicBool::new(false)));
            assert!(shared.0.must_be_told(Duration::from_secs(1)));
            let caller = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.1.store(true, Ordering::Relaxed);
                    shared.0.must_be_told(Duration::from_secs(2))
                })
            };
            shared.0.looking();
            let seen = shared.1.load(Ordering::Relaxed);
            let told = caller.join().expect("no panic");
            assert!(seen || told);
        });
    }
}
