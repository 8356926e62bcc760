//! Something that has an OSD's place, and its keys, and makes no sense.

use super::bed::connect;
use crate::monitors::{SECOND, config, eventually};
use axon_auth::{Mode, RotatingStore, Verifier};
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_messenger::{BindSpec, Connection, Dispatcher, Message, Messenger, Nonce, Received};
use axon_rados::IoCtx;
use axon_rados::client::{RadosError, Waiting};
use axon_rados::mon::{MonClient, system_surroundings};
use axon_rados::msg::{MOSDOp, MOSDOpReply, TypedMessage};
use axon_testbed::{Cluster, DaemonAddr};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long it may take to come back, on a slow machine.
const WITHIN: Duration = Duration::from_secs(120);

/// An OSD in this process that answers every request with nonsense.
#[derive(Default)]
struct Nonsense {
    asked: AtomicUsize,
    sessions: AtomicUsize,
    priorities: Mutex<BTreeSet<u16>>,
}

impl Dispatcher for Nonsense {
    fn dispatch(&self, connection: &Connection, message: Received) {
        if message.header.kind == MOSDOp::KIND {
            self.priorities.lock().unwrap().insert(message.header.priority);
            let count = self.asked.fetch_add(1, Ordering::Relaxed);
            let mut answer = nonsense(&MOSDOp::decode(&message).unwrap(), count);
            answer.header.tid = message.header.tid;
            let _ = connection.send(answer); // the client may have left
        }
    }

    fn handle_fast_accept(&self, _: &Connection) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }
}

/// Bytes that are no answer, one that is cut, one to another number of operations.
fn nonsense(request: &MOSDOp, count: usize) -> Message {
    let right = MOSDOpReply {
        object: request.object.clone(),
        pg: request.pgid.pg,
        flags: request.flags,
        result: 0,
        bad_replay_version: Default::default(),
        map_epoch: request.map_epoch,
        ops: Vec::new(),
        retry_attempt: request.retry_attempt,
        results: Vec::new(),
        replay_version: Default::default(),
        user_version: 0,
        redirect: None,
        data: Default::default(),
    };
    let other_shape = right.encode(axon_denc::Features::ALL_REEF).unwrap();
    match count % 3 {
        0 => Message::new(MOSDOpReply::KIND, &b"nonsense"[..]),
        1 => Message { front: other_shape.front.slice(..20), ..other_shape },
        _ => other_shape,
    }
}

/// Fetches the keys of osd.0.
pub(super) fn keys(cluster: &Cluster) -> (MonClient, RotatingStore) {
    let secrets = RotatingStore::default();
    let mon = MonClient::connect(config(cluster, "osd.0").with_secrets(secrets.clone())).unwrap();
    mon.rotating_keys(WITHIN).unwrap();
    (mon, secrets)
}

/// Has the keys of osd.0 and listens where it did.
pub(super) fn start(secrets: RotatingStore, at: DaemonAddr, osd: Arc<impl Dispatcher>) -> Messenger {
    let gate = Verifier::new(EntityType::Osd, secrets, system_surroundings());
    let spec: BindSpec = at.addr.to_string().parse().unwrap();
    let addrs = AddrVec::from(EntityAddr::msgr2(at.addr, at.nonce));
    let builder = Messenger::builder("osd.0".parse().unwrap()).nonce(Nonce::fixed(at.nonce)).bind(spec);
    let builder = builder.advertise(addrs).server_auth(Arc::new(gate));
    builder.start(osd).unwrap()
}

/// Reads until the error says that; each of them names the OSD.
fn read_until(io: &IoCtx, expected: Waiting) {
    eventually(&format!("'{expected}'"), WITHIN, || {
        let error = io.read("o", 0, 0).wait().unwrap_err();
        let RadosError::NotDone { why, .. } = &error else { panic!("{error}") };
        assert!(error.to_string().contains("osd.0"), "{error}");
        *why == expected
    });
}

/// Takes connections at a port and says what is no msgr2.
fn babble(listener: TcpListener) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { return };
        let mut greeting = [0; 4];
        let _ = stream.read(&mut greeting);
        if greeting == *b"stop" {
            return;
        }
        let _ = stream.write_all(&[0xa5; 4096]);
    }
}

#[test]
fn an_osd_that_makes_no_sense() {
    // In no hurry: what the OSD has in memory is kept.
    let mut cluster =
        Cluster::builder().osds(1).pool("p", 1).set("osd_fast_shutdown", "false").boot().unwrap();
    let rados = connect(&cluster, Mode::CRC);
    let io = rados.pool("p").unwrap().with_deadline(Some(5 * WITHIN));
    let hasty = io.clone().with_deadline(Some(SECOND));
    io.write_full("o", "x").wait().unwrap();
    let at = cluster.osd_addr(0).unwrap();
    cluster.ceph(&["osd", "set", "nodown"]).unwrap(); // the map goes on saying that it is there
    // Before the port is free: others on this machine look for one, too.
    let (mon, secrets) = keys(&cluster);
    cluster.stop("osd.0");

    let listener = TcpListener::bind(at.addr).unwrap();
    let babbling = thread::spawn(|| babble(listener));
    read_until(&hasty, Waiting::Connection(0));
    std::net::TcpStream::connect(at.addr).unwrap().write_all(b"stop").unwrap();
    babbling.join().unwrap();

    let nonsense = Arc::new(Nonsense::default());
    let messenger = start(secrets, at, nonsense.clone());
    read_until(&hasty, Waiting::Sense(0));
    // Between two attempts there are pauses, in which nothing is sent.
    eventually("a write of which nobody knows", WITHIN, || {
        let error = hasty.append("o", "y").wait().unwrap_err();
        assert!(error.to_string().contains("osd.0"), "{error}");
        matches!(error, RadosError::Unknown { .. })
    });
    let late = io.append("o", "z");
    eventually("new sessions", WITHIN, || nonsense.sessions.load(Ordering::Relaxed) > 6);
    drop((messenger, mon));
    // As librados sends them: see `vectors::requests_have_their_priority`.
    assert_eq!(*nonsense.priorities.lock().unwrap(), BTreeSet::from([63]));

    cluster.ceph(&["osd", "unset", "nodown"]).unwrap();
    cluster.start("osd.0").unwrap();
    late.wait().unwrap();
    assert_eq!(io.read("o", 0, 0).wait().unwrap(), "xz");
}
