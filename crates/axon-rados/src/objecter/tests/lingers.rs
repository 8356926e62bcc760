//! Watches and notifications.

use super::*;
use crate::objecter::linger::PING_EVERY;

/// A world in which watch 1 stands on connection 1.
fn watching() -> World {
    let mut world = World::new();
    let locator = ObjectLocator::pool(POOL);
    let object = Bytes::from_static(b"o");
    let timeout = Duration::from_secs(30);
    world.objecter.watch(object, locator, timeout, None, "w", world.now);
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- o tid 1 try 0 e5"]);
    world.answer(0, 0, |_| {});
    assert_eq!(world.news(), ["w: 0"]);
    world
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
