//! Messages of real daemons, read and written back byte by byte. What each file holds is said at its top.

use axon_denc::{Decode, Features};
use axon_rados::msg::*;
use axon_rados::osd::{NO_SNAP, OpCode, OsdFlags, OsdOp, PgId};
use axon_rados::{MonInfo, MonMap};
use axon_wire::Message;
use bytes::Bytes;

const PACIFIC: &str = include_str!("../../../../vectors/messages/pacific.txt");
const REEF: &str = include_str!("../../../../vectors/messages/reef.txt");
const TENTACLE: &str = include_str!("../../../../vectors/messages/tentacle.txt");

/// A release's messages and what its peers advertise.
const RELEASES: [(&str, &str, Features); 3] = [
    ("pacific", PACIFIC, Features::ALL_REEF),
    ("reef", REEF, Features::ALL_REEF),
    ("tentacle", TENTACLE, Features::ALL_TENTACLE),
];

/// The messages of a file with their names.
pub(crate) fn messages(text: &str) -> Vec<(&str, Message)> {
    let blocks = text.split("\n\n").skip(1);
    blocks.map(read_block).collect()
}

/// Every message there is.
pub(crate) fn all_messages() -> impl Iterator<Item = Message> {
    RELEASES.into_iter().flat_map(|(_, text, _)| messages(text)).map(|(_, message)| message)
}

fn read_block(block: &str) -> (&str, Message) {
    let mut lines = block.lines();
    let words: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    let mut message = Message::new(number(2) as u16, Bytes::new());
    message.header.version = number(4) as u16;
    message.header.compat_version = number(6) as u16;
    message.header.priority = number(8) as u16;
    message.header.data_off = number(10) as u16;
    message.header.tid = number(12);
    for line in lines {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("front", hex) => message.front = unhex(hex),
            ("data", hex) => message.data = unhex(hex),
            (other, _) => panic!("unknown line {other}"),
        }
    }
    (words[0], message)
}

fn unhex(hex: &str) -> Bytes {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    hex.as_bytes().as_chunks::<2>().0.iter().map(|[a, b]| digit(*a) << 4 | digit(*b)).collect()
}

/// Reads `message` as a `T` and writes it again: every byte must be as it was.
fn check<T: TypedMessage + std::fmt::Debug>(message: &Message, features: Features) {
    let typed = T::decode(message).unwrap();
    let again = typed.encode(features).unwrap();
    assert_eq!(again.front, message.front, "{typed:?}");
    assert_eq!(again.data, message.data, "{typed:?}");
    let versions = |m: &Message| (m.header.kind, m.header.version, m.header.compat_version);
    assert_eq!(versions(&again), versions(message), "{typed:?}");
}

fn check_any(name: &str, message: &Message, features: Features) {
    match name {
        MMonMap::NAME => check::<MMonMap>(message, features),
        MMonSubscribe::NAME => check::<MMonSubscribe>(message, features),
        MAuth::NAME => check::<MAuth>(message, features),
        MAuthReply::NAME => check::<MAuthReply>(message, features),
        MMonGetVersion::NAME => check::<MMonGetVersion>(message, features),
        MMonGetVersionReply::NAME => check::<MMonGetVersionReply>(message, features),
        MOSDMap::NAME => check::<MOSDMap>(message, features),
        MOSDOp::NAME => check::<MOSDOp>(message, MOSDOpView::parse(message).unwrap().features),
        MOSDOpReply::NAME => check::<MOSDOpReply>(message, features),
        MMonCommand::NAME => check::<MMonCommand>(message, features),
        MMonCommandAck::NAME => check::<MMonCommandAck>(message, features),
        MConfig::NAME => check::<MConfig>(message, features),
        other => panic!("no type for {other}"),
    }
}

#[test]
fn every_message_reads_back() {
    for (release, text, features) in RELEASES {
        let messages = messages(text);
        assert!(messages.len() > 30, "{release} has {} messages only", messages.len());
        for (name, message) in messages {
            check_any(name, &message, features);
        }
    }
}

/// The messages of one type in a file.
fn of<T: TypedMessage>(text: &str) -> Vec<(Message, T)> {
    let messages = messages(text).into_iter().filter(|(name, _)| *name == T::NAME);
    messages.map(|(_, m)| (m.clone(), T::decode(&m).unwrap())).collect()
}

/// Ceph: `osd_client_op_priority`. Only the benchmark of messengers, whose requests have no number, does otherwise.
#[test]
fn requests_have_their_priority() {
    for (release, text, _) in RELEASES {
        let requests = of::<MOSDOp>(text);
        let mut of_clients = requests.iter().filter(|(message, _)| message.header.tid > 0);
        assert!(of_clients.all(|(message, _)| message.header.priority == 63), "{release}");
    }
}

#[test]
fn a_write_says_what_was_written() {
    for (release, text, _) in RELEASES {
        let (_, put) = of::<MOSDOp>(text).remove(0);
        assert_eq!(put.object, "one", "{release}");
        assert_eq!(put.data, "hello-axon\n");
        assert_eq!(put.locator.pool, 1);
        assert_eq!(put.locator.hash, None);
        assert_eq!(put.pgid.pg, PgId { pool: 1, seed: 6 });
        assert_eq!(put.snapid, NO_SNAP);
        assert_eq!(put.retry_attempt, 0);
        assert!(put.mtime.sec > 1_700_000_000);
        let [op] = put.ops[..] else { panic!("{:?}", put.ops) };
        assert_eq!((op.code, op.payload_len), (OpCode::WRITEFULL, 11));
        assert_eq!(op.extent().length, 11);
    }
}

#[test]
fn a_namespace_and_a_missing_object() {
    for (_, text, _) in RELEASES {
        let requests = of::<MOSDOp>(text);
        let named = |name: &str| &requests.iter().find(|(_, op)| op.object == name).unwrap().1;
        assert_eq!(named("two").locator.namespace, "ns");
        let replies = of::<MOSDOpReply>(text);
        let missing = replies.iter().find(|(_, reply)| reply.object == "missing").unwrap();
        assert_eq!(missing.1.result, -2);
        assert_eq!(MOSDOpReply::result_of(&missing.0), Ok(-2));
    }
}

#[test]
fn the_monitor_map_is_where_the_monitor_was() {
    for ((release, text, _), port) in RELEASES.into_iter().zip([17400, 17500, 17700]) {
        let (_, message) = of::<MMonMap>(text).remove(0);
        let map = MonMap::from_bytes(&message.map).unwrap();
        let addrs = format!("[v2:127.0.0.1:{port}/0,v1:127.0.0.1:{}/0]", port + 1);
        let a = MonInfo { addrs: addrs.parse().unwrap(), ..MonInfo::default() };
        assert_eq!(map.by_rank().collect::<Vec<_>>(), [("a", &a)], "{release}");
        assert_eq!(map.name_at(&a.addrs.first()), Some("a"));
        assert_eq!(map.get("b"), None);
        let (_, command) = of::<MMonCommand>(text).remove(0);
        assert_eq!(map.fsid, command.fsid);
        let releases = [("pacific", 16), ("reef", 18), ("tentacle", 20)];
        assert!(releases.contains(&(release, map.min_release)), "{}", map.min_release);
        for cut in 0..message.map.len() {
            assert!(MonMap::from_bytes(&message.map[..cut]).is_err(), "{release} cut at {cut}");
        }
    }
}

/// The requests of Ceph's messenger benchmark, the last ones of the file.
#[test]
fn the_benchmark_sends_what_ceph_perf_msgr_client_sends() {
    let theirs = of::<MOSDOp>(REEF).pop().unwrap().0;
    assert_eq!(theirs.data.len(), 64);
    let template = MOSDOp::bench(64, Features::ALL_REEF).unwrap();
    let ours = template.message(theirs.header.tid, theirs.data.clone());
    let mut same = MOSDOp::decode(&ours).unwrap();
    assert_eq!(same.ops[0].payload_len, 64);
    same.ops[0].payload_len = 0; // theirs does not count the data as the operation's
    assert_eq!(same.encode(Features::ALL_REEF).unwrap().front, theirs.front);
    assert_eq!(ours.header.version, theirs.header.version);
    assert_eq!(ours.header.compat_version, theirs.header.compat_version);
    assert_eq!(ours.header.data_off, theirs.header.data_off);
}

#[test]
fn an_answer_is_what_the_osd_answered() {
    for (_, text, features) in RELEASES {
        let (request, _) = of::<MOSDOp>(text).remove(0);
        let (theirs, reply) = of::<MOSDOpReply>(text).remove(0);
        let view = MOSDOpView::parse(&request).unwrap();
        let ours =
            MOSDOpReply::answer(&view, reply.result, OsdFlags::ACK.with(OsdFlags::ONDISK), reply.map_epoch);
        let mut expected = reply;
        expected.bad_replay_version = Default::default();
        expected.replay_version = Default::default();
        expected.user_version = 0;
        expected.ops = view.ops.iter().map(|op| op.with_payload(0)).collect();
        assert_eq!(MOSDOpReply::decode(&ours).as_ref(), Ok(&expected));
        assert_eq!(ours.front, expected.encode(features).unwrap().front);
        assert_eq!(ours.header.tid, request.header.tid);
        assert_eq!(ours.header.compat_version, theirs.header.compat_version);
    }
}

#[test]
fn an_answer_takes_one_allocation() {
    for ops in 0..4 {
        let request = MOSDOp::new("name", PgId::default(), vec![OsdOp::stat(); ops]);
        let message = request.encode(Features::ALL_REEF).unwrap();
        let answer = MOSDOpReply::answer(&MOSDOpView::parse(&message).unwrap(), 0, OsdFlags::ACK, 0);
        let front = Vec::from(answer.front);
        assert_eq!(
            front.capacity(),
            front.len(),
            "bytes allocates once more for a buffer with room to spare"
        );
    }
}

#[test]
fn a_template_shares_its_front() {
    let template = MOSDOp::bench(4, Features::ALL_TENTACLE).unwrap();
    let [a, b] = [1, 2].map(|tid| template.message(tid, Bytes::from_static(b"data")));
    assert_eq!(a.front.as_ptr(), b.front.as_ptr(), "the front was copied");
    assert_eq!((a.header.tid, b.header.tid), (1, 2));
    let op = MOSDOp::decode(&a).unwrap();
    assert_eq!(op.ops, [OsdOp::write(0, 4)]);
    assert_eq!(op.data, "data");
}
