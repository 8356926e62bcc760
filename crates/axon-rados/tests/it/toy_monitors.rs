//! Monitors in this process that misbehave as real ones do not: real handshakes, made-up answers.

use crate::monitors::{SECOND, eventually};
use axon_auth::testing::ToyMonitor;
use axon_auth::{CryptoKey, KeyType, Mode, RotatingStore, Verifier};
use axon_denc::{AddrVec, Encode, EntityType, Features, put_versioned};
use axon_messenger::{BindSpec, Connection, Dispatcher, Message, Messenger, Nonce, Received};
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::{Failure, Ignore, MonClient, MonConfig, MonError, Pending, system_surroundings};
use axon_rados::msg::*;
use bytes::Bytes;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const FEATURES: Features = Features::ALL_REEF;
const FSID: Fsid = [7; 16];
const NAME: &str = "client.toy";

/// What a monitor says when it is asked for its map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Map {
    Right,
    Damaged,
    None,
}

/// A monitor in this process.
pub(crate) struct Toy {
    messenger: Messenger,
    pub(crate) said: Arc<Said>,
}

/// What clients said, and what they are told.
pub(crate) struct Said {
    monitor: ToyMonitor,
    map: Map,
    /// The monitors of the map.
    addrs: Mutex<Vec<AddrVec>>,
    /// Subscriptions for the configuration, which only the monitor gets with which the session is.
    pub(crate) sessions: Mutex<Vec<Connection>>,
    /// From which epochs OSD maps were asked for.
    pub(crate) epochs: Mutex<Vec<u64>>,
    /// The OSD maps for whoever asks, instead of nonsense; it is the newest epoch, too.
    pub(crate) osd_map: Mutex<Option<(u32, Bytes)>>,
}

impl Toy {
    fn start(monitor: &ToyMonitor, map: Map) -> Self {
        let said = Arc::new(Said {
            monitor: monitor.clone(),
            map,
            addrs: Mutex::default(),
            sessions: Mutex::default(),
            epochs: Mutex::default(),
            osd_map: Mutex::default(),
        });
        let anywhere: BindSpec = "127.0.0.1:0".parse().unwrap();
        let builder = Messenger::builder("mon.0".parse().unwrap()).nonce(Nonce::MONITOR).bind(anywhere);
        let messenger = builder.server_auth(Arc::new(monitor.clone())).start(said.clone()).unwrap();
        said.addrs.lock().unwrap().push(messenger.addrs());
        Self { messenger, said }
    }

    pub(crate) fn addrs(&self) -> AddrVec {
        self.messenger.addrs()
    }
}

impl Dispatcher for Said {
    fn dispatch(&self, connection: &Connection, message: Received) {
        match message.header.kind {
            MMonSubscribe::KIND => self.subscribe(connection, MMonSubscribe::decode(&message).unwrap()),
            MMonCommand::KIND => {
                let command = MMonCommand::decode(&message).unwrap().command.concat();
                self.command(connection, &command, message.header.tid);
            }
            MMonGetVersion::KIND => {
                self.version(connection, MMonGetVersion::decode(&message).unwrap().handle)
            }
            other => panic!("a message of type {other}"),
        }
    }
}

impl Said {
    fn subscribe(&self, connection: &Connection, subscribe: MMonSubscribe) {
        for (what, subscription) in subscribe.what {
            match what.as_str() {
                "monmap" => self.send_map(connection),
                "config" => self.sessions.lock().unwrap().push(connection.clone()),
                "osdmap" => self.send_osd_maps(connection, subscription.start),
                other => panic!("{other}"),
            }
        }
    }

    fn send_map(&self, connection: &Connection) {
        let mut map = mon_map(&self.addrs.lock().unwrap());
        match self.map {
            Map::None => return,
            Map::Damaged => map.truncate(map.len() / 2),
            Map::Right => {}
        }
        send(connection, MMonMap { map: map.into() }.encode(FEATURES).unwrap());
    }

    /// Sends the whole map if it is as new as `start`, as real monitors do.
    ///
    /// Where there is none it sends the two epochs from `start` on, in two messages, between which it sends one that makes no
    /// sense.
    fn send_osd_maps(&self, connection: &Connection, start: u64) {
        self.epochs.lock().unwrap().push(start);
        if let Some((epoch, map)) = self.osd_map.lock().unwrap().clone() {
            if start > epoch.into() {
                return;
            }
            let full = [(epoch, map)].into();
            let maps = MOSDMap { fsid: FSID, full, newest: epoch, ..MOSDMap::default() };
            return send(connection, maps.encode(FEATURES).unwrap());
        }
        let first = start.max(1) as u32;
        for epoch in [first, first + 1] {
            let incremental = [(epoch, Bytes::from_static(b"change"))].into();
            let maps = MOSDMap { fsid: FSID, incremental, ..MOSDMap::default() };
            send(connection, maps.encode(FEATURES).unwrap());
            send(connection, Message::new(MOSDMap::KIND, &b"nonsense"[..]));
        }
    }

    /// How new the OSD map is; not said where there is none.
    fn version(&self, connection: &Connection, handle: u64) {
        if let Some((epoch, _)) = *self.osd_map.lock().unwrap() {
            let reply = MMonGetVersionReply { handle, newest: epoch.into(), oldest: 1 };
            send(connection, reply.encode(FEATURES).unwrap());
        }
    }

    fn command(&self, connection: &Connection, command: &str, tid: u64) {
        let ack = MMonCommandAck {
            version: 0,
            result: 0,
            status: "said".into(),
            command: vec![command.to_owned()],
            output: Bytes::new(),
        };
        let mut message = ack.encode(FEATURES).unwrap();
        match command {
            "cut" => message.front.truncate(message.front.len() / 2),
            "of another type" => message.header.kind = MPoolOpReply::KIND,
            "too new" => message.header.compat_version = 200,
            "unanswered" => return,
            _ => {}
        }
        message.header.tid = tid;
        send(connection, message);
    }
}

pub(crate) fn send(connection: &Connection, message: Message) {
    let _ = connection.send(message); // the client may have left
}

/// A monitor map of epoch 1. Ceph: `MonMap::encode` in `src/mon/MonMap.cc`.
fn mon_map(addrs: &[AddrVec]) -> Vec<u8> {
    let names: Vec<String> = (0..addrs.len()).map(|i| format!("toy{i}")).collect();
    let mut map = Vec::new();
    put_versioned(&mut map, 9, 6, |out| {
        out.extend_from_slice(&FSID);
        1u32.encode(out);
        out.extend_from_slice(&[0; 16]); // changed, created
        (0..2).for_each(|_| put_versioned(out, 1, 1, |out| 0u64.encode(out)));
        (names.len() as u32).encode(out);
        for (name, addrs) in names.iter().zip(addrs) {
            name.encode(out);
            put_versioned(out, 5, 1, |out| {
                name.encode(out);
                addrs.encode(out);
                0u32.encode(out); // priority, weight
            });
        }
        (names.len() as u32).encode(out);
        names.iter().for_each(|name| name.encode(out));
        16u8.encode(out);
    });
    map
}

/// Monitors of one cluster, and the key of its client.
pub(crate) fn cluster(maps: &[Map]) -> (Vec<Toy>, CryptoKey) {
    let monitor = ToyMonitor::new(KeyType::Aes, system_surroundings());
    let caps = [(EntityType::Mon, "allow *"), (EntityType::Osd, "allow *")];
    let key = monitor.create(NAME.parse().unwrap(), KeyType::Aes, &caps);
    let toys: Vec<Toy> = maps.iter().map(|map| Toy::start(&monitor, *map)).collect();
    let addrs: Vec<AddrVec> = toys.iter().map(Toy::addrs).collect();
    toys.iter().for_each(|toy| toy.said.addrs.lock().unwrap().clone_from(&addrs));
    (toys, key)
}

pub(crate) fn config(toys: &[Toy], key: &CryptoKey) -> MonConfig {
    let addrs = toys.iter().map(Toy::addrs).collect();
    MonConfig::new(NAME.parse().unwrap(), addrs).with_key(key.clone())
}

fn ask(mon: &MonClient, command: &str) -> Result<i32, MonError> {
    // Those that say nothing that is an answer are waited for in vain.
    let silent = ["of another type", "unanswered"].contains(&command);
    let within = if silent { Duration::from_millis(500) } else { 120 * SECOND };
    mon.send_command(command, Bytes::new(), within).wait().map(|answer| answer.code)
}

#[test]
fn the_number_and_the_tickets_are_those_of_the_session() {
    let (toys, key) = cluster(&[Map::Right; 3]);
    for _ in 0..10 {
        let mon = MonClient::connect(config(&toys, &key)).unwrap();
        let session = || toys.iter().find_map(|toy| toy.said.sessions.lock().unwrap().pop());
        let mut found = None;
        eventually("the session", 120 * SECOND, || {
            found = found.take().or_else(session);
            found.is_some()
        });
        let session = found.unwrap();
        assert_eq!(session.global_id(), Some(mon.global_id()));
        let now = system_surroundings().clock.now();
        let mut entropy = axon_messenger::OsEntropy;
        let request = mon.tickets().renewal_request(EntityType::Osd.into(), now, &mut entropy).unwrap();
        let identity = session.identity().unwrap();
        toys[0].said.monitor.answer(&identity, &request).expect("the tickets are that number's");
    }
}

#[test]
fn osds_are_dialled_in_the_mode_of_the_configuration() {
    let (toys, key) = cluster(&[Map::Right]);
    let service = Verifier::new(EntityType::Osd, RotatingStore::default(), system_surroundings());
    service.secrets().replace(toys[0].said.monitor.secrets(EntityType::Osd));
    let anywhere: BindSpec = "127.0.0.1:0".parse().unwrap();
    let osd = Messenger::builder("osd.0".parse().unwrap()).bind(anywhere).server_auth(Arc::new(service));
    let osd = osd.start(Arc::new(Ignore)).unwrap();
    for (text, with_osds, with_monitors) in [
        ("", Mode::CRC, Mode::SECURE),
        ("ms client mode = secure", Mode::SECURE, Mode::SECURE),
        ("ms client mode = secure\nms mon client mode = crc", Mode::SECURE, Mode::CRC),
        ("ms mon client mode = crc", Mode::CRC, Mode::CRC),
    ] {
        let text =
            format!("[global]\nmon host = {}\nkey = {}\n{text}", toys[0].addrs(), *key.to_keyring_text());
        let conf = Conf::parse(&text, Path::new("toy.conf"), Host::default()).unwrap();
        let mon =
            MonClient::connect(MonConfig::from_conf(&conf.of(&NAME.parse().unwrap())).unwrap()).unwrap();
        let connection = mon.messenger().connect(EntityType::Osd, &osd.addrs()).unwrap();
        eventually("the session", 120 * SECOND, || connection.established().is_some());
        assert_eq!(connection.established().unwrap().mode, with_osds, "{text}");
        let monitor = mon.messenger().connect(EntityType::Mon, &toys[0].addrs()).unwrap();
        eventually("the session", 120 * SECOND, || monitor.established().is_some());
        assert_eq!(monitor.established().unwrap().mode, with_monitors, "{text}");
    }
}

#[test]
fn answers_that_make_no_sense_are_errors_that_say_whose() {
    let (toys, key) = cluster(&[Map::Right]);
    let mon = MonClient::connect(config(&toys, &key)).unwrap();
    for command in ["cut", "too new"] {
        let error = ask(&mon, command).unwrap_err();
        assert!(matches!(error, MonError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().starts_with("the answer of mon.toy0 at v2:127.0.0.1:"), "{error}");
    }
    for command in ["of another type", "unanswered"] {
        let error = ask(&mon, command).unwrap_err();
        assert!(matches!(error, MonError::NoAnswer { .. }), "{error:?}");
        assert!(error.to_string().contains(command), "{error}");
    }
    assert_eq!(ask(&mon, "fine").unwrap(), 0, "the session goes on");
    let large = Bytes::from(vec![0; 65 << 20]);
    let error = mon.command("large", large).unwrap_err();
    assert!(matches!(error, MonError::NotSent { .. }), "{error:?}");
}

#[test]
fn a_damaged_map_is_that_monitors_fault() {
    let (toys, key) = cluster(&[Map::Damaged, Map::Right]);
    for _ in 0..5 {
        let mon = MonClient::connect(config(&toys, &key)).unwrap();
        assert_eq!(mon.monitor().unwrap().addrs, toys[1].addrs());
    }
    let error = MonClient::connect(config(&toys[..1], &key)).unwrap_err();
    let MonError::Refused { attempts } = &error else { panic!("{error:?}") };
    assert!(matches!(attempts[0].why, Failure::Malformed(_)), "{error}");
}

#[test]
fn a_monitor_without_a_map_is_not_waited_for() {
    let (toys, key) = cluster(&[Map::None, Map::None, Map::Right]);
    let mon = MonClient::connect(config(&toys, &key)).unwrap();
    assert_eq!(mon.monitor().unwrap().addrs, toys[2].addrs());
    let mut lonely = config(&toys[..2], &key);
    lonely.connect_within = SECOND;
    let error = MonClient::connect(lonely).unwrap_err();
    let MonError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|attempt| matches!(attempt.why, Failure::Silent(_))), "{error}");
}

#[test]
fn osd_maps_go_on_after_the_last_one_applied() {
    let (mut toys, key) = cluster(&[Map::Right; 2]);
    let mon = MonClient::connect(config(&toys, &key)).unwrap();
    let applied = Arc::new(Mutex::new(Vec::new()));
    let keep = applied.clone();
    mon.subscribe_osdmaps(40, move |maps| {
        let mut applied = keep.lock().unwrap();
        applied.extend(maps.incremental.keys().copied());
        applied.last().copied().unwrap_or_default()
    });
    eventually("two maps", 120 * SECOND, || applied.lock().unwrap().len() == 2);
    let at = mon.monitor().unwrap().addrs;
    let first = toys.iter().position(|toy| toy.addrs() == at).unwrap();
    drop(toys.remove(first));
    eventually("two more maps", 120 * SECOND, || applied.lock().unwrap().len() == 4);
    assert_eq!(*applied.lock().unwrap(), [40, 41, 42, 43]);
    assert_eq!(*toys[0].said.epochs.lock().unwrap(), [42]);
}

/// An application's lock, which its waker takes and which is held while monitors are asked.
struct Locked(Mutex<u32>);

impl std::task::Wake for Locked {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn wakers_may_take_locks_under_which_monitors_are_asked() {
    let (toys, key) = cluster(&[Map::Right]);
    let mon = MonClient::connect(config(&toys, &key)).unwrap();
    let locked = Arc::new(Locked(Mutex::default()));
    let waker = std::task::Waker::from(locked.clone());
    for _ in 0..60 {
        let mut held = locked.0.lock().unwrap();
        *held = 0;
        let mut asked = [(); 3].map(|()| mon.send_command("fine", Bytes::new(), 10 * SECOND));
        let mut context = std::task::Context::from_waker(&waker);
        let is_pending = |asked: &mut Pending<axon_rados::mon::CommandOutput>| {
            std::pin::Pin::new(asked).poll(&mut context).is_pending()
        };
        let pending = asked.iter_mut().map(is_pending).filter(|pending| *pending).count() as u32;
        drop(mon.send_versions("osdmap", SECOND)); // another question under the lock, which is not answered
        drop(held);
        eventually("every task is woken", 120 * SECOND, || *locked.0.lock().unwrap() == pending);
    }
}
