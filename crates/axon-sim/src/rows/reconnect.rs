//! `decide_reconnect`, row by row.

use super::Row;
use ReconnectVerdict::{Refuse, Reset, Resume, Retry, RetryGlobal, Wait};
use axon_proto::{Existing, IncomingReconnect, ReconnectVerdict};
use std::cmp::Ordering;

/// The existing session, if there is one, and the question.
pub(crate) type Facts = (Option<Existing>, IncomingReconnect);

pub(crate) const ROWS: [Row<Facts, ReconnectVerdict>; 12] = [
    ("nobody", |f| f.0.is_none_or(|ex| ex.closed), |_| Reset { full: true }, |_| Reset { full: false }),
    ("foreign", |f| f.1.foreign, |_| Refuse, |_| Resume),
    ("replacing", |f| has(f, |ex| ex.replacing), retry_global, |_| Resume),
    (
        "other-session",
        |f| has(f, |ex| ex.client_cookie != f.1.client_cookie),
        |f| Reset { full: f.1.resetcheck },
        |f| Reset { full: !f.1.resetcheck },
    ),
    ("asking", |f| has(f, |ex| ex.server_cookie == 0 && ex.asking), |_| Wait, |_| Reset { full: false }),
    (
        "half-open",
        |f| has(f, |ex| ex.server_cookie == 0),
        |_| Reset { full: false },
        |_| Reset { full: true },
    ),
    (
        "other-beginning",
        |f| has(f, |ex| ex.server_cookie != f.1.server_cookie),
        |f| Reset { full: has(f, |ex| ex.mutual) },
        |f| Reset { full: !has(f, |ex| ex.mutual) },
    ),
    ("beyond", |f| has(f, |ex| f.1.in_seq > ex.sent), |_| Reset { full: true }, |_| Resume),
    ("stale", |f| has(f, |ex| ex.peer_global_seq > f.1.global_seq), retry_global, |_| Resume),
    (
        "behind",
        |f| has(f, |ex| ex.connect_seq > f.1.connect_seq),
        |f| Retry { connect_seq: f.0.map_or(0, |ex| ex.connect_seq) },
        |_| Resume,
    ),
    (
        "race-won",
        |f| {
            let race = has(f, |ex| ex.connect_seq == f.1.connect_seq && !ex.server);
            race && f.1.peer_to_mine == Ordering::Greater
        },
        |_| Wait,
        |_| Resume,
    ),
    ("resume", |_| true, |_| Resume, |_| Wait),
];

fn retry_global(facts: &Facts) -> ReconnectVerdict {
    RetryGlobal { global_seq: facts.0.map_or(0, |ex| ex.peer_global_seq) }
}

fn has(facts: &Facts, what: impl Fn(&Existing) -> bool) -> bool {
    facts.0.as_ref().is_some_and(what)
}

pub(crate) fn decide(existing: Option<&Existing>, incoming: &IncomingReconnect) -> ReconnectVerdict {
    crate::mutation::decide("decide_reconnect", &ROWS, &(existing.copied(), *incoming))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn these_are_the_rows_of_the_protocol() {
        for bits in 0..1u32 << 15 {
            let bit = |n: u32| bits >> n & 1 == 1;
            let existing = bit(0).then_some(Existing {
                closed: bit(1),
                replacing: bit(2),
                lossy: false,
                server: bit(3),
                settled: false,
                asking: bit(13),
                mutual: bit(4),
                client_cookie: 7,
                server_cookie: if bit(5) { 8 } else { 0 },
                peer_global_seq: 5,
                connect_seq: 2,
                sent: 10,
            });
            let incoming = IncomingReconnect {
                client_cookie: if bit(6) { 7 } else { 9 },
                server_cookie: if bit(7) { 8 } else { 9 },
                in_seq: if bit(8) { 10 } else { 11 },
                global_seq: if bit(9) { 4 } else { 5 },
                connect_seq: 1 + (bits >> 10 & 3) as u64,
                resetcheck: bit(12),
                foreign: bit(14),
                peer_to_mine: if bit(4) ^ bit(12) { Ordering::Less } else { Ordering::Greater },
            };
            let facts = (existing, incoming);
            let mine = ROWS.iter().find(|row| row.1(&facts)).map(|row| row.2(&facts));
            let theirs = axon_proto::decide_reconnect(existing.as_ref(), &incoming);
            assert_eq!(mine, Some(theirs), "{facts:?}");
        }
    }
}
