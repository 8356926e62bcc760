//! Watches and notifications.

use super::*;
use crate::msg::{MWatchNotify, WatchEventKind};
use crate::objecter::linger::PING_EVERY;

/// A world in which watch 1 is asked for on connection 1.
fn beginning() -> World {
    let mut world = World::new();
    let locator = ObjectLocator::pool(POOL).into();
    let object = Bytes::from_static(b"o");
    let timeout = Duration::from_secs(30);
    world.objecter.watch(object, locator, timeout, None, "w", world.now);
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- o tid 1 try 0 e5"]);
    world
}

/// A world in which watch 1 stands on connection 1.
fn watching() -> World {
    let mut world = beginning();
    world.answer(0, 0, |_| {});
    assert_eq!(world.news(), ["w: 0"]);
    world
}

#[test]
fn a_watch_whose_object_goes_before_it_stands_is_refused() {
    let mut world = beginning();
    world.map(|map| map.size = 2);
    assert_eq!(world.news(), ["1 <- o tid 2 try 0 e6"], "the group is served in another way");
    world.objecter.message(LinkId(1), &watch_event(WatchEventKind::Disconnect, 0), world.now);
    world.answer(1, -2, |_| {});
    assert_eq!(world.news(), ["w: -2"]);
}

#[test]
fn watches_return_after_a_reset() {
    let mut world = watching();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.news(), ["1 <- o tid 2 try 0 e5"], "a sign of life");
    world.objecter.failed(LinkId(1), world.now);
    world.connect(2);
    assert_eq!(world.news(), ["dial 2 for 6800", "2 <- o tid 3 try 0 e5"], "the sign of life is forgotten");
    world.answer(2, -107, |_| {});
    assert_eq!(world.news(), ["watch 1: Lost(Errno(107))"]);
}

#[test]
fn a_pool_marked_eio_ends_watches_at_their_next_sign_of_life() {
    let mut world = watching();
    world.map(|map| map.eio = Some(POOL));
    world.pass(PING_EVERY);
    assert_eq!(world.news(), ["watch 1: Lost(Errno(5))"]);
}

#[test]
fn signs_of_life_while_nothing_can_be_written() {
    let full: fn(&mut Map) = |map| map.barriers.pool_full = true;
    let paused: fn(&mut Map) = |map| map.barriers.writes = true;
    for happens in [full, paused] {
        let mut world = watching();
        world.pass(PING_EVERY);
        assert_eq!(world.news(), ["1 <- o tid 2 try 0 e5"]);
        world.map(happens);
        assert!(world.news().is_empty(), "one is not sent again");
        world.pass(PING_EVERY);
        assert_eq!(world.news(), ["1 <- o tid 3 try 0 e6"], "the OSD forgot the one from before");
        world.answer(2, 0, |_| {});
        world.map(|map| map.barriers = Barriers { reads: true, ..Barriers::default() });
        world.pass(PING_EVERY);
        assert!(world.news().is_empty(), "but they wait while reads are paused");
        world.map(|map| map.barriers.reads = false);
        assert_eq!(world.news(), ["1 <- o tid 4 try 0 e8"]);
    }
}

#[test]
fn reads_do_not_wait_for_room_behind_watches() {
    let mut world = watching();
    world.pass(PING_EVERY);
    world.map(|map| map.barriers.pool_full = true);
    world.objecter.unwatch(LingerId(1), None, None, world.now);
    world.news();
    world.begin("r", read("o"));
    assert_eq!(world.news(), ["1 <- o tid 4 try 0 e6"]);
}

#[test]
fn signs_of_life_do_not_wait_behind_what_is_stuck() {
    let mut world = watching();
    for name in ["a", "b", "c", "d"] {
        world.write(name);
    }
    assert_eq!(world.news().len(), 3, "the budget holds three");
    world.pass(PING_EVERY);
    assert_eq!(world.news(), ["1 <- o tid 6 try 0 e5"]);
    world.answer(4, 0, |_| {});
    assert!(world.news().is_empty(), "what it did not take it does not give back");
    world.objecter.unwatch(LingerId(1), None, Some("u"), world.now);
    assert_eq!(world.news(), ["1 <- o tid 7 try 0 e5"]);
    world.answer(5, 0, |_| {});
    assert_eq!(world.news(), ["u: 0"]);
}

#[test]
fn a_watch_that_is_ended_leaves_nothing_behind() {
    let mut world = watching();
    world.map(|map| map.primary = None);
    world.objecter.unwatch(LingerId(1), None, None, world.now);
    assert!(world.news().is_empty());
    world.map(|map| map.primary = Some(0));
    assert_eq!(world.news(), ["1 <- o tid 3 try 0 e7"], "the end, and no return");
}

#[test]
fn whenever_a_sign_of_life_is_not_known_the_watch_returns() {
    let mut world = watching();
    for nth in [1, 3] {
        world.pass(PING_EVERY);
        world.news();
        world.answer(nth, -110, |_| {});
        assert_eq!(world.news(), [format!("1 <- o tid {} try 0 e5", nth + 2)], "it returns");
        world.answer(nth + 1, 0, |_| {});
        assert!(world.news().is_empty());
    }
    world.pass(PING_EVERY);
    world.news();
    world.answer(5, -110, |_| {});
    world.news();
    world.answer(6, -107, |_| {});
    assert_eq!(world.news(), ["watch 1: Lost(Errno(107))"], "the OSD has given it up");
}

#[test]
fn late_answers_to_signs_of_life_count() {
    let two_pings = || {
        let mut world = watching();
        world.pass(PING_EVERY);
        world.pass(PING_EVERY);
        assert_eq!(world.news(), ["1 <- o tid 2 try 0 e5", "1 <- o tid 3 try 0 e5"]);
        world
    };
    let mut world = two_pings();
    world.answer(1, -107, |_| {});
    assert_eq!(world.news(), ["watch 1: Lost(Errno(107))"]);
    let mut world = two_pings();
    world.answer(2, 0, |_| {});
    world.answer(1, -107, |_| {});
    assert!(world.news().is_empty(), "not after a later one was answered");
    let mut world = two_pings();
    world.map(|map| map.size = 2);
    assert_eq!(world.news(), ["1 <- o tid 4 try 0 e6"]);
    world.answer(1, -107, |_| {});
    assert!(world.news().is_empty(), "nor after the watch returned");
}

#[test]
fn signs_of_life_that_are_never_answered_do_not_pile_up() {
    let mut world = watching();
    for _ in 0..20 {
        world.pass(PING_EVERY);
    }
    assert_eq!(world.news().len(), 20);
    assert_eq!(world.objecter.ops.len(), 6, "as many as are given in 30 s");
    world.map(|map| map.barriers.reads = true);
    world.pass(PING_EVERY);
    assert_eq!(world.objecter.ops.len(), 1, "those that OSDs do not have give way");
    world.objecter.unwatch(LingerId(1), None, None, world.now);
    assert_eq!(world.objecter.ops.len(), 1, "the end");
}

#[test]
fn tokens_are_given_back_to_be_dropped() {
    let mut world = beginning();
    world.objecter.unwatch(LingerId(1), None, None, world.now);
    assert_eq!(world.news(), ["w: dropped", "1 <- o tid 2 try 0 e5"]);
    let mut world = notifying();
    world.objecter.forget_notify(LingerId(1), world.now);
    assert_eq!(world.news(), ["n: dropped"]);
    let mut world = beginning();
    world.write("a");
    world.news();
    world.objecter.close();
    assert_eq!(world.news(), ["a: dropped", "w: dropped", "close 1"]);
}

/// The OSD accepts the `nth` request, a notification, as its `number`.
fn accept(world: &mut World, nth: usize, number: u64) {
    world.answer(nth, 0, |reply| {
        reply.data = Bytes::copy_from_slice(&number.to_le_bytes());
        reply.ops[0].payload_len = 8;
    });
}

/// A message of the OSD about watch or notification 1.
fn watch_event(event: WatchEventKind, notify_id: u64) -> Message {
    let none = Bytes::new();
    let (payload, answers) = (none.clone(), none);
    MWatchNotify { event, cookie: 1, version: 1, notify_id, payload, result: 0, notifier: 4, answers }
        .encode(FEATURES)
        .unwrap()
}

/// The OSD says that its notification `number` ended.
fn complete(world: &mut World, number: u64) {
    let complete = watch_event(WatchEventKind::NotifyComplete, number);
    world.objecter.message(LinkId(1), &complete, world.now);
}

/// A world in which a notification is on its way on connection 1.
fn notifying() -> World {
    let mut world = World::new();
    let what = Notification {
        payload: Bytes::new(),
        timeout: Duration::from_secs(30),
        within: Duration::from_secs(35),
    };
    world.objecter.notify(Bytes::from_static(b"o"), ObjectLocator::pool(POOL).into(), what, "n", world.now);
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- o tid 1 try 0 e5"]);
    world
}

/// A world in which a notification was accepted as number 8.
fn notified() -> World {
    let mut world = notifying();
    accept(&mut world, 0, 8);
    assert!(world.news().is_empty());
    world
}

#[test]
fn what_the_primary_before_accepts_is_sent_to_the_new_one() {
    for mut world in [notifying(), beginning()] {
        world.map(|map| map.primary = Some(1));
        assert_eq!(world.news(), ["dial 2 for 6801"]);
        accept(&mut world, 0, 8);
        assert!(world.news().is_empty(), "it forgets that with the map");
        world.connect(2);
        assert_eq!(world.news(), ["2 <- o tid 2 try 0 e6"]);
    }
}

#[test]
fn a_watch_that_was_begun_just_before_the_pool_became_full_stands() {
    let mut world = beginning();
    world.map(|map| map.barriers.pool_full = true);
    world.answer(0, 0, |_| {});
    assert_eq!(world.news(), ["w: 0"]);
}

#[test]
fn notifications_that_osds_forget_are_sent_again() {
    let mut world = notified();
    world.map(|map| map.size = 2);
    assert_eq!(world.news(), ["1 <- o tid 2 try 0 e6"], "the group is served in another way");
    complete(&mut world, 8);
    accept(&mut world, 1, 9);
    complete(&mut world, 8);
    assert!(world.news().is_empty(), "that was the one before");
    world.objecter.change_map(|map| map.epoch += 9, true, world.now);
    assert_eq!(world.news(), ["1 <- o tid 3 try 0 e15"], "nobody knows what happened");
    accept(&mut world, 2, 10);
    world.map(|_| {});
    complete(&mut world, 10);
    assert_eq!(world.news(), ["n: NotifyEnd { result: 0, payload: b\"\" }"]);
}

#[test]
fn a_notification_may_take_longer_than_any_clock_runs() {
    let mut world = World::new();
    let payload = Bytes::new();
    let what = Notification { payload, timeout: Duration::MAX, within: Duration::MAX };
    world.objecter.notify(Bytes::from_static(b"o"), ObjectLocator::pool(POOL).into(), what, "n", world.now);
    world.connect(1);
    world.news();
    accept(&mut world, 0, 8);
    assert_eq!(world.objecter.poke(world.now), None);
    complete(&mut world, 8);
    assert_eq!(world.news(), ["n: NotifyEnd { result: 0, payload: b\"\" }"]);
}

#[test]
fn a_notification_in_a_pool_that_is_deleted_ends_at_once() {
    let mut world = notified();
    world.map(|map| map.pool = false);
    assert_eq!(world.news(), ["ask"]);
    world.objecter.latest(6, world.now);
    assert_eq!(world.news(), ["n: NoPool"]);
}

#[test]
fn a_watch_that_is_lost_is_ended_like_any_other() {
    let mut world = watching();
    let disconnect = watch_event(WatchEventKind::Disconnect, 0);
    for lost in [vec!["watch 1: Lost(Errno(107))"], vec![]] {
        world.objecter.message(LinkId(1), &disconnect, world.now);
        assert_eq!(world.news(), lost, "it is said once");
    }
    world.pass(PING_EVERY);
    world.map(|map| map.size = 2);
    assert!(world.news().is_empty(), "neither signs of life nor a return");
    world.objecter.unwatch(LingerId(1), None, Some("u"), world.now);
    assert_eq!(world.news(), ["1 <- o tid 2 try 0 e6"]);
    world.answer(1, 0, |_| {});
    assert_eq!(world.news(), ["u: 0"]);
}
