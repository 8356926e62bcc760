//! Bytes of a peer: cut, damaged or made up, they are refused or read, and nothing else.

use crate::vectors::all_messages;
use axon_denc::{Decode, Features};
use axon_rados::MonMap;
use axon_rados::msg::*;
use axon_rados::osd::{EVersion, ObjectLocator, OsdFlags, OsdOp, PgId, ReqId, SpgId};
use axon_wire::Message;
use bytes::Bytes;
use proptest::prelude::*;

type Decodes = fn(&Message) -> Result<(), MessageError>;

fn decodes<T: TypedMessage>(message: &Message) -> Result<(), MessageError> {
    T::decode(message).map(|_| ())
}

const DECODERS: [(u16, u16, Decodes); 15] = [
    (MPing::KIND, MPing::HEAD_VERSION, decodes::<MPing>),
    (MMonMap::KIND, MMonMap::HEAD_VERSION, decodes::<MMonMap>),
    (MMonSubscribe::KIND, MMonSubscribe::HEAD_VERSION, decodes::<MMonSubscribe>),
    (MMonSubscribeAck::KIND, MMonSubscribeAck::HEAD_VERSION, decodes::<MMonSubscribeAck>),
    (MAuth::KIND, MAuth::HEAD_VERSION, decodes::<MAuth>),
    (MAuthReply::KIND, MAuthReply::HEAD_VERSION, decodes::<MAuthReply>),
    (MMonGetVersion::KIND, MMonGetVersion::HEAD_VERSION, decodes::<MMonGetVersion>),
    (MMonGetVersionReply::KIND, MMonGetVersionReply::HEAD_VERSION, decodes::<MMonGetVersionReply>),
    (MOSDMap::KIND, MOSDMap::HEAD_VERSION, decodes::<MOSDMap>),
    (MOSDOp::KIND, MOSDOp::HEAD_VERSION, decodes::<MOSDOp>),
    (MOSDOpReply::KIND, MOSDOpReply::HEAD_VERSION, decodes::<MOSDOpReply>),
    (MMonCommand::KIND, MMonCommand::HEAD_VERSION, decodes::<MMonCommand>),
    (MMonCommandAck::KIND, MMonCommandAck::HEAD_VERSION, decodes::<MMonCommandAck>),
    (MConfig::KIND, MConfig::HEAD_VERSION, decodes::<MConfig>),
    (MOSDOp::KIND, 8, decodes::<MOSDOp>),
];

fn decoder_of(message: &Message) -> Decodes {
    DECODERS.iter().find(|(kind, ..)| *kind == message.header.kind).unwrap().2
}

/// An MAuth may end before its last field.
fn may_end_at(message: &Message, cut: usize) -> bool {
    message.header.kind == MAuth::KIND && cut == message.front.len() - 4
}

#[test]
fn every_prefix_is_refused() {
    for message in all_messages() {
        for cut in 0..message.front.len() {
            let mut short = message.clone();
            short.front.truncate(cut);
            let result = decoder_of(&message)(&short);
            assert_eq!(result.is_ok(), may_end_at(&message, cut), "{:?} cut at {cut}", message.header);
        }
    }
}

#[test]
fn another_type_is_refused() {
    let ping = MPing.encode(Features::NONE).unwrap();
    assert_eq!(MOSDOp::decode(&ping), Err(MessageError::WrongKind { expected: "osd_op", kind: 42, got: 2 }));
}

#[test]
fn versions_are_checked() {
    let mut message = op_message(Features::ALL_TENTACLE);
    message.header.compat_version = 10;
    assert_eq!(
        MOSDOp::decode(&message),
        Err(MessageError::TooNew { message: "osd_op", compat: 10, known: 9 })
    );
    message.header.compat_version = 3;
    message.header.version = 10;
    assert!(
        matches!(MOSDOp::decode(&message), Err(MessageError::TooNew { .. })),
        "fields come in the middle"
    );
    message.header.version = 7;
    assert_eq!(
        MOSDOp::decode(&message),
        Err(MessageError::TooOld { message: "osd_op", version: 7, oldest: 8 })
    );
    let mut ack = MMonSubscribeAck { interval: 1, fsid: [1; 16] }.encode(Features::NONE).unwrap();
    ack.header.version = 7;
    ack.front = [&ack.front[..], b"news"].concat().into();
    assert_eq!(MMonSubscribeAck::decode(&ack).unwrap().interval, 1);
}

#[test]
fn the_version_follows_the_features() {
    assert_eq!(op_message(Features::SERVER_LUMINOUS).header.version, 8);
    assert_eq!(op_message(Features::ALL_REEF).header.version, 8);
    assert_eq!(op_message(Features::SERVER_LUMINOUS | Features::SERVER_SQUID).header.version, 9);
    let missing = Features::SERVER_LUMINOUS.without(Features::SERVER_JEWEL);
    assert_eq!(
        op().encode(Features::SERVER_JEWEL),
        Err(MessageError::MissingFeatures { message: "osd_op", missing })
    );
}

#[test]
fn counts_that_lie_do_not_allocate() {
    let mut front = op_message(Features::ALL_REEF).front.to_vec();
    let snaps = front.len() - 8 - 4 - 8 - 4; // the count before the one snapshot, the attempt and the features
    front[snaps..snaps + 4].fill(0xff);
    let mut message = op_message(Features::ALL_REEF);
    message.front = front.into();
    assert!(matches!(MOSDOp::decode(&message), Err(MessageError::Malformed { .. })));
    let config = Message::new(MConfig::KIND, &[0xff; 8][..]);
    assert!(MConfig::decode(&config).is_err());
}

fn op() -> MOSDOp {
    let mut op = MOSDOp::write("name", PgId { pool: 7, seed: 0xabc }, 3, Bytes::from_static(b"four"));
    op.snaps = vec![5];
    op
}

fn op_message(features: Features) -> Message {
    op().encode(features).unwrap()
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn any_locator() -> impl Strategy<Value = ObjectLocator> {
    (any::<i64>(), any_bytes(), any_bytes(), any::<Option<u32>>())
        .prop_map(|(pool, key, namespace, hash)| ObjectLocator { pool, key, namespace, hash })
}

fn any_op() -> impl Strategy<Value = OsdOp> {
    any::<[u8; OsdOp::SIZE]>().prop_map(|bytes| OsdOp::from_bytes(&bytes).unwrap())
}

fn any_request() -> impl Strategy<Value = MOSDOp> {
    let numbers = any::<(u64, u32, i8, u32, u32, u32, u64, i32)>();
    let lists = (
        any_locator(),
        any_bytes(),
        any_bytes(),
        proptest::collection::vec(any_op(), 0..4),
        proptest::collection::vec(any::<u64>(), 0..4),
    );
    (numbers, lists).prop_map(
        |((n64, seed, shard, a, b, c, tid, inc), (locator, object, data, ops, snaps))| MOSDOp {
            pgid: SpgId { pg: PgId { pool: n64, seed }, shard },
            hash: a,
            map_epoch: b,
            flags: OsdFlags(c),
            reqid: ReqId { name: (shard > 0).then(|| "client.5".parse().unwrap()), tid, inc },
            client_inc: c,
            mtime: axon_denc::UTime::new(a, b),
            locator,
            object,
            ops,
            snapid: n64,
            snap_seq: tid,
            snaps,
            retry_attempt: inc,
            data,
        },
    )
}

proptest! {
    #[test]
    fn made_up_fronts_never_panic(which in 0..DECODERS.len(), front in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (kind, version, decode) = DECODERS[which];
        let mut message = Message::new(kind, front.clone());
        message.header.version = version;
        let _ = decode(&message);
        let _ = MOSDOpView::parse(&message);
        let _ = MonMap::from_bytes(&front);
    }

    #[test]
    fn damaged_fronts_never_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8) {
        let messages: Vec<Message> = all_messages().filter(|m| !m.front.is_empty()).collect();
        let mut message = messages[which.index(messages.len())].clone();
        let mut front = message.front.to_vec();
        let at = at.index(front.len());
        front[at] = byte;
        message.front = front.into();
        let _ = decoder_of(&message)(&message);
        if let Ok(map) = MMonMap::decode(&message) {
            let _ = MonMap::from_bytes(&map.map);
        }
    }

    #[test]
    fn requests_read_back(request in any_request(), squid: bool) {
        let features = if squid { Features::ALL_TENTACLE } else { Features::ALL_REEF };
        let message = request.encode(features).unwrap();
        prop_assert_eq!(MOSDOp::decode(&message), Ok(request.clone()));
        let view = MOSDOpView::parse(&message).unwrap();
        prop_assert_eq!(view.object, &request.object[..]);
        let answer = MOSDOpReply::answer(&view, -5, OsdFlags::ACK, 9);
        let reply = MOSDOpReply::decode(&answer).unwrap();
        prop_assert_eq!((reply.result, reply.map_epoch, reply.ops.len()), (-5, 9, request.ops.len()));
        prop_assert_eq!(reply.encode(features).unwrap().front, answer.front);
    }

    #[test]
    fn replies_with_redirects_read_back(locator in any_locator(), object in any_bytes(), results in any::<[i32; 2]>()) {
        let reply = MOSDOpReply {
            object: object.clone(),
            pg: PgId { pool: 1, seed: 2 },
            flags: OsdFlags::ONDISK,
            result: -1,
            bad_replay_version: EVersion { version: 3, epoch: 4 },
            map_epoch: 5,
            ops: vec![OsdOp::read(0, 8), OsdOp::stat()],
            retry_attempt: 6,
            results: results.to_vec(),
            replay_version: EVersion { version: 7, epoch: 8 },
            user_version: 9,
            redirect: Some(Redirect { locator, object }),
            data: Bytes::from_static(b"data"),
        };
        let message = reply.encode(Features::ALL_REEF).unwrap();
        prop_assert_eq!(MOSDOpReply::decode(&message), Ok(reply));
    }
}
