//! An OSD whose answers wait for a budget of ours hears the same acknowledgement again and again, on a lossy session, too.

use super::PATIENCE;
use super::daemon_log::DaemonLog;
use crate::monitors::{SECOND, config, eventually};
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_messenger::{Builder, Connection, Dispatcher, Features, Message, Received, State, Timeouts};
use axon_rados::mon::MonClient;
use axon_rados::msg::{MOSDOp, TypedMessage};
use axon_rados::osd::PgId;
use axon_testbed::Cluster;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

/// Between signs of life.
const OFTEN: Duration = Duration::from_millis(50);

/// Keeps the answers of OSDs, and with them the budget.
#[derive(Clone, Default)]
struct Hoarder(Arc<Mutex<Vec<Received>>>);

impl Dispatcher for Hoarder {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        if connection.peer_type() == EntityType::Osd {
            self.0.lock().unwrap().push(message);
        }
    }
}

#[test]
fn an_osd_takes_repeated_acknowledgements() {
    let cluster = Cluster::builder().osds(1).pool("p", 1).set("debug_ms", "20").boot().unwrap();
    let hoarder = Hoarder::default();
    let timeouts = Timeouts { keepalive: Some(OFTEN), ..Timeouts::default() };
    let configure = |builder: Builder| builder.timeouts(timeouts).receive_budget(EntityType::Osd, 1, 0);
    let mon = MonClient::connect_with(config(&cluster, "client.admin"), hoarder.clone(), configure).unwrap();
    let at = cluster.osd_addr(0).unwrap();
    let osd = AddrVec::from(EntityAddr::msgr2(at.addr, at.nonce));
    let osd = mon.messenger().connect(EntityType::Osd, &osd).unwrap();
    let pools = cluster.ceph_json(&["osd", "lspools"]).unwrap();
    let pg = PgId { pool: pools[0]["poolnum"].as_u64().unwrap(), seed: 0 };
    for tid in 1..=3 {
        let mut request = MOSDOp::read("missing", pg, 0, 8);
        request.map_epoch = mon.versions("osdmap").unwrap().newest as u32;
        let mut request = request.encode(Features::ALL_REEF).unwrap();
        request.header.tid = tid;
        osd.send(request).unwrap();
    }
    let counters = || mon.messenger().counters();
    eventually("an answer that waits", PATIENCE, || counters().throttle_waits == 1);
    sleep(2 * SECOND);
    for tid in 1..=3 {
        eventually("the next answer", PATIENCE, || !hoarder.0.lock().unwrap().is_empty());
        assert_eq!(hoarder.0.lock().unwrap().remove(0).header.tid, tid);
    }
    assert_eq!((osd.state(), counters().resets), (State::Open, 0));
    let log = DaemonLog::of(&cluster, "osd.0");
    log.assert_clean();
    let acks: Vec<_> = log.lines("handle_message_ack").collect();
    println!("{} acknowledgements while answers waited", acks.len());
    assert!(acks.len() >= 10 && acks.iter().all(|line| line.contains(" l=1 ")), "of a lossy session");
}
