//! The session with a cluster.

use super::core::Core;
use super::dispatcher::FromOsds;
use super::io::IoCtx;
use super::map_wait::MapWait;
use super::{RadosConfig, RadosError, keeper};
use crate::FEATURES;
use crate::mon::{MonClient, MonError};
use crate::objecter::Budget;
use axon_denc::EntityType;
use axon_messenger::{Builder, Policy, park};
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A session with a cluster: one messenger, one session with the monitors, one connection to each OSD that is needed.
/// Clones are the same session, which ends when all of them and all pools' handles are gone.
///
/// The last one joins the session's threads, so it must not be dropped on one of them: not by a waker, nor by what a waker
/// continues on the spot. Runtimes and [`Op::wait`](super::Op::wait) continue on threads of their own.
#[derive(Clone)]
pub struct Rados(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) core: Arc<Core>,
    pub(super) mon: Arc<MonClient>,
    pub(super) config: RadosConfig,
    keeper: Option<JoinHandle<()>>,
}

/// What is queued for an OSD beyond the budget of operations: fronts, acknowledgements, requests sent again.
const SEND_ROOM: u64 = 64 << 20;
/// Between two looks whether a callback still holds the messenger.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

impl Rados {
    /// Logs in. Blocks, at most for [`MonConfig::connect_within`](crate::mon::MonConfig::connect_within).
    ///
    /// # Errors
    /// [`RadosError::Mon`].
    pub fn connect(config: RadosConfig) -> Result<Self, RadosError> {
        Self::connect_with(config, |builder| builder)
    }

    /// The same; `configure` sets up the messenger: transport, workers, policies.
    ///
    /// # Errors
    /// As there.
    pub fn connect_with(
        config: RadosConfig,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, RadosError> {
        let core = core(&config);
        let setup = |builder| configure(builder_for(&config, builder));
        let mon = MonClient::connect_with(config.mon.clone(), FromOsds(core.clone()), setup)?;
        Self::begin(core, mon, config)
    }

    /// As [`Rados::connect`], as a future for any runtime: nothing of it blocks. Dropping the future ends the attempt.
    ///
    /// # Errors
    /// As there.
    pub async fn connect_async(config: RadosConfig) -> Result<Self, RadosError> {
        Self::connect_async_with(config, |builder| builder).await
    }

    /// As [`Rados::connect_with`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn connect_async_with(
        config: RadosConfig,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, RadosError> {
        let core = core(&config);
        let setup = |builder| configure(builder_for(&config, builder));
        let mon = MonClient::connect_async_with(config.mon.clone(), FromOsds(core.clone()), setup).await?;
        Self::begin(core, mon, config)
    }

    /// Follows the OSD map in a session that is open.
    fn begin(core: Arc<Core>, mon: MonClient, config: RadosConfig) -> Result<Self, RadosError> {
        let mon = Arc::new(mon);
        core.begin(mon.clone());
        let keep = Arc::downgrade(&core);
        mon.follow_osdmaps(0, move |monitor, maps| {
            keep.upgrade().map_or(0, |core| core.maps(EntityType::Mon, monitor, maps))
        });
        let keeper = keeper::start(core.clone()).map_err(MonError::from)?;
        Ok(Self(Arc::new(Inner { core, mon, config, keeper: Some(keeper) })))
    }

    /// The pool called `name`. Asks the monitors if it is not in the map, and waits for the first map.
    ///
    /// # Errors
    /// [`RadosError::EmptyPoolName`], [`RadosError::NoPool`], [`RadosError::Mon`], [`RadosError::NoMap`].
    pub fn pool(&self, name: &str) -> Result<IoCtx, RadosError> {
        park::wait(self.pool_async(name))
    }

    /// As [`Rados::pool`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn pool_async(&self, name: &str) -> Result<IoCtx, RadosError> {
        if name.is_empty() {
            return Err(RadosError::EmptyPoolName);
        }
        let mut id = self.find_pool(name);
        if id.is_none() {
            self.latest_map().await?;
            id = self.find_pool(name);
        }
        let id = id.ok_or_else(|| RadosError::NoPool(name.to_owned()))?;
        Ok(IoCtx::new(self.clone(), id, name))
    }

    /// The pools, by number and name.
    ///
    /// # Errors
    /// [`RadosError::Mon`] if the monitors do not answer, [`RadosError::NoMap`] if they send no map.
    pub fn pools(&self) -> Result<Vec<(i64, String)>, RadosError> {
        park::wait(self.pools_async())
    }

    /// As [`Rados::pools`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn pools_async(&self) -> Result<Vec<(i64, String)>, RadosError> {
        self.latest_map().await?;
        Ok(self.0.core.with(|objecter, _| {
            let map = objecter.map().osdmap();
            let name = |id| map.pool_name(id).unwrap_or_default().to_owned();
            map.pools().map(|(id, _)| (id, name(id))).collect()
        }))
    }

    /// Waits until the OSD map is as new as the monitors'.
    ///
    /// # Errors
    /// [`RadosError::Mon`] if they do not answer, [`RadosError::NoMap`] if they send no map.
    pub fn wait_for_latest_map(&self) -> Result<u32, RadosError> {
        park::wait(self.latest_map())
    }

    /// As [`Rados::wait_for_latest_map`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn latest_map(&self) -> Result<u32, RadosError> {
        let within = self.0.config.mon.answer_within;
        let newest = self.0.mon.send_versions("osdmap", within).await?.newest;
        self.map_of(u32::try_from(newest).unwrap_or(u32::MAX), within).await
    }

    /// Waits until the OSD map has epoch `epoch` or a newer one: what is begun then is done by that map or a newer one.
    ///
    /// # Errors
    /// [`RadosError::NoMap`] after `within`.
    pub fn wait_for_map(&self, epoch: u32, within: Duration) -> Result<u32, RadosError> {
        park::wait(self.map_of(epoch, within))
    }

    /// As [`Rados::wait_for_map`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn map_of(&self, epoch: u32, within: Duration) -> Result<u32, RadosError> {
        MapWait::new(self.0.core.clone(), epoch, within).await
    }

    /// The epoch of the OSD map; 0 before the first one.
    pub fn epoch(&self) -> u32 {
        self.0.core.with(|objecter, _| objecter.map().osdmap().epoch())
    }

    /// The session with the monitors.
    pub fn mon(&self) -> &MonClient {
        &self.0.mon
    }

    /// The number the monitors gave this client.
    pub fn global_id(&self) -> u64 {
        self.0.mon.global_id()
    }

    fn find_pool(&self, name: &str) -> Option<i64> {
        self.0.core.with(|objecter, _| objecter.map().osdmap().pool_by_name(name).map(|(id, _)| id))
    }
}

fn core(config: &RadosConfig) -> Arc<Core> {
    let budget = Budget::new(config.max_ops, config.max_bytes);
    Arc::new(Core::new(budget, config.on_map_damage.clone()))
}

/// The messenger as OSDs need it.
fn builder_for(config: &RadosConfig, builder: Builder) -> Builder {
    let room = config.max_bytes.max(config.max_write).saturating_mul(2).saturating_add(SEND_ROOM);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    builder.send_budget(room).policy(EntityType::Osd, Policy::lossy_client().support(FEATURES))
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.core.close();
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
        // A callback may still hold the messenger, which must not be dropped on one of its own threads.
        while Arc::strong_count(&self.mon) > 1 {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl fmt::Debug for Rados {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rados").field("mon", &self.0.mon).field("epoch", &self.epoch()).finish()
    }
}
