//! Small worlds and what may happen in them.

use crate::label::Label;
use crate::socket::{Holder, Status};
use crate::{Action, Claim, Kind, Letter, PeerId, Setup, World};
use axon_proto::{Instant, Tables, WakeReason};
use axon_wire::Tag;

/// The bounds of a small world of two nodes.
#[derive(Clone)]
pub struct Small {
    /// How the nodes stand to each other.
    pub kind: Kind,
    /// Messages that each node sends.
    pub messages: [u8; 2],
    /// Sockets that break, or dials that fail.
    pub cuts: u8,
    /// Sockets that break for one end only: what that has written comes at any time later.
    pub late: u8,
    /// Restarts of the nodes.
    pub restarts: [u8; 2],
    /// Connections that their own applications close.
    pub mark_downs: u8,
    /// Impostors that claim a session.
    pub impostors: u8,
    /// Whether it takes a while until a question of session comes before its owner.
    pub deferred: bool,
    /// The rules of sessions.
    pub tables: fn() -> Tables,
}

impl Small {
    /// Nothing but two nodes.
    pub fn new(kind: Kind) -> Self {
        let tables = Tables::default;
        let (messages, restarts) = ([0, 0], [0, 0]);
        let (cuts, late, mark_downs, impostors) = (0, 0, 0, 0);
        Self { kind, messages, cuts, late, restarts, mark_downs, impostors, deferred: false, tables }
    }

    /// How much goes wrong in it.
    pub fn faults(&self) -> u8 {
        let [a, b] = self.restarts;
        self.cuts + self.late + a + b + self.mark_downs + self.impostors
    }
}

/// Something that may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It is under way already.
    Act(Action),
    /// A node sends its next message to the other.
    Send(usize),
    /// A socket breaks.
    Cut(usize),
    /// A socket breaks for one of its sides.
    Sever(usize, usize),
    /// A node's process ends and starts again.
    Restart(usize),
    /// A node's application closes its connection.
    MarkDown(usize),
    /// An impostor claims the session that a node has with the other.
    Impose(usize, Claim),
}

impl Choice {
    /// Whether it needs nobody to ask for it.
    pub(super) fn happens_by_itself(self) -> bool {
        matches!(self, Self::Act(_))
    }
}

/// A small world somewhere on its way.
pub(super) struct Explored<'a> {
    small: &'a Small,
    world: World,
    pub(super) sent: [u8; 2],
    pub(super) cuts: u8,
    pub(super) late: u8,
    pub(super) restarts: [u8; 2],
    pub(super) mark_downs: u8,
    pub(super) impostors: u8,
}

/// A process that restarts finds that its clock has gone on by so many seconds: attempts of the old one are older.
const DOWN_TIME: i64 = 1000;

impl<'a> Explored<'a> {
    pub(super) fn new(small: &'a Small) -> Self {
        let mut setup = Setup::new(small.kind, 2);
        setup.timeouts.idle = None;
        setup.timeouts.keepalive = None;
        setup.weather.defer = if small.deferred { 1000 } else { 0 };
        setup.tables = (small.tables)();
        let world = World::new(setup, 1);
        Self { small, world, sent: [0; 2], cuts: 0, late: 0, restarts: [0; 2], mark_downs: 0, impostors: 0 }
    }

    /// The state at the end of a path.
    pub(super) fn at(small: &'a Small, path: &[Choice]) -> Self {
        let mut explored = Self::new(small);
        path.iter().for_each(|choice| explored.take(*choice));
        explored
    }

    pub(super) fn world(&mut self) -> &mut World {
        &mut self.world
    }

    /// How much may go wrong in it.
    pub(super) fn faults(&self) -> u8 {
        self.small.faults()
    }

    pub(super) fn see(&self) -> &World {
        &self.world
    }

    /// What may happen next.
    pub(super) fn choices(&self) -> Vec<Choice> {
        let mut pending = Vec::new();
        self.world.pending(&mut pending);
        let mut choices: Vec<Choice> = pending
            .into_iter()
            .filter(|(_, action)| self.is_worth_a_choice(*action))
            .map(|(_, action)| Choice::Act(action))
            .collect();
        for node in 0..2 {
            if self.sent[node] < self.small.messages[node] && self.may_send(node) {
                choices.push(Choice::Send(node));
            }
            if self.restarts[node] < self.small.restarts[node] {
                choices.push(Choice::Restart(node));
            }
            if self.mark_downs < self.small.mark_downs && self.world.between(node, 1 - node).is_some() {
                choices.push(Choice::MarkDown(node));
            }
            if self.impostors < self.small.impostors {
                let claims = Claim::ALL.into_iter();
                let claims = claims.filter(|claim| self.world.is_claimable(node, 1 - node, *claim));
                choices.extend(claims.map(|claim| Choice::Impose(node, claim)));
            }
        }
        if self.cuts < self.small.cuts {
            let sockets = self.world.live_sockets().iter();
            choices.extend(sockets.filter(|index| self.may_break(**index)).map(|index| Choice::Cut(*index)));
        }
        if self.late < self.small.late {
            let sides = self.world.live_sockets().iter().flat_map(|index| [(*index, 0), (*index, 1)]);
            let may = sides.filter(|(index, side)| self.may_sever(*index, *side));
            choices.extend(may.map(|(index, side)| Choice::Sever(index, side)));
        }
        choices
    }

    pub(super) fn take(&mut self, choice: Choice) {
        match choice {
            Choice::Act(action) => self.act(action),
            Choice::Send(node) => {
                self.sent[node] += 1;
                self.world.send(node, 1 - node, Letter::PLAIN);
            }
            Choice::Cut(index) => {
                self.cuts += 1;
                self.world.cut(index);
            }
            Choice::Sever(index, side) => {
                self.late += 1;
                self.world.sever(index, side);
            }
            Choice::Restart(node) => {
                self.restarts[node] += 1;
                self.world.crash(node);
                self.world.nodes[node].clock_error += DOWN_TIME;
                self.world.start(node, false);
            }
            Choice::MarkDown(node) => {
                self.mark_downs += 1;
                if let Some(peer) = self.world.between(node, 1 - node) {
                    self.world.mark_down(peer);
                }
            }
            Choice::Impose(node, claim) => {
                self.impostors += 1;
                self.world.impose(node, 1 - node, claim);
            }
        }
        self.shake_hands();
    }

    fn act(&mut self, action: Action) {
        // Nothing but a deadline looks at the clock.
        if let Action::Wake(peer) = action
            && let Some((at, _)) = self.world.peer(peer).machine.deadline()
        {
            self.world.now = self.world.now.max(at);
        }
        self.world.act(action);
    }

    /// Time-outs other than those of the back-off only help against silence, which there is none of.
    fn is_worth_a_choice(&self, action: Action) -> bool {
        match action {
            Action::Wake(peer) => self.redials(peer),
            Action::WakeLink(_) => false,
            _ => true,
        }
    }

    fn redials(&self, peer: PeerId) -> bool {
        matches!(self.world.peer(peer).machine.deadline(), Some((_, WakeReason::Redial)))
    }

    fn may_send(&self, node: usize) -> bool {
        self.small.kind.is_peer() || node != 0 || self.world.between(node, 1 - node).is_some()
    }

    fn may_break(&self, index: usize) -> bool {
        let socket = &self.world.sockets[index];
        let held = |side: &crate::socket::Side| !matches!(side.holder, Holder::Nobody);
        match socket.status {
            Status::Open => {
                socket.sides.iter().any(held) && !socket.sides.iter().any(|side| side.pipe.is_broken)
            }
            Status::Dialling { outcome: Ok(()), .. } => socket.sides.iter().any(held),
            _ => false,
        }
    }

    /// Only an end that has written something which is still on its way differs from one whose socket is cut.
    fn may_sever(&self, index: usize, side: usize) -> bool {
        let socket = &self.world.sockets[index];
        let (mine, theirs) = (&socket.sides[side], &socket.sides[1 - side]);
        let is_held = matches!(mine.holder, Holder::Peer(_)) && !matches!(theirs.holder, Holder::Nobody);
        is_held && socket.status == Status::Open && !mine.pipe.units.is_empty() && !theirs.pipe.is_broken
    }

    /// Lets everything arrive that comes before a question of session, or ends a socket that no session holds: neither
    /// changes what anything else does.
    fn shake_hands(&mut self) {
        while let Some((index, from)) = self.next_of_handshake() {
            self.world.now = self.world.now.max(self.due(index, from));
            self.world.act(Action::Deliver(index, from));
        }
    }

    fn next_of_handshake(&self) -> Option<(usize, usize)> {
        let live = self.world.live_sockets().iter().flat_map(|index| [(*index, 0), (*index, 1)]);
        live.into_iter().find(|(index, from)| {
            let socket = &self.world.sockets[*index];
            let due = socket.status == Status::Open && socket.due(*from).is_some();
            let unit = socket.sides[*from].pipe.units.front();
            let to_link = matches!(socket.sides[1 - *from].holder, Holder::Link(_));
            due && unit.map_or(to_link, |unit| is_early(unit.label))
        })
    }

    fn due(&self, index: usize, from: usize) -> Instant {
        self.world.sockets[index].due(from).unwrap_or_default()
    }
}

/// Whether a unit comes before any question of session.
fn is_early(label: Label) -> bool {
    matches!(
        label,
        Label::Banner | Label::Frame(Tag::Hello | Tag::AuthRequest | Tag::AuthDone | Tag::AuthSignature)
    )
}
