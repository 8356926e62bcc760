//! An OSD that says "try again": real ones say it to reads from replicas, which we do not send.

use super::bed::connect;
use super::nonsense::{keys, start};
use crate::monitors::{SECOND, eventually};
use axon_auth::Mode;
use axon_messenger::{Connection, Dispatcher, Message, Received};
use axon_rados::client::{Errno, RadosError, Waiting};
use axon_rados::msg::{MOSDOp, MOSDOpReply, TypedMessage};
use axon_rados::osd::OsdFlags;
use axon_testbed::Cluster;
use bytes::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the OSD says in the end.
const SAID: &[u8] = b"said at last";
/// How long the client lets an OSD that said so alone, at least.
const PAUSE: Duration = Duration::from_millis(20);

/// An OSD in this process that answers so many requests with EAGAIN, and all others as if it had done them.
#[derive(Default)]
struct Hesitant {
    refusals: AtomicUsize,
    asked: Mutex<Vec<Asked>>,
}

/// A request as it came.
#[derive(Debug, Clone)]
struct Asked {
    tid: u64,
    request: MOSDOp,
    at: Instant,
}

impl Dispatcher for Hesitant {
    fn dispatch(&self, connection: &Connection, message: Received) {
        if message.header.kind != MOSDOp::KIND {
            return;
        }
        let request = MOSDOp::decode(&message).unwrap();
        let refused =
            self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let mut answer = answer(&request, refused.is_ok());
        answer.header.tid = message.header.tid;
        self.asked.lock().unwrap().push(Asked { tid: message.header.tid, request, at: Instant::now() });
        let _ = connection.send(answer); // the client may have left
    }
}

fn answer(request: &MOSDOp, refused: bool) -> Message {
    let reads = !request.flags.contains(OsdFlags::WRITE) && !refused;
    let data = Bytes::from_static(if reads { SAID } else { b"" });
    let mut ops = request.ops.clone();
    ops.iter_mut().for_each(|op| op.payload_len = data.len() as u32);
    let reply = MOSDOpReply {
        object: request.object.clone(),
        pg: request.pgid.pg,
        flags: request.flags,
        result: if refused { -Errno::EAGAIN.0 } else { 0 },
        bad_replay_version: Default::default(),
        map_epoch: request.map_epoch,
        results: vec![0; ops.len()],
        ops,
        retry_attempt: request.retry_attempt,
        replay_version: Default::default(),
        user_version: 5,
        redirect: None,
        data,
    };
    reply.encode(axon_denc::Features::ALL_REEF).unwrap()
}

#[test]
fn an_osd_that_says_try_again_is_asked_again() {
    let mut cluster = Cluster::builder().osds(1).pool("p", 1).boot().unwrap();
    let rados = connect(&cluster, Mode::CRC);
    let io = rados.pool("p").unwrap().with_deadline(Some(300 * SECOND));
    io.write_full("o", "x").wait().unwrap();
    let at = cluster.osd_addr(0).unwrap();
    cluster.ceph(&["osd", "set", "nodown"]).unwrap(); // the map goes on saying that it is there
    let (mon, secrets) = keys(&cluster);
    cluster.stop("osd.0");
    let osd = Arc::new(Hesitant::default());
    let messenger = start(secrets, at, osd.clone());

    for write in [false, true] {
        osd.refusals.store(3, Ordering::Relaxed);
        match write {
            true => io.append("o", "y").wait().unwrap(),
            false => assert_eq!(io.read("o", 0, 0).wait().unwrap(), SAID),
        }
        let asked = std::mem::take(&mut *osd.asked.lock().unwrap());
        assert!(asked.len() >= 4, "{asked:?}");
        for pair in asked.windows(2) {
            let [before, after] = pair else { unreachable!() };
            // For the OSD it is another request, and a first attempt.
            assert!(after.tid > before.tid && after.request.retry_attempt == 0, "{asked:?}");
            assert!(!after.request.flags.contains(OsdFlags::RETRY), "{asked:?}");
            assert_eq!(after.request.ops, before.request.ops);
            assert!(after.at - before.at >= PAUSE / 2, "{asked:?}"); // as seen here, which may lag behind
        }
    }

    osd.refusals.store(usize::MAX, Ordering::Relaxed);
    let hasty = io.with_deadline(Some(SECOND));
    eventually("the reason is named", 120 * SECOND, || {
        let error = hasty.read("o", 0, 0).wait().unwrap_err();
        let RadosError::NotDone { why, .. } = error else { panic!("{error}") };
        why == Waiting::Again
    });
    drop((messenger, mon));
}
