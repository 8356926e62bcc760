//! The session with a cluster.

use super::core::Core;
use super::dispatcher::FromOsds;
use super::io::IoCtx;
use super::{RadosConfig, RadosError, keeper};
use crate::FEATURES;
use crate::mon::{MonClient, MonError};
use crate::objecter::Budget;
use axon_denc::EntityType;
use axon_messenger::{Builder, Policy};
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A session with a cluster: one messenger, one session with the monitors, one connection to each OSD that is needed.
/// Clones are the same session, which ends when all of them and all pools' handles are gone.
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
/// Between two looks for a pool that was just created.
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
        let core = Arc::new(Core::new(Budget::new(config.max_ops, config.max_bytes)));
        let room = config.max_bytes.max(config.max_write).saturating_mul(2).saturating_add(SEND_ROOM);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let setup = |builder: Builder| {
            configure(
                builder.send_budget(room).policy(EntityType::Osd, Policy::lossy_client().support(FEATURES)),
            )
        };
        let mon = MonClient::connect_with(config.mon.clone(), FromOsds(core.clone()), setup)?;
        let mon = Arc::new(mon);
        core.begin(mon.clone());
        let keep = Arc::downgrade(&core);
        mon.subscribe_osdmaps(0, move |maps| keep.upgrade().map_or(0, |core| core.maps(&maps)));
        let keeper = keeper::start(core.clone()).map_err(MonError::from)?;
        Ok(Self(Arc::new(Inner { core, mon, config, keeper: Some(keeper) })))
    }

    /// The pool called `name`. Asks the monitors if it is not in the map, and waits for the first map.
    ///
    /// # Errors
    /// [`RadosError::EmptyPoolName`], [`RadosError::NoPool`], [`RadosError::Mon`].
    pub fn pool(&self, name: &str) -> Result<IoCtx, RadosError> {
        if name.is_empty() {
            return Err(RadosError::EmptyPoolName);
        }
        let mut id = self.find_pool(name);
        if id.is_none() {
            self.wait_for_latest_map()?;
            id = self.find_pool(name);
        }
        let id = id.ok_or_else(|| RadosError::NoPool(name.to_owned()))?;
        Ok(IoCtx::new(self.clone(), id, name))
    }

    /// The pools, by number and name.
    ///
    /// # Errors
    /// [`RadosError::Mon`] if the monitors send no map.
    pub fn pools(&self) -> Result<Vec<(i64, String)>, RadosError> {
        self.wait_for_latest_map()?;
        Ok(self.0.core.with(|objecter, _| {
            let map = objecter.map().osdmap();
            let name = |id| map.pool_name(id).unwrap_or_default().to_owned();
            map.pools().map(|(id, _)| (id, name(id))).collect()
        }))
    }

    /// Waits until the OSD map is as new as the monitors'.
    ///
    /// # Errors
    /// [`RadosError::Mon`] if they do not answer, or send no map.
    pub fn wait_for_latest_map(&self) -> Result<u32, RadosError> {
        let within = self.0.config.mon.answer_within;
        let newest = self.0.mon.versions("osdmap")?.newest;
        self.wait_for_map(u32::try_from(newest).unwrap_or(u32::MAX), within)
    }

    /// Waits until the OSD map has epoch `epoch` or a newer one: what is begun then is done by that map or a newer one.
    ///
    /// # Errors
    /// [`RadosError::NoMap`] after `within`.
    pub fn wait_for_map(&self, epoch: u32, within: Duration) -> Result<u32, RadosError> {
        let until = Instant::now() + within;
        loop {
            let have = self.epoch();
            if have >= epoch && have > 0 {
                return Ok(have);
            }
            if Instant::now() >= until {
                return Err(RadosError::NoMap { epoch, have, within });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
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
