//! What is needed to log in.

use crate::MonInfo;
use crate::conf::{Background, Conf, ConfError, EntityConf, Resolve, SystemResolver};
use crate::msg::Fsid;
use axon_auth::{
    AuthName, CryptoKey, Method, Mode, Principal, RotatingStore, Services, Surroundings, TicketStore,
};
use axon_denc::{AddrVec, EntityType};
use axon_messenger::{Modes, system_surroundings};
use std::time::Duration;

/// What a session with the monitors needs: who, where, with which key, and how patiently.
#[derive(Clone)]
pub struct MonConfig {
    /// Who logs in.
    pub name: AuthName,
    /// The monitors, as the configuration knows them; once logged in, the cluster's own map counts.
    pub monitors: Vec<MonInfo>,
    /// The key from the keyring; not needed with method none.
    pub key: Option<CryptoKey>,
    /// Methods of authentication, best first (Ceph: `auth_client_required`).
    pub methods: Vec<Method>,
    /// Modes acceptable with monitors and managers; secure preferred by default (Ceph: `ms_mon_client_mode`).
    pub mon_modes: Modes,
    /// Modes acceptable with everybody else on the client's messenger, such as OSDs; crc preferred by default (Ceph:
    /// `ms_client_mode`, of daemons `ms_cluster_mode`).
    pub service_modes: Modes,
    /// Services to get tickets for.
    pub services: Services,
    /// The tickets; shared with whoever dials the services.
    pub tickets: TicketStore,
    /// For a daemon: where to keep its service's rotating secrets, which are then fetched and kept up to date.
    pub secrets: Option<RotatingStore>,
    /// How long [`MonClient::connect`](super::MonClient::connect) may take; default 30 s.
    pub connect_within: Duration,
    /// How long the answer to a request may take unless the request says otherwise; default 30 s.
    pub answer_within: Duration,
    /// How long a monitor has to log us in and send its map; grows with every round. Default 3 s (Ceph:
    /// `mon_client_hunt_interval`).
    pub hunt_interval: Duration,
    /// How many monitors are tried at a time, 0 for all; default 3 (Ceph: `mon_client_hunt_parallel`).
    pub hunt_parallel: usize,
    /// The cluster's id, if it is known: monitors of other clusters are refused.
    pub fsid: Option<Fsid>,
    /// Time of day and randomness.
    pub surroundings: Surroundings,
}

const CONNECT_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const HUNT_INTERVAL: Duration = Duration::from_secs(3);
const HUNT_PARALLEL: usize = 3;

impl MonConfig {
    /// For `name`, with the monitors at the given addresses, without a key, everything else as by default: methods
    /// cephx then none, secure mode preferred with monitors and crc with services, tickets for the whole cluster.
    pub fn new(name: AuthName, monitors: Vec<AddrVec>) -> Self {
        Self {
            name,
            monitors: monitors.into_iter().map(MonInfo::from).collect(),
            key: None,
            methods: vec![Method::CEPHX, Method::NONE],
            mon_modes: Modes::secure_preferred(),
            service_modes: Modes::crc_preferred(),
            services: Services::CLUSTER,
            tickets: TicketStore::default(),
            secrets: None,
            connect_within: CONNECT_WITHIN,
            answer_within: ANSWER_WITHIN,
            hunt_interval: HUNT_INTERVAL,
            hunt_parallel: HUNT_PARALLEL,
            fsid: None,
            surroundings: system_surroundings(),
        }
    }

    /// What a configuration says for a name:
    ///
    /// | option | means |
    /// |---|---|
    /// | `monmap`, `mon host`, `mon addr` in `[mon.ID]`, `mon dns srv name` | where the monitors are: [`EntityConf::monitors`] |
    /// | `fsid` | which cluster it must be |
    /// | `key`, `keyfile`, `keyring` | the key |
    /// | `auth client required`, `auth supported` | methods |
    /// | `ms mon client mode` | modes with monitors and managers |
    /// | `ms client mode`, of daemons `ms cluster mode` | modes with everybody else |
    /// | `mon client hunt interval`, `mon client hunt parallel` | how monitors are tried |
    /// | `client mount timeout` | how long connecting may take |
    /// | `rados mon op timeout` | how long answers may take; 0 is for ever |
    ///
    /// Names are resolved, which may take as long as [`SystemResolver::LIMIT`](crate::conf::SystemResolver::LIMIT) each; see
    /// [`MonConfig::from_conf_async`]. Without a key method none is left if it is allowed, as in Ceph.
    ///
    /// What the monitors' configuration database says of these options is not applied, as it comes after they were needed: a
    /// mode that must hold belongs in the file. See [`MonClient::options`](super::MonClient::options).
    ///
    /// # Errors
    /// If the monitors are not named, an option makes no sense, or a key is needed and there is none.
    pub fn from_conf(conf: &EntityConf<'_>) -> Result<Self, ConfError> {
        Self::from_conf_with(conf, &SystemResolver)
    }

    /// As [`MonConfig::from_conf`], with names resolved by `resolver`.
    ///
    /// # Errors
    /// As there.
    pub fn from_conf_with(conf: &EntityConf<'_>, resolver: &dyn Resolve) -> Result<Self, ConfError> {
        let monitors = conf.monitors_with(resolver)?;
        let mut config = Self::new(conf.name().clone(), Vec::new());
        config.monitors = monitors.mons;
        for option in ["auth client required", "auth supported"] {
            if let Some(methods) = words(conf, option, method, "cephx or none")? {
                config.methods = methods;
            }
        }
        // Ceph: `AuthRegistry::get_supported_methods` in src/auth/AuthRegistry.cc
        let service_option = if config.is_client() { "ms client mode" } else { "ms cluster mode" };
        config.mon_modes = modes(conf, "ms mon client mode")?.unwrap_or(config.mon_modes);
        config.service_modes = modes(conf, service_option)?.unwrap_or(config.service_modes);
        config.fsid = conf.fsid()?.or(monitors.fsid);
        config.patience(conf)?;
        config.key = match (config.methods.contains(&Method::CEPHX), conf.key()) {
            (false, _) => None,
            (true, Ok(key)) => Some(key),
            (true, Err(_)) if config.methods.contains(&Method::NONE) => None,
            (true, Err(error)) => return Err(error),
        };
        Ok(config)
    }

    /// As [`MonConfig::from_conf`], as a future for any runtime: files are read and names resolved on a thread of its own.
    ///
    /// # Errors
    /// As there, and [`ConfError::NoThread`].
    pub async fn from_conf_async(conf: Conf, name: AuthName) -> Result<Self, ConfError> {
        let read = move || Self::from_conf(&conf.of(&name));
        Background::begin(read).map_err(ConfError::NoThread)?.await
    }

    /// The options that say how long things may take.
    fn patience(&mut self, conf: &EntityConf<'_>) -> Result<(), ConfError> {
        if let Some(interval) = conf.seconds("mon client hunt interval")?.filter(|t| !t.is_zero()) {
            self.hunt_interval = interval;
        }
        if let Some(parallel) = conf.number("mon client hunt parallel")? {
            self.hunt_parallel = parallel;
        }
        if let Some(within) = conf.seconds("client mount timeout")? {
            self.connect_within = within;
        }
        if let Some(within) = conf.seconds("rados mon op timeout")? {
            self.answer_within = if within.is_zero() { Duration::MAX } else { within };
        }
        Ok(())
    }

    /// With this key.
    pub fn with_key(mut self, key: CryptoKey) -> Self {
        self.key = Some(key);
        self
    }

    /// With these modes towards everybody.
    pub fn with_modes(mut self, modes: Modes) -> Self {
        self.mon_modes = modes.clone();
        self.service_modes = modes;
        self
    }

    /// As a daemon whose service's rotating secrets are kept in `secrets`.
    pub fn with_secrets(mut self, secrets: RotatingStore) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// The identity that authenticates connections, to monitors and with the tickets to everybody else.
    pub fn principal(&self) -> Principal {
        let principal = Principal::new(self.name.clone(), self.tickets.clone(), self.surroundings.clone())
            .with_methods(&self.methods)
            .with_services(self.services);
        match &self.key {
            Some(key) => principal.with_key(key.clone()),
            None => principal,
        }
    }

    /// Whether the process is a client, whose number the monitors give it.
    pub(super) fn is_client(&self) -> bool {
        self.name.kind == EntityType::Client
    }
}

/// The words of an option; `None` if it is not set.
fn words<T>(
    conf: &EntityConf<'_>,
    option: &'static str,
    read: fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<Vec<T>>, ConfError> {
    let (Some(text), Some(at)) = (conf.get(option), conf.origin(option)) else { return Ok(None) };
    let is_separator = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
    let words = text.split(is_separator).filter(|word| !word.is_empty());
    let read_word = |word: &str| {
        let bad = || ConfError::BadValue { at: at.clone(), option, value: word.to_owned(), expected };
        read(word).ok_or_else(bad)
    };
    let read: Vec<T> = words.map(read_word).collect::<Result<_, _>>()?;
    Ok((!read.is_empty()).then_some(read))
}

/// The modes that an option names; `None` if it is not set.
fn modes(conf: &EntityConf<'_>, option: &'static str) -> Result<Option<Modes>, ConfError> {
    Ok(words(conf, option, mode, "secure or crc")?.map(|modes| modes_of(&modes)))
}

fn modes_of(modes: &[Mode]) -> Modes {
    match modes {
        [first, rest @ ..] if rest.iter().all(|mode| mode == first) => Modes::only(*first),
        [Mode::CRC, ..] => Modes::crc_preferred(),
        _ => Modes::secure_preferred(),
    }
}

fn method(word: &str) -> Option<Method> {
    match word {
        "cephx" => Some(Method::CEPHX),
        "none" => Some(Method::NONE),
        _ => None,
    }
}

fn mode(word: &str) -> Option<Mode> {
    match word {
        "secure" => Some(Mode::SECURE),
        "crc" => Some(Mode::CRC),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::{Conf, Host};
    use std::path::Path;

    fn from(text: &str) -> Result<MonConfig, ConfError> {
        let text = format!("[global]\nmon host = 10.0.0.1\nkeyring = /nowhere\n{text}");
        let conf = Conf::parse(&text, Path::new("f.conf"), Host::default()).unwrap();
        MonConfig::from_conf(&conf.of(&"client.a".parse().unwrap()))
    }

    const KEY: &str = "key = AQD2Vr1mAAAAABAAEjRWeJq83vASNFZ4mrze8A==\n";

    #[test]
    fn what_the_configuration_says() {
        let config = from(&format!("{KEY}auth client required = cephx\nms mon client mode = crc")).unwrap();
        assert_eq!(config.methods, [Method::CEPHX]);
        assert_eq!(config.mon_modes, Modes::only(Mode::CRC));
        assert_eq!(config.service_modes, Modes::crc_preferred());
        assert!(config.key.is_some());
        assert_eq!(config.monitors.len(), 1);
        let config =
            from(&format!("{KEY}auth_client_required = none, cephx\nms_mon_client_mode = crc secure"))
                .unwrap();
        assert_eq!(config.methods, [Method::NONE, Method::CEPHX]);
        assert_eq!(config.mon_modes, Modes::crc_preferred());
        let config = from(KEY).unwrap();
        assert_eq!(config.mon_modes, Modes::secure_preferred());
        let config = from(&format!("{KEY}ms client mode = secure\nms cluster mode = crc")).unwrap();
        assert_eq!(config.mon_modes, Modes::secure_preferred());
        assert_eq!(config.service_modes, Modes::only(Mode::SECURE));
    }

    #[test]
    fn patience_is_configured() {
        let text = "mon client hunt interval = 0.5\nmon_client_hunt_parallel = 5\nclient mount timeout = 2m\n\
                    rados mon op timeout = 0\nfsid = 00010203-0405-0607-0809-0a0b0c0d0e0f";
        let config = from(text).unwrap();
        assert_eq!((config.hunt_interval, config.hunt_parallel), (Duration::from_millis(500), 5));
        assert_eq!((config.connect_within, config.answer_within), (Duration::from_secs(120), Duration::MAX));
        assert_eq!(config.fsid.map(|fsid| fsid[15]), Some(15));
        let error = from("mon client hunt interval = soon").err().unwrap().to_string();
        assert_eq!(
            error,
            "f.conf:4: mon client hunt interval: 'soon' means nothing; write seconds, such as 5, 0.5 or 10m"
        );
        assert!(from("fsid = 1234").is_err());
    }

    #[test]
    fn a_key_is_needed_only_for_cephx() {
        assert!(from("auth client required = none").unwrap().key.is_none());
        assert!(from("").unwrap().key.is_none(), "none is allowed, too");
        assert!(matches!(from("auth client required = cephx"), Err(ConfError::NoKey(_))));
    }

    #[test]
    fn the_old_name_of_the_methods_counts() {
        let config = from("auth supported = none\nauth client required = cephx").unwrap();
        assert_eq!(config.methods, [Method::NONE]);
    }

    #[test]
    fn unknown_words_are_errors() {
        let error = from("auth client required = gss").err().unwrap().to_string();
        assert_eq!(error, "f.conf:4: auth client required: 'gss' means nothing; write cephx or none");
        for option in ["ms mon client mode", "ms client mode"] {
            assert!(from(&format!("{KEY}{option} = fast")).is_err());
        }
    }
}
