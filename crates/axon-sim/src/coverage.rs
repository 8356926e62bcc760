//! What went wrong, counted where it did: a fault that is never drawn tests nothing.

use crate::label::Label;
use crate::pipe::Edge;
use crate::rows::{self, Hits};
use axon_wire::Tag;
use std::fmt::{self, Display, Formatter};

/// Something that goes wrong, or goes another way than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "`NAMES` says what each is")]
pub enum Mishap {
    Refused,
    StalledLong,
    StalledForEver,
    Unreachable,
    Simultaneous,
    PartialRead,
    PartialWrite,
    Slow,
    CutDial,
    CutHandshake,
    CutSession,
    Severed,
    HalfOpenOneWay,
    HalfOpenBothWays,
    Rude,
    Parted,
    Swizzled,
    Crash,
    SameNonce,
    NewNonce,
    ClockAhead,
    ClockBack,
    Frozen,
    MarkDown,
    LateQuestion,
    SlowAdmission,
    BudgetFull,
}

const NAMES: [&str; 27] = [
    "dial refused",
    "dial answered after a long time",
    "dial never answered",
    "dial into a partition",
    "both ends dial at the same time",
    "a part of a frame arrives",
    "a part of what waits is written",
    "a delay of more than 100 ms",
    "dial cut",
    "handshake cut",
    "open session cut",
    "socket breaks for one end only",
    "half-open: what one end writes vanishes",
    "half-open: what both ends write vanishes",
    "a process that closes loses what was on its way",
    "two nodes are parted",
    "swizzle: all pairs parted one by one, joined in another order",
    "process ends",
    "process starts again with the same nonce",
    "process starts again with a new nonce",
    "wall clock is ahead when a process starts",
    "wall clock is behind when a process starts",
    "process stands still, and its clock has jumped when it goes on",
    "application closes a connection",
    "question of session comes late to its owner",
    "message waits for its admission",
    "send budget is used up",
];

/// Labels at which sockets are cut by name, and who writes them: the dialling side, the accepting side.
pub(crate) const PLACES: [(Label, [bool; 2]); 19] = [
    (Label::Banner, [true, true]),
    (Label::Frame(Tag::Hello), [true, true]),
    (Label::Frame(Tag::AuthRequest), [true, false]),
    (Label::Frame(Tag::AuthReplyMore), [false, true]),
    (Label::Frame(Tag::AuthRequestMore), [true, false]),
    (Label::Frame(Tag::AuthDone), [false, true]),
    (Label::Frame(Tag::AuthSignature), [true, true]),
    (Label::Frame(Tag::ClientIdent), [true, false]),
    (Label::Frame(Tag::ServerIdent), [false, true]),
    (Label::Frame(Tag::SessionReconnect), [true, false]),
    (Label::Frame(Tag::SessionReconnectOk), [false, true]),
    (Label::Frame(Tag::SessionRetry), [false, true]),
    (Label::Frame(Tag::SessionReset), [false, true]),
    (Label::Frame(Tag::Wait), [false, true]),
    (Label::Frame(Tag::Message), [true, true]),
    (Label::Frame(Tag::Ack), [true, true]),
    (Label::Frame(Tag::Keepalive2), [true, true]),
    (Label::Frame(Tag::Keepalive2Ack), [true, true]),
    (Label::Sealed, [true, true]),
];

/// Frames at which no socket of these worlds can be cut, and why.
pub const UNREAD: [(&str, &str); 5] = [
    (
        "SESSION_RETRY_GLOBAL",
        "only who has given up is behind; nobody reads the answer. Ceph says it to others",
    ),
    ("AUTH_BAD_METHOD", "all nodes of a world authenticate in the same way"),
    ("IDENT_MISSING_FEATURES", "all nodes have the same features"),
    ("COMPRESSION_REQUEST", "compression is not negotiated"),
    ("COMPRESSION_DONE", "compression is not negotiated"),
];

/// Counts.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    mishaps: [u64; NAMES.len()],
    /// By place, by side that writes, by [`Edge`].
    cuts: [[[u64; 3]; 2]; PLACES.len()],
    /// Decisions by row.
    pub rows: Hits,
}

impl Default for Tally {
    fn default() -> Self {
        Self { mishaps: [0; NAMES.len()], cuts: [[[0; 3]; 2]; PLACES.len()], rows: [0; rows::COUNT] }
    }
}

impl Tally {
    /// It happened.
    pub(crate) fn note(&mut self, mishap: Mishap) {
        self.mishaps[mishap as usize] += 1;
    }

    /// A socket broke at a named place; `side` wrote that.
    pub(crate) fn note_cut(&mut self, label: Label, side: usize, edge: Edge) {
        if let Some(at) = PLACES.iter().position(|(place, _)| *place == label) {
            self.cuts[at][side][edge as usize] += 1;
        }
    }

    /// How often it happened.
    pub fn count(&self, mishap: Mishap) -> u64 {
        self.mishaps[mishap as usize]
    }

    /// What should have happened and never did: faults, cuts by name, rows of tables.
    pub fn missing(&self) -> Vec<String> {
        let mishaps = NAMES.iter().zip(self.mishaps).filter(|(_, count)| *count == 0);
        let mut missing: Vec<String> = mishaps.map(|(name, _)| (*name).into()).collect();
        for (label, side, counts) in self.places() {
            let edges = [Edge::Before, Edge::After, Edge::Late].into_iter().zip(counts);
            let never = edges.filter(|(_, count)| *count == 0);
            missing.extend(never.map(|(edge, _)| format!("cut {edge:?} {label} of the {}", SIDES[side])));
        }
        missing.extend(
            self.rows()
                .filter(|(.., count, why)| *count == 0 && why.is_none())
                .map(|(table, row, ..)| format!("{table}: {row}")),
        );
        missing
    }

    /// Rows that are said to be unreachable and decided something.
    pub fn surprises(&self) -> Vec<String> {
        let surprises = self.rows().filter(|(.., count, why)| *count > 0 && why.is_some());
        surprises.map(|(table, row, count, _)| format!("{table}: {row} decided {count} times")).collect()
    }

    fn places(&self) -> impl Iterator<Item = (Label, usize, [u64; 3])> {
        PLACES.iter().zip(self.cuts).flat_map(|((label, writers), counts)| {
            (0..2).filter(|side| writers[*side]).map(move |side| (*label, side, counts[side]))
        })
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, &'static str, u64, Option<&'static str>)> {
        rows::names()
            .into_iter()
            .zip(self.rows)
            .map(|((table, row), count)| (table, row, count, rows::undrawn(table, row)))
    }
}

const SIDES: [&str; 2] = ["dialler", "acceptor"];

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        let add = |mine: &mut [u64], theirs: &[u64]| mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        add(&mut self.mishaps, &other.mishaps);
        add(self.cuts.as_flattened_mut().as_flattened_mut(), other.cuts.as_flattened().as_flattened());
        add(&mut self.rows, &other.rows);
    }
}

/// The coverage table.
impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>12}  fault", "times")?;
        for (name, count) in NAMES.iter().zip(self.mishaps) {
            writeln!(f, "{count:>12}  {name}")?;
        }
        writeln!(f, "{:>12}{:>8}{:>8}  cut at a frame of", "before", "after", "late")?;
        for (label, side, [before, after, late]) in self.places() {
            writeln!(f, "{before:>12}{after:>8}{late:>8}  the {}: {label}", SIDES[side])?;
        }
        for (frame, why) in UNREAD {
            writeln!(f, "{:>12}{:>8}{:>8}  nobody: {frame}: {why}", "-", "-", "-")?;
        }
        writeln!(f, "{:>12}  row", "decisions")?;
        for (table, row, count, why) in self.rows() {
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            writeln!(f, "{count:>12}  {table} {row}{why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_cut_or_named() {
        for tag in Tag::ALL {
            let is_cut = PLACES.iter().any(|(label, _)| *label == Label::Frame(tag));
            let is_named = UNREAD.iter().any(|(name, _)| *name == tag.as_str());
            assert!(is_cut != is_named, "{tag:?}");
        }
    }

    #[test]
    fn what_never_happened_is_missing() {
        let mut tally = Tally::default();
        let everything = tally.missing().len();
        tally.note(Mishap::Crash);
        tally.note_cut(Label::Banner, 0, Edge::Late);
        tally.rows[0] = 1;
        assert_eq!(tally.missing().len(), everything - 3);
        assert_eq!(tally.surprises(), Vec::<String>::new());
    }
}
