//! OSD maps that cannot be read, and clients that do not block.

use crate::monitors::{SECOND, eventually};
use crate::toy_monitors::{FEATURES, Map, Toy, cluster, config, send};
use axon_messenger::{Message, park};
use axon_rados::client::{MapDamage, RadosConfig, RadosError, Waiting};
use axon_rados::mon::{MonClient, MonConfig, MonError};
use axon_rados::msg::{MOSDMap, TypedMessage};
use axon_rados::osdmap::{MapError, MapFault};
use axon_rados::{MonInfo, Rados};
use axon_testbed::{MapTools, Release};
use bytes::Bytes;
use std::future::Future;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// A map of epoch 1 with OSDs that are down, and one of epoch 3.
fn two_maps() -> [Bytes; 2] {
    let tools = MapTools::new(Release::Reef).unwrap();
    let first = tools.create_osdmap(3, &["--with-default-pool"]).unwrap();
    let layers = [["host", "straw2", "1"], ["root", "straw2", "0"]];
    let crush = tools.write("hierarchy", &tools.build_crush(3, &layers).unwrap()).unwrap();
    let (_, second) = tools.osdmaptool(&first, &["--mark-up-in", "--import-crush", &crush]).unwrap();
    let epoch = |map: &[u8]| axon_rados::osdmap::OsdMap::decode(map).unwrap().epoch();
    assert_eq!((epoch(&first), epoch(&second)), (1, 3));
    [first.into(), second.into()]
}

/// A client of a toy monitor, and what it was told of damage.
struct Bed {
    toys: Vec<Toy>,
    rados: Rados,
    told: Arc<Mutex<Vec<MapDamage>>>,
}

impl Bed {
    fn new(map: &Bytes) -> Self {
        Self::of(&[Map::Right], map)
    }

    fn of(monitors: &[Map], map: &Bytes) -> Self {
        let (toys, key) = cluster(monitors);
        toys.iter().for_each(|toy| *toy.said.osd_map.lock().unwrap() = Some((1, map.clone())));
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = told.clone();
        let mut config = RadosConfig::new(config(&toys, &key));
        config.on_map_damage = Some(Arc::new(move |damage| tell.lock().unwrap().push(damage.clone())));
        let rados = Rados::connect(config).unwrap();
        rados.wait_for_map(1, 120 * SECOND).unwrap();
        Self { toys, rados, told }
    }

    fn push(&self, message: Message) {
        send(self.toys[0].said.sessions.lock().unwrap().last().unwrap(), message);
    }

    /// Sends maps that are this cluster's.
    fn push_maps(&self, maps: MOSDMap) {
        let fsid = self.rados.mon().fsid();
        self.push(MOSDMap { fsid, ..maps }.encode(FEATURES).unwrap());
    }

    /// What the monitor has from now on, which need not be a map.
    fn store(&self, epoch: u32, map: &Bytes) {
        *self.toys[0].said.osd_map.lock().unwrap() = Some((epoch, map.clone()));
    }

    fn asked(&self) -> usize {
        self.toys[0].said.epochs.lock().unwrap().len()
    }
}

#[test]
fn maps_of_another_cluster_are_not_taken() {
    let [first, second] = two_maps();
    let bed = Bed::new(&first);
    let full = [(3, second)].into();
    bed.push(MOSDMap { fsid: [8; 16], full, newest: 3, ..MOSDMap::default() }.encode(FEATURES).unwrap());
    let incremental = [(2, Bytes::from_static(b"no change"))].into();
    bed.push_maps(MOSDMap { incremental, newest: 2, ..MOSDMap::default() });
    eventually("the damage is told", 60 * SECOND, || !bed.told.lock().unwrap().is_empty());
    assert_eq!(bed.told.lock().unwrap()[0].have, 1, "what came before it was not taken");
}

#[test]
fn damaged_maps_are_told_asked_for_again_and_named() {
    let [first, second] = two_maps();
    let bed = Bed::new(&first);
    let io = bed.rados.pool("rbd").unwrap().with_deadline(Some(2 * SECOND));
    bed.store(3, &second.slice(..second.len() / 2));
    let incremental = [(2, Bytes::from_static(b"\x08\x07\xff\0\0\0 no change"))].into();
    bed.push_maps(MOSDMap { incremental, newest: 2, ..MOSDMap::default() });
    // The change, and each answer to a question for the whole map.
    eventually("the damage is told", 60 * SECOND, || bed.told.lock().unwrap().len() >= 3);

    let error = io.write_full("o", "x").wait().unwrap_err();
    let RadosError::NotDone { why: Waiting::ReadableMap(MapFault::Map(MapError::Malformed { .. })), .. } =
        error
    else {
        panic!("{error:?}")
    };
    assert!(error.to_string().contains("the newest OSD maps cannot be read: malformed "), "{error}");
    let error = bed.rados.wait_for_map(2, Duration::from_millis(100)).unwrap_err();
    assert!(matches!(error, RadosError::NoMap { epoch: 2, have: 1, fault: Some(_), .. }), "{error:?}");

    let told = bed.told.lock().unwrap().clone();
    assert!(told.iter().all(|damage| damage.have == 1), "{told:?}");
    assert_eq!(told[0].addrs, bed.rados.mon().monitor().unwrap().addrs);
    assert!(told[0].to_string().contains("sent by the mon at v2:127.0.0.1:"), "{}", told[0]);
    let asked = bed.asked();
    assert!((3..50).contains(&asked), "asked {asked} times, where it could be thousands");

    bed.store(3, &second);
    assert_eq!(bed.rados.wait_for_map(2, 60 * SECOND).unwrap(), 3);
    let error = io.with_deadline(Some(SECOND)).write_full("o", "x").wait().unwrap_err();
    assert!(!error.to_string().contains("cannot be read"), "it was mended: {error}");
}

#[test]
fn messages_of_maps_that_make_no_sense_are_told() {
    let [first, _] = two_maps();
    let bed = Bed::new(&first);
    let before = bed.asked();
    bed.push(Message::new(MOSDMap::KIND, &b"nonsense"[..]));
    eventually("the damage is told", 120 * SECOND, || !bed.told.lock().unwrap().is_empty());
    let told = bed.told.lock().unwrap()[0].clone();
    assert!(matches!(told.fault, MapFault::Message(_)), "{told:?}");
    eventually("a whole map is asked for", 120 * SECOND, || bed.asked() > before);
    let io = bed.rados.pool("rbd").unwrap().with_deadline(Some(SECOND));
    eventually("the answer shows that nothing is missing", 120 * SECOND, || {
        let error = io.write_full("o", "x").wait().unwrap_err();
        matches!(error, RadosError::NotDone { why: Waiting::Primary(_), .. })
    });
}

#[test]
fn what_a_monitor_said_that_is_gone_is_forgotten() {
    let [first, second] = two_maps();
    let mut bed = Bed::of(&[Map::Right; 2], &first);
    let at = bed.rados.mon().monitor().unwrap().addrs;
    let place = bed.toys.iter().position(|toy| toy.addrs() == at).unwrap();
    bed.toys.swap(0, place);
    bed.store(3, &second.slice(..second.len() / 2));
    bed.push(Message::new(MOSDMap::KIND, &b"nonsense"[..]));
    eventually("the damage is told", 120 * SECOND, || bed.told.lock().unwrap().len() >= 2);
    // The other monitor's map is the one there is: it sends none unless it is asked for a whole one.
    drop(bed.toys.remove(0));
    let io = bed.rados.pool("rbd").unwrap().with_deadline(Some(SECOND));
    eventually("the other monitor's answer shows that nothing is missing", 120 * SECOND, || {
        let error = io.write_full("o", "x").wait().unwrap_err();
        matches!(error, RadosError::NotDone { why: Waiting::Primary(_), .. })
    });
}

/// A client of a host that accepts and says nothing.
fn silent(listener: &TcpListener, like: &MonConfig) -> MonConfig {
    let addr = format!("v2:{}/0", listener.local_addr().unwrap());
    let monitors = vec![MonInfo::from(addr.parse::<axon_denc::AddrVec>().unwrap())];
    MonConfig { monitors, connect_within: 600 * SECOND, ..like.clone() }
}

#[test]
fn connecting_blocks_no_executor() {
    let [first, _] = two_maps();
    let (toys, key) = cluster(&[Map::Right]);
    *toys[0].said.osd_map.lock().unwrap() = Some((1, first));
    let fine = config(&toys, &key);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent(&listener, &config(&toys, &key));
    let pool = async {
        let rados = Rados::connect_async(RadosConfig::new(fine)).await?;
        rados.pool_async("rbd").await.map(|io| io.pool_id())
    };
    let mut pool = pin!(pool);
    let mut stuck = pin!(MonClient::connect_async(silent));
    // One thread polls both, the one that never ends first.
    let both =
        std::future::poll_fn(|context| match (stuck.as_mut().poll(context), pool.as_mut().poll(context)) {
            (Poll::Ready(ended), _) => panic!("{ended:?}"),
            (Poll::Pending, polled) => polled,
        });
    assert_eq!(park::wait_until(both, park::deadline(60 * SECOND)).expect("in time").unwrap(), 1);
}

#[test]
fn a_wait_for_ever_is_no_panic() {
    let [first, second] = two_maps();
    let bed = Bed::new(&first);
    let rados = bed.rados.clone();
    let waiting = std::thread::spawn(move || rados.wait_for_map(2, Duration::MAX));
    bed.store(3, &second);
    bed.rados.mon().ask_osdmaps(0);
    assert_eq!(waiting.join().unwrap().unwrap(), 3);
    let mut short = config(&bed.toys, &cluster(&[]).1);
    short.connect_within = SECOND;
    let error = MonClient::connect(short).unwrap_err();
    assert!(matches!(error, MonError::Refused { .. } | MonError::Unreachable { .. }), "{error:?}");
}
