//! Watches and notifications.

use super::RELEASES;
use super::bed::{connect, shared};
use crate::monitors::{SECOND, eventually};
use axon_rados::client::{Watch, WatchEvent};
use std::time::Duration;

fn take(watch: &Watch) -> (u64, String) {
    match watch.next_timeout(20 * SECOND).unwrap() {
        Some(WatchEvent::Notify { id, payload, .. }) => (id, String::from_utf8_lossy(&payload).into_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn watchers_hear_and_answer() {
    for (release, _) in RELEASES {
        let bed = shared(release);
        bed.io.create("watched", false).wait().unwrap();
        let watch = bed.io.watch_blocking("watched").unwrap();
        let watchers = bed.io.watchers("watched").wait().unwrap();
        assert_eq!(watchers.iter().map(|w| w.cookie).collect::<Vec<_>>(), [watch.cookie()]);

        let other = connect(&bed.cluster).pool(super::bed::POOL).unwrap();
        let second = other.watch_blocking("watched").unwrap();
        let telling = bed.io.notify("watched", "news", 10 * SECOND);
        for watch in [&watch, &second] {
            let (id, text) = take(watch);
            assert_eq!(text, "news");
            watch.ack(id, "heard").wait().unwrap();
        }
        let told = telling.wait().unwrap();
        assert_eq!((told.answers.len(), told.missed.len()), (2, 0), "{told:?}");
        assert!(told.answers.iter().all(|(.., answer)| answer == "heard"));

        drop(second);
        eventually("the second watch ends", 10 * SECOND, || {
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
    }
}
