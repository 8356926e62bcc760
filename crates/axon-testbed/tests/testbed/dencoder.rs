//! What Ceph's own code makes of our encodings, and ours of its.

use axon_denc::{AddrVec, Decode, Encode, EntityAddr, EntityName, Features};
use axon_rados::msg::Subscription;
use axon_rados::msg::{MAuth, MMonCommand, MMonGetVersion, MMonSubscribe, MOSDOp, MOSDOpReply, TypedMessage};
use axon_rados::osd::{EVersion, OsdFlags, PgId};
use axon_testbed::{Dencoder, OracleMessage};
use bytes::Bytes;

/// What a 14.2 peer and we agree on.
const FEATURES: Features =
    Features::SERVER_NAUTILUS.with(Features::SERVER_LUMINOUS).with(Features::MSG_ADDR2);

const ADDRS: [&str; 5] = [
    "v2:127.0.0.1:6800/5",
    "v1:10.1.2.3:6789/0",
    "any:192.168.0.1:0/4294967295",
    "v2:[2001:db8::1]:3300/77",
    "v2:0.0.0.0:0/123",
];

/// Ceph reads our bytes and writes the same.
fn kept_by_ceph(oracle: &Dencoder, class: &str, value: &impl Encode) {
    let ours = value.to_vec();
    let theirs = oracle.encode_again(class, FEATURES.0, &ours).unwrap();
    assert_eq!(ours, theirs, "{class}");
}

/// We read the bytes of Ceph's examples and write the same.
fn examples_kept<T: Encode + Decode>(oracle: &Dencoder, class: &str) {
    let count = oracle.examples(class).unwrap();
    assert!(count > 0);
    for n in 1..=count {
        let (bytes, dump) = oracle.example(class, n, FEATURES.0).unwrap();
        let value = T::from_bytes(&bytes).unwrap_or_else(|error| panic!("{class} {dump}: {error}"));
        assert_eq!(value.to_vec(), bytes, "{class} {dump}");
    }
}

#[test]
fn addresses_mean_the_same_to_ceph() {
    let oracle = Dencoder::new().unwrap();
    let addrs = ADDRS.map(|text| text.parse::<EntityAddr>().unwrap());
    for addr in addrs {
        kept_by_ceph(&oracle, "entity_addr_t", &addr);
        let dump = oracle.dump("entity_addr_t", &addr.to_vec()).unwrap();
        let kind = addr.to_string();
        assert_eq!(dump["type"], kind.split(':').next().unwrap());
        assert_eq!(dump["addr"], addr.socket.unwrap().to_string());
        assert_eq!(dump["nonce"], addr.nonce);
    }
    let all = AddrVec(addrs.to_vec());
    kept_by_ceph(&oracle, "entity_addrvec_t", &all);
    let dump = oracle.dump("entity_addrvec_t", &all.to_vec()).unwrap();
    assert_eq!(dump["addrvec"].as_array().unwrap().len(), ADDRS.len());
    examples_kept::<AddrVec>(&oracle, "entity_addrvec_t");
}

#[test]
fn names_mean_the_same_to_ceph() {
    let oracle = Dencoder::new().unwrap();
    let name: EntityName = "osd.3".parse().unwrap();
    kept_by_ceph(&oracle, "entity_name_t", &name);
    let dump = oracle.dump("entity_name_t", &name.to_vec()).unwrap();
    assert_eq!((&dump["type"], &dump["num"]), (&"osd".into(), &3.into()));
}

fn summary<T: TypedMessage>(oracle: &Dencoder, class: &str, typed: &T) -> String {
    let message = typed.encode(FEATURES).unwrap();
    let for_ceph = OracleMessage {
        kind: message.header.kind,
        version: message.header.version,
        compat_version: message.header.compat_version,
        tid: 9,
        front: message.front.to_vec(),
        data: message.data.to_vec(),
    };
    oracle.message(class, &for_ceph).unwrap()
}

#[test]
fn messages_mean_the_same_to_ceph() {
    let oracle = Dencoder::new().unwrap();
    let command = MMonCommand::new([7; 16], "{\"prefix\":\"status\"}", Bytes::new());
    assert_eq!(summary(&oracle, "MMonCommand", &command), "mon_command({\"prefix\":\"status\"} v 0)");
    let what = [("osdmap".to_owned(), Subscription { start: 5, once: true })].into();
    let subscribe = MMonSubscribe { what, host: "here".into() };
    assert_eq!(summary(&oracle, "MMonSubscribe", &subscribe), "mon_subscribe({osdmap=5})");
    let get = MMonGetVersion { handle: 4, what: "osdmap".into() };
    assert_eq!(summary(&oracle, "MMonGetVersion", &get), "mon_get_version(what=osdmap handle=4)");
    let auth = MAuth { protocol: 2, payload: Bytes::from_static(&[1, 2, 3]), monmap_epoch: 1 };
    assert_eq!(summary(&oracle, "MAuth", &auth), "auth(proto 2 3 bytes epoch 1)");
}

#[test]
fn operations_mean_the_same_to_ceph() {
    let oracle = Dencoder::new().unwrap();
    let pgid = PgId { pool: 2, seed: 0x15 };
    let write = MOSDOp::write("thing", pgid, 4096, Bytes::from_static(b"forty-two"));
    let seen = summary(&oracle, "MOSDOp", &write);
    assert!(seen.starts_with("osd_op(unknown.0.0:9 2.15 "), "{seen}");
    let reply = MOSDOpReply {
        object: "thing".into(),
        pg: pgid,
        flags: OsdFlags::ONDISK.with(OsdFlags::WRITE),
        result: -2,
        bad_replay_version: EVersion::default(),
        map_epoch: 3,
        results: vec![-2],
        ops: write.ops.iter().map(|op| op.with_payload(0)).collect(),
        retry_attempt: -1,
        replay_version: EVersion { version: 8, epoch: 3 },
        user_version: 8,
        redirect: None,
        data: Bytes::new(),
    };
    let seen = summary(&oracle, "MOSDOpReply", &reply);
    assert!(seen.starts_with("osd_op_reply(9 thing [write 4096~9]"), "{seen}");
}
