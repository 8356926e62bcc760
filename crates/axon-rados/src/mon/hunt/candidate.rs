//! Monitors to choose from.

use super::random::Random;
use crate::mon::Target;
use crate::{MonInfo, MonMap};
use axon_denc::AddrVec;

/// A monitor, and how much it wants to be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mon) struct Candidate {
    target: Target,
    priority: u16,
    weight: u16,
}

impl Candidate {
    /// The monitors of a configuration, which gives addresses only.
    pub(in crate::mon) fn of_hosts(hosts: &[AddrVec]) -> Vec<Self> {
        let candidate = |addrs: &AddrVec| Self {
            target: Target { name: None, addrs: addrs.clone() },
            priority: 0,
            weight: 0,
        };
        hosts.iter().map(candidate).collect()
    }

    /// The monitors of a map.
    pub(in crate::mon) fn of_map(map: &MonMap) -> Vec<Self> {
        let candidate = |(name, mon): (&str, &MonInfo)| Self {
            target: Target { name: Some(name.to_owned()), addrs: mon.addrs.clone() },
            priority: mon.priority,
            weight: mon.weight,
        };
        map.by_rank().map(candidate).collect()
    }

    /// Where it comes in a round: the larger, the later. Of two of the same priority, the one with weight `w` comes
    /// before the one with weight `v` in `w` of `w + v` rounds (exponential clocks); without any weight it is even.
    fn lateness(&self, random: &mut Random) -> f64 {
        let weight = f64::from(self.weight).max(f64::EPSILON);
        -(1.0 - random.fraction()).ln() / weight
    }
}

/// The monitors in an order of their own for every client and round; the one to be tried first is the last.
pub(super) fn shuffled(candidates: &[Candidate], random: &mut Random) -> Vec<Target> {
    let drawn = candidates.iter().map(|candidate| (candidate, candidate.lateness(random)));
    let mut drawn: Vec<(&Candidate, f64)> = drawn.collect();
    drawn.sort_by(|(a, a_late), (b, b_late)| b.priority.cmp(&a.priority).then(b_late.total_cmp(a_late)));
    drawn.into_iter().map(|(candidate, _)| candidate.target.clone()).collect()
}
