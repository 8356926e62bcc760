//! What a monitor of Tentacle sends depends on what its client claims to read.

use crate::monitors::{SECOND, config, eventually};
use axon_denc::{EntityType, Features};
use axon_messenger::Policy;
use axon_rados::FEATURES;
use axon_rados::mon::{Ignore, MonClient};
use axon_rados::osdmap::{OsdMap, PoolFlags};
use axon_testbed::{Cluster, Release};
use bytes::Bytes;
use std::sync::{Arc, Mutex};

/// A pool of which two shards of four never lead.
const COMMANDS: [&str; 3] = [
    r#"{"prefix": "osd erasure-code-profile set", "name": "k2m2", "profile": ["k=2", "m=2", "crush-failure-domain=osd"]}"#,
    r#"{"prefix": "osd pool create", "pool": "ec", "pg_num": 8, "pool_type": "erasure", "erasure_code_profile": "k2m2"}"#,
    r#"{"prefix": "osd pool set", "pool": "ec", "var": "allow_ec_optimizations", "val": "true"}"#,
];

/// The whole map of epoch `epoch` that a client with these features is sent.
fn whole_map(cluster: &Cluster, features: Features, epoch: u32) -> Bytes {
    let policy = Policy::lossy_client().support(features);
    let config = config(cluster, "client.admin");
    let configure = |builder: axon_messenger::Builder| builder.policy(EntityType::Mon, policy);
    let mon = MonClient::connect_with(config, Ignore, configure).unwrap();
    let found = Arc::new(Mutex::new(None));
    let keep = found.clone();
    mon.subscribe_osdmaps(0, move |maps| {
        if let Some(map) = maps.full.get(&epoch) {
            *keep.lock().unwrap() = Some(map.clone());
        }
        maps.newest
    });
    eventually("a whole map", 120 * SECOND, || found.lock().unwrap().is_some());
    found.lock().unwrap().take().unwrap()
}

#[test]
fn each_bit_beyond_reef() {
    // Without OSDs, whose reports would make new epochs meanwhile.
    let cluster = Cluster::builder().release(Release::Tentacle).boot().unwrap();
    let mon = MonClient::connect(config(&cluster, "client.admin")).unwrap();
    for command in COMMANDS {
        mon.run(command, Bytes::new(), 120 * SECOND).wait().unwrap();
    }
    let epoch = u32::try_from(mon.versions("osdmap").unwrap().newest).unwrap();
    let reef = whole_map(&cluster, Features::ALL_REEF, epoch);
    let ours = whole_map(&cluster, FEATURES, epoch);
    let added = FEATURES.without(Features::ALL_REEF);
    for bit in (0..64).map(|n| Features(1 << n)).filter(|bit| added.contains(*bit)) {
        let map = whole_map(&cluster, Features::ALL_REEF.with(bit), epoch);
        let changes = Features::SERVER_TENTACLE.contains(bit);
        assert_eq!(map != reef, changes, "bit {bit}");
        assert_eq!(map == ours, changes, "bit {bit}");
    }
    let never_lead = |bytes: &[u8]| {
        let map = OsdMap::decode(bytes).unwrap(); // and its checksum is right
        let (_, pool) = map.pool_by_name("ec").unwrap();
        assert!(pool.flags.contains(PoolFlags::EC_OPTIMIZATIONS));
        (0..4).filter(|shard| pool.nonprimary_shards.contains(*shard)).count()
    };
    assert_eq!((never_lead(&reef), never_lead(&ours)), (0, 1), "k2m2 has one shard that never leads");
}
