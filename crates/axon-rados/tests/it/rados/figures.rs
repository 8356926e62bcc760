//! What the manager counts: the figures of pools, and their quotas.

use super::bed::{Bed, command, everywhere};
use super::full::{WITHIN, nothing_is_written, wait_until_full, wait_until_there_is_room};
use crate::monitors::eventually;
use axon_rados::IoCtx;
use axon_rados::client::{Errno, Waiting};
use axon_rados::mon::PoolSpec;
use serde_json::json;

/// A pool with seven objects, of 31 bytes.
fn pool(bed: &Bed) -> IoCtx {
    let spec = PoolSpec { placement_groups: Some(4), ..PoolSpec::default() };
    let io = bed.rados.create_pool(&bed.named("counted"), &spec).unwrap().with_deadline(Some(WITHIN));
    (0..5).for_each(|i| io.write_full(format!("o{i}"), "12345").wait().unwrap());
    io.write_full("victim", "12345").wait().unwrap();
    io.write_full("small", "x").wait().unwrap();
    io
}

fn set_quota(bed: &Bed, io: &IoCtx, objects: &str) {
    let pool = io.pool_name();
    let set = json!({"prefix": "osd pool set-quota", "pool": pool, "field": "max_objects", "val": objects});
    command(&bed.rados, &set);
}

#[test]
fn figures_and_quotas() {
    // All at the same time: figures take a while.
    let counted: Vec<_> = everywhere().map(|bed| (bed, pool(bed))).collect();
    for (bed, io) in &counted {
        eventually("the right figures", WITHIN, || {
            let stats = bed.rados.pool_stats(vec![io.pool_name().to_owned()]).unwrap();
            stats.get(io.pool_name()).is_some_and(|stats| (stats.objects, stats.bytes) == (7, 31))
        });
        assert!(bed.rados.usage().unwrap().objects >= 7);
        set_quota(bed, io, "4");
    }
    for (bed, io) in &counted {
        let full = wait_until_full(io);
        assert_eq!(full, Waiting::PoolFull(io.pool_id()));
        assert!(full.to_string().contains("quota"), "{full}");
        nothing_is_written(io, Errno::EDQUOT);
        set_quota(bed, io, "0");
    }
    counted.iter().for_each(|(_, io)| wait_until_there_is_room(io));
}
