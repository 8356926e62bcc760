//! Requests to real OSDs: what is written can be read.

use crate::monitors::{SECOND, config, eventually};
use axon_denc::{AddrVec, EntityAddr, EntityType, Features};
use axon_messenger::{Connection, Expect, Policy};
use axon_rados::mon::{Ignore, MonClient};
use axon_rados::msg::{MOSDOp, MOSDOpReply, TypedMessage};
use axon_rados::osd::{OpCode, OsdFlags, OsdOp, PgId};
use axon_testbed::{Cluster, Release};
use bytes::Bytes;

/// A cluster with one OSD and a pool of one placement group, and a connection to the OSD.
struct Store {
    pool: u64,
    epoch: u32,
    osd: Connection,
    features: Features,
    _mon: MonClient,
    _cluster: Cluster,
}

impl Store {
    fn boot(release: Release, offered: Features) -> Self {
        let cluster = Cluster::builder().release(release).osds(1).pool("p", 1).boot().unwrap();
        let lossy = Policy::lossy_client().support(offered);
        let mon = MonClient::connect_with(config(&cluster, "client.admin"), Ignore, |builder| {
            builder.policy(EntityType::Osd, lossy)
        })
        .unwrap();
        let at = cluster.osd_addr(0).unwrap();
        let addrs = AddrVec::from(EntityAddr::msgr2(at.addr, at.nonce));
        let osd = mon.messenger().connect(EntityType::Osd, &addrs).unwrap();
        eventually("a session with the OSD", 120 * SECOND, || osd.features().is_some());
        let pools = cluster.ceph_json(&["osd", "lspools"]).unwrap();
        Self {
            pool: pools[0]["poolnum"].as_u64().unwrap(),
            epoch: mon.versions("osdmap").unwrap().newest as u32,
            features: osd.features().unwrap(),
            osd,
            _mon: mon,
            _cluster: cluster,
        }
    }

    fn pg(&self) -> PgId {
        PgId { pool: self.pool, seed: 0 }
    }

    fn ask(&self, mut request: MOSDOp) -> MOSDOpReply {
        request.map_epoch = self.epoch;
        let message = request.encode(self.features).unwrap();
        let call = self.osd.call(message, Expect::Kind(MOSDOpReply::KIND)).unwrap();
        let reply = call.wait_timeout(120 * SECOND).unwrap();
        MOSDOpReply::decode(&reply).unwrap()
    }
}

fn writes_and_reads(store: &Store) {
    let missing = store.ask(MOSDOp::read("missing", store.pg(), 0, 8));
    assert_eq!((missing.result, &missing.object[..]), (-2, &b"missing"[..]));

    let data = Bytes::from(vec![7; 100_000]);
    let written = store.ask(MOSDOp::write("one", store.pg(), 4, data.clone()));
    assert_eq!(written.result, 0, "{written:?}");
    assert_eq!(written.flags.without(OsdFlags::ONDISK).with(OsdFlags::ONDISK), written.flags, "on disk");
    assert!(written.user_version > 0 && written.replay_version.version > 0);

    let read = store.ask(MOSDOp::read("one", store.pg(), 4, 200_000));
    assert_eq!((read.result, &read.data), (0, &data));

    let mut both = MOSDOp::read("one", store.pg(), 0, 6);
    both.ops.push(OsdOp::stat());
    let both = store.ask(both);
    assert_eq!((both.result, &both.results[..]), (0, &[0, 0][..]), "{both:?}");
    assert_eq!(both.ops.iter().map(|op| op.code).collect::<Vec<_>>(), [OpCode::READ, OpCode::STAT]);
    assert_eq!(both.data[..6], [0, 0, 0, 0, 7, 7]);
    assert_eq!(both.data[6..14], 100_004u64.to_le_bytes(), "the size");
}

#[test]
fn objects_of_every_release() {
    for release in [Release::Pacific, Release::Reef] {
        let store = Store::boot(release, Features::ALL_REEF);
        assert_eq!(MOSDOp::version_for(store.features), Ok(8), "{release}");
        writes_and_reads(&store);
    }
    let store = Store::boot(Release::Tentacle, Features::ALL_TENTACLE);
    assert_eq!(MOSDOp::version_for(store.features), Ok(9));
    writes_and_reads(&store);
}
