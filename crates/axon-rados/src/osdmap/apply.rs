//! Making the map of the next epoch.

use super::change::OsdChanges;
use super::decode::check_max_osd;
use super::{Incremental, MapError, MapFlags, OsdId, OsdInfo, OsdMap, OsdState};
use axon_denc::UTime;
use std::collections::BTreeMap;
use std::sync::Arc;

impl OsdMap {
    /// Makes this the map of the next epoch.
    ///
    /// # Errors
    /// When `change` is not that of the next epoch, is that of another cluster, or makes no sense; the map is then as it was.
    pub fn apply(&mut self, change: &Incremental) -> Result<(), MapError> {
        self.check(change)?;
        if let Some(full) = &change.full {
            return self.replace(full, change);
        }
        self.epoch = change.epoch;
        self.fsid = change.fsid;
        self.modified = change.modified;
        self.apply_cluster(change);
        self.apply_pools(change);
        self.apply_osds(&change.osds);
        self.apply_groups(change);
        self.apply_blocklist(change);
        self.apply_requirements(change);
        if let Some(crush) = &change.crush {
            self.crush = Arc::clone(crush);
            self.crush_version = self.crush_version.wrapping_add(1);
        }
        self.recompute();
        Ok(())
    }

    fn check(&self, change: &Incremental) -> Result<(), MapError> {
        if change.epoch != self.epoch.wrapping_add(1) {
            return Err(MapError::WrongEpoch { have: self.epoch, change: change.epoch });
        }
        if change.epoch > 1 && change.fsid != self.fsid {
            return Err(MapError::WrongCluster);
        }
        let max_osd = change.max_osd.unwrap_or(self.max_osd());
        check_max_osd(max_osd as usize)
            .map_err(|source| MapError::Malformed { what: "change of the OSD map", source })?;
        let beyond = change.osds.ids().find(|osd| *osd >= max_osd);
        beyond.map_or(Ok(()), |osd| Err(MapError::NoOsd { osd, max_osd }))
    }

    fn replace(&mut self, full: &[u8], change: &Incremental) -> Result<(), MapError> {
        let map = Self::decode(full)?;
        if map.epoch != change.epoch {
            return Err(MapError::WrongEpoch { have: self.epoch, change: map.epoch });
        }
        *self = map;
        Ok(())
    }

    fn apply_cluster(&mut self, change: &Incremental) {
        if let Some(flags) = change.flags {
            self.flags = MapFlags(flags);
        }
        if let Some(max_osd) = change.max_osd {
            self.osds.resize(max_osd as usize, OsdInfo::default());
        }
        let set = |stamp: &mut UTime, new| *stamp = if new == UTime::default() { *stamp } else { new };
        set(&mut self.last_up_change, change.last_up_change);
        set(&mut self.last_in_change, change.last_in_change);
        let set = |ratio: &mut f32, new| *ratio = if new >= 0.0 { new } else { *ratio };
        set(&mut self.ratios.nearfull, change.nearfull_ratio);
        set(&mut self.ratios.backfillfull, change.backfillfull_ratio);
        set(&mut self.ratios.full, change.full_ratio);
    }

    fn apply_pools(&mut self, change: &Incremental) {
        self.pool_max = change.pool_max.unwrap_or(self.pool_max);
        for (id, pool) in &change.pools {
            let mut pool = pool.clone();
            pool.last_change = change.epoch;
            self.pools.insert(*id, pool);
        }
        put(&mut self.pool_names, &change.pool_names);
        for id in &change.old_pools {
            self.pools.remove(id);
            self.pool_names.remove(id);
        }
        self.new_removed_snaps = change.removed_snaps.clone();
        self.erasure_code_profiles.retain(|name, _| !change.old_erasure_code_profiles.contains(name));
        put(&mut self.erasure_code_profiles, &change.erasure_code_profiles);
    }

    fn apply_osds(&mut self, changes: &OsdChanges) {
        let epoch = self.epoch;
        self.each(&changes.weight, |osd, weight| osd.set_weight(*weight));
        self.each(&changes.primary_affinity, |osd, affinity| osd.primary_affinity = *affinity);
        self.each(&changes.state, |osd, state| osd.turn_over(*state, epoch));
        self.each(&changes.up, |osd, addrs| {
            osd.state = osd.state.with(OsdState::EXISTS).with(OsdState::UP).without(OsdState::STOP);
            osd.client_addrs = addrs.clone();
            osd.up_from = epoch;
        });
        self.each(&changes.cluster_addrs, |osd, addrs| osd.cluster_addrs = addrs.clone());
        self.each(&changes.up_thru, |osd, epoch| osd.up_thru = *epoch);
        self.each(&changes.lost_at, |osd, epoch| osd.lost_at = *epoch);
    }

    fn each<T>(&mut self, changes: &BTreeMap<OsdId, T>, change: impl Fn(&mut OsdInfo, &T)) {
        for (id, value) in changes {
            // Checked before anything was changed.
            if let Some(osd) = self.osds.get_mut(*id as usize) {
                change(osd, value);
            }
        }
    }

    fn apply_groups(&mut self, change: &Incremental) {
        put(&mut self.pg_temp, &change.pg_temp);
        self.pg_temp.retain(|_, osds| !osds.is_empty());
        put(&mut self.primary_temp, &change.primary_temp);
        self.primary_temp.retain(|_, osd| *osd != -1);
        put(&mut self.pg_upmap, &change.pg_upmap);
        take(&mut self.pg_upmap, &change.old_pg_upmap);
        put(&mut self.pg_upmap_items, &change.pg_upmap_items);
        take(&mut self.pg_upmap_items, &change.old_pg_upmap_items);
        put(&mut self.pg_upmap_primaries, &change.pg_upmap_primaries);
        take(&mut self.pg_upmap_primaries, &change.old_pg_upmap_primaries);
    }

    fn apply_blocklist(&mut self, change: &Incremental) {
        put(&mut self.blocklist.hosts, &change.blocked);
        take(&mut self.blocklist.hosts, &change.unblocked);
        put(&mut self.blocklist.ranges, &change.blocked_ranges);
        take(&mut self.blocklist.ranges, &change.unblocked_ranges);
    }

    fn apply_requirements(&mut self, change: &Incremental) {
        if let Some(release) = change.require_min_compat_client {
            self.require_min_compat_client = release;
        }
        if let Some(release) = change.require_osd_release {
            self.require_osd_release = release;
            self.flags = self.flags.implied_by(release);
        }
    }
}

impl OsdInfo {
    /// Whoever is given weight exists, and is neither new nor out.
    fn set_weight(&mut self, weight: u32) {
        self.weight = weight;
        if weight > 0 {
            self.state = self.state.with(OsdState::EXISTS).without(OsdState::AUTOOUT).without(OsdState::NEW);
        }
    }

    /// Turns states over; where that would end its existence, it is forgotten.
    fn turn_over(&mut self, states: u32, epoch: u32) {
        let states = if states == 0 { OsdState::UP } else { OsdState(states) };
        let ends = |state| self.state.contains(state) && states.contains(state);
        if ends(OsdState::EXISTS) {
            *self = Self { weight: self.weight, ..Self::default() };
            return;
        }
        if ends(OsdState::UP) {
            self.down_at = epoch;
        }
        self.state = OsdState(self.state.0 ^ states.0);
    }
}

fn put<K: Ord + Clone, V: Clone>(map: &mut BTreeMap<K, V>, new: &BTreeMap<K, V>) {
    map.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
}

fn take<K: Ord, V>(map: &mut BTreeMap<K, V>, old: &[K]) {
    for key in old {
        map.remove(key);
    }
}
