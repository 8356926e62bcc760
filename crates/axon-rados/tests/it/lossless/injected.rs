//! A client of an OSD that breaks its own sockets: what was asked is asked again.

use super::daemon_log::{DaemonLog, INJECTED};
use super::{PATIENCE, cut_for};
use crate::monitors::{config, eventually};
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_messenger::{CallError, Expect, Features, SendError};
use axon_rados::mon::MonClient;
use axon_rados::msg::{MOSDOp, MOSDOpReply, TypedMessage};
use axon_rados::osd::{Extent, OpCode, OsdFlags, OsdOp, PgId};
use axon_testbed::Cluster;
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// One in so many reads and writes of the OSD's sockets breaks.
const ONE_IN: &str = "40";
const WRITERS: usize = 4;
/// How many requests must be asked again; each fault may cost one of every writer.
const RETRIES: u64 = 10;
/// The length of what is appended at a time.
const RECORD: u64 = 16;

/// A client that asks again until it has an answer, under the same id, as Ceph's clients do.
struct Persistent<'a> {
    mon: &'a MonClient,
    osd: AddrVec,
    pg: PgId,
    epoch: u32,
    tid: AtomicU64,
    retries: AtomicU64,
}

impl Persistent<'_> {
    fn ask(&self, mut request: MOSDOp) -> MOSDOpReply {
        request.map_epoch = self.epoch;
        let tid = self.tid.fetch_add(1, Ordering::Relaxed);
        for attempt in 0.. {
            request.retry_attempt = attempt;
            match self.attempt(&request, tid) {
                Some(reply) => return reply,
                None => self.retries.fetch_add(1, Ordering::Relaxed),
            };
        }
        unreachable!("it was asked for ever")
    }

    /// `None` if the session broke.
    fn attempt(&self, request: &MOSDOp, tid: u64) -> Option<MOSDOpReply> {
        let mut message = request.encode(Features::ALL_REEF).unwrap();
        message.header.tid = tid;
        let osd = self.mon.messenger().connect(EntityType::Osd, &self.osd).unwrap();
        let reply = match osd.call(message, Expect::Kind(MOSDOpReply::KIND)) {
            Ok(reply) => reply.wait_timeout(PATIENCE),
            Err(SendError { .. }) => return None, // it broke a moment before
        };
        match reply {
            Ok(reply) => Some(MOSDOpReply::decode(&reply).unwrap()),
            Err(CallError::Reset) => None,
            Err(error) => panic!("request {tid}: {error}"),
        }
    }

    fn append(&self, object: &str, record: &[u8]) {
        let extent = Extent { length: RECORD, ..Extent::default() };
        let op = OsdOp::on_extent(OpCode::APPEND, extent, RECORD as u32);
        let mut request = MOSDOp::new(object.to_owned(), self.pg, vec![op]);
        request.flags = OsdFlags::WRITE.with(OsdFlags::ONDISK);
        request.data = Bytes::copy_from_slice(record);
        assert_eq!(self.ask(request).result, 0, "appending to {object}");
    }

    /// Appends records to an object of its own for a while, and until enough requests were asked again; returns how many.
    fn append_for(&self, during: Duration, writer: usize) -> u64 {
        let start = Instant::now();
        let retries = || self.retries.load(Ordering::Relaxed);
        let goes_on = || start.elapsed() < during || start.elapsed() < PATIENCE && retries() < RETRIES;
        let mut appends = 0;
        while goes_on() {
            self.append(&format!("object {writer}"), &record(writer, appends));
            appends += 1;
        }
        appends
    }
}

fn record(writer: usize, n: u64) -> Vec<u8> {
    format!("{writer:>3} wrote {n:>5};").into_bytes()
}

#[test]
fn a_lossy_client_recovers_from_every_injected_fault() {
    let cluster = Cluster::builder().osds(1).pool("p", 1).set("debug_ms", "1").boot().unwrap();
    let mon = MonClient::connect(config(&cluster, "client.admin")).unwrap();
    let at = cluster.osd_addr(0).unwrap();
    let pools = cluster.ceph_json(&["osd", "lspools"]).unwrap();
    let client = &Persistent {
        mon: &mon,
        osd: AddrVec::from(EntityAddr::msgr2(at.addr, at.nonce)),
        pg: PgId { pool: pools[0]["poolnum"].as_u64().unwrap(), seed: 0 },
        epoch: mon.versions("osdmap").unwrap().newest as u32,
        tid: AtomicU64::new(1),
        retries: AtomicU64::new(0),
    };
    cluster.ceph(&["tell", "osd.0", "config", "set", "ms_inject_socket_failures", ONE_IN]).unwrap();
    let appends = thread::scope(|scope| {
        let writer = |writer| scope.spawn(move || client.append_for(cut_for(), writer));
        let writers: Vec<_> = (0..WRITERS).map(writer).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    for (writer, appends) in appends.iter().enumerate() {
        let written: Vec<u8> = (0..*appends).flat_map(|n| record(writer, n)).collect();
        let size = written.len() as u64;
        let read = client.ask(MOSDOp::read(format!("object {writer}"), client.pg, 0, 2 * size));
        assert_eq!((read.result, &read.data[..]), (0, &written[..]), "object {writer}");
    }
    let counters = mon.messenger().counters();
    let log = DaemonLog::of(&cluster, "osd.0");
    let injected = log.count(INJECTED);
    let retries = client.retries.load(Ordering::Relaxed);
    println!("{injected} faults injected; {appends:?} appends; {retries} requests asked again; {counters}");
    assert!(injected >= 5 && retries >= RETRIES, "{injected} faults, {retries} requests asked again");
    let connections = || mon.messenger().connections();
    eventually("one session with the monitor and one with the OSD", PATIENCE, || connections() == 2);
}
