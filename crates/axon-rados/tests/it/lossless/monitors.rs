use super::probe::MMonProbe;
use crate::monitors::SECOND;
use axon_auth::{AuthName, Mode, Principal, RotatingStore, TicketStore, Verifier};
use axon_denc::{AddrVec, EntityAddr, EntityType, Features};
use axon_messenger::{
    Connection, Dispatcher, Fault, Messenger, Modes, Nonce, Policy, Received, Reset, Undelivered,
};
use axon_rados::mon::system_surroundings;
use axon_rados::msg::{Fsid, TypedMessage};
use axon_testbed::{Cluster, Tap};
use axon_transport::{Faults, Faulty, TcpTransport};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Log {
    arrived: Vec<(u16, u64, Option<MMonProbe>)>,
    news: Vec<String>,
}

#[derive(Clone, Default)]
struct Monitor(Arc<Mutex<Log>>, Fsid);

impl Dispatcher for Monitor {
    fn dispatch(&self, connection: &Connection, message: Received) {
        let probe = MMonProbe::decode(&message).ok();
        let map = self
            .0
            .lock()
            .unwrap()
            .arrived
            .iter()
            .find_map(|(_, _, p)| p.as_ref().filter(|p| p.op == 2).map(|p| p.monmap.clone()));
        if let (Some(p), Some(monmap)) = (probe.as_ref().filter(|p| p.op == MMonProbe::PROBE), map) {
            let reply = MMonProbe {
                op: MMonProbe::REPLY,
                name: "b".into(),
                fsid: self.1,
                release: 16,
                leader: u32::MAX,
                monmap,
                ..MMonProbe::default()
            };
            let _ = p;
            connection.send(reply.encode(Features(0)).unwrap()).unwrap();
        }
        self.0.lock().unwrap().arrived.push((message.header.kind, message.header.seq, probe));
    }
    fn handle_fast_connect(&self, c: &Connection) {
        self.0.lock().unwrap().news.push(format!("connect {c:?}"));
    }
    fn handle_fast_accept(&self, c: &Connection) {
        self.0.lock().unwrap().news.push(format!("accept {c:?}"));
    }
    fn handle_reset(&self, c: &Connection, r: Reset) {
        self.0.lock().unwrap().news.push(format!("reset {c:?} {r:?}"));
    }
    fn handle_refused(&self, _c: &Connection, f: &Fault) {
        self.0.lock().unwrap().news.push(format!("refused {f}"));
    }
    fn handle_remote_reset(&self, c: &Connection, r: Undelivered) {
        self.0.lock().unwrap().news.push(format!("remote reset {c:?} {r:?}"));
    }
}

fn fsid(cluster: &Cluster) -> Fsid {
    let hex = cluster.fsid().replace('-', "");
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

fn run(mode: Mode, port: u16, seconds: u64, wild: bool) {
    let us: SocketAddr = ([127, 0, 0, 1], port).into();
    let tmode = if mode == Mode::CRC { axon_testbed::Mode::Crc } else { axon_testbed::Mode::Secure };
    let tap = Tap::start(us, 1 << 16).unwrap();
    let cluster = Cluster::builder()
        .mode(tmode)
        .foreign_monitor("b", us)
        .set("debug_ms", "5")
        .set("debug_mon", "10")
        .boot()
        .unwrap();
    cluster.redirect(port, tap.addr().port()).unwrap();
    let key: axon_auth::CryptoKey = cluster.key("mon.").unwrap().parse().unwrap();
    let principal =
        Principal::new(AuthName::new(EntityType::Mon, "b"), TicketStore::default(), system_surroundings())
            .with_mon_secret(key.clone());
    let verifier =
        Verifier::new(EntityType::Mon, RotatingStore::default(), system_surroundings()).with_mon_secret(key);
    let faults = Faults {
        seed: 7,
        piece: 1..=8192,
        cuts_per_mille: if wild { 1000 } else { 0 },
        cut_after: 1..=40_000,
        ..Faults::default()
    };
    let faulty = Faulty::new(TcpTransport::new(), faults);
    let log = Monitor(Arc::default(), fsid(&cluster));
    let m = Messenger::builder("mon.1".parse().unwrap())
        .nonce(Nonce::MONITOR)
        .bind(us)
        .policy(EntityType::Mon, Policy::lossless_peer_reuse())
        .client_auth(Arc::new(principal))
        .server_auth(Arc::new(verifier))
        .modes(Modes::only(mode))
        .transport(Arc::new(faulty.clone()))
        .start(log.clone())
        .unwrap();
    let mon = &cluster.monitors()[0];
    let mut addrs = vec![EntityAddr::msgr2(mon.v2, 0)];
    if let Some(v1) = mon.v1 {
        addrs.push(EntityAddr { kind: axon_denc::AddrType::Legacy, nonce: 0, socket: Some(v1) });
    }
    let addrs = AddrVec(addrs);
    println!("mon {addrs} us {us}");
    let c = m.connect(EntityType::Mon, &addrs).unwrap();
    let start = Instant::now();
    let mut sent = 0;
    let mut taps = 0;
    let mut next_tap = Instant::now() + Duration::from_millis(300);
    while start.elapsed() < SECOND * seconds as u32 {
        for _ in 0..3 {
            let probe = MMonProbe {
                fsid: fsid(&cluster),
                op: MMonProbe::PROBE,
                name: format!("q{sent}"),
                release: 16,
                leader: u32::MAX,
                ..MMonProbe::default()
            };
            c.send(probe.encode(Features(0)).unwrap()).unwrap();
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(10));
        if wild && Instant::now() > next_tap {
            tap.cut();
            taps += 1;
            next_tap = Instant::now() + Duration::from_millis(100 + 37 * (taps * 7 % 11));
        }
    }
    faulty.calm();
    let replies = || {
        log.0.lock().unwrap().arrived.iter().filter(|(_, _, p)| p.as_ref().is_some_and(|p| p.op == 2)).count()
    };
    let t = Instant::now();
    while t.elapsed() < 20 * SECOND && replies() < sent {
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("calm after {:?}", t.elapsed());
    std::thread::sleep(3 * SECOND);
    println!(
        "sent {sent} replies {} taps {taps} tap conns {} cuts {} {:?}",
        replies(),
        tap.conversations().len(),
        faulty.cuts(),
        c
    );
    println!("{} connections {}", m.counters(), m.connections());
    let l = log.0.lock().unwrap();
    let mut kinds = std::collections::BTreeMap::new();
    for (k, _, p) in &l.arrived {
        *kinds.entry((k, p.as_ref().map(|p| p.op))).or_insert(0) += 1;
    }
    println!("kinds {kinds:?}");
    let seqs: Vec<_> = l.arrived.iter().map(|a| a.1).collect();
    let gaps = seqs.windows(2).filter(|w| w[1] != w[0] + 1).collect::<Vec<_>>();
    println!("first {:?} gaps {gaps:?} n {}", seqs.first(), seqs.len());
    let mut news = std::collections::BTreeMap::new();
    for n in &l.news {
        *news.entry(n.clone()).or_insert(0) += 1;
    }
    println!("{news:#?}");
    let text = cluster.log("mon.a");
    std::fs::write(
        format!("/tmp/mon-{}-{port}.log", if mode == Mode::CRC { "crc" } else { "secure" }),
        &text,
    )
    .unwrap();
}

#[test]
fn proto_quiet() {
    run(Mode::CRC, 15001, 6, false);
}
#[test]
fn proto_wild() {
    run(Mode::CRC, 15002, 15, true);
}
#[test]
fn proto_wild_secure() {
    run(Mode::SECURE, 15003, 15, true);
}
#[test]
fn proto_wild_high() {
    run(Mode::CRC, 62003, 15, true);
}
