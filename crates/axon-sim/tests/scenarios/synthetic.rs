//! Random traffic between many nodes while sockets break, as in the C++ suite's synthetic tests: connections are made and
//! closed, pings answered, commands of a higher priority sent. The checkers of the simulation want each message once,
//! unaltered, and in the order of its priority.

use crate::stage::Stage;
use axon_sim::{Kind, Letter, Setup, Weather};
use std::time::Duration;

/// Everybody who takes part, and what goes wrong.
struct Workload {
    kind: Kind,
    servers: usize,
    nodes: usize,
    operations: usize,
    /// One in so many things that happen breaks a socket.
    one_cut_in: usize,
    weather: Weather,
    /// Bytes of the largest message.
    largest: usize,
    /// How long everything may take to come to its end when faults have ended.
    patience: Duration,
}

/// What happened.
struct Outcome {
    cuts: u32,
    closed: u32,
    /// Messages accepted and messages delivered.
    messages: (usize, u64),
}

/// The priority of a command, which overtakes pings.
const COMMAND: u16 = 196;

impl Workload {
    /// Nodes that may all dial each other, or `servers` and their clients, without faults.
    fn new(kind: Kind, servers: usize, nodes: usize, operations: usize) -> Self {
        let weather =
            Weather { latency: (Duration::from_micros(100), Duration::from_millis(5)), ..Weather::calm() };
        Self {
            kind,
            servers,
            nodes,
            operations,
            one_cut_in: usize::MAX,
            weather,
            largest: 4 << 20,
            patience: Duration::from_secs(200),
        }
    }

    /// One in `one_cut_in` reads and writes breaks its socket, everything takes up to 0.1 s, and messages wait to be let in.
    fn with_failures(self, one_cut_in: usize) -> Self {
        let delay = Duration::from_millis(100);
        let weather =
            Weather { latency: (Duration::from_micros(100), delay), admission: delay, ..self.weather };
        Self { one_cut_in, weather, ..self }
    }

    /// Runs it to its end.
    fn run(&self, seed: u64) -> Outcome {
        let mut setup = Setup::new(self.kind, self.nodes);
        (setup.servers, setup.weather) = (self.servers, self.weather.clone());
        let mut stage = Stage::quiet(setup, seed);
        let mut outcome = Outcome { cuts: 0, closed: 0, messages: (0, 0) };
        for _ in 0..self.operations {
            self.operate(&mut stage, &mut outcome);
        }
        stage.world.setup.weather.clear_up();
        self.greet(&mut stage);
        stage.settle_within(self.patience);
        let ledger = &stage.world.ledger;
        outcome.messages = (ledger.entries().len(), ledger.delivered);
        outcome
    }

    fn operate(&self, stage: &mut Stage, outcome: &mut Outcome) {
        let (from, to) = self.pair(stage);
        match stage.world.random.below(100) {
            0..10 => drop(stage.world.connect_to(from, to)),
            10..20 => outcome.closed += u32::from(close(stage, from, to)),
            20..90 => self.send(stage, from, to),
            _ => {
                let millis = stage.world.random.between(1, 100);
                self.pass(stage, millis as u64, outcome);
            }
        }
    }

    /// Whoever may dial somebody does: a server keeps what it has for clients that went away.
    fn greet(&self, stage: &mut Stage) {
        for from in 0..self.nodes {
            for to in (0..self.nodes).filter(|to| *to != from) {
                stage.world.connect_to(from, to).map(|id| stage.world.send_on(id, Letter::PLAIN));
            }
        }
    }

    /// Somebody, and somebody else it may talk to.
    fn pair(&self, stage: &mut Stage) -> (usize, usize) {
        let random = &mut stage.world.random;
        let (first, second) = match self.kind.is_peer() {
            true => {
                let first = random.below(self.nodes);
                (first, (first + random.between(1, self.nodes - 1)) % self.nodes)
            }
            false => (random.between(self.servers, self.nodes - 1), random.below(self.servers)),
        };
        if random.chance(500) { (first, second) } else { (second, first) }
    }

    /// 95 of 100 are pings, which are answered; the others are commands, which overtake them. Few are large.
    fn send(&self, stage: &mut Stage, from: usize, to: usize) {
        let random = &mut stage.world.random;
        let ping = random.chance(950);
        let size = if random.chance(10) { random.below(self.largest) } else { random.below(4096) };
        let letter = if ping { Letter::PLAIN } else { Letter { priority: COMMAND, ..Letter::PLAIN } };
        // A server whose client is not there has nobody to send to.
        let _ = stage.world.send(from, to, Letter { size, request: ping, ..letter });
    }

    /// Lets time pass, and sockets break.
    fn pass(&self, stage: &mut Stage, millis: u64, outcome: &mut Outcome) {
        let until = stage.world.now + Duration::from_millis(millis);
        let mut pending = Vec::new();
        while stage.world.step(until, &mut pending) {
            if stage.world.random.below(self.one_cut_in) == 0 {
                outcome.cuts += u32::from(stage.cut_any());
            }
        }
        stage.run(0);
    }
}

/// The application of `node` closes its connection with `other`, if there is one.
fn close(stage: &mut Stage, node: usize, other: usize) -> bool {
    let connection = stage.world.between(node, other);
    if let Some(connection) = connection {
        stage.world.mark_down(connection);
    }
    connection.is_some()
}

#[track_caller]
fn expect_at_least(outcome: &Outcome, cuts: u32, closed: u32, share_delivered: f64) {
    let (accepted, delivered) = outcome.messages;
    let share = delivered as f64 / accepted as f64;
    assert!(outcome.cuts >= cuts, "{} cuts", outcome.cuts);
    assert!(outcome.closed >= closed, "{} connections closed", outcome.closed);
    assert!(share >= share_delivered, "{delivered} of {accepted} messages delivered");
}

/// Stateful servers and their lossless clients.
#[test]
fn synthetic_stress_test() {
    let outcome = Workload::new(Kind::Stateful, 4, 16, 5000).run(1);
    expect_at_least(&outcome, 0, 1, 0.5);
}

/// Peers that notice who restarted.
#[test]
fn synthetic_stress_test1() {
    let outcome = Workload::new(Kind::PeerReuse, 0, 8, 5000).run(1);
    expect_at_least(&outcome, 0, 1, 0.5);
}

#[test]
fn synthetic_inject_test() {
    let outcome = Workload::new(Kind::Stateful, 4, 12, 2000).with_failures(30).run(1);
    expect_at_least(&outcome, 1, 1, 0.5);
}

#[test]
fn synthetic_inject_test2() {
    let outcome = Workload::new(Kind::PeerReuse, 0, 8, 2000).with_failures(30).run(1);
    expect_at_least(&outcome, 1, 1, 0.5);
}

/// Lossy sessions: what breaks is lost, and nothing comes twice.
#[test]
fn synthetic_inject_test3() {
    for kind in [Kind::Registered, Kind::Stateless] {
        let outcome = Workload::new(kind, 4, 12, 5000).with_failures(600).run(1);
        expect_at_least(&outcome, 1, 1, 0.5);
    }
}

/// Every message is let in late, by up to five seconds.
#[test]
fn synthetic_inject_test4() {
    let late = Weather { admission: Duration::from_secs(5), ..Weather::calm() };
    let patience = Duration::from_secs(1000);
    let workload = Workload { weather: late, patience, ..Workload::new(Kind::Peer, 0, 8, 2000) };
    // Who closes a connection takes what is on its way.
    expect_at_least(&workload.run(1), 0, 1, 0.3);
}

/// A crowded network: large messages over two connections, of which small parts arrive and little fits in.
#[test]
fn synthetic_inject_test5() {
    const LARGE: usize = 6 << 20;
    let mut setup = Setup::new(Kind::Stateful, 3);
    setup.weather.latency = (Duration::from_millis(1), Duration::from_millis(50));
    (setup.weather.split, setup.weather.capacity) = (900, 64 << 10);
    setup.budget = 3 * LARGE;
    let mut stage = Stage::quiet(setup, 1);
    let mut refused = 0;
    let mut tids = Vec::new();
    while tids.len() < 16 {
        for client in [1, 2] {
            match stage.world.send(client, 0, Letter { size: LARGE, ..Letter::PLAIN }) {
                Some(tid) => tids.push(tid),
                None => refused += 1,
            }
        }
        stage.run(50);
    }
    stage.settle_within(Duration::from_secs(200));
    assert!(tids.iter().all(|tid| stage.delivered(*tid) == 1));
    assert!(refused > 0, "the network was never in the way");
}
