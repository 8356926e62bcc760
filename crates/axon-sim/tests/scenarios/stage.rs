//! Two nodes, a and b, and what a test does with them.

use axon_proto::State;
use axon_sim::{Counts, Cut, Edge, Kind, Label, Letter, PeerId, Setup, Trace, World};
use axon_wire::Tag;
use std::time::Duration;

/// The first node; in the kinds with a server, that is it.
pub(crate) const A: usize = 0;
/// The second node.
pub(crate) const B: usize = 1;

/// Two nodes and the wires between them.
pub(crate) struct Stage {
    pub(crate) world: World,
}

impl Stage {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::of(Setup::new(kind, 2))
    }

    pub(crate) fn of(setup: Setup) -> Self {
        let mut world = World::new(setup, 7);
        world.trace = Trace::on();
        Self { world }
    }

    /// Any number of nodes, without a recording of what they do: that of thousands of messages would be long.
    pub(crate) fn quiet(setup: Setup, seed: u64) -> Self {
        Self { world: World::new(setup, seed) }
    }

    /// A stage on which `from` and `to` have a session that `from` began, and one message went each way.
    pub(crate) fn open(kind: Kind, from: usize, to: usize) -> Self {
        let mut stage = Self::new(kind);
        stage.send(from, to);
        stage.run(100);
        stage.send(to, from);
        stage.run(100);
        stage.expect_open(from, to);
        stage.forget_frames();
        stage
    }

    /// Sends a message; it must be accepted.
    pub(crate) fn send(&mut self, from: usize, to: usize) -> u64 {
        self.world.send(from, to, Letter::PLAIN).expect("a connection that takes it")
    }

    /// Breaks the next socket on which `from` writes such a frame.
    pub(crate) fn cut(&mut self, from: usize, to: usize, tag: Tag, edge: Edge) {
        self.cut_at(from, to, Label::Frame(tag), edge);
    }

    pub(crate) fn cut_at(&mut self, from: usize, to: usize, label: Label, edge: Edge) {
        self.world.cuts.push(Cut { from, to, label, edge, skip: 0 });
    }

    /// Holds such frames back.
    pub(crate) fn hold(&mut self, from: usize, to: usize, tag: Tag) {
        self.world.holds.push((from, to, Label::Frame(tag)));
    }

    /// Breaks every socket.
    pub(crate) fn cut_all(&mut self) {
        for socket in self.world.live_sockets().to_vec() {
            self.world.cut(socket);
        }
    }

    /// Breaks a socket, if there is one.
    pub(crate) fn cut_any(&mut self) -> bool {
        let sockets = self.world.live_sockets().to_vec();
        let chosen = sockets.get(self.world.random.below(sockets.len())).copied();
        chosen.into_iter().for_each(|socket| self.world.cut(socket));
        chosen.is_some()
    }

    /// Lets milliseconds pass.
    pub(crate) fn run(&mut self, millis: u64) {
        let until = self.world.now + Duration::from_millis(millis);
        self.world.run_until(until);
        if let Some(violation) = &self.world.violation {
            let violation = violation.to_string();
            self.fail(&violation);
        }
    }

    /// Lets time pass until everything accepted is delivered or accounted for, and all is quiet.
    pub(crate) fn settle(&mut self) {
        self.settle_within(Duration::from_secs(60));
    }

    /// The same, at most so long.
    pub(crate) fn settle_within(&mut self, limit: Duration) {
        let until = self.world.now + limit;
        let mut pending = Vec::new();
        while !self.is_settled() {
            if !self.world.step(until, &mut pending) || self.world.violation.is_some() {
                let what = format!("it does not settle: {:?}", self.world.violation);
                self.fail(&what);
            }
        }
        self.run(500);
    }

    /// Sends one message from each to the other, as far as they may, and settles.
    pub(crate) fn prove(&mut self) {
        for (from, to) in [(A, B), (B, A)] {
            if let Some(id) = self.world.connect_to(from, to) {
                self.world.send_on(id, Letter::PLAIN);
            }
        }
        self.settle();
    }

    fn is_settled(&self) -> bool {
        let quiet = self.world.alive().all(|(_, peer)| {
            matches!(peer.state(), State::Open | State::Standby) && peer.machine.is_drained()
        });
        quiet
            && self
                .world
                .ledger
                .entries()
                .iter()
                .all(|entry| entry.delivered > 0 || entry.fate != axon_sim::Fate::Accepted)
    }

    /// The connection of `node` with the other.
    pub(crate) fn peer(&mut self, node: usize) -> PeerId {
        match self.world.between(node, 1 - node) {
            Some(peer) => peer,
            None => self.fail("there is no connection"),
        }
    }

    /// What happened to it.
    pub(crate) fn counts(&mut self, node: usize) -> Counts {
        let peer = self.peer(node);
        self.world.peer(peer).counts()
    }

    /// What happened to the connection of `node` with the other that was made so-manieth, over or not.
    pub(crate) fn counts_of(&self, node: usize, nth: usize) -> Counts {
        let mut mine = self.world.all_peers().filter(|(_, peer)| peer.node == node);
        mine.nth(nth).expect("so many connections").1.counts()
    }

    /// How many connections `node` ever had.
    pub(crate) fn connections(&self, node: usize) -> usize {
        self.world.all_peers().filter(|(_, peer)| peer.node == node).count()
    }

    /// The last message that `node` wrote to the other, and the last that it received.
    pub(crate) fn numbers(&mut self, node: usize) -> (u64, u64) {
        let peer = self.peer(node);
        let session = self.world.peer(peer).machine.session();
        (session.out_seq(), session.in_seq())
    }

    pub(crate) fn state(&mut self, node: usize) -> State {
        let peer = self.peer(node);
        self.world.peer(peer).state()
    }

    /// How often a message was delivered.
    pub(crate) fn delivered(&self, tid: u64) -> u32 {
        self.world.ledger.entries()[tid as usize - 1].delivered
    }

    /// How many such frames `from` wrote.
    pub(crate) fn wrote(&self, from: usize, tag: Tag) -> usize {
        self.world
            .written
            .iter()
            .filter(|(node, _, label)| *node == from && *label == Label::Frame(tag))
            .count()
    }

    /// Counts frames from now on.
    pub(crate) fn forget_frames(&mut self) {
        self.world.written.clear();
    }

    pub(crate) fn mark_down(&mut self, node: usize) {
        let peer = self.peer(node);
        self.world.mark_down(peer);
    }

    #[track_caller]
    pub(crate) fn expect_open(&mut self, a: usize, b: usize) {
        for node in [a, b] {
            if self.state(node) != State::Open {
                self.fail("both ends should be open");
            }
        }
        if self.world.sockets_between(a, b) != 1 {
            self.fail("there should be one socket");
        }
    }

    /// Asserts with the whole story.
    #[track_caller]
    pub(crate) fn expect<T: PartialEq + std::fmt::Debug>(&mut self, got: T, expected: T) {
        if got != expected {
            self.fail(&format!("got {got:?}, expected {expected:?}"));
        }
    }

    #[track_caller]
    pub(crate) fn fail(&mut self, what: &str) -> ! {
        panic!("{what}\n{}", self.world.trace.take())
    }
}

/// Who wins when both dial each other, and who loses.
pub(crate) fn winner_and_loser(stage: &Stage) -> (usize, usize) {
    let [a, b] = [A, B].map(|node| stage.world.nodes[node].addr);
    match a.race_cmp(&b) {
        std::cmp::Ordering::Less => (A, B),
        _ => (B, A),
    }
}
