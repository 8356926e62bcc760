//! A monitor and an OSD of which there is just enough.

use axon_denc::{AddrVec, Encode, EntityAddr, Features, put_versioned};
use axon_messenger::{BindSpec, Connection, Dispatcher, Message, Messenger, Nonce, Received};
use axon_rados::msg::{
    Fsid, MMonGetVersion, MMonGetVersionReply, MMonMap, MMonSubscribe, MOSDMap, MOSDOp, MOSDOpReply,
    TypedMessage,
};
use axon_rados::osdmap::OsdMap;
use axon_testbed::unhex;
use axon_transport::MemNetwork;
use bytes::Bytes;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// The pool of the map.
pub(crate) const POOL: &str = "p";
/// Bytes of every object.
pub(crate) const DATA: usize = 4096;
/// A map of a cluster of Ceph 18.2 with one OSD and one pool, as `ceph osd getmap` writes it.
const MAP: &str = include_str!("one_osd.hex");
/// Where the map says that the OSD is.
const OSD: (&str, Nonce) = ("127.0.0.1:33000", Nonce::fixed(4_032_208_178));
const MONITOR: (&str, Nonce) = ("127.0.0.1:3300", Nonce::MONITOR);
const FSID: Fsid = [7; 16];
const FEATURES: Features = Features::ALL_REEF;

/// Both, until it is dropped.
pub(crate) struct Cluster {
    monitor: Messenger,
    _osd: Messenger,
}

impl Cluster {
    pub(crate) fn start(network: &Arc<MemNetwork>) -> Result<Self, Box<dyn Error>> {
        let map = unhex(&MAP.replace('\n', "")).ok_or("the map is no text of hexadecimal digits")?;
        let epoch = OsdMap::decode(&map)?.epoch();
        let start = |name: &str, (at, nonce): (&str, Nonce), dispatcher: Arc<dyn Dispatcher>| {
            let builder = Messenger::builder(name.parse()?).transport(network.clone());
            let builder = builder.bind(at.parse::<BindSpec>()?).nonce(nonce).workers(1).spin(Duration::ZERO);
            Ok::<_, Box<dyn Error>>(builder.start(dispatcher)?)
        };
        Ok(Self {
            monitor: start("mon.0", MONITOR, Arc::new(Monitor { epoch, map: map.into() }))?,
            _osd: start("osd.0", OSD, Arc::new(Osd { epoch }))?,
        })
    }

    pub(crate) fn monitors(&self) -> AddrVec {
        self.monitor.addrs()
    }
}

/// Sends its maps to whoever wants them, and says how new they are.
struct Monitor {
    epoch: u32,
    map: Bytes,
}

impl Dispatcher for Monitor {
    fn dispatch(&self, connection: &Connection, message: Received) {
        if let Ok(MMonGetVersion { handle, .. }) = MMonGetVersion::decode(&message) {
            let newest = self.epoch.into();
            answer(connection, &MMonGetVersionReply { handle, newest, oldest: 1 });
        }
        let Ok(subscribe) = MMonSubscribe::decode(&message) else { return };
        for what in subscribe.what.keys() {
            match what.as_str() {
                "monmap" => answer(connection, &MMonMap { map: mon_map().into() }),
                "osdmap" => answer(connection, &self.osd_maps()),
                _ => {}
            }
        }
    }
}

impl Monitor {
    fn osd_maps(&self) -> MOSDMap {
        let full = [(self.epoch, self.map.clone())].into();
        MOSDMap { fsid: FSID, full, newest: self.epoch, ..MOSDMap::default() }
    }
}

/// A message that cannot be sent ends the program, which waits for it.
fn answer(connection: &Connection, message: &impl TypedMessage) {
    let _ = connection.send(message.encode(FEATURES).expect("the features are enough"));
}

/// A monitor map of epoch 1. Ceph: `MonMap::encode` in `src/mon/MonMap.cc`.
fn mon_map() -> Vec<u8> {
    let (at, nonce) = MONITOR;
    let at = at.parse().expect("a socket's address");
    let addrs = AddrVec::from(EntityAddr::msgr2(at, nonce.get()));
    let mut map = Vec::new();
    put_versioned(&mut map, 9, 6, |out| {
        out.extend_from_slice(&FSID);
        1u32.encode(out);
        out.extend_from_slice(&[0; 16]); // changed, created
        (0..2).for_each(|_| put_versioned(out, 1, 1, |out| 0u64.encode(out)));
        1u32.encode(out);
        "a".to_owned().encode(out);
        put_versioned(out, 5, 1, |out| {
            "a".to_owned().encode(out);
            addrs.encode(out);
            0u32.encode(out); // priority, weight
        });
        1u32.encode(out);
        "a".to_owned().encode(out);
        16u8.encode(out);
    });
    map
}

/// Answers each request as if it were a read of a whole object.
struct Osd {
    epoch: u32,
}

impl Dispatcher for Osd {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        let Ok(request) = MOSDOp::decode(&message) else { return };
        let mut ops = request.ops;
        ops.iter_mut().for_each(|op| op.payload_len = DATA as u32);
        let reply = MOSDOpReply {
            object: request.object,
            pg: request.pgid.pg,
            flags: request.flags,
            result: 0,
            bad_replay_version: Default::default(),
            map_epoch: self.epoch,
            results: vec![0; ops.len()],
            ops,
            retry_attempt: request.retry_attempt,
            replay_version: Default::default(),
            user_version: 5,
            redirect: None,
            data: Bytes::from_static(&[7; DATA]),
        };
        let mut reply = reply.encode(FEATURES).expect("the features are enough");
        reply.header.tid = message.header.tid;
        // One that cannot be sent ends the program, which waits for it.
        let _ = connection.send(reply);
    }
}
