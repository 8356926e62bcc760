//! `decide_client_ident`, row by row.

use super::Row;
use IdentVerdict::{Begin, Refuse, Replace, Reuse, Stale, Wait};
use axon_proto::{Existing, IdentVerdict, IncomingIdent};
use std::cmp::Ordering;

/// The existing session, if there is one, and the question.
pub(crate) type Facts = (Option<Existing>, IncomingIdent);

const KEEP: IdentVerdict = Reuse { reset: false };

pub(crate) const ROWS: [Row<Facts, IdentVerdict>; 13] = [
    ("unregistered", |f| !f.1.registered, |_| Begin, |_| Stale),
    ("nobody", |f| f.0.is_none(), |_| Begin, |_| Stale),
    ("closed", |f| has(f, |ex| ex.closed), |_| Begin, |_| Stale),
    ("foreign", |f| f.1.foreign, |_| Refuse, |_| KEEP),
    ("replacing", |f| has(f, |ex| ex.replacing), |_| Wait { kick: false }, |_| KEEP),
    ("stale", |f| has(f, |ex| ex.peer_global_seq > f.1.global_seq), |_| Stale, |_| KEEP),
    ("lossy", |f| has(f, |ex| ex.lossy), |_| Replace, |_| KEEP),
    (
        "restarted",
        |f| has(f, |ex| ex.server_cookie != 0 && ex.client_cookie != 0 && ex.client_cookie != f.1.cookie),
        |f| Reuse { reset: f.1.resetcheck },
        |f| Reuse { reset: !f.1.resetcheck },
    ),
    ("late", |f| has(f, |ex| ex.client_cookie == f.1.cookie && ex.mutual), |_| Stale, |_| KEEP),
    ("resumed", |f| has(f, |ex| ex.client_cookie == f.1.cookie), |_| KEEP, |_| Stale),
    ("settled", |f| has(f, |ex| ex.settled), |_| KEEP, |_| Stale),
    (
        "race-lost",
        |f| f.1.peer_to_mine == Ordering::Less || has(f, |ex| ex.server),
        |_| KEEP,
        |_| Wait { kick: true },
    ),
    ("race-won", |_| true, |_| Wait { kick: true }, |_| KEEP),
];

fn has(facts: &Facts, what: impl Fn(&Existing) -> bool) -> bool {
    facts.0.as_ref().is_some_and(what)
}

pub(crate) fn decide(existing: Option<&Existing>, incoming: &IncomingIdent) -> IdentVerdict {
    crate::mutation::decide("decide_client_ident", &ROWS, &(existing.copied(), *incoming))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn these_are_the_rows_of_the_protocol() {
        for bits in 0..1u32 << 14 {
            let bit = |n: u32| bits >> n & 1 == 1;
            let existing = bit(0).then_some(Existing {
                closed: bit(1),
                replacing: bit(2),
                lossy: bit(3),
                server: bit(4),
                settled: bit(5),
                asking: false,
                mutual: bit(6),
                client_cookie: if bit(7) { 7 } else { 0 },
                server_cookie: if bit(8) { 8 } else { 0 },
                peer_global_seq: 5,
                connect_seq: 0,
                sent: 0,
            });
            let incoming = IncomingIdent {
                global_seq: if bit(9) { 4 } else { 5 },
                cookie: if bit(10) { 7 } else { 9 },
                registered: bit(11),
                resetcheck: bit(12),
                foreign: bit(13),
                peer_to_mine: if bit(3) ^ bit(9) { Ordering::Less } else { Ordering::Greater },
            };
            let facts = (existing, incoming);
            let mine = ROWS.iter().find(|row| row.1(&facts)).map(|row| row.2(&facts));
            let theirs = axon_proto::decide_client_ident(existing.as_ref(), &incoming);
            assert_eq!(mine, Some(theirs), "{facts:?}");
        }
    }
}
