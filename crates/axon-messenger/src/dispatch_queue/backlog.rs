//! What waits in one shard, and in which order it is taken.

use super::Class;
use super::fair_share::FairShare;
use axon_wire::Message;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// The least a fair message is charged. Ceph: `ms_pq_min_cost`.
const MIN_COST: usize = 64 * 1024;

/// An item with its place.
pub(super) struct Entry<T> {
    pub(super) key: u64,
    pub(super) class: Class,
    pub(super) since: Instant,
    pub(super) item: T,
}

pub(super) struct Backlog<T> {
    events: VecDeque<Entry<T>>,
    /// By priority; a level stays when it is empty, as it will be used again.
    strict: BTreeMap<u16, FairShare<u64, Entry<T>>>,
    /// By priority and connection.
    fair: FairShare<(u16, u64), Entry<T>>,
    len: usize,
}

impl<T> Backlog<T> {
    pub(super) fn new() -> Self {
        Self { events: VecDeque::new(), strict: BTreeMap::new(), fair: FairShare::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, entry: Entry<T>) {
        self.len += 1;
        let key = entry.key;
        match entry.class {
            Class::Event => self.events.push_back(entry),
            Class::Strict(priority) => {
                let level = self.strict.entry(clamp(priority)).or_insert_with(FairShare::new);
                level.push(key, 1, entry);
            }
            Class::Fair { priority, cost } => {
                let priority = clamp(priority);
                self.fair.push((priority, key), charge(priority, cost), entry);
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Entry<T>> {
        let entry = self.events.pop_front().or_else(|| self.pop_strict()).or_else(|| self.fair.pop())?;
        self.len -= 1;
        Some(entry)
    }

    fn pop_strict(&mut self) -> Option<Entry<T>> {
        self.strict.values_mut().rev().find(|level| !level.is_empty())?.pop()
    }

    /// Takes out the messages of a connection.
    pub(super) fn discard(&mut self, key: u64) -> Vec<T> {
        let mut discarded = Vec::new();
        for level in self.strict.values_mut().rev().filter(|level| !level.is_empty()) {
            discarded.extend(level.remove(key));
        }
        let flows: Vec<_> = self.fair.flows().filter(|flow| flow.1 == key).collect();
        for flow in flows {
            discarded.extend(self.fair.remove(flow));
        }
        self.len -= discarded.len();
        discarded.into_iter().map(|entry| entry.item).collect()
    }

    /// When the oldest item came.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let strict = self.strict.values().flat_map(FairShare::fronts);
        let all = self.events.front().into_iter().chain(strict).chain(self.fair.fronts());
        all.map(|entry| entry.since).min()
    }

    /// Everything, in the order it would have been taken.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.pop()).map(|entry| entry.item).collect()
    }
}

fn clamp(priority: u16) -> u16 {
    priority.min(Message::PRIORITY_HIGHEST)
}

fn charge(priority: u16, cost: usize) -> u64 {
    cost.max(MIN_COST) as u64 / u64::from(priority.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MIB: usize = 1024 * 1024;

    fn entry(key: u64, class: Class, item: &'static str) -> Entry<&'static str> {
        Entry { key, class, since: Instant::now(), item }
    }

    fn backlog(entries: &[(u64, Class, &'static str)]) -> Backlog<&'static str> {
        let mut backlog = Backlog::new();
        for (key, class, item) in entries {
            backlog.push(entry(*key, *class, item));
        }
        backlog
    }

    fn fair(priority: u16, cost: usize) -> Class {
        Class::Fair { priority, cost }
    }

    #[test]
    fn events_then_strict_by_priority_then_fair() {
        let mut backlog = backlog(&[
            (1, fair(63, 0), "fair"),
            (1, Class::Strict(64), "low"),
            (1, Class::Strict(127), "default"),
            (1, Class::Strict(255), "highest"),
            (1, Class::Strict(9999), "counts as highest"),
            (1, Class::Event, "event"),
        ]);
        let expected = ["event", "highest", "counts as highest", "default", "low", "fair"];
        assert_eq!(backlog.take_all(), expected);
        assert_eq!((backlog.len(), backlog.strict.len()), (0, 3));
    }

    #[test]
    fn connections_of_one_priority_take_turns() {
        let strict = Class::Strict(127);
        let mut backlog =
            backlog(&[(1, strict, "a1"), (1, strict, "a2"), (1, strict, "a3"), (2, strict, "b1")]);
        assert_eq!(backlog.take_all(), ["a1", "b1", "a2", "a3"]);
    }

    #[test]
    fn fair_shares_are_of_bytes_weighted_by_priority() {
        let mut backlog = Backlog::new();
        for _ in 0..200 {
            backlog.push(entry(1, fair(40, MIB), "heavy"));
            backlog.push(entry(2, fair(10, MIB), "light"));
            backlog.push(entry(3, fair(40, 4 * MIB), "bulky"));
        }
        let served: Vec<_> = std::iter::from_fn(|| backlog.pop()).take(60).map(|entry| entry.item).collect();
        let count = |item| served.iter().filter(|served| **served == item).count();
        assert_eq!((count("heavy"), count("light"), count("bulky")), (40, 10, 10));
    }

    #[test]
    fn small_fair_messages_are_charged_64_kib() {
        let mut backlog = Backlog::new();
        for _ in 0..100 {
            backlog.push(entry(1, fair(1, 1), "tiny"));
            backlog.push(entry(2, fair(1, 64 * 1024), "small"));
        }
        let served: Vec<_> = std::iter::from_fn(|| backlog.pop()).take(20).map(|entry| entry.item).collect();
        assert_eq!(served.iter().filter(|item| **item == "tiny").count(), 10);
    }

    #[test]
    fn priority_zero_is_served_too() {
        let mut backlog = backlog(&[(1, fair(0, 1), "zero")]);
        assert_eq!(backlog.take_all(), ["zero"]);
    }

    #[test]
    fn discarding_takes_the_messages_of_one_connection() {
        let mut backlog = backlog(&[
            (1, Class::Event, "event"),
            (1, Class::Strict(127), "strict"),
            (1, Class::Strict(127), "strict 2"),
            (1, fair(5, 1), "fair"),
            (1, fair(6, 1), "other fair"),
            (2, Class::Strict(127), "other connection"),
            (2, fair(5, 1), "other connection, fair"),
        ]);
        let mut discarded = backlog.discard(1);
        discarded.sort_unstable();
        assert_eq!(discarded, ["fair", "other fair", "strict", "strict 2"]);
        assert_eq!(backlog.len(), 3);
        assert_eq!(backlog.take_all(), ["event", "other connection", "other connection, fair"]);
    }

    #[test]
    fn the_oldest_is_found_in_every_class() {
        let now = Instant::now();
        for class in [Class::Event, Class::Strict(64), fair(3, 1)] {
            let mut backlog =
                backlog(&[(1, Class::Event, "e"), (2, Class::Strict(200), "s"), (3, fair(1, 1), "f")]);
            assert!(backlog.oldest() >= Some(now));
            let since = now - Duration::from_millis(1);
            backlog.push(Entry { key: 4, class, since, item: "old" });
            if class != Class::Event {
                assert_eq!(backlog.oldest(), Some(since), "{class:?}");
            }
        }
        assert_eq!(Backlog::<()>::new().oldest(), None);
    }
}
