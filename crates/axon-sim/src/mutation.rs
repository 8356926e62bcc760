//! Broken rules: each row of the decision tables is flipped or taken out in turn, and whoever checks sessions must
//! notice.

use crate::rows::{self, Row, fault, ident, reconnect};
use axon_proto::Tables;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A row of one of the three tables, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mutant {
    /// The table.
    pub table: &'static str,
    /// The row's name.
    pub row: &'static str,
    /// What is done to it.
    pub change: Change,
    number: usize,
}

/// What is done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Another verdict.
    Flipped,
    /// It never matches; the rows below it decide.
    Removed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flipped => "flipped",
            Self::Removed => "taken out",
        })
    }
}

/// Changes that nothing can notice, and why. Rows that decide nothing here are [`rows::unreachable`].
const EQUIVALENT: [(&str, &str, Change, &str); 6] = [
    (
        "decide_client_ident",
        "unregistered",
        Change::Removed,
        "what is not registered is never found, and the next row says the same",
    ),
    (
        "decide_client_ident",
        "closed",
        Change::Flipped,
        "who is turned away asks again, and the closed session has left the registry by then",
    ),
    (
        "decide_client_ident",
        "resumed",
        Change::Removed,
        "the rows below keep the session as well, or let this side dial for it",
    ),
    (
        "decide_reconnect",
        "half-open",
        Change::Removed,
        "a session without the acceptor's cookie is not mutual, and the next row says the same of it",
    ),
    (
        "decide_reconnect",
        "other-beginning",
        Change::Flipped,
        "one of the two was begun by a late question and never carried a message; and who had the other counts a denial \
         as its loss, whatever the reset says",
    ),
    (
        "decide_reconnect",
        "stale",
        Change::Removed,
        "of one session, an older attempt is behind in resumptions, too; and who made it has given it up, so that nobody \
         reads which of the two answers it gets",
    ),
];

/// Why nobody needs to notice a mutant.
pub fn excuse(mutant: &Mutant) -> Option<&'static str> {
    let equivalent = EQUIVALENT
        .iter()
        .find(|(table, row, change, _)| (*table, *row, *change) == (mutant.table, mutant.row, mutant.change));
    rows::unreachable(mutant.table, mutant.row).or(equivalent.map(|(.., why)| *why))
}

/// The one mutant of this process; 0 for none.
static CURRENT: AtomicUsize = AtomicUsize::new(0);

/// Tables that follow the current mutant.
pub fn tables() -> Tables {
    Tables { fault: fault::decide, client_ident: ident::decide, reconnect: reconnect::decide }
}

/// All mutants.
pub fn mutants() -> Vec<Mutant> {
    let names = rows::names();
    let mut mutants = Vec::new();
    for (at, (table, row)) in names.into_iter().enumerate() {
        let last = names.get(at + 1).is_none_or(|(next, _)| *next != table);
        for change in [Change::Flipped, Change::Removed] {
            // Nothing is left below the last row.
            if change == Change::Flipped || !last {
                let number = mutants.len() + 1;
                mutants.push(Mutant { table, row, change, number });
            }
        }
    }
    mutants
}

/// Makes `mutant` the one that [`tables`] follow, in the whole process.
pub fn set_current(mutant: Option<&Mutant>) {
    CURRENT.store(mutant.map_or(0, |mutant| mutant.number), Ordering::SeqCst);
}

/// First match wins.
pub(crate) fn decide<F, V>(table: &'static str, rows: &[Row<F, V>], facts: &F) -> V {
    let current = CURRENT.load(Ordering::Relaxed);
    let (_, _, verdict, _) = match current {
        0 => rows.iter().find(|(_, matches, ..)| matches(facts)),
        _ => return mutated(table, rows, facts, current),
    }
    .expect("the last row matches always");
    verdict(facts)
}

fn mutated<F, V>(table: &'static str, rows: &[Row<F, V>], facts: &F, current: usize) -> V {
    let mutant = mutants()[current - 1];
    for (name, matches, verdict, other) in rows {
        if !matches(facts) {
            continue;
        }
        let (hit, flipped) = (mutant.table == table && mutant.row == *name, mutant.change == Change::Flipped);
        match hit {
            false => return verdict(facts),
            true if flipped => return other(facts),
            true => {}
        }
    }
    unreachable!("the last row matches always")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Violation;
    use crate::sweep::{Seeds, sweep};

    /// One test for all of them: there is one mutant at a time in a process.
    #[test]
    fn broken_rows_are_noticed() {
        for (table, row, expected) in [
            ("decide_reconnect", "behind", Violation::Robbed),
            ("decide_client_ident", "resumed", Violation::TurnedAway),
        ] {
            let is_it = |m: &&Mutant| (m.table, m.row, m.change) == (table, row, Change::Flipped);
            set_current(mutants().iter().find(is_it));
            let found = sweep(Seeds { tables, enough: usize::MAX, ..Seeds::new(1, 300) });
            set_current(None);
            let seen: Vec<_> = found.failures.into_iter().map(|failure| failure.violation).collect();
            assert!(seen.contains(&expected), "{row}: {seen:?}");
        }
    }
}
