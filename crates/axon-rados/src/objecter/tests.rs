//! The objecter over maps of three lines: which message goes where, and what the application hears.

mod barriers;
mod lingers;
mod order;

use super::map::{Barriers, Interval, Target};
use super::*;
use crate::msg::{BackoffOp, MOSDBackoff, MOSDOp, MOSDOpReply, MOSDOpView, Redirect, TypedMessage};
use crate::osd::{HObject, ObjectLocator, OsdFlags, OsdOp, PgId, SpgId};
use axon_denc::{EntityAddr, Features};
use bytes::Bytes;
use std::sync::Arc;

const FEATURES: Features = Features::ALL_REEF;
const POOL: i64 = 1;

/// One pool with one group.
#[derive(Debug, Clone)]
struct Map {
    epoch: u32,
    primary: Option<u32>,
    pool: bool,
    size: u8,
    barriers: Barriers,
    /// The pool that is marked eio.
    eio: Option<i64>,
    /// The pool's cache tier.
    tier: Option<i64>,
    /// Tells an OSD from its restarted self.
    nonce: u32,
    /// When the monitors wanted everything sent again.
    forced: u32,
}

impl ClusterMap for Map {
    fn epoch(&self) -> u32 {
        self.epoch
    }

    fn target(&self, locator: &ObjectLocator, _object: &[u8]) -> Option<Target> {
        let pool = locator.pool.cast_unsigned();
        let pg = SpgId::whole(PgId { pool, seed: 0 });
        let interval = Interval { acting: vec![self.primary], size: self.size, ..Interval::default() };
        let target =
            Target { raw: PgId { pool, seed: 7 }, pg, primary: self.primary, interval: Arc::new(interval) };
        self.pool.then_some(target)
    }

    fn overlay(&self, pool: i64, _: bool) -> Option<i64> {
        self.tier.filter(|_| pool == POOL)
    }

    fn barriers(&self, pool: i64) -> Barriers {
        Barriers { pool_eio: self.eio == Some(pool), ..self.barriers }
    }

    fn force_resend(&self, _: i64) -> u32 {
        self.forced
    }

    fn osd_addrs(&self, osd: u32) -> Option<AddrVec> {
        let socket = std::net::SocketAddr::from(([127, 0, 0, 1], 6800 + osd as u16));
        Some(AddrVec::from(EntityAddr::msgr2(socket, self.nonce)))
    }
}

/// An objecter, the time, and what it wants done, as text.
struct World {
    objecter: Objecter<Map, &'static str>,
    now: Instant,
    sent: Vec<(LinkId, Message)>,
}

impl World {
    fn new() -> Self {
        let map = Map {
            epoch: 5,
            primary: Some(0),
            pool: true,
            size: 1,
            barriers: Barriers::default(),
            eio: None,
            tier: None,
            nonce: 1,
            forced: 0,
        };
        Self { objecter: Objecter::new(map, Budget::new(3, 1000)), now: Instant::now(), sent: Vec::new() }
    }

    fn write(&mut self, name: &'static str) -> OpId {
        self.begin(name, write(name))
    }

    fn begin(&mut self, name: &'static str, request: Request) -> OpId {
        self.objecter.submit(request, name, self.now)
    }

    fn map(&mut self, change: impl FnOnce(&mut Map)) {
        let apply = |map: &mut Map| {
            map.epoch += 1;
            change(map);
        };
        self.objecter.change_map(apply, false, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.objecter.poke(self.now);
    }

    fn connect(&mut self, link: u64) {
        self.objecter.connected(LinkId(link), FEATURES, self.now);
    }

    /// What happened, in words.
    fn news(&mut self) -> Vec<String> {
        let mut news = Vec::new();
        while let Some(action) = self.objecter.next_action() {
            news.push(self.tell(action));
        }
        news
    }

    fn tell(&mut self, action: Action<&'static str>) -> String {
        match action {
            Action::Dial(link, addrs) => format!("dial {} for {}", link.0, addrs.0[0].port()),
            Action::Close(link) => format!("close {}", link.0),
            Action::AskLatest => "ask".into(),
            Action::Finish(token, _, Outcome::Replied(reply)) => format!("{token}: {}", reply.result),
            Action::Finish(token, _, Outcome::NotDone(_, why)) => format!("{token}: not done, {why:?}"),
            Action::Finish(token, _, Outcome::Unknown(_, why)) => format!("{token}: unknown, {why:?}"),
            Action::Finish(token, _, outcome) => format!("{token}: {outcome:?}"),
            Action::News(id, news) => format!("watch {}: {news:?}", id.0),
            Action::Drop(token) => format!("{token}: dropped"),
            Action::Notified(token, _, end) => format!("{token}: {end:?}"),
            Action::Send(link, message) => {
                let text = describe(link, &message);
                self.sent.push((link, message));
                text
            }
        }
    }

    /// The last request is answered.
    fn answer(&mut self, nth: usize, result: i32, change: impl FnOnce(&mut MOSDOpReply)) {
        let (link, request) = &self.sent[nth];
        let view = MOSDOpView::parse(request).unwrap();
        let mut reply =
            MOSDOpReply::decode(&MOSDOpReply::answer(&view, result, OsdFlags::ONDISK, 5)).unwrap();
        change(&mut reply);
        let mut message = reply.encode(FEATURES).unwrap();
        message.header.tid = request.header.tid;
        self.objecter.message(*link, &message, self.now);
    }

    fn backoff(&mut self, link: u64, op: BackoffOp, from: &str, to: &str) {
        let place = |name: &str| {
            HObject::head(POOL, Bytes::new(), Bytes::copy_from_slice(name.as_bytes()), Bytes::new(), 7)
        };
        let pgid = SpgId::whole(PgId { pool: 1, seed: 0 });
        let (begin, end) = (place(from), place(to));
        let message = MOSDBackoff { pgid, map_epoch: 5, op, id: 9, begin, end }.encode(FEATURES).unwrap();
        self.objecter.message(LinkId(link), &message, self.now);
    }
}

fn describe(link: LinkId, message: &Message) -> String {
    match message.header.kind {
        MOSDOp::KIND => {
            let op = MOSDOpView::parse(message).unwrap();
            let name = String::from_utf8_lossy(op.object);
            let retry = if op.flags.contains(OsdFlags::RETRY) { ", again" } else { "" };
            format!("{} <- {name} tid {} try {} e{}{retry}", link.0, op.tid, op.retry_attempt, op.map_epoch)
        }
        _ => format!("{} <- {:?}", link.0, MOSDBackoff::decode(message).unwrap().op),
    }
}

fn write(name: &'static str) -> Request {
    let flags = OsdFlags::WRITE.with(OsdFlags::ONDISK);
    let data = Bytes::from_static(b"data");
    let ops = vec![OsdOp::write(0, data.len() as u32)];
    let within = Some(Duration::from_secs(60));
    let name = Bytes::from_static(name.as_bytes());
    Request { within, ..Request::new(name, ObjectLocator::pool(POOL), ops, data, flags) }
}

fn read(name: &'static str) -> Request {
    let name = Bytes::from_static(name.as_bytes());
    let request =
        Request::new(name, ObjectLocator::pool(POOL), vec![OsdOp::stat()], Bytes::new(), OsdFlags::READ);
    Request { within: Some(Duration::from_secs(60)), ..request }
}

/// A world with an open connection 1 on which "a" and "b" are on their way.
fn two_sent() -> World {
    let mut world = World::new();
    world.write("a");
    world.write("b");
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "1 <- a tid 1 try 0 e5", "1 <- b tid 2 try 0 e5"]);
    world
}

#[test]
fn one_connection_however_many_operations() {
    let mut world = two_sent();
    world.answer(1, 0, |_| {});
    world.answer(0, -2, |_| {});
    assert_eq!(world.news(), ["b: 0", "a: -2"]);
    world.answer(0, 0, |_| {});
    assert!(world.news().is_empty(), "an answer counts once");
}

#[test]
fn a_reset_sends_again_in_order_under_the_same_names() {
    let mut world = two_sent();
    world.objecter.failed(LinkId(1), world.now);
    assert_eq!(world.news(), ["dial 2 for 6800"]);
    world.connect(2);
    assert_eq!(world.news(), ["2 <- a tid 1 try 1 e5, again", "2 <- b tid 2 try 1 e5, again"]);
    world.answer(0, 0, |_| {});
    assert!(world.news().is_empty(), "an answer of the old connection");
    world.answer(2, 0, |_| {});
    assert_eq!(world.news(), ["a: 0"]);
}

#[test]
fn failing_again_and_again_slows_down() {
    let mut world = two_sent();
    world.objecter.failed(LinkId(1), world.now);
    world.connect(2);
    world.objecter.failed(LinkId(2), world.now);
    assert_eq!(world.news().last().unwrap(), "2 <- b tid 2 try 1 e5, again");
    world.pass(Duration::from_millis(10));
    assert!(world.news().is_empty());
    world.pass(Duration::from_millis(15));
    assert_eq!(world.news(), ["dial 3 for 6800"]);
}

#[test]
fn a_new_primary_gets_everything() {
    let mut world = two_sent();
    world.map(|map| map.primary = Some(1));
    assert_eq!(world.news(), ["dial 2 for 6801"]);
    world.connect(2);
    assert_eq!(world.news(), ["2 <- a tid 1 try 1 e6, again", "2 <- b tid 2 try 1 e6, again"]);
}

#[test]
fn a_restarted_osd_is_another_one() {
    let mut world = two_sent();
    world.map(|map| map.nonce = 2);
    assert_eq!(world.news()[0], "close 1");
    world.connect(2);
    assert!(world.news().iter().any(|news| news.starts_with("2 <- a tid 1 try 1")));
}

#[test]
fn a_map_that_changes_nothing_sends_nothing() {
    let mut world = two_sent();
    world.map(|_| {});
    assert!(world.news().is_empty());
    world.objecter.change_map(|map| map.epoch += 9, true, world.now);
    assert_eq!(world.news().len(), 2, "but nobody knows what happened in epochs that were skipped");
}

#[test]
fn when_the_monitors_ask_for_it_everything_is_sent_again_once() {
    let mut world = two_sent();
    world.map(|map| map.forced = 5);
    assert!(world.news().is_empty(), "sent in the same epoch");
    world.map(|map| map.forced = 7);
    assert_eq!(world.news(), ["1 <- a tid 1 try 1 e7, again", "1 <- b tid 2 try 1 e7, again"]);
    world.map(|_| {});
    assert!(world.news().is_empty());
}

#[test]
fn without_a_primary_they_wait() {
    let mut world = World::new();
    world.map(|map| map.primary = None);
    world.write("a");
    assert!(world.news().is_empty());
    world.pass(Duration::from_secs(61));
    assert_eq!(world.news(), ["a: not done, Primary(PgId { pool: 1, seed: 0 })"]);
}

#[test]
fn deadlines_say_what_is_known() {
    let mut world = two_sent();
    world.begin("c", read("c"));
    world.write("d"); // the budget holds three
    world.news();
    world.pass(Duration::from_secs(61));
    assert_eq!(
        world.news(),
        ["a: unknown, Answer(0)", "b: unknown, Answer(0)", "c: not done, Answer(0)", "d: not done, Budget"]
    );
    world.objecter.failed(LinkId(1), world.now);
    assert!(world.news().is_empty(), "nothing is sent again");
}

#[test]
fn the_budget_lets_in_first_come_first_served() {
    let mut world = two_sent();
    for name in ["c", "d", "e"] {
        world.write(name);
    }
    assert_eq!(world.news(), ["1 <- c tid 3 try 0 e5"]);
    world.answer(1, 0, |_| {});
    assert_eq!(world.news(), ["b: 0", "1 <- d tid 4 try 0 e5"]);
}

#[test]
fn what_is_over_is_not_waited_for() {
    let mut world = two_sent();
    let due = world.objecter.next_due();
    assert_eq!(due, Some(world.now + Duration::from_secs(60)));
    world.pass(Duration::from_secs(1));
    world.begin("c", read("c"));
    world.news();
    world.answer(0, 0, |_| {});
    world.answer(1, 0, |_| {});
    assert_eq!(world.objecter.next_due(), due, "no later than anything is due");
    assert_eq!(world.objecter.poke(world.now), due.map(|due| due + Duration::from_secs(1)));
    world.answer(2, 0, |_| {});
    assert_eq!(world.objecter.poke(world.now), None);
}

#[test]
fn a_burst_leaves_no_places_to_look_at() {
    let mut world = World::new();
    let begun: Vec<_> = (0..50_000).map(|_| world.write("a")).collect();
    let at_most = world.objecter.ops.capacity();
    let (last, others) = begun.split_last().unwrap();
    others.iter().for_each(|id| world.objecter.cancel(*id, world.now));
    world.objecter.poke(world.now);
    let kept = world.objecter.ops.capacity();
    assert!(kept < at_most / 8, "{kept} of {at_most} places for one request");
    world.connect(1);
    assert!(world.news().contains(&format!("1 <- a tid {} try 0 e5", last.0)));
    for _ in 0..1024 {
        world.write("a");
    }
    world.objecter.poke(world.now);
    assert_eq!(world.objecter.ops.capacity(), kept, "what comes and goes all the time stays");
}

#[test]
fn a_cancelled_operation_is_not_sent_again() {
    let mut world = World::new();
    let a = world.write("a");
    world.write("b");
    world.objecter.cancel(a, world.now);
    world.connect(1);
    assert_eq!(world.news(), ["dial 1 for 6800", "a: dropped", "1 <- b tid 2 try 0 e5"]);
    world.objecter.cancel(OpId(2), world.now);
    world.objecter.failed(LinkId(1), world.now);
    assert_eq!(world.news(), ["b: dropped"]);
    assert_eq!(world.objecter.poke(world.now), None);
}

#[test]
fn backoffs_are_acknowledged_and_obeyed() {
    let mut world = two_sent();
    world.backoff(1, BackoffOp::Block, "a", "b");
    assert_eq!(world.news(), ["1 <- AckBlock"]);
    world.begin("a again", write("a"));
    assert!(world.news().is_empty(), "the range holds for what comes later");
    world.backoff(1, BackoffOp::Unblock, "a", "b");
    assert_eq!(world.news(), ["1 <- a tid 1 try 1 e5, again", "1 <- a tid 3 try 0 e5"]);
}

#[test]
fn a_backoff_of_one_object() {
    let mut world = two_sent();
    world.backoff(1, BackoffOp::Block, "b", "b");
    world.news();
    world.objecter.failed(LinkId(1), world.now);
    world.connect(2);
    assert_eq!(world.news().len(), 3, "backoffs end with their connection: dial, a, b");
}

#[test]
fn a_pool_nobody_knows() {
    let mut world = World::new();
    world.map(|map| map.pool = false);
    world.write("a");
    world.write("b");
    assert_eq!(world.news(), ["ask"]);
    world.objecter.latest(7, world.now);
    assert!(world.news().is_empty(), "a newer map may have it");
    world.map(|_| {});
    assert_eq!(world.news(), ["a: NoPool", "b: NoPool"]);
}

#[test]
fn eagain_and_redirections_are_new_requests() {
    let mut world = two_sent();
    world.answer(0, -11, |_| {});
    assert!(world.news().is_empty());
    world.pass(AGAIN_AFTER);
    assert_eq!(world.news(), ["1 <- a tid 3 try 0 e5"]);
    world.answer(1, 0, |reply| {
        let locator = ObjectLocator::pool(4);
        reply.redirect = Some(Redirect { locator, object: Bytes::from_static(b"moved") });
    });
    assert_eq!(world.news(), ["1 <- moved tid 4 try 0 e5"]);
    let (_, message) = world.sent.last().unwrap();
    let moved = MOSDOpView::parse(message).unwrap();
    assert!(moved.flags.contains(OsdFlags::REDIRECTED));
    assert_eq!(moved.pgid.pg.pool, 4);
    world.answer(3, 0, |_| {});
    assert_eq!(world.news(), ["b: 0"]);
}

#[test]
fn a_refusal_of_a_second_attempt_leaves_doubt() {
    for (refusal, doubt) in [(-108, "Blocklisted"), (-1, "NotPermitted")] {
        let mut world = two_sent();
        world.answer(0, refusal, |_| {});
        assert_eq!(world.news(), [format!("a: {refusal}")]);
        world.objecter.failed(LinkId(1), world.now);
        world.connect(2);
        world.news();
        world.answer(2, refusal, |_| {});
        assert_eq!(world.news(), [format!("b: unknown, {doubt}")]);
    }
}

#[test]
fn a_request_longer_than_peers_take_ends_and_the_connection_stays() {
    let mut world = two_sent();
    let snaps = vec![1; 2 << 20];
    world.begin("s", Request { snapc: SnapContext { seq: 1, snaps }, ..write("s") });
    let news = world.news();
    assert!(matches!(&*news, [s] if s.starts_with("s: Unsendable(TooLong {")), "{news:?}");
    world.write("c");
    world.answer(0, 0, |_| {});
    assert_eq!(world.news(), ["1 <- c tid 4 try 0 e5", "a: 0"], "its part of the budget is free");
}

#[test]
fn a_request_that_no_connection_takes_ends_and_the_connection_stays() {
    let mut world = two_sent();
    world.write("c");
    world.write("d"); // the budget holds three
    assert_eq!(world.news(), ["1 <- c tid 3 try 0 e5"]);
    let why = MessageError::TooLong { message: MOSDOp::NAME, segment: "body", size: 9, limit: 8 };
    world.objecter.refused(3, why, world.now);
    assert_eq!(world.news(), [format!("c: Unsendable({why:?})"), "1 <- d tid 4 try 0 e5".into()]);
}

#[test]
fn what_the_next_osd_cannot_be_sent_may_have_been_done_by_the_last() {
    let mut world = World::new();
    world.write("w");
    world.begin("r", read("r"));
    world.connect(1);
    world.news();
    world.map(|map| map.primary = Some(1));
    world.write("new");
    world.news();
    world.objecter.connected(LinkId(2), Features::default(), world.now);
    let news = world.news();
    assert_eq!(news[0], "w: unknown, Unsendable");
    assert!(news[1].starts_with("r: Unsendable(MissingFeatures"), "a read changes nothing: {news:?}");
    assert!(news[2].starts_with("new: Unsendable(MissingFeatures"), "never sent: {news:?}");
    assert_eq!(news.len(), 3);
}

#[test]
fn what_the_next_connection_does_not_take_may_have_been_done_on_the_last() {
    let mut world = two_sent();
    world.objecter.failed(LinkId(1), world.now);
    world.connect(2);
    world.news();
    let why = MessageError::TooLong { message: MOSDOp::NAME, segment: "body", size: 9, limit: 8 };
    world.objecter.refused(1, why, world.now);
    assert_eq!(world.news(), ["a: unknown, Unsendable"]);
}

#[test]
fn nonsense_ends_the_connection_not_the_operation() {
    let mut world = two_sent();
    world.answer(0, 0, |reply| reply.ops[0].payload_len = 1000);
    assert_eq!(world.news(), ["close 1", "dial 2 for 6800"]);
    let mut garbage = Message::new(MOSDOpReply::KIND, &b"garbage"[..]);
    garbage.header.version = 8;
    world.objecter.message(LinkId(2), &garbage, world.now);
    assert_eq!(world.news(), ["close 2"]);
    world.pass(Duration::from_secs(61));
    assert!(world.news().contains(&"a: unknown, Sense(0)".to_owned()));
}
