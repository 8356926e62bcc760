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
        Group {
            pg: SpgId { pg, shard },
            primary,
            interval: Arc::new(interval(pool, self.map.flags(), pg, osds)),
        }
    }
}

/// How `pg` is served by `osds` under the flags of a map.
fn interval(pool: &Pool, flags: MapFlags, pg: PgId, osds: UpActing) -> Interval {
    Interval {
        acting: osds.acting,
        up: osds.up,
        up_primary: osds.up_primary,
        split_bits: pool.split_bits(pg),
        split_bits_pending: pool.split_bits_pending(pg),
        size: pool.size,
        min_size: pool.min_size,
        flags: MapFlags(flags.0 & OF_INTERVALS.0),
        ec_optimizations: pool.flags.contains(PoolFlags::EC_OPTIMIZATIONS),
        peering: pool.peering,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What an interval is made of.
    #[derive(Clone)]
    struct Served {
        pool: Pool,
        flags: MapFlags,
        osds: UpActing,
    }

    /// Whether `change` ends the time during which a group of four is served in one way.
    fn ends(seed: u32, change: impl FnOnce(&mut Served)) -> bool {
        let mut before = Served { pool: Pool::default(), flags: MapFlags(0), osds: UpActing::default() };
        (before.pool.pg_num, before.pool.pg_num_pending) = (4, 4);
        let mut after = before.clone();
        change(&mut after);
        let of = |served: Served| interval(&served.pool, served.flags, PgId { pool: 1, seed }, served.osds);
        of(before) != of(after)
    }

    #[test]
    fn splits_and_merges_end_the_intervals_of_their_groups() {
        let splits = |seed| ends(seed, |served| served.pool.pg_num = 5);
        let will_merge = |seed| ends(seed, |served| served.pool.pg_num_pending = 3);
        let merges = |seed| ends(seed, |served| served.pool.pg_num = 3);
        assert_eq!([0, 1, 2, 3].map(splits), [true, false, false, false], "4 comes from 0");
        assert_eq!([0, 1, 2, 3].map(will_merge), [false, true, false, true], "3 goes into 1");
        assert_eq!([0, 1, 2, 3].map(merges), [false, true, false, true]);
    }

    #[test]
    fn other_changes_end_the_intervals_of_all_groups() {
        let all: [fn(&mut Served); 10] = [
            |served| served.osds.acting = vec![Some(1)],
            |served| served.osds.up = vec![Some(1)],
            |served| served.osds.up_primary = Some(1),
            |served| served.pool.size = 3,
            |served| served.pool.min_size = 2,
            |served| served.pool.flags = PoolFlags::EC_OPTIMIZATIONS,
            |served| served.pool.peering = Some([1; 4]),
            |served| served.flags = MapFlags::SORTBITWISE,
            |served| served.flags = MapFlags::RECOVERY_DELETES,
            |served| served.pool.pg_num = 8,
        ];
        assert!(all.into_iter().all(|change| ends(0, change)));
        let none: [fn(&mut Served); 4] = [
            |served| served.flags = MapFlags::PAUSEWR,
            |served| served.pool.flags = PoolFlags::FULL,
            |served| served.pool.pg_num_target = 8,
            |served| served.pool.snap_seq = 9,
        ];
        assert!(!none.into_iter().any(|change| ends(0, change)));
    }
}
