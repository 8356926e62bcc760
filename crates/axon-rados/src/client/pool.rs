//! Pools and their snapshots.

use super::{Errno, IoCtx, Rados, RadosError};
use crate::mon::{PoolOp, PoolSpec};
use crate::msg::{PoolStats, StatFs};
use crate::osdmap::PoolSnap;
use axon_messenger::park;
use std::collections::BTreeMap;

impl Rados {
    /// Creates a pool, and waits until it is in the map. Nothing happens if there is one of this name.
    ///
    /// # Errors
    /// [`RadosError::EmptyPoolName`], [`RadosError::Mon`]. When the pool is made already: [`RadosError::NoMap`] if the map
    /// with it does not come, [`RadosError::NoPool`] if somebody has deleted it.
    pub fn create_pool(&self, name: &str, spec: &PoolSpec) -> Result<IoCtx, RadosError> {
        park::wait(self.create_pool_async(name, spec))
    }

    /// As [`Rados::create_pool`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn create_pool_async(&self, name: &str, spec: &PoolSpec) -> Result<IoCtx, RadosError> {
        if name.is_empty() {
            return Err(RadosError::EmptyPoolName);
        }
        self.mon().create_pool(name, spec, self.0.config.mon.answer_within).await?;
        self.pool_async(name).await
    }

    /// Deletes a pool and everything in it.
    ///
    /// # Errors
    /// [`RadosError::EmptyPoolName`], [`RadosError::Mon`], among it a monitor without `mon_allow_pool_delete`. When the
    /// pool is deleted already: [`RadosError::NoMap`] if the map without it does not come.
    pub fn delete_pool(&self, name: &str) -> Result<(), RadosError> {
        park::wait(self.delete_pool_async(name))
    }

    /// As [`Rados::delete_pool`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn delete_pool_async(&self, name: &str) -> Result<(), RadosError> {
        if name.is_empty() {
            return Err(RadosError::EmptyPoolName);
        }
        self.mon().delete_pool(name, self.0.config.mon.answer_within).await?;
        self.latest_map().await.map(|_| ())
    }

    /// How full the cluster is.
    ///
    /// # Errors
    /// [`RadosError::Mon`].
    pub fn usage(&self) -> Result<StatFs, RadosError> {
        park::wait(self.usage_async())
    }

    /// As [`Rados::usage`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn usage_async(&self) -> Result<StatFs, RadosError> {
        Ok(self.mon().stat_fs(None, self.0.config.mon.answer_within).await?)
    }

    /// What is in these pools, as the manager last told the monitors.
    ///
    /// # Errors
    /// [`RadosError::Mon`].
    pub fn pool_stats(&self, names: Vec<String>) -> Result<BTreeMap<String, PoolStats>, RadosError> {
        park::wait(self.pool_stats_async(names))
    }

    /// As [`Rados::pool_stats`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn pool_stats_async(
        &self,
        names: Vec<String>,
    ) -> Result<BTreeMap<String, PoolStats>, RadosError> {
        Ok(self.mon().pool_stats(names, self.0.config.mon.answer_within).await?)
    }
}

impl IoCtx {
    /// Takes a number for a snapshot that the application manages: it belongs into the context of later writes.
    ///
    /// # Errors
    /// [`RadosError::Mon`], among it EINVAL for a pool that has snapshots of its own. When the number is taken already:
    /// [`RadosError::NoMap`] if the map with it does not come.
    pub fn create_self_managed_snap(&self) -> Result<u64, RadosError> {
        park::wait(self.create_self_managed_snap_async())
    }

    /// As [`IoCtx::create_self_managed_snap`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn create_self_managed_snap_async(&self) -> Result<u64, RadosError> {
        let within = self.rados.0.config.mon.answer_within;
        let new = self.rados.mon().create_self_managed_snap(self.pool_number()?, within).await?;
        self.rados.map_of(new.epoch, within).await?;
        Ok(new.snap)
    }

    /// Gives the number of a self-managed snapshot back; what objects keep for it goes.
    ///
    /// # Errors
    /// [`RadosError::Mon`]. When the number is given back already: [`RadosError::NoMap`] if the map without it does not
    /// come.
    pub fn delete_self_managed_snap(&self, snap: u64) -> Result<(), RadosError> {
        park::wait(self.delete_self_managed_snap_async(snap))
    }

    /// As [`IoCtx::delete_self_managed_snap`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn delete_self_managed_snap_async(&self, snap: u64) -> Result<(), RadosError> {
        self.pool_op(PoolOp::DeleteSelfManagedSnap { pool: self.pool_number()?, snap }).await
    }

    /// Takes a snapshot of the whole pool.
    ///
    /// # Errors
    /// [`RadosError::Refused`] with EEXIST if there is one of this name; [`RadosError::Mon`], among it EINVAL for a pool
    /// with self-managed snapshots; [`RadosError::NoMap`] if the newest map does not come, before the change or after it.
    pub fn create_snap(&self, name: &str) -> Result<(), RadosError> {
        park::wait(self.create_snap_async(name))
    }

    /// As [`IoCtx::create_snap`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn create_snap_async(&self, name: &str) -> Result<(), RadosError> {
        if self.newest_snap_by_name(name).await?.is_some() {
            return Err(self.refused(&snapshot(name), Errno::EEXIST));
        }
        self.pool_op(PoolOp::CreateSnap { pool: self.pool_number()?, name: name.to_owned() }).await
    }

    /// Removes a snapshot of the whole pool.
    ///
    /// # Errors
    /// [`RadosError::Refused`] with ENOENT if there is none of this name; [`RadosError::Mon`]; [`RadosError::NoMap`] if the
    /// newest map does not come, before the change or after it.
    pub fn delete_snap(&self, name: &str) -> Result<(), RadosError> {
        park::wait(self.delete_snap_async(name))
    }

    /// As [`IoCtx::delete_snap`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn delete_snap_async(&self, name: &str) -> Result<(), RadosError> {
        if self.newest_snap_by_name(name).await?.is_none() {
            return Err(self.refused(&snapshot(name), Errno::ENOENT));
        }
        self.pool_op(PoolOp::DeleteSnap { pool: self.pool_number()?, name: name.to_owned() }).await
    }

    /// The snapshots of the whole pool, by number.
    pub fn snaps(&self) -> BTreeMap<u64, PoolSnap> {
        self.rados.0.core.with(|objecter, _| {
            objecter.map().osdmap().pool(self.pool).map(|pool| pool.snaps.clone()).unwrap_or_default()
        })
    }

    /// The number of the pool's snapshot `name`.
    ///
    /// # Errors
    /// [`RadosError::Refused`] with ENOENT if there is none.
    pub fn snap_by_name(&self, name: &str) -> Result<u64, RadosError> {
        self.find_snap(name).ok_or_else(|| self.refused(&snapshot(name), Errno::ENOENT))
    }

    fn find_snap(&self, name: &str) -> Option<u64> {
        self.snaps().into_iter().find(|(_, snap)| snap.name == name).map(|(id, _)| id)
    }

    /// The same in the newest map. Monitors do nothing, and call that success, if a snapshot to be made is there, or one to be
    /// removed is not (Ceph: `OSDMonitor::preprocess_pool_op` in `src/mon/OSDMonitor.cc`): clients look first.
    async fn newest_snap_by_name(&self, name: &str) -> Result<Option<u64>, RadosError> {
        self.rados.latest_map().await?;
        Ok(self.find_snap(name))
    }

    async fn pool_op(&self, op: PoolOp) -> Result<(), RadosError> {
        let within = self.rados.0.config.mon.answer_within;
        let done = self.rados.mon().pool_op(op, within).await?;
        self.rados.map_of(done.epoch, within).await.map(|_| ())
    }

    fn pool_number(&self) -> Result<u32, RadosError> {
        u32::try_from(self.pool).map_err(|_| RadosError::NoPool(self.pool_name.to_string()))
    }
}

/// What errors call a snapshot.
fn snapshot(name: &str) -> String {
    format!("snapshot '{name}'")
}
