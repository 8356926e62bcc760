//! The messages about pools and usage: what Ceph makes of them, and what becomes of damaged ones.

use axon_denc::Features;
use axon_rados::msg::*;
use axon_testbed::{Dencoder, OracleMessage};
use axon_wire::Message;
use bytes::Bytes;
use proptest::prelude::*;

const FSID: Fsid = [7; 16];
/// Where the first pool's statistics begin: header, fsid, count, and a name of four bytes.
const STATS_AT: usize = 18 + 16 + 4 + 4 + 4;

fn stats() -> PoolStats {
    PoolStats {
        bytes: 1001,
        objects: 1002,
        clones: 1003,
        copies: 1004,
        missing_on_primary: 1005,
        degraded: 1006,
        unfound: 1007,
        reads: 1008,
        read_kib: 1009,
        writes: 1010,
        written_kib: 1011,
        allocated: 1012,
        stored: 1013,
    }
}

fn pool_op(op: PoolOpCode, snap: u64, name: &str) -> MPoolOp {
    MPoolOp { fsid: FSID, pool: 3, op, snap, name: name.into(), crush_rule: 0 }
}

fn pool_op_reply() -> MPoolOpReply {
    let data = Bytes::copy_from_slice(&5u64.to_le_bytes());
    MPoolOpReply { fsid: FSID, result: 0, epoch: 9, data }
}

fn stats_reply() -> MGetPoolStatsReply {
    let pools = [("pool".to_owned(), stats())].into();
    MGetPoolStatsReply { version: 4, fsid: FSID, pools, per_pool: true }
}

fn usage_reply() -> MStatFsReply {
    let usage = StatFs { total_kib: 1, used_kib: 2, available_kib: 3, objects: 4 };
    MStatFsReply { fsid: FSID, version: 8, usage }
}

fn encoded<T: TypedMessage>(typed: T) -> Message {
    typed.encode(Features::ALL_REEF).unwrap()
}

type Decodes = fn(&Message) -> Result<(), MessageError>;

/// Reads the message and writes it again, to the same bytes.
fn reads_back<T: TypedMessage>(message: &Message) -> Result<(), MessageError> {
    let again = T::decode(message)?.encode(Features::ALL_REEF)?;
    assert_eq!((&again.front, &again.header), (&message.front, &message.header));
    Ok(())
}

fn samples() -> Vec<(&'static str, Message, Decodes)> {
    let names = vec!["pool".to_owned(), "other".to_owned()];
    let named = pool_op(PoolOpCode::CREATE_SNAP, 0, "monday");
    let numbered = pool_op(PoolOpCode::DELETE_UNMANAGED_SNAP, 5, "");
    vec![
        ("MPoolOp", encoded(named), reads_back::<MPoolOp>),
        ("MPoolOp", encoded(numbered), reads_back::<MPoolOp>),
        ("MPoolOpReply", encoded(pool_op_reply()), reads_back::<MPoolOpReply>),
        ("MStatfs", encoded(MStatFs { fsid: FSID, pool: None }), reads_back::<MStatFs>),
        ("MStatfs", encoded(MStatFs { fsid: FSID, pool: Some(3) }), reads_back::<MStatFs>),
        ("MStatfsReply", encoded(usage_reply()), reads_back::<MStatFsReply>),
        ("MGetPoolStats", encoded(MGetPoolStats { fsid: FSID, pools: names }), reads_back::<MGetPoolStats>),
        ("MGetPoolStatsReply", encoded(stats_reply()), reads_back::<MGetPoolStatsReply>),
    ]
}

#[test]
fn ceph_reads_what_we_write() {
    let oracle = Dencoder::new().unwrap();
    let said: Vec<String> =
        samples().iter().map(|(class, message, _)| read_by(&oracle, class, message)).collect();
    assert_eq!(
        said,
        [
            "pool_op(create snap pool 3 tid 6 name monday v0)",
            "pool_op(delete unmanaged snap pool 3 tid 6 name  v0)",
            "pool_op_reply(tid 6 (0) Success v0)",
            "statfs(6 pool -1 v0)",
            "statfs(6 pool 3 v0)",
            "statfs_reply(6)",
            "getpoolstats(6 pool,other v0)",
            "getpoolstatsreply(6 per_pool v4)",
        ]
    );
    let front = encoded(stats_reply()).front;
    let theirs = oracle.dump("pool_stat_t", &front[STATS_AT..front.len() - 1]).unwrap();
    let counts = &theirs["stat_sum"];
    let names = [
        "num_bytes",
        "num_objects",
        "num_object_clones",
        "num_object_copies",
        "num_objects_missing_on_primary",
        "num_objects_degraded",
        "num_objects_unfound",
        "num_read",
        "num_read_kb",
        "num_write",
        "num_write_kb",
    ];
    assert_eq!(names.map(|name| counts[name].as_u64()), std::array::from_fn(|i| Some(1001 + i as u64)));
    let store = &theirs["store_stats"];
    assert_eq!([&store["allocated"], &store["data_stored"]], [1012, 1013]);
}

fn read_by(oracle: &Dencoder, class: &str, message: &Message) -> String {
    let message = OracleMessage {
        kind: message.header.kind,
        version: message.header.version,
        compat_version: message.header.compat_version,
        tid: 6,
        front: message.front.to_vec(),
        data: Vec::new(),
    };
    oracle.message(class, &message).unwrap()
}

#[test]
fn every_prefix_is_refused() {
    for (class, message, decode) in samples() {
        decode(&message).unwrap();
        for cut in 0..message.front.len() {
            let mut short = message.clone();
            short.front.truncate(cut);
            assert!(decode(&short).is_err(), "{class} cut at {cut}");
        }
    }
}

#[test]
fn what_newer_peers_add_is_skipped() {
    let mut newer = encoded(stats_reply());
    newer.header.version = 9;
    newer.front = [&newer.front[..], b"news"].concat().into();
    assert_eq!(MGetPoolStatsReply::decode(&newer), Ok(stats_reply()));
    newer.header.compat_version = 9;
    assert!(matches!(MGetPoolStatsReply::decode(&newer), Err(MessageError::TooNew { .. })));
}

#[test]
fn counts_that_lie_do_not_allocate() {
    let mut message = encoded(stats_reply());
    let mut front = message.front.to_vec();
    front[34..38].fill(0xff);
    message.front = front.into();
    assert!(matches!(MGetPoolStatsReply::decode(&message), Err(MessageError::Malformed { .. })));
}

proptest! {
    #[test]
    fn damaged_ones_never_panic(which in 0..8usize, at in any::<prop::sample::Index>(), byte: u8) {
        let (_, mut message, _) = samples().swap_remove(which);
        let mut front = message.front.to_vec();
        let at = at.index(front.len());
        front[at] = byte;
        message.front = front.into();
        let _ = MPoolOp::decode(&message);
        let _ = MPoolOpReply::decode(&message);
        let _ = MStatFs::decode(&message);
        let _ = MGetPoolStats::decode(&message);
        let _ = MGetPoolStatsReply::decode(&message);
    }
}
