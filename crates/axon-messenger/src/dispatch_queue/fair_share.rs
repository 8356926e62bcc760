//! Flows that share one server in proportion to their weights: self-clocked fair queueing (Golestani, 1994).
//!
//! The first item of each flow carries a tag: the flow's last tag (or the clock, if the flow was empty) plus the
//! item's charge, its size divided by the flow's weight. The item with the smallest tag is next, and the clock is set
//! to its tag. A flow that was empty starts at the clock: it neither saves up credit while idle nor has to catch up.
//! With equal charges this is round-robin. Unlike deficit round-robin, one huge item needs no extra rounds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::Hash;

/// Queues of items, one per flow.
pub(super) struct FairShare<K, E> {
    flows: HashMap<K, Flow<E>>,
    /// One valid turn per flow, and those of flows that were removed, which are skipped.
    turns: BinaryHeap<Reverse<Turn<K>>>,
    clock: u64,
    arrivals: u64,
    len: usize,
    /// Emptied queues, kept so that a flow of single items allocates nothing.
    spare: Vec<Items<E>>,
}

type Items<E> = VecDeque<(u64, E)>;

struct Flow<E> {
    /// `arrival` of its valid turn.
    turn: u64,
    items: Items<E>,
}

/// Ordered by tag, then by who came first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Turn<K> {
    tag: u64,
    arrival: u64,
    flow: K,
}

/// Spare queues kept, and the largest one worth keeping.
const SPARES: usize = 64;
const SPARE_CAPACITY: usize = 32;

impl<K: Copy + Eq + Ord + Hash, E> FairShare<K, E> {
    pub(super) fn new() -> Self {
        Self {
            flows: HashMap::new(),
            turns: BinaryHeap::new(),
            clock: 0,
            arrivals: 0,
            len: 0,
            spare: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends an item to a flow. `charge` is its size divided by the weight of the flow.
    pub(super) fn push(&mut self, flow: K, charge: u64, item: E) {
        self.len += 1;
        if let Some(known) = self.flows.get_mut(&flow) {
            known.items.push_back((charge, item));
            return;
        }
        let mut items = self.spare.pop().unwrap_or_default();
        items.push_back((charge, item));
        let turn = self.queue_up(flow, charge);
        self.flows.insert(flow, Flow { turn, items });
    }

    /// The next item.
    pub(super) fn pop(&mut self) -> Option<E> {
        while let Some(Reverse(turn)) = self.turns.pop() {
            let known = self.flows.get_mut(&turn.flow);
            let Some(flow) = known.filter(|flow| flow.turn == turn.arrival) else { continue };
            self.clock = turn.tag;
            let served = flow.items.pop_front();
            let following = flow.items.front().map(|(charge, _)| *charge);
            self.go_on(turn.flow, following);
            if let Some((_, item)) = served {
                self.forget(1);
                return Some(item);
            }
        }
        None
    }

    /// Takes out all items of a flow.
    pub(super) fn remove(&mut self, flow: K) -> impl Iterator<Item = E> + use<K, E> {
        let items = self.flows.remove(&flow).map(|flow| flow.items).unwrap_or_default();
        self.forget(items.len());
        items.into_iter().map(|(_, item)| item)
    }

    /// The flows that have items, in no order.
    pub(super) fn flows(&self) -> impl Iterator<Item = K> {
        self.flows.keys().copied()
    }

    /// The oldest item of each flow, in no order.
    pub(super) fn fronts(&self) -> impl Iterator<Item = &E> {
        self.flows.values().filter_map(|flow| flow.items.front()).map(|(_, item)| item)
    }

    /// After an item was served: the flow's next turn, or its end.
    fn go_on(&mut self, flow: K, following: Option<u64>) {
        if let Some(charge) = following {
            let turn = self.queue_up(flow, charge);
            if let Some(flow) = self.flows.get_mut(&flow) {
                flow.turn = turn;
            }
        } else if let Some(ended) = self.flows.remove(&flow)
            && self.spare.len() < SPARES
            && ended.items.capacity() <= SPARE_CAPACITY
        {
            self.spare.push(ended.items);
        }
    }

    fn queue_up(&mut self, flow: K, charge: u64) -> u64 {
        self.arrivals += 1;
        let tag = self.clock.saturating_add(charge);
        self.turns.push(Reverse(Turn { tag, arrival: self.arrivals, flow }));
        self.arrivals
    }

    fn forget(&mut self, items: usize) {
        self.len -= items;
        if self.len == 0 {
            self.turns.clear();
            self.clock = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(share: &mut FairShare<char, u32>) -> Vec<u32> {
        std::iter::from_fn(|| share.pop()).collect()
    }

    #[test]
    fn equal_charges_are_round_robin() {
        let mut share = FairShare::new();
        for i in 0..3 {
            share.push('a', 1, 10 + i);
        }
        for i in 0..2 {
            share.push('b', 1, 20 + i);
        }
        share.push('c', 1, 30);
        assert_eq!(order(&mut share), [10, 20, 30, 11, 21, 12]);
        assert!(share.is_empty());
    }

    #[test]
    fn shares_follow_the_charges() {
        let mut share = FairShare::new();
        for _ in 0..1000 {
            share.push('a', 300, 1);
            share.push('b', 100, 2);
        }
        let served: Vec<_> = std::iter::from_fn(|| share.pop()).take(400).collect();
        let cheap = served.iter().filter(|item| **item == 2).count();
        assert!((299..=301).contains(&cheap), "{cheap}");
    }

    #[test]
    fn an_idle_flow_saves_up_nothing() {
        let mut share = FairShare::new();
        for _ in 0..100 {
            share.push('a', 1, 1);
        }
        for _ in 0..50 {
            share.pop();
        }
        for _ in 0..50 {
            share.push('b', 1, 2);
        }
        let served: Vec<_> = std::iter::from_fn(|| share.pop()).take(10).collect();
        assert_eq!(served.iter().filter(|item| **item == 2).count(), 5, "{served:?}");
    }

    #[test]
    fn refilling_an_emptied_flow_gains_nothing() {
        let mut share = FairShare::new();
        for _ in 0..100 {
            share.push('a', 1, 1);
        }
        share.push('b', 10, 2);
        let mut large = 0;
        for _ in 0..44 {
            if share.pop() == Some(2) {
                large += 1;
                share.push('b', 10, 2);
            }
        }
        assert_eq!(large, 4, "one charge of 10 for ten charges of 1");
    }

    #[test]
    fn a_removed_flow_is_skipped_and_may_return() {
        let mut share = FairShare::new();
        share.push('a', 5, 1);
        share.push('a', 5, 2);
        share.push('b', 6, 3);
        assert_eq!(share.remove('a').collect::<Vec<_>>(), [1, 2]);
        assert_eq!(share.remove('a').count(), 0);
        share.push('a', 9, 4);
        assert_eq!(order(&mut share), [3, 4]);
    }
}
