//! What applications asked for against what they got: nothing lost without notice, nothing twice, nothing out of order.

use crate::{Letter, PeerId, Violation};
use axon_wire::Message;

/// What is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// A session accepted it.
    Accepted,
    /// It came back: written to some socket, the peer may have it.
    Unknown,
    /// It came back: the peer does not have it.
    NotSent,
    /// Its connection was marked down by its own application.
    MarkedDown,
    /// The process that sent it is gone.
    Crashed,
    /// Its lossy connection was reset.
    LossyReset,
}

/// A message, from its acceptance on. Its place in the ledger plus one is its transaction id.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The sending connection.
    pub peer: PeerId,
    /// The sending node.
    pub from: usize,
    /// The receiving node.
    pub to: usize,
    /// What is sent.
    pub letter: Letter,
    /// What it takes of the send budget.
    pub cost: usize,
    /// What is known of it.
    pub fate: Fate,
    /// Whether a frame with it was written.
    pub written: bool,
    /// How often it was delivered.
    pub delivered: u32,
}

/// A receiving connection, its session, and where the messages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    receiver: PeerId,
    sender: PeerId,
    priority: u16,
}

/// All messages of a world.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    streams: Vec<(Stream, u64)>,
    /// Pairs of nodes between which a session may have started over without a word, as their policy allows.
    silent: Vec<(usize, usize)>,
    /// Pairs of nodes of which one forgot a session with the other: its process ended, or its application closed it.
    forgotten: Vec<[usize; 2]>,
    /// Deliveries.
    pub delivered: u64,
}

impl Ledger {
    /// All messages.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The transaction id of the next message.
    pub(crate) fn next_tid(&self) -> u64 {
        self.entries.len() as u64 + 1
    }

    /// A session accepted the next message.
    pub(crate) fn accept(&mut self, peer: PeerId, from: usize, to: usize, letter: Letter, cost: usize) {
        let fate = Fate::Accepted;
        self.entries.push(Entry { peer, from, to, letter, cost, fate, written: false, delivered: 0 });
    }

    /// Whether a message that was delivered, or came back, is what was sent.
    pub(crate) fn check_whole(&self, message: &Message) -> Result<(), Violation> {
        let tid = message.header.tid;
        let entry = self.entries.get((tid as usize).wrapping_sub(1));
        let is_whole = entry.is_some_and(|entry| entry.letter.is_whole(tid, message));
        if is_whole { Ok(()) } else { Err(Violation::Altered(tid)) }
    }

    /// A frame with it was written.
    pub(crate) fn written(&mut self, tid: u64) {
        if let Some(entry) = self.entry(tid) {
            entry.written = true;
        }
    }

    /// Messages to `to` from `from` may from now on be delivered once in each of several sessions.
    pub(crate) fn excuse(&mut self, from: usize, to: usize) {
        if !self.is_excused(from, to) {
            self.silent.push((from, to));
        }
    }

    /// `a` forgets its session with `b`.
    pub(crate) fn forget(&mut self, a: usize, b: usize) {
        if !self.is_forgotten(a, b) {
            self.forgotten.push([a, b]);
        }
    }

    /// Whether a session between the two may end.
    pub(crate) fn is_forgotten(&self, a: usize, b: usize) -> bool {
        self.forgotten.contains(&[a, b]) || self.forgotten.contains(&[b, a])
    }

    /// A connection begins another session.
    pub(crate) fn session(&mut self, receiver: PeerId, excused: bool) {
        if excused {
            self.streams.retain(|(stream, _)| stream.receiver != receiver);
        }
    }

    pub(crate) fn is_excused(&self, from: usize, to: usize) -> bool {
        self.silent.contains(&(from, to))
    }

    /// `receiver`, a connection of `node`, delivers it.
    pub(crate) fn deliver(&mut self, tid: u64, receiver: PeerId, node: usize) -> Result<(), Violation> {
        self.delivered += 1;
        let index = (tid as usize).wrapping_sub(1);
        let Some(entry) = self.entries.get(index) else { return Err(Violation::Astray(tid)) };
        let (from, to, sender, priority) = (entry.from, entry.to, entry.peer, entry.letter.priority);
        if to != node {
            return Err(Violation::Astray(tid));
        }
        if entry.fate == Fate::NotSent {
            return Err(Violation::DeliveredNotSent(tid));
        }
        if entry.delivered > 0 && !self.is_excused(from, to) {
            return Err(Violation::Twice(tid));
        }
        self.check_order(tid, Stream { receiver, sender, priority })?;
        if let Some(entry) = self.entry(tid) {
            entry.delivered += 1;
        }
        Ok(())
    }

    fn check_order(&mut self, tid: u64, stream: Stream) -> Result<(), Violation> {
        match self.streams.iter_mut().find(|(known, _)| *known == stream) {
            Some((_, last)) if *last == tid => Err(Violation::Twice(tid)),
            Some((_, last)) if *last > tid => Err(Violation::OutOfOrder(tid, *last)),
            Some((_, last)) => {
                *last = tid;
                Ok(())
            }
            None => {
                self.streams.push((stream, tid));
                Ok(())
            }
        }
    }

    /// It came back from `peer`. `exact` if the frames could be read.
    pub(crate) fn came_back(
        &mut self,
        tid: u64,
        peer: PeerId,
        fate: Fate,
        exact: bool,
    ) -> Result<(), Violation> {
        let Some(entry) = self.entry(tid).filter(|entry| entry.peer == peer) else {
            return Err(Violation::CameBackElsewhere(tid));
        };
        if entry.fate != Fate::Accepted {
            return Err(Violation::CameBackTwice(tid, entry.fate));
        }
        entry.fate = fate;
        match fate {
            Fate::NotSent if entry.delivered > 0 => Err(Violation::DeliveredNotSent(tid)),
            Fate::NotSent if exact && entry.written => Err(Violation::WrittenNotSent(tid)),
            Fate::Unknown if exact && !entry.written => Err(Violation::UnknownNotWritten(tid)),
            _ => Ok(()),
        }
    }

    /// Whatever `peer` still had is `fate` now.
    pub(crate) fn give_up(&mut self, peer: PeerId, fate: Fate) {
        let open = self.entries.iter_mut().filter(|entry| entry.peer == peer && entry.fate == Fate::Accepted);
        open.for_each(|entry| entry.fate = fate);
    }

    /// Compares a machine's books with these.
    pub(crate) fn check_budget(&self, peer: PeerId, held: usize) -> Result<(), Violation> {
        let open = || self.entries.iter().filter(|entry| entry.peer == peer && entry.fate == Fate::Accepted);
        let most = open().map(|entry| entry.cost).sum();
        let least = open().filter(|entry| entry.delivered == 0).map(|entry| entry.cost).sum();
        if (least..=most).contains(&held) { Ok(()) } else { Err(Violation::Budget { held, least, most }) }
    }

    /// What each receiving connection delivered last from each sending one.
    pub(crate) fn last_delivered(&self) -> impl Iterator<Item = (PeerId, PeerId, u64)> {
        self.streams.iter().map(|(stream, tid)| (stream.receiver, stream.sender, *tid))
    }

    /// The first message that is neither delivered nor accounted for.
    pub(crate) fn unresolved(&self) -> Option<u64> {
        let open = |entry: &Entry| entry.fate == Fate::Accepted && entry.delivered == 0;
        self.entries.iter().position(open).map(|index| index as u64 + 1)
    }

    fn entry(&mut self, tid: u64) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(tid).ok()?.checked_sub(1)?)
    }
}
