//! Where and in which order handlers are called.

use crate::probe::{News, Probe, numbered};
use crate::town::{Town, dial, start, wait_until};
use axon_messenger::{Connection, Dispatcher, EntityType, Fault, Message, Received, Reset, State};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

fn with_priority(tid: u64, priority: u16) -> Message {
    let mut message = numbered(tid);
    message.header.priority = priority;
    message
}

/// A door that handlers wait at.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.changed.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

over_each! {
    fn events_and_messages_come_in_order(town) {
        let (server, client) = (Probe::new(), Probe::fast());
        let pair = town.pair(&server, &client);
        let (here, there) = pair.connected();
        here.send(numbered(1)).unwrap();
        server.wait_messages(1);
        there.send(numbered(2)).unwrap();
        client.wait_messages(1);
        here.mark_down();
        server.wait_reset(&there);
        let kinds = |probe: &Probe| {
            let kind = |news: &News| match news {
                News::Message(message) => format!("message {}", message.header.tid),
                News::Reset { .. } => "reset".into(),
                other => format!("{other:?}"),
            };
            probe.log().iter().map(|entry| (kind(&entry.news), entry.thread.clone())).collect::<Vec<_>>()
        };
        let (worker, dispatch) = ("axon-worker-0".to_owned(), "axon-dispatch-0".to_owned());
        assert_eq!(kinds(&server), [
            ("FastAccept".into(), worker.clone()),
            ("Accept".into(), dispatch.clone()),
            ("message 1".into(), dispatch.clone()),
            ("reset".into(), dispatch.clone()),
        ]);
        let mut at_client = kinds(&client);
        at_client.sort();
        assert_eq!(at_client, [
            ("Connect".into(), dispatch),
            ("FastConnect".into(), worker.clone()),
            ("message 2".into(), worker),
        ]);
    }

    fn higher_priorities_go_first(town) {
        let gate = Arc::new(Gate::default());
        let (order, at_gate) = (Arc::new(Mutex::new(Vec::new())), gate.clone());
        let note = order.clone();
        let probe = Probe::with(move |_, message| {
            at_gate.pass();
            note.lock().unwrap().push(message.header.tid);
        });
        let pair = town.pair(&probe, &Probe::new());
        let connection = pair.connect();
        connection.send(numbered(0)).unwrap();
        // The accepted connection is news too, and handled before.
        let stats = || pair.server.dispatch_stats();
        wait_until("the first to be at the gate", || stats().handled == 2 && stats().queued == 0);
        for (tid, priority) in [(1, 64), (2, 127), (3, 10), (4, 255), (5, 127), (6, 64), (7, 196)] {
            connection.send(with_priority(tid, priority)).unwrap();
        }
        wait_until("all", || stats().queued == 7);
        gate.open();
        wait_until("all handled", || order.lock().unwrap().len() == 8);
        assert_eq!(*order.lock().unwrap(), [0, 4, 7, 2, 5, 1, 6, 3]);
    }

    fn the_order_of_each_connection_is_kept_by_many_threads(town) {
        const EACH: u64 = 500;
        let next: Arc<Mutex<HashMap<u64, u64>>> = Arc::default();
        let (state, done) = (next.clone(), Arc::new(AtomicU64::new(0)));
        let count = done.clone();
        let probe = Probe::with(move |connection, message| {
            let mut state = state.lock().unwrap();
            let due = state.entry(connection.id()).or_default();
            assert_eq!(message.header.tid, *due);
            *due += 1;
            count.fetch_add(1, Ordering::Relaxed);
        });
        let server = start(town.server("osd.3").workers(2).dispatch_threads(4), &probe);
        let client = start(town.builder("client.7").workers(2), &Probe::new());
        let connections: Vec<_> =
            (0..8).map(|_| client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap()).collect();
        for tid in 0..EACH {
            for connection in &connections {
                connection.send_timeout(numbered(tid), Duration::from_secs(20)).unwrap();
            }
        }
        wait_until("all", || done.load(Ordering::Relaxed) == 8 * EACH);
    }

    fn a_slow_handler_holds_up_its_own_connection_only(town) {
        let gate = Arc::new(Gate::default());
        let (at_gate, passed) = (gate.clone(), Arc::new(AtomicU64::new(0)));
        let count = passed.clone();
        let probe = Probe::with(move |_, message| match message.header.tid {
            0 => at_gate.pass(),
            _ => drop(count.fetch_add(1, Ordering::Relaxed)),
        });
        let server = start(town.server("osd.3").dispatch_threads(4), &probe);
        let client = start(town.builder("client.7"), &Probe::new());
        let connections: Vec<_> =
            (0..12).map(|_| client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap()).collect();
        connections[0].send(numbered(0)).unwrap();
        wait_until("the first to be stuck", || server.counters().messages_in == 1);
        for connection in &connections {
            connection.send(numbered(1)).unwrap();
        }
        // A thread serves several connections: those that share one with the stuck handler wait with it.
        wait_until("most of the others", || passed.load(Ordering::Relaxed) >= 5);
        assert!(passed.load(Ordering::Relaxed) < 12);
        gate.open();
        wait_until("all", || passed.load(Ordering::Relaxed) == 12);
    }

    fn fast_dispatch_runs_on_the_reading_thread(town) {
        let probe = Probe::fast();
        let server = start(town.server("osd.3").workers(2), &probe);
        let clients: Vec<_> = (0..4).map(|n| start(town.builder(&format!("client.{n}")), &Probe::new())).collect();
        for client in &clients {
            dial(client, &server).send(numbered(1)).unwrap();
        }
        probe.wait_messages(4);
        let log = probe.log();
        let messages = log.iter().filter(|entry| matches!(entry.news, News::Message(_)));
        let mut threads: Vec<_> = messages.map(|entry| entry.thread.clone()).collect();
        threads.sort();
        threads.dedup();
        assert_eq!(threads, ["axon-worker-0", "axon-worker-1"]);
        wait_until("the count", || server.counters().fast_dispatches == 4);
    }

    fn each_type_of_message_goes_where_it_belongs(town) {
        let probe = Arc::new(Sorting::default());
        let server = town.server("osd.3").start(probe.clone()).unwrap();
        let client = start(town.builder("client.7"), &Probe::new());
        for connection in [dial(&client, &server), server.loopback()] {
            for tid in 0..20 {
                connection.send(numbered(tid)).unwrap();
            }
        }
        wait_until("all", || probe.fast.load(Ordering::Relaxed) + probe.queued.load(Ordering::Relaxed) == 40);
        assert_eq!((probe.fast.load(Ordering::Relaxed), probe.wrong.load(Ordering::Relaxed)), (20, false));
    }

    fn a_handler_that_panics_takes_nothing_with_it(town) {
        for probe in [Arc::new(Panicking::fast()), Arc::new(Panicking::default())] {
            let server = town.server("osd.3").start(probe.clone()).unwrap();
            let at_client = Probe::new();
            let client = start(town.builder("client.7"), &at_client);
            let connection = dial(&client, &server);
            for tid in 0..10 {
                connection.send(numbered(tid)).unwrap();
            }
            wait_until("the messages", || probe.calls.load(Ordering::Relaxed) >= 10);
            let other = client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap();
            at_client.wait_connect(&other);
            connection.mark_down();
            wait_until("the reset", || probe.resets.load(Ordering::Relaxed) == 1);
            assert_eq!(other.state(), State::Open);
        }
    }
}

/// Takes odd messages fast, and checks that they come so.
#[derive(Default)]
struct Sorting {
    fast: AtomicU64,
    queued: AtomicU64,
    wrong: AtomicBool,
}

impl Dispatcher for Sorting {
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        message.header.tid % 2 == 1
    }

    fn fast_dispatch(&self, _: &Connection, message: Received) {
        self.wrong.fetch_or(message.header.tid % 2 != 1, Ordering::Relaxed);
        self.fast.fetch_add(1, Ordering::Relaxed);
    }

    fn dispatch(&self, _: &Connection, message: Received) {
        self.wrong.fetch_or(message.header.tid % 2 == 1, Ordering::Relaxed);
        self.queued.fetch_add(1, Ordering::Relaxed);
    }
}

/// Panics whenever it is called.
#[derive(Default)]
struct Panicking {
    fast: bool,
    calls: AtomicU64,
    resets: AtomicU64,
}

impl Panicking {
    fn fast() -> Self {
        Self { fast: true, ..Self::default() }
    }
}

#[expect(clippy::panic, reason = "that is what is tested")]
impl Dispatcher for Panicking {
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        assert!(message.header.tid != 5 || !self.fast, "on purpose");
        self.fast
    }

    fn dispatch(&self, _: &Connection, message: Received) {
        // The fifth panicked before it came here.
        self.calls.fetch_add(if self.fast && message.header.tid == 6 { 2 } else { 1 }, Ordering::Relaxed);
        panic!("on purpose");
    }

    fn handle_fast_accept(&self, _: &Connection) {
        panic!("on purpose");
    }

    fn handle_accept(&self, _: &Connection) {
        panic!("on purpose");
    }

    fn handle_reset(&self, _: &Connection, _: Reset) {
        self.resets.fetch_add(1, Ordering::Relaxed);
        panic!("on purpose");
    }

    fn handle_refused(&self, _: &Connection, _: &Fault) {
        panic!("on purpose");
    }
}

#[test]
fn a_reset_comes_after_what_arrived_before_it() {
    let town = Town::mem();
    let probe = Probe::new();
    let gate = Arc::new(Gate::default());
    let (at_gate, slow) = (gate.clone(), probe.clone());
    let at_server = Arc::new(Slow { gate: at_gate, then: slow });
    let server = town.server("osd.3").start(at_server).unwrap();
    let client = start(town.builder("client.7"), &Probe::new());
    let connection = dial(&client, &server);
    for tid in 0..50 {
        connection.send(with_priority(tid, if tid % 2 == 0 { 127 } else { 20 })).unwrap();
    }
    wait_until("all to arrive", || server.counters().messages_in == 50);
    town.network().links().pop().unwrap().cut();
    wait_until("the reset to be noticed", || server.counters().resets == 1);
    gate.open();
    probe.wait_for("reset", |log| log.iter().find(|e| matches!(e.news, News::Reset { .. })).map(drop));
    let log = probe.log();
    assert_eq!(log.iter().filter(|e| matches!(e.news, News::Message(_))).count(), 50);
    assert!(matches!(log.last().unwrap().news, News::Reset { .. }));
}

/// Waits at a gate before each message.
struct Slow {
    gate: Arc<Gate>,
    then: Arc<Probe>,
}

impl Dispatcher for Slow {
    fn dispatch(&self, connection: &Connection, message: Received) {
        self.gate.pass();
        self.then.dispatch(connection, message);
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        self.then.handle_reset(connection, reset);
    }
}
