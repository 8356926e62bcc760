//! The handle of the session with the monitors.

use super::core::Core;
use super::dispatcher::{Ignore, WithMon};
use super::logins::Logins;
use super::osd_maps::OSDMAP;
use super::pending::{Answer, Pending, pending};
use super::query::{Command, Query, Run, StatsOfPools, Usage, Versions};
use super::renewal::Renewal;
use super::session::{Ask, Session};
use super::{CommandOutput, MapVersions, MonConfig, MonError, Target, keeper};
use crate::conf::Host;
use crate::msg::{Fsid, MOSDMap, MessageError, PoolStats, StatFs, Subscription};
use crate::{FEATURES, MonMap};
use axon_auth::{RotatingStore, TicketStore};
use axon_denc::{AddrVec, EntityName, EntityType};
use axon_messenger::{Builder, Messenger, Policy};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A session with the monitors, and the messenger it runs on.
///
/// Requests are answered by one monitor; if it goes away, another one is found and asked again. Dropping the client
/// ends the session.
pub struct MonClient {
    core: Arc<Core>,
    messenger: Arc<Messenger>,
    config: MonConfig,
    keeper: Option<JoinHandle<()>>,
}

impl MonClient {
    /// Logs in and gets the monitor map, with a messenger of its own. Blocks, at most for
    /// [`MonConfig::connect_within`].
    ///
    /// # Errors
    /// [`MonError::Unreachable`] and [`MonError::Refused`], which say what each monitor answered; [`MonError::Start`].
    pub fn connect(config: MonConfig) -> Result<Self, MonError> {
        Self::connect_with(config, Ignore, |builder| builder)
    }

    /// As [`MonClient::connect`], for an application that uses the messenger itself: `rest` is handed whatever is not
    /// the session's, among it the maps subscribed to, and `configure` sets up the messenger.
    ///
    /// # Errors
    /// As there.
    pub fn connect_with(
        config: MonConfig,
        rest: impl axon_messenger::Dispatcher,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, MonError> {
        let (client, map) = Self::begin(config, rest, configure)?;
        map.wait()?;
        Ok(client)
    }

    /// As [`MonClient::connect`], as a future for any runtime. Nothing of it blocks: waiting is done by the client's own
    /// threads. Dropping the future ends the attempt.
    ///
    /// # Errors
    /// As there.
    pub async fn connect_async(config: MonConfig) -> Result<Self, MonError> {
        Self::connect_async_with(config, Ignore, |builder| builder).await
    }

    /// As [`MonClient::connect_with`], as a future for any runtime.
    ///
    /// # Errors
    /// As there.
    pub async fn connect_async_with(
        config: MonConfig,
        rest: impl axon_messenger::Dispatcher,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, MonError> {
        let (client, map) = Self::begin(config, rest, configure)?;
        map.await?;
        Ok(client)
    }

    /// A client that is looking for a monitor, and the monitor map on its way.
    fn begin(
        config: MonConfig,
        rest: impl axon_messenger::Dispatcher,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Result<(Self, Pending<MonMap>), MonError> {
        let logins = Logins::new(&config);
        let renewal = Renewal::new(&config, logins.clone());
        let session = Session::new(&config, renewal, Host::current().name, seed(&config));
        let core = Arc::new(Core::new(session));
        let messenger = configure(builder(&config, logins)).start(WithMon::new(core.clone(), rest))?;
        let messenger = Arc::new(messenger);
        core.begin(messenger.clone());
        let keeper = Some(keeper::start(core.clone())?);
        let client = Self { core, messenger, config, keeper };
        let map = client.ask(client.config.connect_within, Ask::MonMap);
        Ok((client, map))
    }

    /// Runs a command, which is one JSON object such as `{"prefix": "status"}`, and waits for its answer for
    /// [`MonConfig::answer_within`]. A command that fails is an answer, too.
    ///
    /// # Errors
    /// [`MonError::NoAnswer`], [`MonError::Unreachable`], [`MonError::Refused`], [`MonError::Malformed`].
    pub fn command(&self, json: &str, input: Bytes) -> Result<CommandOutput, MonError> {
        self.send_command(json, input, self.config.answer_within).wait()
    }

    /// Runs a command; its answer comes within `within`, which counts from now on, whether there is a session or not.
    pub fn send_command(&self, json: &str, input: Bytes, within: Duration) -> Pending<CommandOutput> {
        self.query(within, Command { json: json.to_owned(), input })
    }

    /// Runs a command that is expected to succeed, and returns its output.
    ///
    /// # Errors
    /// When waiting for the answer: [`MonError::Failed`] for a command that fails, and as [`MonClient::command`].
    pub fn run(&self, json: &str, input: Bytes, within: Duration) -> Pending<Bytes> {
        self.query(within, Run(Command { json: json.to_owned(), input }))
    }

    /// How new a map is: "osdmap", "mdsmap", .. Waits for [`MonConfig::answer_within`].
    ///
    /// # Errors
    /// As for a command.
    pub fn versions(&self, map: &str) -> Result<MapVersions, MonError> {
        self.send_versions(map, self.config.answer_within).wait()
    }

    /// How new a map is.
    pub fn send_versions(&self, map: &str, within: Duration) -> Pending<MapVersions> {
        self.query(within, Versions(map.to_owned()))
    }

    /// How full the cluster is, or the pool with this number.
    pub fn stat_fs(&self, pool: Option<u64>, within: Duration) -> Pending<StatFs> {
        self.query(within, Usage(pool))
    }

    /// What is in the pools with these names; those that do not exist are left out.
    pub fn pool_stats(&self, pools: Vec<String>, within: Duration) -> Pending<BTreeMap<String, PoolStats>> {
        self.query(within, StatsOfPools(pools))
    }

    /// Asks for a map, which the application's dispatcher is handed. Asked again after a failover, from the version
    /// after the last one [`MonClient::got`].
    pub fn subscribe(&self, what: &str, subscription: Subscription) {
        self.core.with(|session| session.subscribe(what, subscription));
    }

    /// Subscribes to OSD maps: `keep` is handed what the monitors send, in order, one message at a time, on a dispatch
    /// thread, and returns the epoch it applied last (0: none yet). The first message begins with epoch `from`, or with
    /// the newest full map if that is 0 or the monitors no longer keep the changes since; after a failover maps are
    /// asked for from the epoch after the one applied last.
    ///
    /// `keep` may send messages and ask the monitors, but must neither wait for their answers nor call this. An earlier
    /// `keep` is replaced.
    pub fn subscribe_osdmaps(&self, from: u32, mut keep: impl FnMut(MOSDMap) -> u32 + Send + 'static) {
        self.follow_osdmaps(from, move |monitor, maps| match maps {
            Ok(maps) => keep(maps),
            Err(error) => {
                tracing::warn!(%monitor, %error, "OSD maps of the monitor ignored");
                0
            }
        });
    }

    /// As [`MonClient::subscribe_osdmaps`], for whoever wants to know of messages that cannot be read, too: `keep` gets the
    /// monitor's addresses and the error instead, and may [ask again](MonClient::ask_osdmaps), best not at once each time.
    pub fn follow_osdmaps(
        &self,
        from: u32,
        keep: impl FnMut(&AddrVec, Result<MOSDMap, MessageError>) -> u32 + Send + 'static,
    ) {
        self.core.osd_maps.set(Box::new(keep));
        self.ask_osdmaps(from);
    }

    /// Asks anew for OSD maps from epoch `from` on, for example 0, the newest full map, if changes are missing.
    pub fn ask_osdmaps(&self, from: u32) {
        self.subscribe(OSDMAP, Subscription { start: from.into(), once: false });
    }

    /// Notes that OSD maps up to this epoch were applied that came from elsewhere, such as from an OSD.
    pub fn got_osdmap(&self, epoch: u32) {
        self.got(OSDMAP, epoch.into());
    }

    /// Notes that a version of a map was received.
    pub fn got(&self, what: &str, version: u64) {
        self.core.with(|session| session.got(what, version));
    }

    /// The monitor map.
    pub fn monmap(&self) -> MonMap {
        let map = self.core.with(|session| session.monmap().cloned());
        map.expect("connecting waits for the monitor map")
    }

    /// The cluster's id.
    pub fn fsid(&self) -> Fsid {
        self.monmap().fsid
    }

    /// What the monitors' configuration database says for this client; the application applies what it wants to.
    pub fn options(&self) -> BTreeMap<String, String> {
        self.core.with(|session| session.options().clone())
    }

    /// The monitor the session is with; `None` while another one is looked for.
    pub fn monitor(&self) -> Option<Target> {
        self.core.with(|session| session.target().cloned())
    }

    /// The tickets, which are renewed before they expire.
    pub fn tickets(&self) -> &TicketStore {
        &self.config.tickets
    }

    /// A daemon's secrets, which are fetched and kept up to date; waits until they are there.
    ///
    /// # Errors
    /// If they are not there within `within`, or none were asked for in [`MonConfig::secrets`] ([`MonError::Closed`]).
    pub fn rotating_keys(&self, within: Duration) -> Result<&RotatingStore, MonError> {
        let store = self.config.secrets.as_ref().ok_or(MonError::Closed)?;
        self.ask(within, Ask::Secrets).wait()?;
        Ok(store)
    }

    /// The id the monitors gave this session.
    pub fn global_id(&self) -> u64 {
        self.config.tickets.global_id()
    }

    /// What the client was made from: the name, and [`MonConfig::principal`].
    pub fn config(&self) -> &MonConfig {
        &self.config
    }

    /// The messenger, for connections to others.
    pub fn messenger(&self) -> &Arc<Messenger> {
        &self.messenger
    }

    pub(super) fn query<Q: Query>(&self, within: Duration, query: Q) -> Pending<Q::Output> {
        self.ask(within, |answer| Ask::query(query, answer))
    }

    fn ask<T>(&self, within: Duration, ask: impl FnOnce(Answer<T>) -> Ask) -> Pending<T> {
        let (answer, pending) = pending(&self.core.wakes);
        self.core.with(|session| session.ask(ask(answer), within, Instant::now()));
        pending
    }
}

/// A messenger that logs in as the configuration says.
fn builder(config: &MonConfig, logins: Logins) -> Builder {
    Messenger::builder(entity_name(config))
        .policy(EntityType::Mon, Policy::lossy_client().support(FEATURES))
        .client_auth(Arc::new(logins))
        .modes(config.service_modes.clone())
        .mon_modes(config.mon_modes.clone())
        // OSDs take longer to answer than waking takes, and may need the core.
        .spin(Duration::ZERO)
}

/// The name for the wire: daemons have numbers, or none that matters; clients get theirs from the monitors.
fn entity_name(config: &MonConfig) -> EntityName {
    let number = config.name.id.parse().ok().filter(|_| !config.is_client());
    EntityName::new(config.name.kind, number.unwrap_or(-1))
}

fn seed(config: &MonConfig) -> u64 {
    let mut bytes = [0; 8];
    config.surroundings.entropy.entropy().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

impl Drop for MonClient {
    fn drop(&mut self) {
        drop(self.core.close());
        let is_keeper = |keeper: &JoinHandle<()>| keeper.thread().id() == std::thread::current().id();
        if let Some(keeper) = self.keeper.take_if(|keeper| !is_keeper(keeper)) {
            let _ = keeper.join(); // unless a task that it woke dropped this
        }
    }
}

impl fmt::Debug for MonClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonClient")
            .field("name", &format_args!("{}", self.config.name))
            .field("monitor", &self.monitor())
            .finish_non_exhaustive()
    }
}
