//! From objects to OSDs.

use super::{MapError, OsdId, OsdInfo, OsdMap, Pool, PoolKind};
use crate::crush::hash::hash2;
use crate::crush::{ITEM_NONE, Rule, RuleKind};
use crate::osd::{ObjectLocator, PgId};

/// The release that stopped looking at what rules are for.
const QUINCY: u8 = 17;

/// Where an object belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectPg {
    /// The pool and the object's whole hash: the "raw" placement group, which requests carry.
    pub raw: PgId,
    /// The placement group.
    pub pg: PgId,
}

/// The OSDs of a placement group. In erasure-coded pools the place is the shard, and `None` is a shard that nobody has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UpActing {
    /// Those that should serve it.
    pub up: Vec<Option<OsdId>>,
    /// The one of them that should lead.
    pub up_primary: Option<OsdId>,
    /// Those that serve it now.
    pub acting: Vec<Option<OsdId>>,
    /// The one that leads now, which gets the requests.
    pub acting_primary: Option<OsdId>,
}

impl OsdMap {
    /// The placement group of the object `name` (or of the locator's key or hash, where it has one).
    ///
    /// # Errors
    /// [`MapError::NoPool`].
    pub fn object_to_pg(&self, locator: &ObjectLocator, name: &[u8]) -> Result<ObjectPg, MapError> {
        let no_pool = || MapError::NoPool(locator.pool);
        let pool = self.pool(locator.pool).ok_or_else(no_pool)?;
        let id = u64::try_from(locator.pool).map_err(|_| no_pool())?;
        let text = if locator.key.is_empty() { name } else { &locator.key[..] };
        let seed = locator.hash.unwrap_or_else(|| pool.hash(&locator.namespace, text));
        let raw = PgId { pool: id, seed };
        Ok(ObjectPg { raw, pg: pool.fold(raw) })
    }

    /// The OSDs of a placement group, raw or not; nobody if there is no such pool, or CRUSH gives up
    /// ([`CrushError::TooMuchWork`](crate::crush::CrushError::TooMuchWork)).
    pub fn pg_to_up_acting(&self, pg: PgId) -> UpActing {
        let Some(pool) = self.pool_of(pg) else { return UpActing::default() };
        let (up, up_primary) = self.up(pool, pg);
        let (temp, temp_primary) = self.temp(pool, pool.fold(pg));
        let primary = if temp.is_empty() { temp_primary.or(up_primary) } else { temp_primary };
        let acting = if temp.is_empty() { up.clone() } else { temp };
        UpActing { up: to_osds(&up), up_primary, acting: to_osds(&acting), acting_primary: primary }
    }

    /// The OSD that gets the requests for `pg`.
    pub fn primary(&self, pg: PgId) -> Option<OsdId> {
        let pool = self.pool_of(pg)?;
        let (temp, temp_primary) = self.temp(pool, pool.fold(pg));
        match temp.is_empty() && temp_primary.is_none() {
            true => self.up(pool, pg).1,
            false => temp_primary,
        }
    }

    fn pool_of(&self, pg: PgId) -> Option<&Pool> {
        self.pool(i64::try_from(pg.pool).ok()?)
    }

    fn up(&self, pool: &Pool, pg: PgId) -> (Vec<i32>, Option<OsdId>) {
        let seed = pool.placement_seed(pg);
        let mut osds = self.raw_osds(pool, pg, seed);
        self.apply_upmap(pool.fold(pg), &mut osds);
        self.drop_unless(pool, &mut osds, OsdInfo::is_up);
        let primary = self.lead(pool, seed, &mut osds);
        (osds, primary)
    }

    /// What CRUSH says, but for OSDs that do not exist.
    fn raw_osds(&self, pool: &Pool, pg: PgId, seed: u32) -> Vec<i32> {
        if !self.rule_is_for(pool) {
            return Vec::new();
        }
        let args = self.crush.choose_args(pg.pool.cast_signed());
        let rule = pool.crush_rule.into();
        let placed = self.crush.do_rule(rule, seed, pool.size.into(), &self.weights, args);
        let mut osds = placed.unwrap_or_default();
        self.drop_unless(pool, &mut osds, OsdInfo::exists);
        osds
    }

    /// Whether the pool's rule is one for pools like it. Up to Pacific (16) one for pools of other sizes, or of the other kind,
    /// places nothing; Quincy (17) and newer do not look.
    ///
    /// Ceph: `CrushWrapper::find_rule` in `src/crush/CrushWrapper.cc` of 16.2, and its absence in 17.2.
    fn rule_is_for(&self, pool: &Pool) -> bool {
        if self.require_osd_release >= QUINCY {
            return true;
        }
        let fits = |rule: &Rule| {
            let kind = match pool.kind {
                PoolKind::Replicated => RuleKind::Replicated,
                PoolKind::Erasure => RuleKind::Erasure,
            };
            rule.kind == kind && rule.sizes.contains(&pool.size)
        };
        self.crush.rule(pool.crush_rule.into()).is_some_and(fits)
    }

    /// Takes OSDs that are not `fit` out of a list, or leaves gaps where places have a meaning.
    fn drop_unless(&self, pool: &Pool, osds: &mut Vec<i32>, fit: fn(&OsdInfo) -> bool) {
        let keep = |osd: i32| self.osd_by_item(osd).is_some_and(fit);
        match pool.closes_gaps() {
            true => osds.retain(|osd| keep(*osd)),
            false => osds.iter_mut().filter(|osd| !keep(**osd)).for_each(|osd| *osd = ITEM_NONE),
        }
    }

    /// What administrators and the balancer say in place of CRUSH: whole lists, then replacements, then primaries.
    fn apply_upmap(&self, pg: PgId, osds: &mut Vec<i32>) {
        if let Some(list) = self.pg_upmap.get(&pg) {
            if list.iter().any(|osd| self.is_known_out(*osd)) {
                return;
            }
            osds.clone_from(list);
        }
        for (from, to) in self.pg_upmap_items.get(&pg).into_iter().flatten() {
            if !osds.contains(to)
                && !self.is_known_out(*to)
                && let Some(place) = osds.iter().position(|osd| osd == from)
            {
                osds[place] = *to;
            }
        }
        if let Some(primary) = self.pg_upmap_primaries.get(&pg)
            && self.weight_of(*primary).is_some_and(|weight| weight > 0)
            && let Some(place) = osds.iter().position(|osd| osd == primary)
        {
            osds.swap(0, place);
        }
    }

    fn weight_of(&self, osd: i32) -> Option<u32> {
        self.weights.get(usize::try_from(osd).ok()?).copied()
    }

    /// Whether it can exist and is out.
    fn is_known_out(&self, osd: i32) -> bool {
        self.weight_of(osd) == Some(0)
    }

    /// The first OSD, unless it is less willing to lead; the one that leads goes to the front where places have no meaning.
    fn lead(&self, pool: &Pool, seed: u32, osds: &mut [i32]) -> Option<OsdId> {
        let place = self.leading_place(seed, osds)?;
        let primary = osds[place];
        if pool.closes_gaps() {
            osds[..=place].rotate_right(1);
        }
        u32::try_from(primary).ok()
    }

    fn leading_place(&self, seed: u32, osds: &[i32]) -> Option<usize> {
        let willing = |osd: i32| {
            let affinity = self.osd_by_item(osd).map_or(OsdInfo::IN, |osd| osd.primary_affinity);
            affinity >= OsdInfo::IN || hash2(seed, osd.cast_unsigned()) >> 16 < affinity
        };
        let mut present =
            (0..).zip(osds).filter(|(_, osd)| **osd != ITEM_NONE).map(|(place, osd)| (place, *osd));
        let first = present.clone().next();
        present.find(|(_, osd)| willing(*osd)).or(first).map(|(place, _)| place)
    }

    /// The OSDs that stand in for a while, and the one that leads; nobody where nothing is said.
    fn temp(&self, pool: &Pool, pg: PgId) -> (Vec<i32>, Option<OsdId>) {
        let mut osds = self.pg_temp.get(&pg).cloned().unwrap_or_default();
        self.drop_unless(pool, &mut osds, OsdInfo::is_up);
        let first = osds.iter().find(|osd| **osd != ITEM_NONE).copied();
        let primary = self.primary_temp.get(&pg).copied().or(first);
        if pool.temp_is_primary_first() {
            osds = by_shard(pool, &osds);
        }
        (osds, primary.and_then(|osd| u32::try_from(osd).ok()))
    }
}

/// A list that names the shards that may lead first, in the order of shards.
fn by_shard(pool: &Pool, osds: &[i32]) -> Vec<i32> {
    let shards = || 0..osds.len();
    let leads = |shard: &usize| !pool.nonprimary_shards.contains(*shard);
    let order = shards().filter(leads).chain(shards().filter(|shard| !leads(shard)));
    let mut sorted = vec![ITEM_NONE; osds.len()];
    order.zip(osds).for_each(|(shard, osd)| sorted[shard] = *osd);
    sorted
}

fn to_osds(items: &[i32]) -> Vec<Option<OsdId>> {
    items.iter().map(|item| u32::try_from(*item).ok().filter(|_| *item != ITEM_NONE)).collect()
}
