//! How the map grows: one epoch after the other, as far as the monitors' message goes.

use super::{ClusterMap, KnownMap, Objecter};
use crate::msg::MOSDMap;
use crate::osdmap::{Incremental, MapError, OsdMap};
use bytes::Bytes;
use std::time::Instant;

/// What to do with a message of maps.
#[derive(Debug, PartialEq)]
pub(crate) enum Feed<'a> {
    /// It has nothing new.
    Nothing,
    /// Apply a change.
    Change(&'a Bytes),
    /// Take a whole map; epochs in between are unknown if `skipped`.
    Whole {
        /// The map.
        map: &'a Bytes,
        /// Whether epochs are missing.
        skipped: bool,
    },
    /// It begins too late, and has no whole map.
    Gap,
}

impl<'a> Feed<'a> {
    /// The next thing to do for a map of epoch `have`:
    ///
    /// | have | changes | whole maps | next |
    /// |---|---|---|---|
    /// | none | | some | the newest whole one |
    /// | e | to e + 1 | | the change |
    /// | e | | e + 1 | the whole one |
    /// | e | | newer | the oldest newer one, skipping |
    /// | e | newer | | gap |
    pub(crate) fn next(have: u32, maps: &'a MOSDMap) -> Self {
        let after = have.saturating_add(1);
        if have == 0
            && let Some((_, map)) = maps.full.last_key_value()
        {
            return Self::Whole { map, skipped: false };
        }
        if let Some(change) = maps.incremental.get(&after).filter(|_| have > 0) {
            return Self::Change(change);
        }
        match (maps.full.range(after..).next(), maps.incremental.range(after..).next()) {
            (Some((epoch, map)), _) => Self::Whole { map, skipped: *epoch > after },
            (None, Some(_)) => Self::Gap,
            (None, None) => Self::Nothing,
        }
    }
}

/// What became of a message of maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fed {
    /// Everything new in it was applied.
    All,
    /// Changes before it are missing: a whole map is needed.
    Gap,
}

impl<T> Objecter<KnownMap, T> {
    /// Takes a message of maps. After an error a whole map is needed; what came before the damage was applied.
    pub(crate) fn feed(&mut self, maps: &MOSDMap, now: Instant) -> Result<Fed, MapError> {
        loop {
            let have = self.map().epoch();
            match Feed::next(have, maps) {
                Feed::Nothing => {
                    // A whole map of this epoch is the answer to the question for the newest: nothing is missing.
                    self.mended_if(maps.full.contains_key(&have));
                    return Ok(Fed::All);
                }
                Feed::Gap => return Ok(Fed::Gap),
                Feed::Change(bytes) => self.apply(&Incremental::decode(bytes)?, now)?,
                Feed::Whole { map, skipped } => {
                    let new = OsdMap::decode(map)?;
                    if new.epoch() <= have {
                        return Err(MapError::WrongEpoch { have, change: new.epoch() });
                    }
                    self.change_map(|map| map.change(|old| *old = new), skipped, now);
                }
            }
        }
    }

    fn apply(&mut self, change: &Incremental, now: Instant) -> Result<(), MapError> {
        let mut applied = Ok(());
        self.change_map(|map| applied = map.change(|map| map.apply(change)), false, now);
        applied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(changes: &[u32], full: &[u32]) -> MOSDMap {
        let blob = |epoch: &u32| (*epoch, Bytes::from(epoch.to_string()));
        MOSDMap {
            incremental: changes.iter().map(blob).collect(),
            full: full.iter().map(blob).collect(),
            ..MOSDMap::default()
        }
    }

    fn next(have: u32, changes: &[u32], full: &[u32]) -> String {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        match Feed::next(have, &maps(changes, full)) {
            Feed::Nothing => "nothing".into(),
            Feed::Gap => "gap".into(),
            Feed::Change(change) => format!("change to {}", text(change)),
            Feed::Whole { map, skipped: false } => format!("whole {}", text(map)),
            Feed::Whole { map, skipped: true } => format!("skip to {}", text(map)),
        }
    }

    #[test]
    fn the_table() {
        assert_eq!(next(0, &[], &[7]), "whole 7");
        assert_eq!(next(0, &[6, 7], &[]), "gap");
        assert_eq!(next(5, &[6, 7], &[]), "change to 6");
        assert_eq!(next(5, &[7], &[6]), "whole 6");
        assert_eq!(next(5, &[9], &[8]), "skip to 8");
        assert_eq!(next(5, &[8, 9], &[]), "gap");
        assert_eq!(next(9, &[8, 9], &[7]), "nothing");
    }
}
