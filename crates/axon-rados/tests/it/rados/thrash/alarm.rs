//! A watch while OSDs die: whoever was told has heard, and who hears no more is told that.

use super::WhenGone;
use crate::monitors::{SECOND, eventually};
use axon_rados::IoCtx;
use axon_rados::client::{Notified, Watch, WatchEvent};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// The object that is watched.
pub(super) const WATCHED: &str = "watched";
/// How long a watcher has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long it may take until a watch stands again, on a slow machine.
const WITHIN: Duration = Duration::from_secs(180);

/// A watcher and one who notifies, in two sessions.
pub(super) struct Alarm {
    watcher: IoCtx,
    notifier: IoCtx,
    counts: Mutex<Counts>,
}

/// What they saw.
#[derive(Debug, Default)]
struct Counts {
    heard: BTreeSet<u64>,
    /// Notifications that the watcher answered in time.
    answered: u64,
    /// Those of which the OSD says that it did not, or knows of no watcher, or whose end is not known.
    missed: u64,
    alone: u64,
    failed: u64,
    /// How often the watcher was told that its watch is over.
    lost: u64,
}

impl Alarm {
    pub(super) fn new(watcher: IoCtx, notifier: IoCtx) -> Self {
        watcher.create(WATCHED, false).wait().unwrap();
        Self { watcher, notifier, counts: Mutex::default() }
    }

    /// Runs `meanwhile` while the object is watched and notified, and some more until all is well again. Says what was
    /// seen.
    pub(super) fn sound<R>(&self, meanwhile: impl FnOnce(&Self) -> R) -> (R, String) {
        let stop = AtomicBool::new(false);
        let result = std::thread::scope(|scope| {
            let _stop = WhenGone(&stop);
            let watch = self.watch();
            scope.spawn(|| self.listen(watch, &stop));
            scope.spawn(|| self.tell(&stop));
            let result = meanwhile(self);
            self.wait_until_heard();
            result
        });
        let counts = self.counts();
        assert!(counts.answered > 0, "{counts:?}");
        // Nobody may lose a watch without being told.
        assert!(counts.alone == 0 || counts.lost > 0, "{counts:?}");
        let Counts { answered, missed, alone, failed, lost, .. } = &*counts;
        let seen = format!(
            "{answered} notifications answered, {missed} not in time, {alone} without a watcher, {failed} failed; \
             {lost} watches lost"
        );
        (result, seen)
    }

    /// Waits for a notification that is sent from now on to be heard and answered.
    pub(super) fn wait_until_heard(&self) {
        let before = self.counts().answered;
        eventually("a notification that is answered", WITHIN, || self.counts().answered > before + 1);
    }

    fn watch(&self) -> Watch {
        self.watcher.watch_blocking(WATCHED).unwrap()
    }

    fn listen(&self, mut watch: Watch, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            match watch.next_timeout(SECOND).unwrap() {
                Some(WatchEvent::Notify { id, payload, .. }) => {
                    let number = std::str::from_utf8(&payload).unwrap().parse().unwrap();
                    self.counts().heard.insert(number);
                    // An answer that comes too late is refused.
                    let _ = watch.ack(id, payload).wait();
                }
                Some(WatchEvent::Lost(_)) => {
                    self.counts().lost += 1;
                    watch = self.watch();
                }
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
    }

    fn tell(&self, stop: &AtomicBool) {
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let told = self.notifier.notify(WATCHED, number.to_string(), ANSWER_WITHIN).wait();
            let mut counts = self.counts();
            match told.ok() {
                None => counts.failed += 1,
                Some(Notified { answers, missed }) if answers.is_empty() => match missed.is_empty() {
                    true => counts.alone += 1,
                    false => counts.missed += 1,
                },
                Some(Notified { answers, .. }) => {
                    assert!(answers.iter().all(|(.., answer)| *answer == number.to_string()), "{answers:?}");
                    assert!(counts.heard.contains(&number), "{number} was answered, and not heard");
                    counts.answered += 1;
                }
            }
            drop(counts);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap()
    }
}
