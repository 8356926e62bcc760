//! A seed: which world, which weather, which misfortunes, and what applications do meanwhile.

mod draw;
mod finish;

use crate::caught::caught;
use crate::coverage::{Mishap, Tally};
use crate::rows;
use crate::{Cut, Letter, PeerId, Setup, Trace, Violation, World, letter};
use axon_proto::Instant;
use std::time::Duration;

/// Something that somebody does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Send(usize, usize, Letter),
    Connect(usize, usize),
    Keepalive(usize, usize),
    MarkDown(usize, usize),
    /// Breaks the so-manieth socket.
    Cut(usize),
    /// Breaks the so-manieth socket for one side of it.
    Sever(usize, usize),
    /// Makes one side of the so-manieth socket swallow.
    Swallow(usize, usize),
    /// Breaks a socket at a named place.
    Arm(Cut),
    Crash(usize),
    Start(usize, bool),
    Learn(usize, usize),
    Part(usize, usize, bool),
    Join(usize, usize),
    ClockJump(usize, i64),
    Freeze(usize, Duration),
    /// Remembers what several of the above are together.
    Note(Mishap),
}

/// What a seed stands for.
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The world.
    pub setup: Setup,
    ops: Vec<(Instant, Op)>,
    /// When faults end.
    calm_at: Instant,
}

/// What a run came to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Summary {
    /// Messages accepted.
    pub messages: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Events.
    pub events: u64,
    /// Dials.
    pub dials: u64,
    /// Sessions begun, on either side.
    pub established: u64,
    /// Sessions resumed, on either side.
    pub resumed: u64,
    /// Peers that had lost a session.
    pub remote_resets: u64,
    /// Connections reset.
    pub resets: u64,
    /// What went wrong, and which rows decided.
    pub tally: Tally,
    /// From the end of faults until everything was delivered and acknowledged.
    pub settled_after: Duration,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.delivered += other.delivered;
        self.events += other.events;
        self.dials += other.dials;
        self.established += other.established;
        self.resumed += other.resumed;
        self.remote_resets += other.remote_resets;
        self.resets += other.resets;
        self.tally += other.tally;
        self.settled_after = self.settled_after.max(other.settled_after);
    }
}

/// A rule was broken.
#[derive(Debug)]
pub struct Failure {
    /// The seed that shows it.
    pub seed: u64,
    /// The rule.
    pub violation: Violation,
    /// What happened, if it was recorded.
    pub trace: String,
}

/// Events of one run; more mean that it does not come to an end.
const MOST_EVENTS: u64 = 100_000;

/// A run under way.
struct Run {
    world: World,
    events: u64,
    pending: Vec<(Instant, crate::Action)>,
}

impl Plan {
    /// Runs it.
    ///
    /// # Errors
    /// The first rule that was broken.
    pub fn run(&self, trace: Trace) -> Result<Summary, Failure> {
        let mut world = World::new(self.setup.clone(), self.seed);
        world.trace = trace;
        let mut run = Run { world, events: 0, pending: Vec::new() };
        rows::take_hits();
        let outcome = caught(|| self.go(&mut run)).and_then(|outcome| outcome);
        run.world.tally.rows = rows::take_hits();
        let world = &mut run.world;
        match outcome {
            Ok(settled_after) => Ok(summary(world, run.events, settled_after)),
            Err(violation) => Err(Failure { seed: self.seed, violation, trace: world.trace.take() }),
        }
    }

    fn go(&self, run: &mut Run) -> Result<Duration, Violation> {
        for (at, op) in &self.ops {
            run.advance(*at)?;
            self.perform(&mut run.world, *op);
        }
        run.advance(self.calm_at)?;
        self.finish(run)
    }

    fn perform(&self, world: &mut World, op: Op) {
        match op {
            Op::Send(from, to, what) => drop(world.send(from, to, what)),
            Op::Connect(a, b) if world.is_awake(a) => drop(world.connect_to(a, b)),
            Op::Connect(..) => {}
            Op::Keepalive(a, b) => drop(awake_between(world, a, b).map(|peer| world.keepalive(peer))),
            Op::MarkDown(a, b) => drop(awake_between(world, a, b).map(|peer| world.mark_down(peer))),
            Op::Cut(nth) => drop(nth_socket(world, nth).map(|socket| world.cut(socket))),
            Op::Sever(nth, side) => drop(nth_socket(world, nth).map(|socket| world.sever(socket, side))),
            Op::Swallow(nth, side) => drop(nth_socket(world, nth).map(|socket| world.swallow(socket, side))),
            Op::Arm(cut) => world.cuts.push(cut),
            Op::Crash(node) if world.nodes[node].up => world.crash(node),
            Op::Start(node, new_nonce) if !world.nodes[node].up => self.start(world, node, new_nonce),
            Op::Crash(_) | Op::Start(..) => {}
            Op::Learn(node, other) => world.learn(node, other),
            Op::Part(a, b, silently) => world.part(a, b, silently),
            Op::Join(a, b) => world.join(a, b),
            Op::ClockJump(node, seconds) => world.jump_clock(node, seconds),
            Op::Freeze(node, time) => world.freeze(node, world.now + time),
            Op::Note(mishap) => world.tally.note(mishap),
        }
    }

    /// A client whose clock was set back takes a new nonce, as Ceph's clients always do: under the old one, a server that
    /// still has its session would take it for an older attempt until its numbers have caught up.
    fn start(&self, world: &mut World, node: usize, new_nonce: bool) {
        let is_client = !self.setup.kind.is_peer() && node != 0;
        let is_behind = world.nodes[node].clock_error < 0;
        world.start(node, new_nonce || (is_client && is_behind));
    }
}

impl Run {
    /// Lets everything happen that is due by `until`.
    fn advance(&mut self, until: Instant) -> Result<(), Violation> {
        while self.world.step(until, &mut self.pending) {
            self.events += 1;
            self.check()?;
        }
        self.world.now = self.world.now.max(until);
        Ok(())
    }

    fn check(&mut self) -> Result<(), Violation> {
        if let Some(violation) = self.world.violation.take() {
            return Err(violation);
        }
        if self.events > MOST_EVENTS {
            let what = describe(&self.world);
            return Err(Violation::Endless { events: self.events as usize, what });
        }
        Ok(())
    }
}

/// The connection of `a` with `b`, if the application of `a` can do anything.
fn awake_between(world: &World, a: usize, b: usize) -> Option<PeerId> {
    world.is_awake(a).then(|| world.between(a, b)).flatten()
}

fn nth_socket(world: &World, nth: usize) -> Option<usize> {
    let live = world.live_sockets();
    (!live.is_empty()).then(|| live[nth % live.len()])
}

fn summary(world: &World, events: u64, settled_after: Duration) -> Summary {
    let mut sum = Summary {
        messages: world.ledger.entries().len() as u64,
        delivered: world.ledger.delivered,
        events,
        settled_after,
        tally: world.tally,
        ..Summary::default()
    };
    for (_, peer) in world.all_peers() {
        let counts = peer.counts();
        sum.dials += u64::from(counts.dials);
        sum.established += u64::from(counts.established);
        sum.resumed += u64::from(counts.resumed);
        sum.remote_resets += u64::from(counts.remote_resets);
        sum.resets += u64::from(counts.resets);
    }
    sum
}

/// Who is not quiet.
fn describe(world: &World) -> String {
    let mut text = String::new();
    if let Some(tid) = world.ledger.unresolved() {
        let entry = &world.ledger.entries()[tid as usize - 1];
        text += &format!("message {tid} from {} to {}; ", letter(entry.from), letter(entry.to));
    }
    for (id, peer) in world.alive().filter(|(_, peer)| !peer.is_quiet()) {
        let state = peer.machine.session().state();
        let held = peer.machine.held();
        text +=
            &format!("{}{}{} is {state:?} and holds {held}; ", letter(peer.node), letter(peer.other), id.0);
    }
    text
}

/// What a seed of this kind is about, in a line.
impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Setup { kind, nodes, secure, .. } = &self.setup;
        let mode = if *secure { ", secure" } else { "" };
        let calm = self.calm_at.0 as f64 / 1e9;
        write!(f, "seed {}: {nodes} nodes, {kind:?}{mode}, calm after {calm:.1} s", self.seed)
    }
}
