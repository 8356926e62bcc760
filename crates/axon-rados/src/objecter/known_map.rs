//! The real map, as the objecter asks it.

use super::SnapContext;
use super::map::{Barriers, ClusterMap, Interval, Target};
use crate::osd::{ObjectLocator, PgId, SpgId};
use crate::osdmap::{MapFlags, OsdMap, Pool, PoolFlags, PoolKind, UpActing};
use axon_denc::AddrVec;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::sync::Arc;

/// An OSD map, and what was already found out about it.
#[derive(Debug, Default)]
pub(crate) struct KnownMap {
    map: OsdMap,
    /// Groups that were asked for: CRUSH is not cheap.
    groups: RefCell<FxHashMap<PgId, Group>>,
}

#[derive(Debug, Clone)]
struct Group {
    pg: SpgId,
    primary: Option<u32>,
    interval: Arc<Interval>,
}

impl KnownMap {
    /// The map.
    pub(crate) fn osdmap(&self) -> &OsdMap {
        &self.map
    }

    /// Changes the map.
    pub(crate) fn change<R>(&mut self, change: impl FnOnce(&mut OsdMap) -> R) -> R {
        self.groups.get_mut().clear();
        change(&mut self.map)
    }

    /// The snapshots of a pool that has its own.
    pub(crate) fn pool_snaps(&self, pool: i64) -> Option<SnapContext> {
        let pool = self.map.pool(pool).filter(|pool| !pool.snaps.is_empty())?;
        Some(SnapContext { seq: pool.snap_seq, snaps: pool.snaps.keys().rev().copied().collect() })
    }

    fn group(&self, pool: &Pool, pg: PgId) -> Group {
        let mut groups = self.groups.borrow_mut();
        groups.entry(pg).or_insert_with(|| self.find_group(pool, pg)).clone()
    }

    fn find_group(&self, pool: &Pool, pg: PgId) -> Group {
        let osds = self.map.pg_to_up_acting(pg);
        let shard = match (pool.kind, osds.acting_primary) {
            (PoolKind::Erasure, Some(primary)) => osds.acting.iter().position(|osd| *osd == Some(primary)),
            _ => None,
        };
        let shard = shard.and_then(|place| i8::try_from(place).ok()).unwrap_or(SpgId::NO_SHARD);
        let primary = osds.acting_primary;
        Group { pg: SpgId { pg, shard }, primary, interval: Arc::new(self.interval(pool, osds)) }
    }

    fn interval(&self, pool: &Pool, osds: UpActing) -> Interval {
        Interval {
            acting: osds.acting,
            up: osds.up,
            up_primary: osds.up_primary,
            pg_num: pool.pg_num,
            pg_num_pending: pool.pg_num_pending,
            size: pool.size,
            min_size: pool.min_size,
            flags: MapFlags(self.map.flags().0 & OF_INTERVALS.0),
            ec_optimizations: pool.flags.contains(PoolFlags::EC_OPTIMIZATIONS),
            peering: pool.peering,
        }
    }
}

/// The flags whose change ends the time during which groups are served in one way.
const OF_INTERVALS: MapFlags = MapFlags(MapFlags::SORTBITWISE.0 | MapFlags::RECOVERY_DELETES.0);

impl ClusterMap for KnownMap {
    fn epoch(&self) -> u32 {
        self.map.epoch()
    }

    fn target(&self, locator: &ObjectLocator, object: &[u8]) -> Option<Target> {
        let pool = self.map.pool(locator.pool)?;
        let place = self.map.object_to_pg(locator, object).ok()?;
        let Group { pg, primary, interval } = self.group(pool, place.pg);
        Some(Target { raw: place.raw, pg, primary, interval })
    }

    fn overlay(&self, pool: i64, write: bool) -> Option<i64> {
        let pool = self.map.pool(pool)?;
        if write { pool.write_tier } else { pool.read_tier }
    }

    fn barriers(&self, pool: i64) -> Barriers {
        let flags = self.map.flags();
        let pool = self.map.pool(pool).map_or(PoolFlags::default(), |pool| pool.flags);
        Barriers {
            reads: flags.contains(MapFlags::PAUSERD),
            writes: flags.contains(MapFlags::PAUSEWR),
            cluster_full: flags.contains(MapFlags::FULL),
            pool_full: pool.contains(PoolFlags::FULL),
            pool_eio: pool.contains(PoolFlags::EIO),
        }
    }

    fn force_resend(&self, pool: i64) -> u32 {
        self.map.pool(pool).map_or(0, |pool| pool.last_force_op_resend)
    }

    fn osd_addrs(&self, osd: u32) -> Option<AddrVec> {
        let osd = self.map.osd(osd).filter(|osd| osd.is_up())?;
        Some(osd.client_addrs.clone())
    }
}
