//! Reads that keep their places behind writes.

use super::*;

#[test]
fn a_read_behind_a_write_keeps_its_place() {
    let mut world = two_sent();
    world.begin("a", read("a"));
    world.news();
    world.answer(0, 0, |_| {});
    world.answer(1, 0, |_| {});
    world.begin("b", read("b"));
    world.news();
    let flags: Vec<_> =
        world.sent.iter().map(|(_, message)| MOSDOpView::parse(message).unwrap().flags).collect();
    assert!(flags[2].contains(OsdFlags::RWORDERED) && !flags[3].contains(OsdFlags::RWORDERED));
}

#[test]
fn only_earlier_writes_of_the_same_object_mark_reads() {
    let elsewhere = |name| {
        let mut request = read(name);
        request.locator =
            Arc::new(ObjectLocator { namespace: Bytes::from_static(b"n"), ..ObjectLocator::pool(POOL) });
        request
    };
    let mut world = World::new();
    world.objecter = Objecter::new(world.objecter.map().clone(), Budget::new(9, 1000));
    world.begin("before", read("a"));
    let write = world.write("a");
    let others = [read("b"), elsewhere("a")];
    for request in others {
        world.begin("other", request);
    }
    world.begin("behind", read("a"));
    world.objecter.cancel(write, world.now);
    world.begin("after", read("a"));
    world.connect(1);
    world.news();
    let marked = |(_, message): &(LinkId, Message)| {
        MOSDOpView::parse(message).unwrap().flags.contains(OsdFlags::RWORDERED)
    };
    assert!(!world.sent.iter().any(marked), "the write was over before anything was sent");
    world.write("a");
    world.begin("behind", read("a"));
    world.begin("other", elsewhere("a"));
    world.news();
    assert_eq!(world.sent.iter().skip(5).map(marked).collect::<Vec<_>>(), [false, true, false]);
}
