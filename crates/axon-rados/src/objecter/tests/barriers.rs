//! Pauses, full pools, and such as are marked eio.

use super::*;
use crate::ops::{Compound, ReadOp};

#[test]
fn pauses_and_fullness() {
    let mut world = World::new();
    world.map(|map| map.barriers.pool_full = true);
    world.write("a");
    world.begin("r", read("r"));
    world.begin("f", Request { when_full: WhenFull::Fail, ..write("f") });
    assert_eq!(world.news(), ["dial 1 for 6800", "f: Full(PoolFull(1))"]);
    world.connect(1);
    assert_eq!(world.news(), ["1 <- r tid 2 try 0 e6"]);
    world.begin("t", Request { when_full: WhenFull::Try, ..write("t") });
    assert_eq!(world.news(), ["1 <- t tid 4 try 0 e6"]);
    world.map(|map| map.barriers = Barriers { writes: true, ..Barriers::default() });
    assert!(world.news().is_empty(), "paused");
    world.map(|map| map.barriers.writes = false);
    assert_eq!(world.news(), ["1 <- a tid 1 try 0 e8", "1 <- t tid 4 try 1 e8, again"]);
}

#[test]
fn what_was_on_its_way_when_the_pool_became_full_is_sent_again() {
    let mut world = World::new();
    world.write("w");
    world.begin("f", Request { when_full: WhenFull::Fail, ..write("f") });
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- w tid 1 try 0 e5", "1 <- f tid 2 try 0 e5"]);
    world.map(|map| map.barriers.pool_full = true);
    world.answer(1, -28, |_| {});
    assert_eq!(world.news(), ["f: -28"], "the OSD was told to answer");
    world.begin("r", read("r"));
    world.news();
    world.map(|map| map.barriers.pool_full = false);
    assert_eq!(world.news(), ["1 <- w tid 1 try 1 e7, again"]);
    world.map(|map| map.barriers.writes = true);
    assert!(world.news().is_empty(), "paused");
    world.answer(3, 0, |_| {});
    assert_eq!(world.news(), ["w: 0"], "it was done before the pause");
}

#[test]
fn a_read_behind_a_write_waits_for_room_with_it() {
    let mut world = two_sent();
    world.begin("a", read("a"));
    assert_eq!(world.news(), ["1 <- a tid 3 try 0 e5"]);
    world.map(|map| map.barriers.pool_full = true);
    world.pass(Duration::from_secs(1));
    assert!(world.news().is_empty());
    world.map(|map| map.barriers.pool_full = false);
    let again =
        ["1 <- a tid 1 try 1 e7, again", "1 <- b tid 2 try 1 e7, again", "1 <- a tid 3 try 1 e7, again"];
    assert_eq!(world.news(), again);
}

#[test]
fn a_read_waits_for_room_no_longer_than_the_write_before_it() {
    let full_with_both = || {
        let mut world = World::new();
        world.write("b");
        world.connect(1);
        world.map(|map| map.barriers.pool_full = true);
        world.begin("w", Request { within: Some(Duration::from_secs(1)), ..write("a") });
        world.begin("r", read("a"));
        assert_eq!(world.news(), ["dial 1 for 6800", "1 <- b tid 1 try 0 e5"]);
        world
    };
    let mut world = full_with_both();
    world.pass(Duration::from_secs(1));
    assert_eq!(world.news(), ["w: not done, PoolFull(1)", "1 <- a tid 3 try 0 e6"]);
    let mut world = full_with_both();
    world.objecter.cancel(OpId(1), world.now);
    assert_eq!(world.news(), ["b: dropped"], "a write of something else");
    world.objecter.cancel(OpId(2), world.now);
    assert_eq!(world.news(), ["1 <- a tid 3 try 0 e6", "w: dropped"]);
}

#[test]
fn a_read_that_the_osd_forgot_behind_a_write_that_is_done_is_sent_again_once() {
    let mut world = two_sent();
    world.begin("r", read("a"));
    world.answer(0, 0, |_| {});
    world.news();
    world.map(|map| map.barriers.pool_full = true);
    assert_eq!(world.news(), ["1 <- a tid 3 try 1 e6, again"]);
    let marked =
        |nth: usize| MOSDOpView::parse(&world.sent[nth].1).unwrap().flags.contains(OsdFlags::RWORDERED);
    assert!(marked(2) && !marked(3));
    world.map(|_| {});
    assert!(world.news().is_empty(), "the OSD does not forget what is not marked");
}

#[test]
fn a_read_that_the_application_marked_waits_for_room_and_is_sent_once() {
    let mut world = World::new();
    world.map(|map| map.barriers.pool_full = true);
    let plain = read("a");
    world.begin("r", Request { flags: plain.flags.with(OsdFlags::RWORDERED), ..plain });
    world.write("a");
    assert!(world.news().is_empty(), "there is no room");
    world.map(|map| map.barriers.pool_full = false);
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- a tid 1 try 0 e7", "1 <- a tid 2 try 0 e7"]);
    world.answer(1, 0, |_| {});
    world.news();
    world.map(|_| {});
    assert!(world.news().is_empty(), "nothing was forgotten");
    world.map(|map| map.barriers.pool_full = true);
    world.map(|_| {});
    assert!(world.news().is_empty(), "the OSD forgot it, and there is no room");
}

#[test]
fn what_watchers_hear_and_answer_does_not_wait_for_room() {
    let mut world = World::new();
    world.map(|map| map.barriers.pool_full = true);
    world.write("a");
    let mut answer = ReadOp::new();
    answer.notify_ack(8, 1, b"");
    let (ops, data) = Compound::from(answer).into_parts();
    world.begin("ack", Request { ops, data, ..read("a") });
    let what = Notification {
        payload: Bytes::new(),
        timeout: Duration::from_secs(30),
        within: Duration::from_secs(35),
    };
    world.objecter.notify(Bytes::from_static(b"a"), ObjectLocator::pool(POOL).into(), what, "n", world.now);
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- a tid 2 try 0 e6", "1 <- a tid 3 try 0 e6"]);
}

#[test]
fn a_read_that_shall_not_wait_for_room_is_answered() {
    let mut world = World::new();
    world.map(|map| map.barriers.pool_full = true);
    world.begin("t", Request { when_full: WhenFull::Try, ..write("a") });
    world.begin("r", Request { when_full: WhenFull::Fail, ..read("a") });
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- a tid 1 try 0 e6", "1 <- a tid 2 try 0 e6"]);
}

#[test]
fn what_the_osd_forgot_ends_for_want_of_room() {
    let mut world = two_sent();
    world.map(|map| map.barriers.cluster_full = true);
    world.pass(Duration::from_secs(61));
    assert_eq!(world.news(), ["a: unknown, ClusterFull", "b: unknown, ClusterFull"]);
}

#[test]
fn a_pool_marked_eio_fails_everything_at_once() {
    let mut world = two_sent();
    world.begin("r", read("r"));
    world.write("q"); // the budget holds three
    world.news();
    world.map(|map| map.eio = Some(POOL));
    assert_eq!(
        world.news(),
        [
            "a: unknown, PoolEio(1)",
            "b: unknown, PoolEio(1)",
            "r: PoolEio(PoolEio(1))",
            "q: PoolEio(PoolEio(1))"
        ]
    );
    world.begin("r", read("r"));
    assert_eq!(world.news(), ["r: PoolEio(PoolEio(1))"]);
    world.map(|map| map.eio = None);
    world.begin("r", read("r"));
    assert_eq!(world.news(), ["1 <- r tid 6 try 0 e7"]);
}

#[test]
fn the_mark_of_a_pool_or_of_its_tier() {
    for marked in [POOL, 2] {
        let mut world = World::new();
        world.map(|map| (map.tier, map.eio) = (Some(2), Some(marked)));
        world.write("w");
        assert_eq!(world.news(), [format!("w: PoolEio(PoolEio({marked}))")]);
    }
    let mut world = World::new();
    world.map(|map| map.eio = Some(2));
    world.write("w");
    assert_eq!(world.news(), ["dial 1 for 6800"], "the mark of another pool");
}
