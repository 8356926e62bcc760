//! Watches and notifications.

use super::bed::everywhere;
use crate::monitors::{SECOND, eventually};
use axon_rados::client::{Errno, Watch, WatchEvent};
use std::time::Duration;

/// Takes a notification: its number and what it says.
pub(super) fn take(watch: &Watch) -> (u64, String) {
    match watch.next_timeout(60 * SECOND).unwrap() {
        Some(WatchEvent::Notify { id, payload, .. }) => (id, String::from_utf8_lossy(&payload).into_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn watchers_hear_and_answer() {
    for bed in everywhere() {
        bed.io.create("watched", false).wait().unwrap();
        let watch = bed.io.watch_blocking("watched").unwrap();
        let watchers = bed.io.watchers("watched").wait().unwrap();
        assert_eq!(watchers.iter().map(|w| w.cookie).collect::<Vec<_>>(), [watch.cookie()]);

        let other = bed.other();
        let second = other.watch_blocking("watched").unwrap();
        let telling = bed.io.notify("watched", "news", 60 * SECOND);
        for watch in [&watch, &second] {
            let (id, text) = take(watch);
            assert_eq!(text, "news");
            watch.ack(id, "heard").wait().unwrap();
        }
        let told = telling.wait().unwrap();
        assert_eq!((told.answers.len(), told.missed.len()), (2, 0), "{told:?}");
        assert!(told.answers.iter().all(|(.., answer)| answer == "heard"));

        drop(second);
        eventually("the second watch ends", 60 * SECOND, || {
            bed.io.watchers("watched").wait().unwrap().len() == 1
        });
        let silent = bed.io.notify("watched", "?", Duration::from_secs(1)).wait().unwrap();
        assert_eq!((silent.answers.len(), silent.missed.len()), (0, 1));
        take(&watch);

        std::thread::scope(|scope| {
            let tool = scope.spawn(|| bed.rados(&["notify", "watched", "from the tool"]));
            let (id, text) = take(&watch);
            assert!(text.contains("from the tool"), "{text}");
            watch.ack(id, "").wait().unwrap();
            tool.join().unwrap();
        });
        assert!(bed.rados(&["listwatchers", "watched"]).contains(&format!("cookie={}", watch.cookie())));
        assert!(bed.io.watch_blocking("no such object").unwrap_err().is_not_found());
        bed.io.remove("watched").wait().unwrap();
        let over = watch.next_timeout(60 * SECOND).unwrap();
        assert!(matches!(over, Some(WatchEvent::Lost(Errno::ENOTCONN))), "{over:?}");
    }
}
