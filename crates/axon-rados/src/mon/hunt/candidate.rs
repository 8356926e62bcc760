//! Monitors to choose from.

use super::random::Random;
use crate::mon::Target;
use crate::{MonInfo, MonMap};

/// A monitor, and how much it wants to be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mon) struct Candidate {
    target: Target,
    priority: u16,
    weight: u16,
}

impl Candidate {
    /// The monitors of a configuration, without names.
    pub(in crate::mon) fn of_hosts(hosts: &[MonInfo]) -> Vec<Self> {
        hosts.iter().map(|mon| Self::new(None, mon)).collect()
    }

    fn new(name: Option<&str>, mon: &MonInfo) -> Self {
        Self {
            target: Target { name: name.map(str::to_owned), addrs: mon.addrs.clone() },
            priority: mon.priority,
            weight: mon.weight,
        }
    }

    /// The monitors of a map.
    pub(in crate::mon) fn of_map(map: &MonMap) -> Vec<Self> {
        map.by_rank().map(|(name, mon)| Self::new(Some(name), mon)).collect()
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
