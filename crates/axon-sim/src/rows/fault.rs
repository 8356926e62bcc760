//! `decide_fault`, row by row.

use super::Row;
use FaultVerdict::{RedialAfterWait, RedialLater, RedialNow, Reset, Standby};
use axon_proto::{FaultFacts, FaultVerdict};

pub(crate) const ROWS: [Row<FaultFacts, FaultVerdict>; 6] = [
    ("lossy-established", |f| f.lossy && f.established, |_| Reset, |_| RedialNow),
    ("idle-standby", |f| f.standby && f.idle && !f.told_to_wait, |_| Standby, |_| RedialNow),
    ("server-standby", |f| f.server, |_| Standby, |_| RedialNow),
    ("established", |f| f.established, |_| RedialNow, |_| Standby),
    ("told-to-wait", |f| f.told_to_wait, |_| RedialAfterWait, |_| Standby),
    ("connecting", |_| true, |_| RedialLater, |_| Standby),
];

pub(crate) fn decide(facts: &FaultFacts) -> FaultVerdict {
    crate::mutation::decide("decide_fault", &ROWS, facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn these_are_the_rows_of_the_protocol() {
        for bits in 0..64u32 {
            let bit = |n: u32| bits >> n & 1 == 1;
            let facts = FaultFacts {
                lossy: bit(0),
                server: bit(1),
                standby: bit(2),
                established: bit(3),
                idle: bit(4),
                told_to_wait: bit(5),
            };
            let mine = ROWS.iter().find(|row| row.1(&facts)).map(|row| row.2(&facts));
            assert_eq!(mine, Some(axon_proto::decide_fault(&facts)), "{facts:?}");
        }
    }
}
