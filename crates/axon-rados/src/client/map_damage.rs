//! OSD maps that cannot be read, and when to ask for others.

use crate::osdmap::MapFault;
use axon_denc::{AddrVec, EntityType};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// OSD maps came that cannot be read. The client asks the monitors for a whole map; until it comes, operations go on by the
/// map there is, and those that need a newer one wait.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MapDamage {
    /// Whether a monitor or an OSD sent them.
    pub peer: EntityType,
    /// Its addresses.
    pub addrs: AddrVec,
    /// The epoch of the map there is, 0 for none.
    pub have: u32,
    /// What is wrong.
    pub fault: MapFault,
}

impl fmt::Display for MapDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, addrs, have, fault } = self;
        write!(f, "OSD maps after epoch {have}, sent by the {peer} at {addrs}, cannot be read: {fault}")
    }
}

/// Is told of damaged maps, on a thread of the messenger: it must not wait for operations.
pub type OnMapDamage = Arc<dyn Fn(&MapDamage) + Send + Sync>;

/// When the monitors are asked for a whole map: at once, and as long as that does not help after pauses that double. What is
/// damaged in a monitor's store is damaged each time it is asked.
#[derive(Debug)]
pub(super) struct AskWhole {
    due: Option<Instant>,
    not_before: Option<Instant>,
    pause: Duration,
}

impl AskWhole {
    /// The first pause.
    pub(super) const SHORTEST: Duration = Duration::from_millis(100);
    /// The longest pause.
    pub(super) const LONGEST: Duration = Duration::from_secs(10);

    /// Nobody is asked yet.
    pub(super) const fn new() -> Self {
        Self { due: None, not_before: None, pause: Self::SHORTEST }
    }

    /// A whole map is needed.
    pub(super) fn want(&mut self, now: Instant) {
        let earliest = self.not_before.map_or(now, |at| at.max(now));
        self.due.get_or_insert(earliest);
    }

    /// Whether to ask now.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let due = self.due.take_if(|at| *at <= now).is_some();
        if due {
            self.not_before = Some(now + self.pause);
            self.pause = (self.pause * 2).min(Self::LONGEST);
        }
        due
    }

    /// When to ask.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due
    }

    /// The map went on, or turned out to be the newest.
    pub(super) fn settled(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_at_once_and_then_ever_more_rarely() {
        let start = Instant::now();
        let mut now = start;
        let mut ask = AskWhole::new();
        let mut asked = Vec::new();
        for _ in 0..10 {
            ask.want(now);
            ask.want(now + Duration::from_secs(1)); // a second damaged map changes nothing
            now = ask.next_due().unwrap();
            assert!(ask.take_due(now) && !ask.take_due(now));
            asked.push((now - start).as_millis());
        }
        assert_eq!(asked, [0, 100, 300, 700, 1500, 3100, 6300, 12_700, 22_700, 32_700]);
        ask.settled();
        ask.want(now);
        assert!(ask.take_due(now), "at once after the map went on");
    }
}
