//! The session with real monitors.

use axon_auth::{AuthError, Method, Mode, RotatingStore};
use axon_denc::{AddrVec, EntityType};
use axon_messenger::{Connection, Dispatcher, Fault, Modes, Received};
use axon_rados::MonInfo;
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::{CommandOutput, Failure, MonClient, MonConfig, MonError};
use axon_rados::msg::{MOSDMap, Subscription, TypedMessage};
use axon_testbed::{Auth, Cluster, Release};
use bytes::Bytes;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn config(cluster: &Cluster, name: &str) -> MonConfig {
    let conf = Conf::read(&cluster.conf(), Host::default()).unwrap();
    MonConfig::from_conf(&conf.of(&name.parse().unwrap())).unwrap()
}

fn connect(cluster: &Cluster) -> MonClient {
    MonClient::connect(config(cluster, "client.admin")).unwrap()
}

fn run(mon: &MonClient, json: &str) -> CommandOutput {
    mon.command(json, Bytes::new()).unwrap()
}

fn status(mon: &MonClient) {
    let answer = run(mon, r#"{"prefix": "status", "format": "json"}"#);
    assert_eq!((answer.code, &answer.status[..]), (0, ""));
    let text = String::from_utf8(answer.output.to_vec()).unwrap();
    assert!(text.contains("\"fsid\""), "{text}");
}

/// Waits for something to become true.
pub(crate) fn eventually(what: &str, within: Duration, mut check: impl FnMut() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < within, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn commands_run_on_every_release() {
    for release in [Release::Nautilus, Release::Pacific, Release::Reef, Release::Tentacle] {
        let cluster = Cluster::builder().release(release).boot().unwrap();
        let mon = connect(&cluster);
        status(&mon);
        let fsid: String = mon.fsid().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(fsid, cluster.fsid().replace('-', ""), "{release}");
        assert_eq!(mon.monitor().unwrap().name.as_deref(), Some("a"));
        assert!(mon.global_id() > 0);

        let refused = run(&mon, r#"{"prefix": "no such command"}"#);
        assert_eq!(refused.code, -22, "{release}: {refused:?}");
        assert!(!refused.status.is_empty());

        let value = Bytes::from_static(b"what was stored");
        assert_eq!(
            mon.command(r#"{"prefix": "config-key set", "key": "k"}"#, value.clone()).unwrap().code,
            0
        );
        assert_eq!(run(&mon, r#"{"prefix": "config-key get", "key": "k"}"#).output, value);

        let versions = mon.versions("osdmap").unwrap();
        assert!(versions.newest >= 1 && versions.oldest <= versions.newest, "{versions:?}");
    }
}

#[test]
fn every_mode_and_method() {
    let cluster = Cluster::builder().boot().unwrap();
    for mode in [Mode::CRC, Mode::SECURE] {
        let config = config(&cluster, "client.admin").with_modes(Modes::only(mode));
        status(&MonClient::connect(config).unwrap());
    }
    let open = Cluster::builder().auth(Auth::None).boot().unwrap();
    let config = config(&open, "client.admin");
    assert_eq!(config.methods, [Method::NONE]);
    assert_eq!(config.key, None);
    status(&MonClient::connect(config).unwrap());
}

#[test]
fn a_wrong_key_is_said_at_once() {
    let cluster = Cluster::builder().boot().unwrap();
    cluster.add_entity("client.other", &[("mon", "allow r")]).unwrap();
    let other = config(&cluster, "client.other").key.unwrap();
    let start = Instant::now();
    let error = MonClient::connect(config(&cluster, "client.admin").with_key(other)).unwrap_err();
    assert!(start.elapsed() < 30 * SECOND, "took {:?}", start.elapsed());
    let MonError::Refused { attempts } = &error else { panic!("{error:?}") };
    let [attempt] = &attempts[..] else { panic!("{attempts:?}") };
    assert!(
        matches!(&attempt.why, Failure::Fault(Fault::Auth(AuthError::KeyRejected { .. }))),
        "{attempt:?}"
    );
    let text = error.to_string();
    assert!(text.contains(&cluster.mon_addr().to_string()), "{text}");
}

#[test]
fn nobody_there_is_said_with_every_address() {
    let dead = [axon_testbed::free_port(), axon_testbed::free_port()];
    let hosts = dead.iter().map(|port| format!("v2:127.0.0.1:{port}/0").parse().unwrap()).collect();
    let mut config = MonConfig::new("client.admin".parse().unwrap(), hosts);
    config.methods = vec![Method::NONE];
    config.connect_within = SECOND;
    let error = MonClient::connect(config).unwrap_err();
    let MonError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
    assert_eq!(attempts.len(), 2, "{error}");
    for port in dead {
        assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    }
    assert!(error.to_string().contains("nothing listens"), "{error}");
}

#[test]
fn dead_monitors_are_passed_over() {
    let cluster = Cluster::builder().boot().unwrap();
    for _ in 0..4 {
        let mut config = config(&cluster, "client.admin");
        let dead = |port| MonInfo::from(format!("v2:127.0.0.1:{port}/0").parse::<AddrVec>().unwrap());
        config.monitors.extend([dead(axon_testbed::free_port()), dead(axon_testbed::free_port())]);
        status(&MonClient::connect(config).unwrap());
    }
}

#[test]
fn monitors_without_a_quorum_do_not_answer() {
    let nobody = ([127, 0, 0, 1], axon_testbed::free_port()).into();
    let cluster = Cluster::builder().foreign_monitor("x", nobody).boot().unwrap();
    let mut config = config(&cluster, "client.admin");
    config.connect_within = 5 * SECOND;
    let error = MonClient::connect(config).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, MonError::Unreachable { .. } | MonError::NoAnswer { .. }), "{error:?}");
    assert!(text.contains(&cluster.mon_addr().to_string()), "{text}");
}

#[test]
fn another_monitor_takes_over() {
    let mut cluster = Cluster::builder().monitors(3).boot().unwrap();
    let mon = connect(&cluster);
    status(&mon);
    let first = mon.monitor().unwrap().name.unwrap();
    cluster.stop(&format!("mon.{first}"));
    let start = Instant::now();
    let answer = mon.send_command(r#"{"prefix": "status"}"#, Bytes::new(), 60 * SECOND).wait().unwrap();
    assert_eq!(answer.code, 0);
    assert_ne!(mon.monitor().unwrap().name.as_ref(), Some(&first), "after {:?}", start.elapsed());
    cluster.start(&format!("mon.{first}")).unwrap();
    status(&mon);
}

#[test]
fn a_request_that_nobody_answers_says_so() {
    let mut cluster = Cluster::builder().boot().unwrap();
    let mon = connect(&cluster);
    cluster.stop("mon.a");
    eventually("the end of the session", 120 * SECOND, || mon.monitor().is_none());
    let error = mon.send_command(r#"{"prefix": "status"}"#, Bytes::new(), 2 * SECOND).wait().unwrap_err();
    let MonError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
    assert_eq!(attempts[0].target.name.as_deref(), Some("a"), "{error}");
    cluster.start("mon.a").unwrap();
    let answer = mon.send_command(r#"{"prefix": "status"}"#, Bytes::new(), 60 * SECOND).wait().unwrap();
    assert_eq!(answer.code, 0);
}

#[test]
fn tickets_are_renewed_before_they_expire() {
    let cluster = Cluster::builder()
        .set("auth_service_ticket_ttl", "8")
        .set("auth_mon_ticket_ttl", "16")
        .boot()
        .unwrap();
    let mon = connect(&cluster);
    let expires = |service| mon.tickets().with(|t| t.get(service).map(|ticket| ticket.expires)).unwrap();
    let first = [EntityType::Osd, EntityType::Auth].map(expires);
    let global_id = mon.global_id();
    let mut renewed = first[0];
    eventually("a new OSD ticket", 120 * SECOND, || {
        renewed = expires(EntityType::Osd);
        renewed > first[0]
    });
    assert!(renewed > first[0] + 4 * SECOND, "not before its time");
    eventually("a new AUTH ticket", 120 * SECOND, || expires(EntityType::Auth) > first[1]);
    assert_eq!(mon.global_id(), global_id, "the new login kept the id");
    status(&mon);
}

#[test]
fn a_daemon_gets_its_rotating_keys() {
    let cluster = Cluster::builder().set("auth_service_ticket_ttl", "4").boot().unwrap();
    cluster.add_entity("osd.7", &[("mon", "allow profile osd"), ("osd", "allow *")]).unwrap();
    let config = config(&cluster, "osd.7").with_secrets(RotatingStore::default());
    let mon = MonClient::connect(config).unwrap();
    let keys = mon.rotating_keys(120 * SECOND).unwrap();
    let newest = || keys.with(|secrets| secrets.max_version());
    let first = newest();
    assert!(first >= 3 && keys.with(|secrets| secrets.get(first).is_some()), "{first}");
    eventually("newer keys", 120 * SECOND, || newest() > first);
}

#[test]
fn a_client_gets_no_rotating_keys() {
    let cluster = Cluster::builder().boot().unwrap();
    let mon =
        MonClient::connect(config(&cluster, "client.admin").with_secrets(RotatingStore::default())).unwrap();
    let error = mon.rotating_keys(2 * SECOND).unwrap_err();
    assert!(matches!(error, MonError::NoAnswer { .. }), "{error:?}");
    assert!(error.to_string().contains("mon.a at [v2:127.0.0.1:"), "{error}");
}

/// Passes on the OSD maps.
struct Maps(Sender<MOSDMap>);

impl Dispatcher for Maps {
    fn dispatch(&self, _connection: &Connection, message: Received) {
        if let Ok(map) = MOSDMap::decode(&message) {
            let _ = self.0.send(map);
        }
    }
}

#[test]
fn maps_come_to_subscribers() {
    let cluster = Cluster::builder().boot().unwrap();
    let (sender, maps) = channel();
    let config = config(&cluster, "client.admin");
    let mon = MonClient::connect_with(config, Maps(sender), |builder| builder).unwrap();
    mon.subscribe("osdmap", Subscription::default());
    let first = maps.recv_timeout(120 * SECOND).unwrap();
    assert_eq!(first.fsid, mon.fsid());
    let newest = mon.versions("osdmap").unwrap().newest;
    assert!(first.full.contains_key(&(newest as u32)), "{first:?}");
    mon.got("osdmap", newest);
    assert_eq!(run(&mon, r#"{"prefix": "osd set", "key": "noout"}"#).code, 0);
    let next = maps.recv_timeout(120 * SECOND).unwrap();
    assert!(next.incremental.contains_key(&(newest as u32 + 1)), "{next:?}");
    assert!(
        run(&mon, r#"{"prefix": "config set", "who": "client", "name": "debug_rbd", "value": "1/1"}"#).code
            == 0
    );
    eventually("the option", 120 * SECOND, || mon.options().contains_key("debug_rbd"));
}
