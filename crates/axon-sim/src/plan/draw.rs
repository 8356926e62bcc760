//! Draws a plan from a seed.

use super::{Op, Plan};
use crate::coverage::{Mishap, PLACES};
use crate::label::Label;
use crate::rows;
use crate::{Cut, Edge, Kind, Letter, Random, Setup, Weather};
use axon_proto::{Instant, Timeouts};
use axon_wire::{Message, Tag};
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

const EDGES: [Edge; 3] = [Edge::Before, Edge::After, Edge::Late];

/// Where cuts fall more often in the clear: sessions are agreed there.
const SESSION: [Label; 7] = [
    Label::Frame(Tag::ClientIdent),
    Label::Frame(Tag::ServerIdent),
    Label::Frame(Tag::SessionReconnect),
    Label::Frame(Tag::SessionReconnectOk),
    Label::Frame(Tag::SessionRetry),
    Label::Frame(Tag::SessionReset),
    Label::Frame(Tag::Wait),
];

/// Where cuts fall more often in secure worlds: nothing else is seen there.
const SECURE: [Label; 3] =
    [Label::Frame(Tag::AuthReplyMore), Label::Frame(Tag::AuthRequestMore), Label::Sealed];

impl Plan {
    /// What `seed` stands for.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x5eed_0fa1_1fa1_7000);
        let kind = random.pick(&[
            Kind::Peer,
            Kind::Peer,
            Kind::PeerReuse,
            Kind::PeerReuse,
            Kind::Stateful,
            Kind::Stateful,
            Kind::Registered,
            Kind::Stateless,
        ]);
        let nodes = random.pick(&[2, 2, 2, 3, 3, 4]);
        let mut setup = Setup::new(kind, nodes);
        setup.tables = rows::watched();
        setup.weather = weather(&mut random);
        setup.timeouts = timeouts(&mut random);
        setup.secure = random.chance(30);
        setup.checksums = setup.secure || random.chance(50);
        setup.budget = random.pick(&[2_000, 20_000, 64 << 20]);
        let longest = random.pick(&[1, 5, 20]) * SECOND;
        let length = random.time(50 * MILLI, longest);
        let mut ops = Ops { random, nodes, kind, secure: setup.secure, length, list: Vec::new() };
        ops.draw();
        let mut list = ops.list;
        list.sort_by_key(|(at, _)| *at);
        let calm_at = Instant::from(length) + SECOND;
        let calm_at = list.last().map_or(calm_at, |(at, _)| calm_at.max(*at));
        Self { seed, setup, ops: list, calm_at }
    }
}

fn weather(random: &mut Random) -> Weather {
    let least = random.time(Duration::from_micros(50), 5 * MILLI);
    let spread = random.pick(&[1, 20, 300]) * MILLI;
    let most = least + random.time(Duration::ZERO, spread);
    let rough = random.chance(500);
    let chance = |random: &mut Random, most: usize| if rough { random.below(most) as u32 } else { 0 };
    Weather {
        latency: (least, most),
        refuse: chance(random, 300),
        stall: chance(random, 200),
        split: random.pick(&[0, 0, 0, 100, 900]),
        defer: random.pick(&[0, 300, 1000]),
        rude: random.pick(&[0, 500, 1000]),
        capacity: random.pick(&[64, 1000, 1 << 20, 1 << 20]),
        admission: random.pick(&[Duration::ZERO, Duration::ZERO, 50 * MILLI]),
    }
}

fn timeouts(random: &mut Random) -> Timeouts {
    let default = Timeouts::default();
    let ready = if random.chance(500) { default.ready } else { random.time(4 * SECOND, 6 * SECOND) };
    let keepalive = random.pick(&[SECOND, 3 * SECOND, 10 * SECOND]);
    Timeouts { ready, keepalive: Some(keepalive), keepalive_ack: keepalive, ..default }
}

/// Operations in the making.
struct Ops {
    random: Random,
    nodes: usize,
    kind: Kind,
    secure: bool,
    length: Duration,
    list: Vec<(Instant, Op)>,
}

impl Ops {
    fn draw(&mut self) {
        let hurry = self.random.chance(300); // everybody dials at the same time
        let most = self.random.pick(&[3, 15, 40]);
        for _ in 0..self.random.between(1, most) {
            let at = if hurry && self.random.chance(500) { Instant(0) } else { self.time() };
            let (from, to) = self.pair();
            let op = match self.random.below(20) {
                0 => Op::Connect(from, to),
                1..3 => Op::Keepalive(from, to),
                _ => Op::Send(from, to, self.letter()),
            };
            self.list.push((at, op));
        }
        let most = self.random.pick(&[0, 2, 6, 12]);
        for _ in 0..self.random.between(0, most) {
            self.misfortune();
        }
        if self.random.chance(100) {
            self.swizzle();
        }
    }

    fn misfortune(&mut self) {
        let at = self.time();
        let (a, b) = self.pair();
        let op = match self.random.below(100) {
            0..18 => Op::Cut(self.random.below(8)),
            18..25 => Op::Sever(self.random.below(8), self.random.below(2)),
            25..60 => Op::Arm(self.cut(a, b)),
            60..65 => return self.leave_behind(at, a, b),
            65..73 => Op::Swallow(self.random.below(8), self.random.below(2)),
            73..82 => {
                // Often somebody needs the peer again at once.
                if self.random.chance(500) {
                    let letter = self.letter();
                    self.list.push((at + MILLI, Op::Send(a, b, letter)));
                }
                Op::MarkDown(a, b)
            }
            82..92 => return self.restart(at, a),
            92..95 => return self.partition(at, a, b),
            95..98 => Op::Freeze(a, self.random.time(MILLI, 30 * SECOND)),
            _ => Op::ClockJump(a, self.random.between(0, 7200) as i64 - 3600),
        };
        self.list.push((at, op));
    }

    fn cut(&mut self, from: usize, to: usize) -> Cut {
        let edge = self.random.pick(&EDGES);
        let skip = self.random.pick(&[0, 0, 0, 1, 2, 5]);
        let label = match self.random.chance(500) {
            true if self.secure => self.random.pick(&SECURE),
            true => self.random.pick(&SESSION),
            false => self.random.pick(&PLACES).0,
        };
        Cut { from, to, label, edge, skip }
    }

    /// An open session breaks, `to` has to dial twice, and what it answers to the question of `from`, which is behind
    /// then, is cut.
    fn leave_behind(&mut self, at: Instant, from: usize, to: usize) {
        let edge = self.random.pick(&EDGES);
        let cuts = [
            (from, to, Tag::Message, Edge::Before),
            (to, from, Tag::SessionReconnect, Edge::Before),
            (to, from, Tag::SessionRetry, edge),
        ];
        for (from, to, tag, edge) in cuts {
            let cut = Cut { from, to, label: Label::Frame(tag), edge, skip: 0 };
            self.list.push((at, Op::Arm(cut)));
        }
        for (from, to) in [(from, to), (to, from)] {
            let letter = self.letter();
            self.list.push((at, Op::Send(from, to, letter)));
        }
    }

    /// A process ends and starts again, and the others hear of its new address.
    fn restart(&mut self, at: Instant, node: usize) {
        let new_nonce = self.random.chance(500);
        let up = at + self.random.time(MILLI, 5 * SECOND);
        self.list.push((at, Op::Crash(node)));
        self.list.push((up, Op::Start(node, new_nonce)));
        for other in (0..self.nodes).filter(|other| *other != node) {
            let heard = up + self.random.time(MILLI, 3 * SECOND);
            self.list.push((heard, Op::Learn(other, node)));
        }
    }

    fn partition(&mut self, at: Instant, a: usize, b: usize) {
        let silently = self.random.chance(500);
        let joined = at + self.random.time(100 * MILLI, 20 * SECOND);
        self.list.push((at, Op::Part(a, b, silently)));
        self.list.push((joined, Op::Join(a, b)));
    }

    /// All pairs are parted one by one, then joined in another order.
    fn swizzle(&mut self) {
        let mut pairs: Vec<(usize, usize)> =
            (0..self.nodes).flat_map(|a| (a + 1..self.nodes).map(move |b| (a, b))).collect();
        let mut at = self.time();
        self.list.push((at, Op::Note(Mishap::Swizzled)));
        for part in [true, false] {
            for left in (1..=pairs.len()).rev() {
                let chosen = self.random.below(left);
                pairs.swap(chosen, left - 1);
                let (a, b) = pairs[left - 1];
                let silently = self.random.chance(300);
                let op = if part { Op::Part(a, b, silently) } else { Op::Join(a, b) };
                self.list.push((at, op));
                at = at + self.random.time(MILLI, 2 * SECOND);
            }
        }
    }

    fn time(&mut self) -> Instant {
        Instant::from(self.random.time(Duration::ZERO, self.length))
    }

    fn pair(&mut self) -> (usize, usize) {
        let a = self.random.below(self.nodes);
        let b = (a + 1 + self.random.below(self.nodes - 1)) % self.nodes;
        match self.kind.is_peer() || a == 0 || b == 0 {
            true => (a, b),
            false => (a, 0), // clients only know the server
        }
    }

    fn letter(&mut self) -> Letter {
        let priority = self.random.pick(&[
            Message::PRIORITY_DEFAULT,
            Message::PRIORITY_DEFAULT,
            Message::PRIORITY_DEFAULT,
            Message::PRIORITY_HIGH,
            Message::PRIORITY_LOW,
        ]);
        let size = match self.random.below(64) {
            0 => 40_000, // long enough to be read straight into its place
            _ => self.random.pick(&[0, 1, 10, 100]),
        };
        Letter { priority, size, request: self.random.chance(300) }
    }
}
