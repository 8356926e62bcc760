//! The decision tables once more, row by row, so that a row can be counted, flipped or taken out. Tests compare them with
//! the protocol's own.

pub(crate) mod fault;
pub(crate) mod ident;
pub(crate) mod reconnect;

use axon_proto::{
    Existing, FaultFacts, FaultVerdict, IdentVerdict, IncomingIdent, IncomingReconnect, ReconnectVerdict,
    Tables,
};
use std::cell::Cell;

/// A row of a table: its name, when it matches, its verdict, and another verdict.
pub(crate) type Row<F, V> = (&'static str, fn(&F) -> bool, fn(&F) -> V, fn(&F) -> V);

const FAULT: usize = fault::ROWS.len();
const IDENT: usize = ident::ROWS.len();
const RECONNECT: usize = reconnect::ROWS.len();

/// Rows of all three tables.
pub const COUNT: usize = FAULT + IDENT + RECONNECT;

/// How often each row decided.
pub type Hits = [u64; COUNT];

/// Rows that decide nothing here, and why.
const UNREACHABLE: [(&str, &str, &str); 4] = [
    ("decide_client_ident", "replacing", "a link is taken over in one step"),
    (
        "decide_client_ident",
        "late",
        "names are chosen by who asks; Ceph keeps the peer's after SESSION_RESET",
    ),
    ("decide_reconnect", "replacing", "a link is taken over in one step"),
    ("decide_reconnect", "beyond", "ends that agree on both cookies count the same messages; a peer may err"),
];

/// Rows that decide in explored worlds alone, and why.
const EXPLORED: [(&str, &str, &str); 2] = [
    ("decide_client_ident", "foreign", "impostors are in explored worlds"),
    ("decide_reconnect", "foreign", "impostors are in explored worlds"),
];

thread_local! {
    static HITS: Cell<Hits> = const { Cell::new([0; COUNT]) };
}

/// Table and row by their number.
pub fn names() -> [(&'static str, &'static str); COUNT] {
    let fault = fault::ROWS.iter().map(|row| ("decide_fault", row.0));
    let ident = ident::ROWS.iter().map(|row| ("decide_client_ident", row.0));
    let reconnect = reconnect::ROWS.iter().map(|row| ("decide_reconnect", row.0));
    let mut all = fault.chain(ident).chain(reconnect);
    std::array::from_fn(|_| all.next().expect("COUNT counts them"))
}

/// Why a row decides nothing in any world.
pub fn unreachable(table: &str, row: &str) -> Option<&'static str> {
    find(&UNREACHABLE, table, row)
}

/// Why a row decides nothing in any seed.
pub fn undrawn(table: &str, row: &str) -> Option<&'static str> {
    unreachable(table, row).or_else(|| find(&EXPLORED, table, row))
}

fn find(list: &[(&str, &str, &'static str)], table: &str, row: &str) -> Option<&'static str> {
    list.iter().find(|entry| (entry.0, entry.1) == (table, row)).map(|entry| entry.2)
}

/// The protocol's tables; which row decides is counted for this thread.
pub fn watched() -> Tables {
    Tables { fault: watch_fault, client_ident: watch_ident, reconnect: watch_reconnect }
}

/// How often each row decided on this thread since the last time.
pub fn take_hits() -> Hits {
    HITS.replace([0; COUNT])
}

fn watch_fault(facts: &FaultFacts) -> FaultVerdict {
    count(0, &fault::ROWS, facts);
    axon_proto::decide_fault(facts)
}

fn watch_ident(existing: Option<&Existing>, incoming: &IncomingIdent) -> IdentVerdict {
    count(FAULT, &ident::ROWS, &(existing.copied(), *incoming));
    axon_proto::decide_client_ident(existing, incoming)
}

fn watch_reconnect(existing: Option<&Existing>, incoming: &IncomingReconnect) -> ReconnectVerdict {
    count(FAULT + IDENT, &reconnect::ROWS, &(existing.copied(), *incoming));
    axon_proto::decide_reconnect(existing, incoming)
}

fn count<F, V>(first: usize, rows: &[Row<F, V>], facts: &F) {
    if let Some(nth) = rows.iter().position(|(_, matches, ..)| matches(facts)) {
        let mut hits = HITS.get();
        hits[first + nth] += 1;
        HITS.set(hits);
    }
}
