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
    /// Excuses that there were for its pair of nodes when it was delivered last.
    excuses: u32,
}

/// A receiving connection, its session, and where the messages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    receiver: PeerId,
    sender: PeerId,
    priority: u16,
}

/// Counts for pairs of nodes.
#[derive(Debug, Default)]
struct Pairs(Vec<([usize; 2], u32)>);

impl Pairs {
    fn count(&self, pair: [usize; 2]) -> u32 {
        self.0.iter().find(|(known, _)| *known == pair).map_or(0, |(_, count)| *count)
    }

    fn add(&mut self, pair: [usize; 2]) {
        match self.0.iter_mut().find(|(known, _)| *known == pair) {
            Some((_, count)) => *count += 1,
            None => self.0.push((pair, 1)),
        }
    }
}

/// All messages of a world.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    streams: Vec<(Stream, u64)>,
    /// How often sessions may have started over without a word, as their policy allows; by sender and receiver.
    excuses: Pairs,
    /// How often one of two nodes forgot its session with the other: its process ended, or its application closed it.
    forgets: Pairs,
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
        self.entries.push(Entry {
            peer,
            from,
            to,
            letter,
            cost,
            fate,
            written: false,
            delivered: 0,
            excuses: 0,
        });
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

    /// `to` forgets its session with `from` and will not say so: what it got so far may be delivered once more.
    pub(crate) fn excuse(&mut self, from: usize, to: usize) {
        self.excuses.add([from, to]);
    }

    /// Whether it may be delivered: it never was, or there was an excuse since.
    pub(crate) fn may_come(&self, entry: &Entry) -> bool {
        entry.delivered == 0 || self.excuses.count([entry.from, entry.to]) > entry.excuses
    }

    /// `a` forgets its session with `b`.
    pub(crate) fn forget(&mut self, a: usize, b: usize) {
        self.forgets.add([a.min(b), a.max(b)]);
    }

    /// How often one of the two forgot a session between them. One that began before the last time may end.
    pub(crate) fn forgets(&self, a: usize, b: usize) -> u32 {
        self.forgets.count([a.min(b), a.max(b)])
    }

    /// `receiver`, a connection of `node`, delivers it.
    pub(crate) fn deliver(&mut self, tid: u64, receiver: PeerId, node: usize) -> Result<(), Violation> {
        self.delivered += 1;
        let index = (tid as usize).wrapping_sub(1);
        let Some(entry) = self.entries.get(index) else { return Err(Violation::Astray(tid)) };
        let (pair, sender, priority) = ([entry.from, entry.to], entry.peer, entry.letter.priority);
        if entry.to != node {
            return Err(Violation::Astray(tid));
        }
        if entry.fate == Fate::NotSent {
            return Err(Violation::DeliveredNotSent(tid));
        }
        if !self.may_come(entry) {
            return Err(Violation::Twice(tid));
        }
        self.check_order(tid, Stream { receiver, sender, priority })?;
        let excuses = self.excuses.count(pair);
        if let Some(entry) = self.entry(tid) {
            (entry.delivered, entry.excuses) = (entry.delivered + 1, excuses);
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

#[cfg(test)]
mod tests;
