//! Following the OSD map.

use super::{Core, State};
use crate::client::deed::{Deed, Deeds};
use crate::client::map_damage::MapDamage;
use crate::client::map_wait::WaiterId;
use crate::msg::{MOSDMap, MessageError};
use crate::objecter::Fed;
use crate::osdmap::MapFault;
use axon_denc::{AddrVec, EntityType};
use std::task::Waker;
use std::time::Instant;

impl Core {
    /// Takes maps of a monitor or an OSD, or why there are none in its message; returns the epoch of the map afterwards.
    pub(in crate::client) fn maps(
        &self,
        peer: EntityType,
        addrs: &AddrVec,
        maps: Result<MOSDMap, MessageError>,
    ) -> u32 {
        let mut state = self.lock();
        let now = Instant::now();
        let (before, damaged) = (state.epoch(), state.objecter.damage().is_some());
        let fault = state.take_maps(maps, now);
        let have = state.epoch();
        let mut deeds = Deeds::new();
        state.act(&mut deeds, now);
        let mended = damaged && state.objecter.damage().is_none();
        if have > before || mended {
            state.ask_whole.settled();
        }
        if have > before {
            deeds.extend(state.map_waiters.take_all().into_iter().map(Deed::Wake));
        }
        state.follow_map(&mut deeds, now);
        let listener = state.on_map_damage.clone();
        drop(state);
        self.changed.notify_all();
        deeds.into_iter().for_each(Deed::perform);
        if let Some(fault) = fault {
            let damage = MapDamage { peer, addrs: addrs.clone(), have, fault };
            tracing::warn!("{damage}");
            listener.inspect(|listener| listener(&damage));
        }
        have
    }

    /// The epoch of the map, and why newer ones cannot be read; `waker` is woken when it may have become `epoch`, and at `until`.
    pub(in crate::client) fn map_or_wake(
        &self,
        epoch: u32,
        place: &mut Option<WaiterId>,
        until: Instant,
        waker: &Waker,
    ) -> (u32, Option<MapFault>) {
        let mut state = self.lock();
        let (have, damage) = (state.epoch(), state.objecter.damage());
        if have == 0 || have < epoch {
            let before = state.map_waiters.add(place, until, waker);
            drop(state);
            self.changed.notify_all();
            drop(before);
        }
        (have, damage)
    }

    /// Somebody waits for the map no longer.
    pub(in crate::client) fn forget_map_waiter(&self, place: WaiterId) {
        let waker = self.lock().map_waiters.forget(place);
        drop(waker);
    }
}

impl State {
    /// When something is due that concerns the map.
    pub(super) fn next_map_due(&self) -> Option<Instant> {
        [self.ask_whole.next_due(), self.map_waiters.next_due()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn follow_map(&mut self, deeds: &mut Deeds, now: Instant) {
        deeds.extend(self.map_waiters.take_due(now).into_iter().map(Deed::Wake));
        if self.ask_whole.take_due(now)
            && let Some(cluster) = &self.cluster
        {
            deeds.push(Deed::AskWhole(cluster.mon.clone()));
            // The monitor that is asked may be lost, and the next one have nothing new to send.
            if self.objecter.damage().is_some() {
                self.ask_whole.want(now);
            }
        }
    }

    fn epoch(&self) -> u32 {
        self.objecter.map().osdmap().epoch()
    }

    /// Whether the maps are another cluster's than the monitors'. Ceph: `Objecter::handle_osd_map`.
    fn is_foreign(&self, maps: &MOSDMap) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.fsid != maps.fsid)
    }

    fn take_maps(&mut self, maps: Result<MOSDMap, MessageError>, now: Instant) -> Option<MapFault> {
        let fed = match maps {
            Ok(maps) if self.is_foreign(&maps) => {
                tracing::warn!(fsid = ?maps.fsid, "OSD maps of another cluster: not taken");
                return None;
            }
            Ok(maps) => self.objecter.feed(&maps, now).map_err(MapFault::from),
            Err(error) => Err(error.into()),
        };
        if fed != Ok(Fed::All) {
            self.ask_whole.want(now);
        }
        fed.err().inspect(|fault| self.objecter.damaged(*fault))
    }
}
