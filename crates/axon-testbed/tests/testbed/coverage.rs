//! Which frames the recordings hold: the table of `vectors/README.md`.

use crate::vectors::seen_in;
use axon_testbed::Vector;
use axon_wire::{Revision, Tag};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_frame_was_sent_by_a_real_daemon() {
    let mut found: BTreeMap<Tag, BTreeSet<String>> = BTreeMap::new();
    for (name, vector) in Vector::all().unwrap() {
        for seen in seen_in(&vector) {
            found.entry(seen.tag).or_default().insert(name.clone());
        }
    }
    let missing: Vec<_> = Tag::ALL.into_iter().filter(|tag| !found.contains_key(tag)).collect();
    assert!(missing.is_empty(), "never recorded: {missing:?}");
    let readme = std::fs::read_to_string(Vector::dir().join("README.md")).unwrap();
    let table: String = found.iter().map(|(tag, names)| row(*tag, names)).collect();
    assert!(readme.contains(&table), "vectors/README.md should have these rows:\n{table}");
}

/// `| ACK | osd-peers-reef and 2 more |`
fn row(tag: Tag, names: &BTreeSet<String>) -> String {
    let shown: Vec<_> = names.iter().take(3).map(String::as_str).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("| {tag} | {}{more} |\n", shown.join(", "))
}

#[test]
fn both_revisions_and_both_modes_carry_messages() {
    let mut kinds = BTreeSet::new();
    for (_, vector) in Vector::all().unwrap() {
        let messages = seen_in(&vector).into_iter().filter(|seen| seen.tag == Tag::Message);
        kinds.extend(messages.map(|seen| (seen.revision, seen.secure)));
    }
    for kind in [(Revision::Zero, false), (Revision::One, false), (Revision::One, true)] {
        assert!(kinds.contains(&kind), "no message in {kind:?}");
    }
}
